//! The transport: where requests go, with which credentials, and for how long.

use std::fmt;
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use super::error::{ApiError, Error};
use super::fields::Fields;
use crate::sid::AccountSid;

/// Twilio's own API.
pub(super) const VERSION: &str = "2010-04-01";

/// More pages than this are not asked for in one listing, however small they are.
const MAX_PAGES: usize = 50;

/// No answer that this client asks for is longer; a longer one is not read to its end.
const MAX_BODY: usize = 1024 * 1024;

/// Who asks. The secret never appears in a `Debug` text.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account that is spoken about.
    pub account_sid: AccountSid,
    /// The user name: the account SID, or the SID of an API key (`SK…`).
    pub username: String,
    /// The auth token, or the API key's secret.
    pub secret: String,
}

impl Credentials {
    /// An account and its auth token.
    #[must_use]
    pub fn auth_token(account_sid: AccountSid, auth_token: impl Into<String>) -> Self {
        Self { username: account_sid.to_string(), account_sid, secret: auth_token.into() }
    }

    /// An API key of an account. Standard keys may not read the account itself, and webhooks are never signed with
    /// them.
    #[must_use]
    pub fn api_key(account_sid: AccountSid, key_sid: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { account_sid, username: key_sid.into(), secret: secret.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("account_sid", &self.account_sid)
            .field("username", &self.username)
            .field("secret", &"***")
            .finish()
    }
}

/// How long a request may take, from the first byte sent to the last one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For creating a call. Too short a time turns calls that were placed into unknown ones.
    pub create: Duration,
    /// For everything else.
    pub other: Duration,
}

impl Default for Timeouts {
    /// 15 s to create, 10 s for everything else.
    fn default() -> Self {
        Self { create: Duration::from_secs(15), other: Duration::from_secs(10) }
    }
}

/// Why an address cannot be the API's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Another scheme, or no host.
    #[error("the API's address must be an http or https URL with a host")]
    NotHttp,
    /// `user:password@` in the address.
    #[error("the API's address must not contain credentials, they are given apart from it")]
    Credentials,
}

/// One account's access to the API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    credentials: Credentials,
    timeouts: Timeouts,
}

impl Client {
    /// The address of Twilio's own API.
    pub const TWILIO: &'static str = "https://api.twilio.com";

    /// A client for one account. `base_url` is the API's address, with or without `/2010-04-01` at its end. `http`
    /// should follow no redirects and have a connect timeout below those of `timeouts`.
    ///
    /// # Errors
    ///
    /// The address is not http(s), or contains credentials.
    pub fn new(
        http: reqwest::Client,
        base_url: Url,
        credentials: Credentials,
        timeouts: Timeouts,
    ) -> Result<Self, BaseUrlError> {
        if !matches!(base_url.scheme(), "http" | "https") || base_url.host().is_none() {
            return Err(BaseUrlError::NotHttp);
        }
        if !base_url.username().is_empty() || base_url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        let path = base_url.path().trim_end_matches('/');
        let path = path.strip_suffix(VERSION).unwrap_or(path).trim_end_matches('/').to_owned();
        let mut base = base_url;
        base.set_path(&path);
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self { http, base, credentials, timeouts })
    }

    /// The account whose resources it reads and writes.
    #[must_use]
    pub fn account_sid(&self) -> &AccountSid {
        &self.credentials.account_sid
    }

    /// The URL of the account itself, or of something that belongs to it (`/Calls`), JSON.
    pub(super) fn resource(&self, path: &str) -> Url {
        let account = self.account_sid();
        self.at(&format!("/{VERSION}/Accounts/{account}{path}.json"))
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// The URL of a further page. Only a path on the same host is followed: the credentials go with it.
    pub(super) fn next_page(&self, uri: &str) -> Option<Url> {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        if !path.starts_with(&format!("/{VERSION}/")) {
            return None;
        }
        let mut url = self.at(path);
        url.set_query((!query.is_empty()).then_some(query));
        Some(url)
    }

    pub(super) async fn get(&self, url: Url, query: &[(&str, String)]) -> Result<(u16, Fields), Error> {
        let mut request = self.http.get(url).timeout(self.timeouts.other);
        if !query.is_empty() {
            request = request.query(query);
        }
        self.send(request).await
    }

    pub(super) async fn post(&self, url: Url, form: &[(&str, String)]) -> Result<(u16, Fields), Error> {
        self.send(self.http.post(url).timeout(self.timeouts.other).form(form)).await
    }

    pub(super) async fn post_create(
        &self,
        url: Url,
        form: &[(&str, String)],
    ) -> Result<(u16, Fields), Error> {
        self.send(self.http.post(url).timeout(self.timeouts.create).form(form)).await
    }

    /// Lists what is at a path, under a name on each page, following pages until there are `limit` things or no more. Whether
    /// these are all comes second.
    pub(super) async fn list<T>(
        &self,
        (path, name): (&str, &str),
        query: &[(&str, String)],
        limit: usize,
        read: impl Fn(Fields) -> Result<T, String>,
    ) -> Result<(Vec<T>, bool), Error> {
        let mut found = Vec::new();
        let (mut status, mut page) = self.get(self.resource(path), query).await?;
        for pages in 1.. {
            let unreadable = |reason: String| Error::Unreadable { status, reason };
            let next = page.text("next_page_uri");
            let Some(Value::Array(things)) = page.take(name) else {
                return Err(unreadable(format!("the page has no {name}")));
            };
            for thing in things {
                if found.len() == limit {
                    return Ok((found, false));
                }
                found.push(Fields::new(thing).and_then(&read).map_err(unreadable)?);
            }
            let Some(next) = next else { return Ok((found, true)) };
            if pages == MAX_PAGES || found.len() >= limit {
                break;
            }
            let url = self
                .next_page(&next)
                .ok_or_else(|| unreadable("its next page is not a path of this API".to_owned()))?;
            (status, page) = self.get(url, &[]).await?;
        }
        Ok((found, false))
    }

    /// What is deleted is answered without a body.
    pub(super) async fn delete(&self, url: Url) -> Result<(), Error> {
        self.exchange(self.http.delete(url).timeout(self.timeouts.other)).await.map(drop)
    }

    /// The answer, and its body as far as it came; a refusal is an error.
    async fn exchange(&self, request: RequestBuilder) -> Result<(u16, Result<Vec<u8>, Error>), Error> {
        let answer = request
            .basic_auth(&self.credentials.username, Some(&self.credentials.secret))
            .header(reqwest::header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| Error::from_http(&error))?;
        let status = answer.status();
        let code = status.as_u16();
        let body = read_bounded(answer).await;
        if !status.is_success() {
            // The status says enough: a refusal whose explanation is lost is still a refusal.
            return Err(ApiError::from_body(code, &body.unwrap_or_default()).into());
        }
        Ok((code, body))
    }

    async fn send(&self, request: RequestBuilder) -> Result<(u16, Fields), Error> {
        let (code, body) = self.exchange(request).await?;
        let unreadable = |reason: String| Error::Unreadable { status: code, reason };
        let value: Value = serde_json::from_slice(&body?)
            .map_err(|error| unreadable(format!("its body is not JSON: {error}")))?;
        Ok((code, Fields::new(value).map_err(unreadable)?))
    }
}

