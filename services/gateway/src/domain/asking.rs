//! From which site a request comes, as far as it says so, and whether an app lets it ask. A browser says it truly; whatever else asks
//! can say what it likes: this keeps an app off other people's pages, and nothing more.

use url::Url;

use super::sites::allow;

/// What a request says about the site it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nothing: it is no browser's, or a page that hides it.
    Untold,
    /// A host.
    Host(String),
    /// Something that is no site on the web: `null`, an extension, nonsense.
    Other,
}

/// What `Origin` says, and where there is none, `Referer`.
pub(crate) fn origin(origin: Option<&str>, referer: Option<&str>) -> Origin {
    let Some(said) = origin.or(referer) else { return Origin::Untold };
    let url = Url::parse(said).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url.as_ref().and_then(Url::host_str) {
        Some(host) => Origin::Host(host.to_owned()),
        None => Origin::Other,
    }
}

/// Whether an app lets a request from there ask.
///
/// # Errors
/// Why not, for people.
pub(crate) fn may_ask(origin: &Origin, allowed: &[String], require_origin: bool) -> Result<(), String> {
    match origin {
        Origin::Untold if require_origin => {
            Err("This app asks for the Origin of every request, or for a key".to_owned())
        }
        Origin::Untold => Ok(()),
        Origin::Host(host) if allow(allowed, host) => Ok(()),
        Origin::Host(host) => {
            let host: String = host.chars().take(100).collect();
            Err(format!("{host} is not one of the sites that this app allows"))
        }
        Origin::Other => Err("This is not one of the sites that this app allows".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: Option<&str>, referer: Option<&str>, allowed: &[&str], require_origin: bool) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|site| (*site).to_owned()).collect();
        may_ask(&super::origin(origin, referer), &allowed, require_origin).is_ok()
    }

    #[test]
    fn a_site_may_ask_when_it_is_allowed_whatever_its_scheme_and_port() {
        let sites = ["example.com", "*.shop.example"];
        for (origin, may) in [
            ("https://example.com", true),
            ("http://example.com", true),
            ("https://EXAMPLE.com:8443", true),
            ("https://www.shop.example", true),
            ("https://shop.example", false),
            ("https://www.example.com", false),
            ("https://example.com.evil.example", false),
            ("https://evil.example/example.com", false),
            ("https://example.com@evil.example", false),
            ("chrome-extension://example.com", false),
            ("file:///example.com", false),
            ("example.com", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(asked(Some(origin), None, &sites, false), may, "{origin}");
            // Where there is an origin, nothing else is asked.
            assert_eq!(asked(Some(origin), Some("https://example.com/"), &sites, false), may, "{origin}");
            assert!(!asked(Some(origin), None, &[], false), "{origin}");
        }
    }

    #[test]
    fn without_an_origin_the_referer_counts_and_without_both_the_app_decides() {
        let sites = ["example.com"];
        assert!(asked(None, Some("https://example.com/a/page?b=c"), &sites, true));
        assert!(!asked(None, Some("https://evil.example/?https://example.com"), &sites, false));
        assert!(!asked(None, Some("about:blank"), &sites, false));
        assert!(asked(None, None, &sites, false) && asked(None, None, &[], false));
        assert!(!asked(None, None, &sites, true));
    }
}
