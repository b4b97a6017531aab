//! Twilio's error envelope: code, message, where to read more, status.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

/// An answer that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    status: u16,
    code: u32,
    message: String,
}

impl ApiError {
    /// An error of this HTTP status and Twilio code.
    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into() }
    }

    /// The caller's mistake.
    pub(super) fn bad(code: u32, message: impl Into<String>) -> ApiError {
        ApiError::new(400, code, message)
    }

    /// Nothing is at this path.
    pub(super) fn not_found(path: &str) -> ApiError {
        ApiError::new(404, 20404, format!("The requested resource {path} was not found"))
    }

    /// Wrong credentials.
    pub(super) fn unauthenticated() -> ApiError {
        ApiError::new(401, 20003, "Authenticate")
    }

    /// Twilio's code, for tests.
    #[cfg(test)]
    pub(super) fn code(&self) -> u32 {
        self.code
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        });
        if self.status == 401 {
            body["detail"] = json!("Your AccountSid or AuthToken was incorrect.");
        }
        HttpResponse::build(self.status_code()).json(body)
    }
}