async fn read_bounded(mut answer: Response) -> Result<Vec<u8>, Error> {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Error::from_http(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            let reason = format!("its body is longer than {MAX_BODY} bytes");
            return Err(Error::Unreadable { status, reason });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("credentials", &self.credentials)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";

    fn client(base: &str) -> Result<Client, BaseUrlError> {
        let credentials = Credentials::auth_token(SID.parse().unwrap(), "top-secret");
        Client::new(reqwest::Client::new(), base.parse().unwrap(), credentials, Timeouts::default())
    }

    #[test]
    fn the_version_may_stand_in_the_address_or_not() {
        let cases = [
            ("https://api.twilio.com", "https://api.twilio.com"),
            ("https://api.twilio.com/2010-04-01/", "https://api.twilio.com"),
            ("http://127.0.0.1:8089/sandbox?x#y", "http://127.0.0.1:8089/sandbox"),
        ];
        for (base, expected) in cases {
            let url = client(base).unwrap().resource("/Calls");
            assert_eq!(url.as_str(), format!("{expected}/2010-04-01/Accounts/{SID}/Calls.json"));
        }
    }

    #[test]
    fn addresses_that_cannot_be_right_are_refused() {
        assert_eq!(client("ftp://example.com").err(), Some(BaseUrlError::NotHttp));
        assert_eq!(client("mailto:a@example.com").err(), Some(BaseUrlError::NotHttp));
        assert_eq!(client("https://u:p@example.com").err(), Some(BaseUrlError::Credentials));
    }

    #[test]
    fn no_debug_text_shows_the_secret() {
        let client = client(Client::TWILIO).unwrap();
        let text = format!("{client:?} {:#?}", client.credentials);
        assert!(!text.contains("top-secret"), "{text}");
        assert!(text.contains(SID));
    }

    #[test]
    fn the_next_page_stays_on_the_same_host() {
        let client = client("http://127.0.0.1:8089/sandbox").unwrap();
        let next = client.next_page("/2010-04-01/Accounts/AC1/Calls.json?Page=1&PageToken=a%2Bb").unwrap();
        assert_eq!(
            next.as_str(),
            "http://127.0.0.1:8089/sandbox/2010-04-01/Accounts/AC1/Calls.json?Page=1&PageToken=a%2Bb"
        );
        for uri in ["https://evil.example/2010-04-01/x", "//evil.example/2010-04-01/", "x", ""] {
            assert_eq!(client.next_page(uri), None, "{uri}");
        }
    }
}
