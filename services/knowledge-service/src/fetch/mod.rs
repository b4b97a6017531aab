//! The way to other people's pages: guarded, polite and bounded. One deadline covers all of it, from the first look at a robots.txt
//! to the last word of the text.

mod request;
mod robots;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::egress::{EgressPolicy, Refused};
use tokio::sync::Semaphore;
use url::Url;

use crate::domain::extract::{LARGEST, Page, Sent, Unreadable, extract};
use crate::domain::robots::NAME;
use request::Answer;
use robots::Robots;

/// Longest wait for a connection; part of the deadline.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a page may lead on to another one.
const MOST_REDIRECTS: usize = 3;
/// Addresses that are fetched at a time.
const PLACES: usize = 16;
/// Pages that are taken apart at a time. That is work for a processor, and takes memory.
const READERS: usize = 2;

const USER_AGENT: &str = concat!("EchoBot/", env!("CARGO_PKG_VERSION"));

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The address must not or cannot be read, as a sentence about it: the same again will not help.
    Unusable(String),
    /// Its server is not there or does not answer as it should; it may later.
    Away(String),
    /// Too much is being fetched already.
    Busy,
}

impl From<Unreadable> for Problem {
    fn from(why: Unreadable) -> Self {
        Self::Unusable(why.0)
    }
}

/// What all who fetch share.
pub(crate) struct Fetching {
    client: reqwest::Client,
    policy: EgressPolicy,
    deadline: Duration,
    robots: Robots,
    places: Semaphore,
    readers: Arc<Semaphore>,
}

impl Fetching {
    /// From settings. What the operator has opened is open here as well, but not the machine itself, as it is for webhooks
    /// beside the sandbox carrier: what is fetched here is shown to whoever asks.
    pub(crate) fn new(settings: &Settings, clock: Clock) -> Result<Self, ConfigError> {
        let policy = EgressPolicy::new(settings.list("ECHO_EGRESS_ALLOW")?);
        let client = policy
            .client(CONNECT, USER_AGENT)
            .map_err(|e| ConfigError::new("TLS", format!("the HTTP client cannot be set up: {e}")))?;
        let deadline = Duration::from_millis(settings.get("ECHO_INGEST_DEADLINE_MS", 15_000)?);
        if deadline.is_zero() {
            return Err(ConfigError::new(
                "ECHO_INGEST_DEADLINE_MS",
                "is 0: nothing can be fetched in no time",
            ));
        }
        Ok(Self {
            client,
            policy,
            deadline,
            robots: Robots::new(clock),
            places: Semaphore::new(PLACES),
            readers: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// What the page at an address says.
    pub(crate) async fn page(&self, url: &Url) -> Result<Page, Problem> {
        let _place = self.places.try_acquire().map_err(|_| Problem::Busy)?;
        let ends = Instant::now() + self.deadline;
        let whole = async { self.read(self.fetch(url).await?, ends).await };
        let late = |_| {
            Problem::Away(format!("could not be fetched and read within {} ms", self.deadline.as_millis()))
        };
        tokio::time::timeout(self.deadline, whole).await.map_err(late)?
    }

    /// Fetches a page and whatever it leads on to. Each address on the way is checked like the first one.
    async fn fetch(&self, url: &Url) -> Result<Sent, Problem> {
        let mut at = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            self.check(&at).map_err(|why| Problem::Unusable(about(&at, url, &why.to_string())))?;
            if !self.allowed_by_robots(&at).await? {
                let host = at.host_str().unwrap_or_default();
                let why = format!("must not be read: the robots.txt of {host} forbids it to {NAME}");
                return Err(Problem::Unusable(about(&at, url, &why)));
            }
            match self.get(&at, LARGEST).await? {
                Answer::Page(sent) => return Ok(sent),
                Answer::Moved(next) if at.scheme() == "https" && next.scheme() == "http" => {
                    return Err(Problem::Unusable(format!("leads from https to plain http, at {next}")));
                }
                Answer::Moved(next) => at = next,
                Answer::Refused(status) => {
                    return Err(Problem::Unusable(about(&at, url, &format!("answered {status}"))));
                }
                Answer::Failed(status) => {
                    return Err(Problem::Away(about(&at, url, &format!("answered {status}"))));
                }
            }
        }
        Err(Problem::Unusable(format!("leads on more than {MOST_REDIRECTS} times")))
    }

    fn check(&self, url: &Url) -> Result<(), Refused> {
        self.policy.check_page(url)
    }

    /// Takes a page apart, on a thread of its own. It goes on there for a moment when nobody waits any more, and keeps its place.
    async fn read(&self, sent: Sent, ends: Instant) -> Result<Page, Problem> {
        let place = Arc::clone(&self.readers).acquire_owned().await.map_err(|_| Problem::Busy)?;
        let work = tokio::task::spawn_blocking(move || {
            let page = extract(&sent, &|| Instant::now() >= ends);
            drop(place);
            page
        });
        match work.await {
            Ok(page) => Ok(page?),
            Err(error) => {
                tracing::warn!(%error, "a page could not be taken apart");
                Err(Problem::Unusable("leads to a page that cannot be read".to_owned()))
            }
        }
    }
}

/// A sentence about an address that the given one may have led to.
fn about(at: &Url, given: &Url, sentence: &str) -> String {
    match at == given {
        true => sentence.to_owned(),
        false => format!("leads to {at}, which {sentence}"),
    }
}

/// Why a request came to nothing: refused by the guard, or not answered.
fn failure(error: &reqwest::Error) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut innermost = String::new();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Problem::Unusable(refused.to_string());
        }
        innermost = error.to_string();
        cause = error.source();
    }
    match error.is_connect() {
        true => Problem::Away(format!("cannot be reached: {innermost}")),
        false => Problem::Away(format!("was not answered as it should be: {innermost}")),
    }
}
