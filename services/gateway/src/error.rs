//! Every error that a caller sees, in one of the two documented shapes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use common::db::DbError;
use contracts::rpc::RpcError;
use serde_json::{Value, json};

use crate::domain::problem::Problem;
use crate::identity::passwords::HashError;

/// An answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    details: Vec<Problem>,
    hint: Option<Hint>,
}

/// The shape of an error: which one a caller gets says the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"statusCode","message","error","code","details","request_id"}`.
    Echo,
    /// `{"error","code","request_id"}`, with the text in `error`.
    EchoLink,
}

/// What else a caller is told, in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hint {
    /// When to come back, in seconds.
    RetryAfter(u64),
    /// The methods that are possible.
    Allow(String),
    /// How to say who one is.
    Authenticate,
    /// That the connection ends here.
    HangUp,
}

impl ApiError {
    /// An error with a stable snake-case code.
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new(), hint: None }
    }

    fn hinting(self, hint: Hint) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// 400: what was sent is wrong in these places.
    pub(crate) fn invalid(details: Vec<Problem>) -> Self {
        let first = details.first().map(|p| match p.field.as_str() {
            "" => format!("The request {}", p.problem),
            field => format!("{field} {}", p.problem),
        });
        let message = match (first, details.len()) {
            (Some(first), 2..) => format!("{first} (and {} more)", details.len() - 1),
            (Some(first), _) => first,
            (None, _) => "The request is not valid".to_owned(),
        };
        Self { details, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request", message) }
    }

    /// 400 for one field.
    pub(crate) fn invalid_field(field: &str, problem: impl Into<String>) -> Self {
        Self::invalid(vec![Problem::new(field, problem)])
    }

    /// 401.
    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message).hinting(Hint::Authenticate)
    }

    /// 401 for a wrong address or a wrong password, which of them is not said.
    pub(crate) fn invalid_credentials() -> Self {
        let message = "The e-mail address or the password is wrong";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", message).hinting(Hint::Authenticate)
    }

    /// 403.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: not there, or not the caller's.
    pub(crate) fn not_found(noun: &str, shown: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{noun}_not_found"), format!("{shown} not found"))
    }

    /// 404: no such path.
    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let path: String = path.chars().take(200).collect();
        Self::new(StatusCode::NOT_FOUND, "route_not_found", format!("Cannot {method} {path}"))
    }

    /// 405: the path is there, with these methods.
    pub(crate) fn wrong_method(method: &str, allowed: &str) -> Self {
        let message = format!("{method} is not possible here; {allowed} is");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
            .hinting(Hint::Allow(allowed.to_owned()))
    }

    /// 408: the body did not arrive in time. What else of it may come is not waited for.
    pub(crate) fn body_too_slow(deadline: Duration) -> Self {
        let message = format!("The body did not arrive within {} seconds", deadline.as_secs_f64());
        Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message).hinting(Hint::HangUp)
    }

    /// 409.
    pub(crate) fn conflict(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
    }

    /// 415.
    pub(crate) fn unsupported_media(message: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// 429: so many seconds until the window ends.
    pub(crate) fn rate_limited(retry_after: u64) -> Self {
        let message = format!("Too many requests; try again in {retry_after} seconds");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
            .hinting(Hint::RetryAfter(retry_after))
    }

    /// 500: ours. The reason goes to the log and not to the caller.
    pub(crate) fn internal(reason: impl fmt::Display) -> Self {
        tracing::error!(%reason, "a request failed");
        let message = "Something broke on our side; the request id names it in the log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// 503: something that is needed is away; again in a second.
    pub(crate) fn unavailable(reason: impl fmt::Display) -> Self {
        tracing::warn!(%reason, "a request could not be served now");
        let message = "A service behind this one is away or busy; try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).hinting(Hint::RetryAfter(1))
    }

    /// The same with a `Retry-After`.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.hinting(Hint::RetryAfter(seconds))
    }

    /// True when the request was refused and has left nothing behind; false when nobody knows.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_client_error()
    }

    /// The answer.
    pub(crate) fn response(&self, shape: Shape, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        match &self.hint {
            Some(Hint::RetryAfter(seconds)) => response.insert_header((RETRY_AFTER, seconds.to_string())),
            Some(Hint::Allow(methods)) => response.insert_header((ALLOW, methods.as_str())),
            Some(Hint::Authenticate) => response.insert_header((WWW_AUTHENTICATE, "Bearer")),
            Some(Hint::HangUp) => response.force_close(),
            None => &mut response,
        };
        match shape {
            Shape::Echo => response.json(self.to_json(request_id)),
            Shape::EchoLink => response.json(self.to_link_json(request_id)),
        }
    }

    /// EchoLink's form.
    fn to_link_json(&self, request_id: &str) -> Value {
        json!({"error": self.message, "code": self.code, "request_id": request_id})
    }

    /// Echo's form.
    pub(crate) fn to_json(&self, request_id: &str) -> Value {
        json!({
            "statusCode": self.status.as_u16(),
            "message": self.message,
            "error": self.status.canonical_reason().unwrap_or("Error"),
            "code": self.code,
            "details": self.details,
            "request_id": request_id,
        })
    }

    /// The status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response(Shape::Echo, "") // the edge writes it again with the request's id, in the shape of its path
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) | DbError::Conflict => Self::unavailable(error),
            DbError::NotFound | DbError::Duplicate { .. } | DbError::Corrupt(_) | DbError::Other(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::unavailable("too many passwords wait to be checked"),
            HashError::Failed(why) => Self::internal(why),
        }
    }
}

/// What an rpc's failure means for the caller; `noun` is what was not found.
pub(crate) fn from_rpc(error: RpcError, noun: &str, shown: &str) -> ApiError {
    match error {
        RpcError::NotFound(_) => ApiError::not_found(noun, shown),
        RpcError::Invalid { field, problem } => ApiError::invalid_field(&field, problem),
        RpcError::Conflict { code, message } => ApiError::conflict(code, message),
        RpcError::Busy | RpcError::Unavailable(_) | RpcError::DeadlineExceeded => {
            ApiError::unavailable(error)
        }
        RpcError::Internal(why) => ApiError::internal(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpc_that_failed_is_the_callers_fault_only_where_it_is() {
        let status = |error| from_rpc(error, "notification", "Notification").status.as_u16();
        assert_eq!(status(RpcError::NotFound(String::new())), 404);
        assert_eq!(status(RpcError::Invalid { field: "url".into(), problem: "is wrong".into() }), 400);
        assert_eq!(status(RpcError::Conflict { code: "no_carrier".into(), message: String::new() }), 409);
        assert_eq!(status(RpcError::Busy), 503);
        assert_eq!(status(RpcError::Unavailable(String::new())), 503);
        assert_eq!(status(RpcError::DeadlineExceeded), 503);
        assert_eq!(status(RpcError::Internal(String::new())), 500);
    }

    #[test]
    fn a_message_names_the_first_field_and_how_many_more_there_are() {
        let error =
            ApiError::invalid(vec![Problem::new("name", "is missing"), Problem::new("phone", "is missing")]);
        assert_eq!(error.message, "name is missing (and 1 more)");
        assert_eq!(ApiError::invalid_field("", "is no JSON").message, "The request is no JSON");
    }
}
