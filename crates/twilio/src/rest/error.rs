//! What can go wrong, told apart by what it means for the one who asked.

use std::error::Error as _;

use serde_json::Value;

/// Codes of a call that was refused because too many are running: nothing was placed, later it may work.
const TOO_MANY: [u32; 3] = [20429, 10004, 86008];

/// An answer of Twilio that says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Twilio answered {status}{}: {message}", code.map(|code| format!(", code {code}")).unwrap_or_default())]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// Twilio's code (docs, api/errors). Gateways leave it out.
    pub code: Option<u32>,
    /// What it says, for a person. Never match on it.
    pub message: String,
    /// More of the same, where there is more.
    pub detail: Option<String>,
    /// Where it is explained.
    pub more_info: Option<String>,
}

impl ApiError {
    /// Reads an error body: Twilio's own envelope, a problem document (RFC 9457), or whatever a gateway sends.
    #[must_use]
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let code = match json.get("code") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64().and_then(|code| u32::try_from(code).ok()),
            None => None,
        };
        let message = text("message").or_else(|| text("title")).unwrap_or("the answer does not say why");
        Self {
            status,
            code,
            message: message.to_owned(),
            detail: text("detail").map(str::to_owned),
            more_info: text("more_info").or_else(|| text("type")).map(str::to_owned),
        }
    }

    /// Whether the credentials were refused.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401
    }

    /// Whether there is no such resource in this account.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Whether the request was turned away for its rate and may be repeated later.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        self.status == 429 || self.code.is_some_and(|code| TOO_MANY.contains(&code))
    }
}

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: no address, no connection, no TLS.
    #[error("no connection to Twilio: {0}")]
    NotSent(String),
    /// It was, or may have been, sent, and then the connection broke or the time was up.
    #[error("no answer from Twilio: {0}")]
    NoAnswer(String),
    /// Twilio said no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Twilio said yes, and then something that cannot be understood.
    #[error("Twilio answered {status}, but {reason}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What cannot be understood.
        reason: String,
    },
}

impl Error {
    /// Twilio's code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Api(error) => error.code,
            _ => None,
        }
    }

    /// Sorts a failure of the HTTP client. When in doubt the request counts as sent.
    pub(super) fn from_http(error: &reqwest::Error) -> Self {
        let message = chain(error);
        if error.is_connect() || error.is_builder() {
            Self::NotSent(message)
        } else {
            Self::NoAnswer(message)
        }
    }
}

/// The whole chain of causes: "error sending request" alone helps nobody.
fn chain(error: &reqwest::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}

/// Why `create_call` has no call to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// No call exists, certainly.
    #[error("the call was not placed: {cause}")]
    NotPlaced {
        /// Whether the same request may be sent again, later.
        retry: bool,
        /// Why.
        cause: Error,
    },
    /// A call may exist. Look for evidence; never send the request again.
    #[error("it is not known whether the call was placed: {cause}")]
    Unknown {
        /// Why.
        cause: Error,
    },
}

impl CreateError {
    /// Twilio's code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::NotPlaced { cause, .. } | Self::Unknown { cause } => cause.code(),
        }
    }
}

impl From<Error> for CreateError {
    /// The rule: refused connections and rate limits may be tried again, other refusals (4xx) are final, and
    /// everything else leaves the outcome open.
    fn from(cause: Error) -> Self {
        match &cause {
            Error::NotSent(_) => Self::NotPlaced { retry: true, cause },
            Error::Api(error) if (400..500).contains(&error.status) => {
                Self::NotPlaced { retry: error.is_rate_limit(), cause }
            }
            Error::Api(_) | Error::NoAnswer(_) | Error::Unreadable { .. } => Self::Unknown { cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, code: Option<u32>) -> Error {
        let message = "m".to_owned();
        Error::Api(ApiError { status, code, message, detail: None, more_info: None })
    }

    #[test]
    fn twilios_own_envelope_is_read() {
        let body =
            br#"{"code":20003,"message":"Authenticate","more_info":"https://example.com/20003","status":401,
            "detail":"Your AccountSid or AuthToken was incorrect."}"#;
        let error = ApiError::from_body(401, body);
        assert_eq!((error.code, error.message.as_str()), (Some(20003), "Authenticate"));
        assert_eq!(error.detail.as_deref(), Some("Your AccountSid or AuthToken was incorrect."));
        assert!(error.is_unauthorized());
        assert_eq!(error.to_string(), "Twilio answered 401, code 20003: Authenticate");
    }

    #[test]
    fn a_problem_document_is_read() {
        let body =
            br#"{"type":"https://example.com/e","title":"Bad","status":400,"code":"21211","errors":[]}"#;
        let error = ApiError::from_body(400, body);
        assert_eq!((error.code, error.message.as_str()), (Some(21211), "Bad"));
        assert_eq!(error.more_info.as_deref(), Some("https://example.com/e"));
    }

    #[test]
    fn html_and_nothing_and_other_json_fall_back_to_the_status() {
        for body in [&b"<html>Bad Gateway</html>"[..], b"", b"[]", b"null", b"{\"code\":null}", b"\xFF"] {
            let error = ApiError::from_body(502, body);
            assert_eq!((error.status, error.code), (502, None));
            assert_eq!(error.to_string(), "Twilio answered 502: the answer does not say why");
        }
    }

    #[test]
    fn the_outcome_of_a_create_is_sorted() {
        let retry = |error: Error| match CreateError::from(error) {
            CreateError::NotPlaced { retry, .. } => Some(retry),
            CreateError::Unknown { .. } => None,
        };
        assert_eq!(retry(Error::NotSent(String::new())), Some(true));
        assert_eq!(retry(api(429, Some(20429))), Some(true));
        assert_eq!(retry(api(429, None)), Some(true));
        assert_eq!(retry(api(400, Some(10004))), Some(true));
        assert_eq!(retry(api(400, Some(21211))), Some(false));
        assert_eq!(retry(api(401, None)), Some(false));
        assert_eq!(retry(api(302, None)), None);
        assert_eq!(retry(api(500, Some(20500))), None);
        assert_eq!(retry(api(503, Some(20429))), None);
        assert_eq!(retry(Error::NoAnswer(String::new())), None);
        assert_eq!(retry(Error::Unreadable { status: 201, reason: String::new() }), None);
    }
}
