//! What handlers and tasks are handed.

use std::sync::Arc;

use common::config::{ConfigError, Settings};
use common::platform::Platform;
use tokio::sync::Notify;

use crate::config::Config;
use crate::metrics::Numbers;
use crate::sending::Sending;
use crate::sending::mail::Mailer;

/// The service's own things. Cloning shares them.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) platform: Platform,
    pub(crate) config: Arc<Config>,
    pub(crate) numbers: Arc<Numbers>,
    pub(crate) sending: Arc<Sending>,
    /// Wakes the sender: something has become due, or a slot free.
    pub(crate) due: Arc<Notify>,
    /// Wakes the clearing away: an endpoint was deleted.
    pub(crate) deleted: Arc<Notify>,
    /// Wakes the purge: a project keeps what was sent for another time.
    pub(crate) shorter: Arc<Notify>,
    /// The way out for mail, if there is one.
    pub(crate) mailer: Option<Arc<Mailer>>,
    /// Wakes it: a mail was queued.
    pub(crate) mail_due: Arc<Notify>,
    /// Wakes those who tell of tickets.
    pub(crate) notices_due: Arc<NoticesDue>,
}

/// A notice is due, by channel.
#[derive(Default)]
pub(crate) struct NoticesDue {
    pub(crate) slack: Arc<Notify>,
    pub(crate) mail: Arc<Notify>,
}

impl NoticesDue {
    /// Wakes both.
    pub(crate) fn notify(&self) {
        self.slack.notify_one();
        self.mail.notify_one();
    }
}

impl App {
    /// Reads the settings and makes the HTTP client.
    pub(crate) fn new(settings: &Settings, platform: &Platform) -> Result<Self, ConfigError> {
        let config = Config::read(settings)?;
        Ok(Self {
            sending: Arc::new(Sending::new(&config, &platform.egress)?),
            numbers: Arc::new(Numbers::register(&platform.metrics)),
            config: Arc::new(config),
            platform: platform.clone(),
            due: Arc::default(),
            deleted: Arc::default(),
            shorter: Arc::default(),
            mailer: Mailer::read(settings)?.map(Arc::new),
            mail_due: Arc::default(),
            notices_due: Arc::default(),
        })
    }
}
