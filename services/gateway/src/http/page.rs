//! Lists: a bare array, newest first, and where the next page is.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query::Query;
use crate::app::App;
use crate::error::ApiError;
use crate::store;

/// Longest page, and the default.
const MOST: u32 = 100;

/// The parameters of every list, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `Paging` reads")]
pub(crate) struct PageParams {
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 100, required = false)]
    limit: u32,
    /// The `x-next-cursor` of an earlier page.
    #[param(required = false)]
    cursor: String,
}

/// Which page is asked for.
pub(crate) struct Paging {
    /// The whole query.
    pub(crate) query: Query,
    /// At most this many.
    pub(crate) limit: u32,
    /// Continue behind this one.
    pub(crate) after: Option<Uuid>,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// 400 with what is wrong with them.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let query = Query::of(request)?;
        let limit = query.number("limit", 1..=MOST)?;
        let wrong = "must be the x-next-cursor of an earlier page";
        let after = query.get("cursor", |text| Uuid::parse_str(text).map_err(|_| wrong.to_owned()))?;
        Ok(Self { query, limit: limit.unwrap_or(MOST), after })
    }

    /// The rows to ask a table for: one more than is shown, to see whether there are more.
    pub(crate) fn rows(&self) -> store::Page {
        store::Page { limit: i64::from(self.limit) + 1, after: self.after }
    }

    /// The cursor for an rpc.
    pub(crate) fn after_text(&self) -> String {
        self.after.map_or_else(String::new, |id| id.to_string())
    }

    /// Cuts off the row too many and names the last one that is shown, if more follow.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<String> {
        let shown = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= shown {
            return None;
        }
        rows.truncate(shown);
        rows.last().map(|last| id(last).to_string())
    }

    /// The answer.
    pub(crate) fn answer<T: Serialize>(
        &self,
        app: &App,
        request: &HttpRequest,
        items: &[T],
        next: Option<&str>,
    ) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = next {
            let (base, path) = (&app.config.public_url, request.uri().path());
            let link = format!("<{base}{path}?{}>; rel=\"next\"", self.query.with_cursor(cursor));
            response.insert_header((LINK, link)).insert_header(("x-next-cursor", cursor));
        }
        response.json(items)
    }
}
