//! Attempts in flight: how many there may be, how one is made, and the way of its answer back to the table.

mod answer;
mod gate;
pub(crate) mod mail;
pub(crate) mod now;
mod request;
pub(crate) mod secrets;
pub(crate) mod slack;
mod slots;

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::config::ConfigError;
use common::egress::EgressPolicy;
use contracts::ids::EndpointId;
use tokio::sync::{Mutex, mpsc};

pub(crate) use answer::Answer;
pub(crate) use gate::{Gate, Hold};
pub(crate) use request::{Letter, Signed};
pub(crate) use slots::{Slot, Slots};

use crate::app::App;
use crate::config::Config;
use crate::domain::schedule::Jitter;
use crate::domain::signature::SigningSecrets;
use crate::store::claim::Started;
use crate::store::endpoints::Endpoint;

/// Longest wait for a connection; part of the deadline.
const CONNECT: Duration = Duration::from_secs(5);
/// Answers on their way to the table. More than there are slots by default, so that no sender waits for a transaction.
const RESULTS: usize = 256;

const USER_AGENT: &str = concat!("Echo-Webhooks/", env!("CARGO_PKG_VERSION"));

/// An attempt that has ended and is to be written down. Its slot and its hold go with it.
pub(crate) struct Finished {
    pub(crate) started: Started,
    pub(crate) answer: Answer,
    pub(crate) jitter: Jitter,
    _slot: Slot,
    _hold: Hold,
}

/// What the sender and the finisher share.
pub(crate) struct Sending {
    client: reqwest::Client,
    /// For requests while phone calls run.
    pub(crate) places: now::Places,
    pub(crate) gate: Gate,
    pub(crate) slots: Slots,
    results: mpsc::Sender<Finished>,
    pub(crate) finished: Mutex<mpsc::Receiver<Finished>>,
}

impl Sending {
    /// With nothing in flight.
    pub(crate) fn new(config: &Config, egress: &EgressPolicy) -> Result<Self, ConfigError> {
        let client = egress
            .client(CONNECT, USER_AGENT)
            .map_err(|e| ConfigError::new("TLS", format!("the HTTP client cannot be set up: {e}")))?;
        let (results, finished) = mpsc::channel(RESULTS);
        Ok(Self {
            client,
            places: now::Places::new(config),
            gate: Gate::new(),
            slots: Slots::new(config),
            results,
            finished: Mutex::new(finished),
        })
    }
}

/// Makes an attempt and hands in what came of it.
pub(crate) async fn send(app: App, started: Started, mut slot: Slot, hold: Hold) {
    let answer = attempt(&app, &started).await;
    slot.answered();
    app.due.notify_one();
    let random = common::crypto::random::<2>().unwrap_or_default(); // without jitter is better than not at all
    let finished =
        Finished { started, answer, jitter: Jitter::from_random(random), _slot: slot, _hold: hold };
    if app.sending.results.send(finished).await.is_err() {
        tracing::error!("nobody writes attempts down; the delivery comes again when its lease ends");
    }
}

async fn attempt(app: &App, started: &Started) -> Answer {
    let endpoint = &started.endpoint;
    let now = app.platform.clock.now();
    match secrets_of(app, endpoint, now) {
        Ok(secrets) => {
            let letter = Letter { url: &endpoint.url, id: started.event_id.0, body: &started.payload };
            Signed::new(letter, &secrets, now).exchange(app, &app.sending.client).await
        }
        Err(problem) => Answer::none(format!("not sent: the signing secret cannot be opened: {problem}")),
    }
}

fn secrets_of(
    app: &App,
    endpoint: &Endpoint,
    now: DateTime<Utc>,
) -> Result<SigningSecrets, secrets::SecretError> {
    let ring = &app.platform.keys.master;
    let row = match endpoint.bot() {
        Some(bot) => secrets::Row::target(&bot),
        None => secrets::Row::endpoint(EndpointId(endpoint.id.0)),
    };
    let previous =
        endpoint.previous_secret(now).map(|sealed| secrets::open(ring, &row, sealed)).transpose()?;
    Ok(SigningSecrets { current: secrets::open(ring, &row, &endpoint.secret)?, previous })
}
