//! The id of a request: the caller's where it sent a sane one, else a new one. It stands on the answer, in every log line
//! and in every message that the request causes.

use actix_web::{HttpMessage as _, HttpRequest};
use common::trace;

/// The header that carries it in both directions.
pub(crate) const HEADER: &str = trace::REQUEST_ID;

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The caller's, if it is 1 to 128 letters, digits and `_.:-`; else a new one.
    pub(crate) fn choose(sent: Option<&str>) -> Self {
        Self(trace::request_id_of(sent))
    }

    /// The one that the edge has chosen for this request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self::choose(None))
    }

    /// The id.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_any_other_is_replaced() {
        assert_eq!(RequestId::choose(Some("req_1.a:b-C")).as_str(), "req_1.a:b-C");
        for bad in ["", "a b", "a\"b", "ü", &"x".repeat(129)] {
            assert_ne!(RequestId::choose(Some(bad)).as_str(), bad);
        }
        assert_eq!(RequestId::choose(None).as_str().len(), 36);
    }
}
