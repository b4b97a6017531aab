//! The parameters of a request: a form body or a query, in which a name may stand more than once.

use actix_web::HttpRequest;
use twilio::HttpMethod;
use twilio::webhook::decode_form;

use super::error::ApiError;
use crate::domain::plan::Hook;

/// Decoded parameters. An empty value is a value: it clears a setting.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters of a body.
    pub(super) fn of_body(body: &[u8]) -> Form {
        Form(decode_form(body))
    }

    /// The parameters of a query.
    pub(super) fn of_query(request: &HttpRequest) -> Form {
        Form(decode_form(request.query_string().as_bytes()))
    }

    /// The value of `name`, if it was sent, even empty.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name`, if there is more to it than nothing.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.sent(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// All values of `name`.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// `GET` or `POST`; `code` is the error for anything else.
    pub(super) fn method(&self, name: &str, code: u32) -> Result<HttpMethod, ApiError> {
        match self.given(name) {
            None => Ok(HttpMethod::Post),
            Some(word) => HttpMethod::parse(word)
                .ok_or_else(|| ApiError::bad(code, format!("{name} is `{word}`, it must be GET or POST"))),
        }
    }

    /// A URL with the method beside it, from `<name>` and `<name>Method`-like parameters.
    pub(super) fn hook(&self, name: &str, method: &str, code: u32) -> Result<Option<Hook>, ApiError> {
        let Some(url) = self.given(name) else { return Ok(None) };
        check_url(name, url, code)?;
        Ok(Some(Hook { url: url.to_owned(), method: self.method(method, 21209)? }))
    }

    /// A whole number within bounds; `code` is the error for anything else.
    pub(super) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
        usual: u64,
        code: u32,
    ) -> Result<u64, ApiError> {
        let Some(text) = self.given(name) else { return Ok(usual) };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            let (from, to) = (bounds.start(), bounds.end());
            ApiError::bad(code, format!("{name} is `{text}`, it must be a whole number from {from} to {to}"))
        })
    }
}

/// Whether a URL can be requested by a carrier: absolute, http or https, no underscore in its host.
pub(super) fn check_url(name: &str, url: &str, code: u32) -> Result<(), ApiError> {
    let usable = url::Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.contains('_'))
    });
    if usable {
        Ok(())
    } else {
        let message = format!(
            "{name} is not a valid URL: `{url}`; it must be absolute, http or https, without _ in its host"
        );
        Err(ApiError::bad(code, message))
    }
}
