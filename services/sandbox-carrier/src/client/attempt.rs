//! One attempt at one webhook, redirects included.

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use tokio::time::{Instant, timeout_at};
use twilio::HttpMethod;
use twilio::signature;
use url::Url;

use super::policy::{self, Failure};
use super::{Answer, Cookies, read_body, redirected};
use crate::domain::fault::{BAD_URL, Problem, TOO_MANY_REDIRECTS};
use crate::domain::plan::Hook;

/// Twilio follows no more redirects than this.
const MOST_REDIRECTS: usize = 10;

/// What all requests of an attempt have in common.
pub(super) struct Attempt<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) auth_token: &'a str,
    pub(super) token: &'a str,
    /// Those of the call, on whose behalf it is.
    pub(super) cookies: Option<&'a Cookies>,
}

impl Attempt<'_> {
    /// Sends the request and follows where it leads; everything must be there by `limit`.
    pub(super) async fn run(
        &self,
        url: Url,
        method: HttpMethod,
        params: &[(String, String)],
        limit: Instant,
    ) -> Result<Answer, (Failure, Problem)> {
        timeout_at(limit, self.follow(url, method, params)).await.unwrap_or_else(|_| Err(policy::timed_out()))
    }

    async fn follow(
        &self,
        mut url: Url,
        mut method: HttpMethod,
        params: &[(String, String)],
    ) -> Result<Answer, (Failure, Problem)> {
        for _ in 0..=MOST_REDIRECTS {
            let response =
                self.request(&url, method, params).send().await.map_err(|error| policy::failed(&error))?;
            self.keep_cookies(&url, &response);
            let status = response.status().as_u16();
            let Some(next) = redirected(status, method) else {
                let content_type = header(&response, &CONTENT_TYPE);
                let from = Hook { url: url.to_string(), method };
                let body = read_body(response).await?;
                return Ok(Answer { status, content_type, body, from });
            };
            let location = header(&response, &LOCATION).unwrap_or_default();
            url = url.join(&location).map_err(|error| {
                let message = format!("redirected to `{location}`, which is no URL: {error}");
                (Failure::Final, Problem::new(BAD_URL, message))
            })?;
            url.set_fragment(None);
            method = next;
        }
        Err((Failure::Final, Problem::new(TOO_MANY_REDIRECTS, "more than ten redirects")))
    }

    fn request(&self, url: &Url, method: HttpMethod, params: &[(String, String)]) -> reqwest::RequestBuilder {
        match method {
            HttpMethod::Get => {
                let mut url = url.clone();
                if !params.is_empty() {
                    url.query_pairs_mut().extend_pairs(params);
                }
                let signature = signature::sign(self.auth_token, &signed_form(&url), &[]);
                self.with_headers(self.http.get(url.clone()), &url, &signature)
            }
            HttpMethod::Post => {
                let signature = signature::sign(self.auth_token, &signed_form(url), params);
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
                self.with_headers(self.http.post(url.clone()), url, &signature)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
                    .body(body)
            }
        }
    }

    fn with_headers(
        &self,
        request: reqwest::RequestBuilder,
        url: &Url,
        signature: &str,
    ) -> reqwest::RequestBuilder {
        let request = request
            .header(ACCEPT, "*/*")
            .header(signature::HEADER, signature)
            .header(signature::IDEMPOTENCY_HEADER, self.token);
        let cookies = self.cookies.zip(url.host_str()).and_then(|(kept, host)| kept.for_host(host));
        match cookies {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        }
    }

    fn keep_cookies(&self, url: &Url, response: &reqwest::Response) {
        let Some((kept, host)) = self.cookies.zip(url.host_str()) else { return };
        let set = response.headers().get_all(SET_COOKIE).iter();
        set.filter_map(|set| set.to_str().ok()).for_each(|set| kept.keep(host, set));
    }
}

fn header(response: &reqwest::Response, name: &reqwest::header::HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The URL that is signed: without user and password, and over https without a port.
fn signed_form(url: &Url) -> String {
    let mut url = url.clone();
    // These fail for URLs without a host only, which cannot be requested.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.scheme() == "https" {
        let _ = url.set_port(None);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_signed_without_its_port_and_http_with_it() {
        let form = |text: &str| signed_form(&Url::parse(text).unwrap());
        assert_eq!(form("https://h:8443/v?a=1"), "https://h/v?a=1");
        assert_eq!(form("http://h:8080/v?a=1"), "http://h:8080/v?a=1");
    }

    #[test]
    fn user_and_password_are_not_signed() {
        assert_eq!(signed_form(&Url::parse("https://u:p@h/v").unwrap()), "https://h/v");
    }

    #[test]
    fn a_parameter_of_the_query_keeps_its_form() {
        let url = Url::parse("http://h/v?attempt=a%20b&x=").unwrap();
        assert_eq!(signed_form(&url), "http://h/v?attempt=a%20b&x=");
    }
}
