//! The query of a request, and the ids in its path.

use std::ops::RangeInclusive;
use std::str::FromStr;

use actix_web::HttpRequest;
use url::form_urlencoded;

use crate::error::ApiError;

/// Decoded pairs, in order.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 when it is not UTF-8.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
        // The decoder puts this sign where the bytes are no UTF-8.
        match pairs.iter().find(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
            Some((name, _)) => Err(ApiError::invalid_field(name, "is not UTF-8")),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter, checked; `None` when it is absent.
    ///
    /// # Errors
    /// 400 with what is wrong with it.
    pub(crate) fn get<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found
            .map(|(_, value)| parse(value))
            .transpose()
            .map_err(|problem| ApiError::invalid_field(name, problem))
    }

    /// A whole number within bounds; `None` when it is absent.
    ///
    /// # Errors
    /// 400 when it is another one, or none.
    pub(crate) fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
        self.get(name, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// The same query with `cursor` replaced.
    pub(crate) fn with_cursor(&self, cursor: &str) -> String {
        let kept = self.0.iter().filter(|(name, _)| name != "cursor");
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("cursor", cursor)
            .finish()
    }
}

/// An id in the path; `None` when it is none, and then there is no such thing.
pub(crate) fn path_id<T: FromStr>(request: &HttpRequest, name: &str) -> Option<T> {
    request.match_info().get(name)?.parse().ok()
}
