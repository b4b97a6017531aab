//! The address of an endpoint: what can be said about it before it is ever dialled.

use common::egress::{EgressPolicy, Refused};
use url::Url;

/// Longest address, in bytes.
const LONGEST: usize = 2048;

/// Why an address cannot be used, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTarget {
    /// Too long.
    #[error("has {0} bytes; at most {LONGEST} are allowed")]
    TooLong(usize),
    /// No URL.
    #[error("is not a URL such as https://your-server.com/webhooks/echo ({0})")]
    NotUrl(url::ParseError),
    /// Not to be dialled.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Checks an address that a tenant gives.
pub(crate) fn check(policy: &EgressPolicy, text: &str) -> Result<Url, BadTarget> {
    if text.len() > LONGEST {
        return Err(BadTarget::TooLong(text.len()));
    }
    let url = Url::parse(text).map_err(BadTarget::NotUrl)?;
    policy.check(&url)?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        check(&EgressPolicy::default(), text).unwrap_err().to_string()
    }

    #[test]
    fn each_refusal_says_what_would_be_right() {
        assert!(check(&EgressPolicy::default(), "https://example.com/hook").is_ok());
        assert!(problem("example.com/hook").contains("https://your-server.com"));
        assert!(problem("http://example.com/hook").contains("https://"));
        assert!(problem("https://10.0.0.1/").contains("private"));
        let long = format!("https://example.com/{}", "a".repeat(2048));
        assert!(problem(&long).contains("2068 bytes; at most 2048"));
    }
}
