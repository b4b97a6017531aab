//! What every route and handler of this service is given.

use std::sync::Arc;

use common::config::ConfigError;
use common::db::{DbError, Tx};
use common::metrics::Metrics;
use common::platform::Platform;
use common::trace;
use contracts::calls::{ConversationClient, InboundClient};
use tokio::sync::Notify;

use crate::carrier::Carrier;
use crate::carriers::Carriers;
use crate::config::Config;
use crate::domain::urls::VoiceUrls;
use crate::error::BridgeError;

/// Shared by everything in this service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) platform: Platform,
    pub(crate) config: Arc<Config>,
    pub(crate) urls: VoiceUrls,
    pub(crate) conversation: ConversationClient,
    pub(crate) inbound: InboundClient,
    pub(crate) numbers: Numbers,
    /// The accounts that dial.
    pub(crate) carriers: Carriers,
    /// Somebody is to be forgotten.
    pub(crate) forget_due: Arc<Notify>,
}

/// What this service counts.
#[derive(Clone)]
pub(crate) struct Numbers {
    pub(crate) dialled: Option<prometheus::IntCounterVec>,
    pub(crate) own_words: Option<prometheus::IntCounterVec>,
    pub(crate) refused: Option<prometheus::IntCounterVec>,
    pub(crate) strangers: Option<prometheus::IntCounterVec>,
    pub(crate) inbound: Option<prometheus::IntCounterVec>,
    pub(crate) prices: Option<prometheus::IntCounterVec>,
}

impl Numbers {
    fn new(metrics: &Metrics) -> Self {
        let own_words = "Fillers, apologies and goodbyes spoken because nobody answered in time";
        let strangers = "Calls ended because the attempt that they name has another call or is over";
        Self {
            dialled: metrics.counter(
                "echo_bridge_dialled_total",
                "Create-call requests by result",
                &["result"],
            ),
            own_words: metrics.counter("echo_bridge_own_words_total", own_words, &["words"]),
            prices: metrics.counter(
                "echo_bridge_prices_total",
                "What calls cost, asked of the carrier",
                &["result"],
            ),
            inbound: metrics.counter("echo_bridge_inbound_total", "Calls that came in", &["result"]),
            refused: metrics.counter("echo_bridge_refused_total", "Carrier requests refused", &["why"]),
            strangers: metrics.counter("echo_bridge_second_calls_total", strangers, &["result"]),
        }
    }
}

/// Counts one, if the metric could be registered.
pub(crate) fn count(metric: Option<&prometheus::IntCounterVec>, label: &str) {
    if let Some(metric) = metric {
        metric.with_label_values(&[label]).inc();
    }
}

/// How often a write is tried that somebody else's write got in the way of.
const TRIES: u32 = 3;

impl App {
    pub(crate) fn new(config: Config, platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            carriers: Carriers::new(&config, platform)?,
            urls: VoiceUrls::new(&config.voice_url),
            conversation: ConversationClient::new(Arc::clone(&platform.caller)),
            inbound: InboundClient::new(Arc::clone(&platform.caller)),
            numbers: Numbers::new(&platform.metrics),
            forget_due: Arc::new(Notify::new()),
            platform: platform.clone(),
            config: Arc::new(config),
        })
    }

    /// Loads, decides and saves; again when somebody else saved in between, at most three times. Callbacks of one call come
    /// at the same moment.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, BridgeError>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, BridgeError> + Clone + Send + 'static,
    {
        for _ in 1..TRIES {
            match self.platform.database.write(work.clone()).await {
                Err(BridgeError::Db(DbError::Conflict | DbError::Duplicate { .. })) => {}
                result => return result,
            }
        }
        self.platform.database.write(work).await
    }

    /// Ends a call that nobody wants, while whoever noticed it answers the carrier: one that names an attempt which has
    /// another call or is over. It would be a second ring. `carrier`: the account whose call it is.
    pub(crate) fn end_stranger(&self, carrier: &Carrier, sid: &str) {
        let (app, carrier, sid) = (self.clone(), carrier.clone(), sid.to_owned());
        tokio::spawn(trace::continued(async move {
            tracing::error!(%sid, "a call names an attempt that is not its own; it is ended");
            let ended = carrier.end(&sid).await;
            count(app.numbers.strangers.as_ref(), if ended.is_ok() { "ended" } else { "failed" });
            if let Err(error) = ended {
                tracing::error!(%sid, %error, "it could not be ended");
            }
        }));
    }
}
