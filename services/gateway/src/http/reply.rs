//! Writing answers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use common::db::Time;
use contracts::ids::CustomerId;
use serde::Serialize;

use crate::domain::moment;
use crate::error::ApiError;

/// Something that was made, as it is answered and kept for a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The status.
    pub(crate) status: StatusCode,
    /// JSON text.
    pub(crate) body: String,
    /// Whose data it holds: an answer that is kept goes with them.
    pub(crate) customer: Option<CustomerId>,
    /// False: a part of it is not known yet, so that it is answered and not kept.
    pub(crate) settled: bool,
    /// It holds a secret that is shown once: it is answered and not kept.
    pub(crate) secret: bool,
}

impl Made {
    /// 201 with this body.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::with(StatusCode::CREATED, body)
    }

    /// This status with this body.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    pub(crate) fn with(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(ApiError::internal)?;
        Ok(Self { status, body, customer: None, settled: true, secret: false })
    }

    /// 200 with this body.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    pub(crate) fn done(body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self { status: StatusCode::OK, ..Self::created(body)? })
    }

    /// The same, with the data of a customer in it.
    pub(crate) fn about(self, customer: CustomerId) -> Self {
        Self { customer: Some(customer), ..self }
    }

    /// The same, not to be kept: whoever asks again under the same key goes on with it.
    pub(crate) fn not_settled(self) -> Self {
        Self { settled: false, ..self }
    }

    /// The same, with a secret in it that is shown once.
    pub(crate) fn shown_once(self) -> Self {
        Self { secret: true, ..self }
    }

    /// The answer.
    pub(crate) fn into_response(self) -> HttpResponse {
        HttpResponse::build(self.status).content_type("application/json").body(self.body)
    }

    /// The answer to a repetition.
    pub(crate) fn into_replay(self) -> HttpResponse {
        HttpResponse::build(self.status)
            .insert_header(("idempotent-replayed", "true"))
            .content_type("application/json")
            .body(self.body)
    }
}

/// A time as answers show it: RFC 3339, UTC, milliseconds.
pub(crate) fn time(at: Time) -> String {
    moment::text(at.0)
}

/// The same from a message's milliseconds.
pub(crate) fn millis(ms: i64) -> String {
    moment::text(common::clock::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_a_z() {
        assert_eq!(millis(1_773_855_826_714), "2026-03-18T17:43:46.714Z");
        assert_eq!(millis(0), "1970-01-01T00:00:00.000Z");
    }
}
