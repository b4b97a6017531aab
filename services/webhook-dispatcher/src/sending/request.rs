//! One request over HTTP: signed, to an address that the guard lets through. An attempt at a delivery has one deadline that
//! covers the last byte of the answer, and a bound on how much of it is read.

use chrono::{DateTime, Utc};
use common::egress::EgressPolicy;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::answer::{Answer, explain};
use crate::app::App;
use crate::domain::signature::SigningSecrets;
use crate::domain::target::BadTarget;
use crate::domain::verdict::Verdict;
use crate::domain::{retry_after, target};

/// How much of an answer to a delivery is read, in bytes. What comes after it is not waited for.
const READ: usize = 64 * 1024;

/// What is sent where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    /// Where to.
    pub(crate) url: &'a str,
    /// `webhook-id`.
    pub(crate) id: Uuid,
    /// The exact body.
    pub(crate) body: &'a str,
}

/// A signed request.
pub(crate) struct Signed<'a> {
    letter: Letter<'a>,
    id: String,
    timestamp: String,
    echo: String,
    standard: String,
}

impl<'a> Signed<'a> {
    /// Signs at `now`.
    pub(crate) fn new(letter: Letter<'a>, secrets: &SigningSecrets, now: DateTime<Utc>) -> Self {
        let (id, timestamp) = (letter.id.to_string(), now.timestamp().to_string());
        let body = letter.body.as_bytes();
        Self {
            echo: secrets.echo(body),
            standard: secrets.standard(&id, &timestamp, body),
            letter,
            id,
            timestamp,
        }
    }

    /// The request, if the guard lets its address through.
    pub(super) fn request(
        &self,
        client: &reqwest::Client,
        policy: &EgressPolicy,
    ) -> Result<reqwest::RequestBuilder, BadTarget> {
        // Asked before every request: what the operator opens may have changed since the address was given.
        let url = target::check(policy, self.letter.url)?;
        Ok(client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-echo-signature", &self.echo)
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", &self.timestamp)
            .header("webhook-signature", &self.standard)
            .body(self.letter.body.to_owned()))
    }

    /// Sends it as an attempt at a delivery, and reads the answer.
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
        let request = match self.request(client, &app.platform.egress) {
            Ok(request) => request,
            Err(problem) => return Answer::none(format!("not sent: the address {problem}")),
        };
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::none(explain(&error.without_url())),
        };
        let status = response.status().as_u16();
        *seen = Some(status);
        let hint = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let hint = hint.and_then(|value| retry_after::parse(value, app.platform.clock.now()));
        match read(&mut response, READ).await {
            Ok(body) => Answer::whole(status, Verdict::of(status, hint), &body),
            Err(error) => Answer::none(format!("the answer broke off: {}", explain(&error.without_url()))),
        }
    }
}

/// The body, until at least `enough` bytes have come.
pub(super) async fn read(response: &mut reqwest::Response, enough: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < enough {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
