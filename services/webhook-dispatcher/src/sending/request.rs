//! One attempt over HTTP: signed, to an address that the guard lets through, within one deadline that covers the last byte of
//! the answer, with a bound on how much of it is read.

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::time::{Instant, timeout};

use super::answer::{Answer, explain};
use crate::app::App;
use crate::domain::signature::SigningSecret;
use crate::domain::verdict::Verdict;
use crate::domain::{retry_after, target};
use crate::store::claim::Started;

/// How much of an answer is read, in bytes. What comes after it is not waited for.
const READ: usize = 64 * 1024;

/// A signed request.
pub(crate) struct Signed<'a> {
    url: &'a str,
    id: String,
    body: &'a str,
    timestamp: String,
    echo: String,
    standard: String,
}

impl<'a> Signed<'a> {
    /// Signs the payload of a delivery at `now`.
    pub(crate) fn new(started: &'a Started, secret: &SigningSecret, now: DateTime<Utc>) -> Self {
        let (id, timestamp) = (started.event_id.0.to_string(), now.timestamp().to_string());
        let body = started.payload.as_bytes();
        Self {
            url: &started.endpoint.url,
            echo: secret.echo(body),
            standard: secret.standard(&id, &timestamp, body),
            body: &started.payload,
            id,
            timestamp,
        }
    }

    /// Sends it and reads the answer.
    pub(crate) async fn exchange(&self, app: &App, client: &reqwest::Client) -> Answer {
        let (begun, deadline) = (Instant::now(), app.config.deadline);
        let mut status = None;
        let answer = match timeout(deadline, self.ask(app, client, &mut status)).await {
            Ok(answer) => answer,
            Err(_) if status.is_some() => {
                Answer::none(format!("the answer was not complete within {} ms", deadline.as_millis()))
            }
            Err(_) => Answer::none(format!("no answer within {} ms", deadline.as_millis())),
        };
        Answer {
            http_status: answer.http_status.or(status),
            duration_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
            ..answer
        }
    }

    async fn ask(&self, app: &App, client: &reqwest::Client, seen: &mut Option<u16>) -> Answer {
        // Asked before every attempt: what the operator opens may have changed since the endpoint was made.
        let url = match target::check(&app.platform.egress, self.url) {
            Ok(url) => url,
            Err(problem) => return Answer::none(format!("not sent: the address {problem}")),
        };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-echo-signature", &self.echo)
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", &self.timestamp)
            .header("webhook-signature", &self.standard)
            .body(self.body.to_owned());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::none(explain(&error.without_url())),
        };
        let status = response.status().as_u16();
        *seen = Some(status);
        let hint = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let hint = hint.and_then(|value| retry_after::parse(value, app.platform.clock.now()));
        match read(&mut response).await {
            Ok(body) => Answer::whole(status, Verdict::of(status, hint), &body),
            Err(error) => Answer::none(format!("the answer broke off: {}", explain(&error.without_url()))),
        }
    }
}

/// The body, as far as it is read.
async fn read(response: &mut reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < READ {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
