//! The cookies of one call: kept, and given back to the host that set them, as a browser does that is closed with the call.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// No host sets more of them.
const MOST: usize = 50;

/// A call's cookies, by host and name.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Mutex<BTreeMap<(String, String), String>>);

impl Cookies {
    /// Keeps what a `Set-Cookie` says. Of its attributes only the one that takes a cookie away counts.
    pub(super) fn keep(&self, host: &str, set: &str) {
        let mut parts = set.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let gone = parts.any(|part| part.to_ascii_lowercase().starts_with("max-age=0"));
        let key = (host.to_owned(), name.to_owned());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gone {
            kept.remove(&key);
        } else if kept.len() < MOST {
            kept.insert(key, value.to_owned());
        }
    }

    /// The `Cookie` for this host, if it has set one.
    pub(super) fn for_host(&self, host: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept.iter().filter(|((of, _), _)| of == host);
        let pairs: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_to_their_host_until_they_are_taken_away() {
        let cookies = Cookies::default();
        cookies.keep("a", "session=1; Path=/; HttpOnly");
        cookies.keep("a", "colour=blue");
        cookies.keep("b", "other=2");
        assert_eq!(cookies.for_host("a").as_deref(), Some("colour=blue; session=1"));
        cookies.keep("a", "session=; Max-Age=0");
        assert_eq!(cookies.for_host("a").as_deref(), Some("colour=blue"));
        assert_eq!(cookies.for_host("c"), None);
    }
}
