//! Sites from which browsers may ask an app: a host, or `*.` and a host for everything below it. Whatever the scheme and the port:
//! who holds a host holds all of its ports.

use std::fmt;

use url::Host;

/// Longest host (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;

/// A host, or all hosts below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Lower case, in the form of the DNS.
    host: String,
    /// What is below it, and not the host itself.
    below: bool,
}

impl Site {
    /// Accepts `example.com`, `*.example.com`, `localhost`, an IP address.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "must be a host such as `example.com` or `*.example.com`, without scheme, port and path"
                .to_owned()
        };
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let plain = !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || "*/:@%?#\\".contains(c));
        let bracketed = rest.starts_with('[') && rest.ends_with(']');
        if !(plain || bracketed) || text.len() > LONGEST {
            return Err(wrong());
        }
        let host = Host::parse(rest).map_err(|_| wrong())?;
        let is_name = matches!(host, Host::Domain(_));
        let host = host.to_string().trim_end_matches('.').to_owned();
        // Everything below a top-level domain belongs to nobody.
        if host.is_empty() || below && !(is_name && host.contains('.')) {
            return Err(wrong());
        }
        Ok(Self { host, below })
    }

    /// Whether a host is (one of) this.
    fn holds(&self, host: &str) -> bool {
        match (self.below, host.strip_suffix(&self.host)) {
            (false, Some("")) => true,
            (true, Some(front)) => front.len() > 1 && front.ends_with('.'),
            _ => false,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)
    }
}

/// Whether a host is one of these sites. What is stored and cannot be read allows nothing.
pub(crate) fn allow(sites: &[String], host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    sites.iter().filter_map(|text| Site::parse(text).ok()).any(|site| site.holds(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_host_and_nothing_else() {
        for (text, shown) in [
            ("example.com", "example.com"),
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("*.example.com", "*.example.com"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(Site::parse(text).map(|site| site.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in [
            "",
            ".",
            "*",
            "*.",
            "*.com",
            "*.*.example.com",
            "a.*.example.com",
            "https://example.com",
            "example.com:80",
            "example.com/x",
            "a@example.com",
            "exa mple.com",
            "*.127.0.0.1",
            "*.[::1]",
            "[::1",
            "[::1]/x",
        ] {
            assert!(Site::parse(text).is_err(), "{text}");
        }
        assert!(Site::parse(&format!("{}.example.com", "a".repeat(250))).is_err());
    }

    #[test]
    fn a_host_is_allowed_exactly_and_what_is_below_one_never_with_the_host_itself() {
        let exact = ["example.com".to_owned()];
        let below = ["*.example.com".to_owned()];
        for (host, by_exact, by_below) in [
            ("example.com", true, false),
            ("EXAMPLE.com", true, false),
            ("example.com.", true, false),
            ("www.example.com", false, true),
            ("a.b.example.com", false, true),
            ("evilexample.com", false, false),
            ("example.com.evil.example", false, false),
            (".example.com", false, false),
            ("com", false, false),
            ("", false, false),
        ] {
            assert_eq!((allow(&exact, host), allow(&below, host)), (by_exact, by_below), "{host}");
        }
        assert!(!allow(&[], "example.com") && !allow(&["*".to_owned()], "example.com"));
    }
}
