//! The HTTP client that behaves as Twilio's does towards a customer's server (Twilio's docs,
//! usage/webhooks): signed requests, parameters in the body or the query, time limits and retries from the
//! URL's fragment, one idempotency token for all attempts, at most ten redirects, at most 64 kB.
//!
//! Time limits here are real time, whatever the carrier's speed.

mod attempt;
mod cookies;
mod policy;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use twilio::HttpMethod;
use twilio::overrides::ConnectionOverrides;
use twilio::twiml::MAX_DOCUMENT_BYTES;
use url::Url;

use crate::domain::fault::{BAD_URL, Problem, TOO_LARGE};
use crate::domain::plan::Hook;
use attempt::Attempt;
pub(crate) use cookies::Cookies;
use policy::Failure;

/// Call processing waits no longer than this for one webhook, whatever the fragment says.
const HARD_CAP: Duration = Duration::from_secs(15);

/// No account's token.
const ANOTHER_TOKEN: &str = "the token that comes next";

/// Between two attempts.
const BREATH: Duration = Duration::from_millis(100);

/// Clients with a connect time limit of their own that are kept; beyond it they are made anew.
const MOST_CLIENTS: usize = 16;

/// Parameters of a webhook, in order.
pub(crate) type Params = Vec<(String, String)>;

/// A webhook.
pub(crate) struct Errand<'a> {
    pub(crate) hook: &'a Hook,
    pub(crate) params: &'a [(String, String)],
    /// The same for all attempts.
    pub(crate) token: &'a str,
    /// Those of the call, where the webhook is a part of it.
    pub(crate) cookies: Option<&'a Cookies>,
    /// Whether it is signed with a token that the customer does not have.
    pub(crate) signed_wrongly: bool,
}

/// What a customer's server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Where it came from, after redirects.
    pub(crate) from: Hook,
}

/// The client of one account.
pub(crate) struct Client {
    auth_token: String,
    by_connect_timeout: Mutex<HashMap<u32, reqwest::Client>>,
}

impl Client {
    /// A client that signs with this token.
    pub(crate) fn new(auth_token: String) -> Client {
        Client { auth_token, by_connect_timeout: Mutex::new(HashMap::new()) }
    }

    /// A new idempotency token: the same for all attempts of one webhook.
    pub(crate) fn token() -> String {
        let mut bytes = [0_u8; 16];
        if getrandom::fill(&mut bytes).is_err() {
            tracing::error!("the random source cannot be read; idempotency tokens repeat");
        }
        hex::encode(bytes)
    }

    /// Runs an errand, again as often as the fragment of its address allows. The answer may have any
    /// status; the problem is one without an answer.
    pub(crate) async fn send(&self, errand: &Errand<'_>) -> Result<Answer, Problem> {
        let Errand { hook, params, token, cookies, signed_wrongly } = *errand;
        let auth_token = if signed_wrongly { ANOTHER_TOKEN } else { &self.auth_token };
        let (plain, overrides) = ConnectionOverrides::split(&hook.url);
        let mut url = Url::parse(plain)
            .map_err(|error| Problem::new(BAD_URL, format!("`{plain}` is no absolute URL: {error}")))?;
        url.set_fragment(None);
        let cap = millis(overrides.total_timeout_ms).min(HARD_CAP);
        let deadline = Instant::now() + cap;
        let http = self.http(overrides.connect_timeout_ms)?;
        let mut left = overrides.retry_count;
        loop {
            let limit = (Instant::now() + millis(overrides.read_timeout_ms)).min(deadline);
            let attempt = Attempt { http: &http, auth_token, token, cookies };
            let answer = attempt.run(url.clone(), hook.method, params, limit).await;
            let again = left > 0
                && Instant::now() + BREATH < deadline
                && Failure::of(&answer).is_some_and(|failure| failure.is_worth_another(overrides.retry_on));
            if !again {
                return answer.map_err(|(_, problem)| problem);
            }
            left -= 1;
            tokio::time::sleep(BREATH).await;
        }
    }

    fn http(&self, connect_timeout_ms: u32) -> Result<reqwest::Client, Problem> {
        let mut clients = self.by_connect_timeout.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connect_timeout_ms) {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(millis(connect_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("TwilioProxy/1.1")
            .pool_idle_timeout(Duration::from_secs(2))
            .no_proxy()
            .build()
            .map_err(|error| Problem::new(BAD_URL, format!("no HTTP client could be made: {error}")))?;
        if clients.len() < MOST_CLIENTS {
            clients.insert(connect_timeout_ms, client.clone());
        }
        Ok(client)
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

/// Reads a body of at most 64 kB.
async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, (Failure, Problem)> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(policy::failed(&error)),
        }
        if bytes.len() > MAX_DOCUMENT_BYTES {
            let problem = Problem::new(TOO_LARGE, "the answer is larger than 64 kB");
            return Err((Failure::Final, problem));
        }
    }
}

/// How a redirect is followed: a 307 or 308 repeats the request, the others become a GET.
fn redirected(status: u16, method: HttpMethod) -> Option<HttpMethod> {
    match status {
        301..=303 => Some(HttpMethod::Get),
        307 | 308 => Some(method),
        _ => None,
    }
}
