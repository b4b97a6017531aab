//! One request for a page, without following where it leads.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

use super::{Fetching, Problem, failure};
use crate::domain::extract::Sent;

const WANTED: &str =
    "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, application/pdf;q=0.9, */*;q=0.1";

/// What came of it.
pub(super) enum Answer {
    Page(Sent),
    /// It is somewhere else.
    Moved(Url),
    /// It is not there, or not for us.
    Refused(StatusCode),
    /// The server cannot answer now.
    Failed(StatusCode),
}

impl Fetching {
    /// Asks for a page of at most `largest` bytes as they are sent.
    pub(super) async fn get(&self, url: &Url, largest: usize) -> Result<Answer, Problem> {
        // The library is not told to unpack: what comes out of it would have no bound.
        let request = self.client.get(url.clone()).header(ACCEPT, WANTED).header(ACCEPT_ENCODING, "gzip, br");
        let response = request.send().await.map_err(|error| failure(&error.without_url()))?;
        let status = response.status();
        if status.is_redirection() {
            return moved(url, &response).map(Answer::Moved);
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Ok(Answer::Failed(status));
        }
        if !status.is_success() {
            return Ok(Answer::Refused(status));
        }
        let sent = Sent {
            packed: header(&response, CONTENT_ENCODING),
            content_type: header(&response, CONTENT_TYPE),
            path: url.path().to_owned(),
            body: body(response, largest).await?,
        };
        Ok(Answer::Page(sent))
    }
}

/// Where an answer leads.
fn moved(from: &Url, response: &Response) -> Result<Url, Problem> {
    let status = response.status();
    match from.join(&header(response, LOCATION)) {
        Ok(mut next) if response.headers().contains_key(LOCATION) => {
            next.set_fragment(None);
            Ok(next)
        }
        _ => Err(Problem::Unusable(format!("answered {status} without saying where the page is"))),
    }
}

fn header(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The whole body, if it is not too large. What says that it is, is not read at all.
async fn body(mut response: Response, largest: usize) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::Unusable(format!("leads to a page of more than {} MB", largest >> 20));
    if response
        .content_length()
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > largest))
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error.without_url()))? {
        if body.len() + chunk.len() > largest {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
