//! One message to an incoming webhook of Slack, through the guard, with one deadline over the whole answer.

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::time::timeout;

use super::answer::explain;
use super::request::read;
use crate::app::App;
use crate::domain::trying::Tried;
use crate::domain::{retry_after, slack};

/// How much of an answer is read, in bytes: Slack says one word.
const READ: usize = 1024;

/// Tries to send a message.
pub(crate) async fn send(app: &App, url: &str, message: String) -> Tried {
    let deadline = app.config.deadline;
    match timeout(deadline, post(app, url, message)).await {
        Ok(tried) => tried,
        Err(_) => Tried::not_now(format!("no whole answer within {} ms", deadline.as_millis())),
    }
}

async fn post(app: &App, url: &str, message: String) -> Tried {
    // Asked every time: what the operator opens may have changed since the address was given.
    let url = match slack::address(&app.platform.egress, url) {
        Ok(url) => url,
        Err(problem) => return Tried::Refused(format!("not sent: the address {problem}")),
    };
    let request = app.sending.client.post(url).header(CONTENT_TYPE, "application/json").body(message);
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Tried::not_now(explain(&error.without_url())),
    };
    let hint = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let hint = hint.and_then(|value| retry_after::parse(value, app.platform.clock.now()));
    match read(&mut response, READ).await {
        Ok(body) => slack::tried(response.status().as_u16(), &body, hint),
        Err(error) => Tried::not_now(format!("the answer broke off: {}", explain(&error.without_url()))),
    }
}
