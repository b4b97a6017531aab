//! The keys that Firebase signs with: from an address or a file of the operator's choice, kept for as long as they say.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::config::ConfigError;
use common::egress::EgressPolicy;
use jsonwebtoken::DecodingKey;
use reqwest::header::CACHE_CONTROL;
use tokio::io::AsyncReadExt as _;
use url::Url;

use crate::config::KeysAt;
use crate::domain::key_set::{self, PublicKey, Times};

/// Longest wait for a connection; part of the deadline.
const CONNECT: Duration = Duration::from_secs(2);
/// By then the whole set must be there.
const DEADLINE: Duration = Duration::from_secs(5);
/// A larger set is none.
const LARGEST: usize = 64 * 1024;

const USER_AGENT: &str = concat!("Echo/", env!("CARGO_PKG_VERSION"));

/// What is known of a key.
#[derive(Clone)]
pub(crate) enum Found {
    /// The key.
    Key(Arc<DecodingKey>),
    /// There is none of that name.
    Unknown,
    /// Nobody knows: the keys are away, or so old that there may be others.
    Away,
}

/// The keys. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Shared>);

struct Shared {
    source: Source,
    held: Mutex<Held>,
    /// Held by whoever asks for the keys.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Held {
    keys: HashMap<String, Arc<DecodingKey>>,
    times: Times,
}

enum Source {
    Address(reqwest::Client, Url),
    File(PathBuf),
}

impl Keys {
    /// None yet: the first token has them brought.
    ///
    /// # Errors
    /// When the address is one that must not be dialled.
    pub(crate) fn new(at: &KeysAt, egress: &EgressPolicy) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("ECHO_FIREBASE_KEYS", problem);
        let source = match at {
            KeysAt::File(path) => Source::File(path.clone()),
            KeysAt::Address(url) => {
                egress.check(url).map_err(|e| wrong(format!("`{url}` {e}")))?;
                let client = egress.client(CONNECT, USER_AGENT).map_err(|e| wrong(e.to_string()))?;
                Source::Address(client, url.clone())
            }
        };
        Ok(Self(Arc::new(Shared { source, held: Mutex::default(), turn: Arc::default() })))
    }

    /// The key of this name. Asks for the keys where that is due, one request at a time; who knows an older key that still
    /// counts does not wait for those who ask.
    pub(crate) async fn find(&self, id: &str, now: DateTime<Utc>) -> Found {
        let (found, must_ask) = self.0.look(id, now);
        if !must_ask {
            return found;
        }
        let turn = Arc::clone(&self.0.turn);
        let turn = match found {
            Found::Key(_) => match turn.try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return found,
            },
            Found::Unknown | Found::Away => turn.lock_owned().await,
        };
        // As a task of its own: whoever hangs up takes no answer along, or nobody would ever have one.
        let (shared, wanted) = (Arc::clone(&self.0), id.to_owned());
        let asking = tokio::spawn(async move {
            let _turn = turn;
            if shared.look(&wanted, now).1 {
                shared.ask(now).await;
            }
        });
        if let Err(error) = asking.await {
            tracing::error!(%error, "Firebase's keys could not be asked for");
        }
        self.0.look(id, now).0
    }
}

impl Shared {
    /// What is known of a key, and whether to ask for the keys again.
    fn look(&self, id: &str, now: DateTime<Utc>) -> (Found, bool) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let key = held.keys.get(id).filter(|_| held.times.counts(now));
        let must_ask = held.times.must_ask(key.is_some(), now);
        let found = match key {
            Some(key) => Found::Key(Arc::clone(key)),
            None if held.times.fresh(now) => Found::Unknown,
            None => Found::Away,
        };
        (found, must_ask)
    }

    /// Asks for the keys. What is no set of keys leaves those that are there.
    async fn ask(&self, now: DateTime<Utc>) {
        let brought = self.source.bring().await.and_then(|(keys, life)| Ok((usable(&keys)?, life)));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.times.asked = Some(now);
        match brought {
            Ok((keys, life)) => {
                held.keys = keys;
                held.times.fresh_until = Some(now + life);
            }
            Err(why) => tracing::warn!(%why, keys = held.keys.len(), "Firebase's keys could not be had"),
        }
    }
}

/// The keys by their names.
fn usable(keys: &[PublicKey]) -> Result<HashMap<String, Arc<DecodingKey>>, String> {
    let one = |key: &PublicKey| {
        let read = DecodingKey::from_rsa_components(&key.n, &key.e);
        let read = read.map_err(|e| format!("the key {:?} cannot be read: {e}", key.id))?;
        Ok((key.id.clone(), Arc::new(read)))
    };
    keys.iter().map(one).collect()
}

impl Source {
    /// The keys as they are there now, and how long they are good.
    async fn bring(&self) -> Result<(Vec<PublicKey>, TimeDelta), String> {
        match self {
            Self::Address(client, url) => {
                let fetched = fetch(client, url).await.map_err(|why| format!("{url}: {why}"))?;
                let keys = key_set::read(&fetched.0).map_err(|why| format!("{url}: {why}"))?;
                Ok((keys, key_set::life(fetched.1.as_deref())))
            }
            Self::File(path) => {
                let at = |why: String| format!("{}: {why}", path.display());
                let text = load(path).await.map_err(at)?;
                Ok((key_set::read(&text).map_err(at)?, key_set::life(None)))
            }
        }
    }
}

/// What stands at an address, and its `Cache-Control`.
async fn fetch(client: &reqwest::Client, url: &Url) -> Result<(Vec<u8>, Option<String>), String> {
    let told = |e: reqwest::Error| e.without_url().to_string();
    let mut answer = client.get(url.clone()).timeout(DEADLINE).send().await.map_err(told)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("it answered {}", answer.status()));
    }
    let cached = answer.headers().get(CACHE_CONTROL).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        text.extend_from_slice(&chunk);
        if text.len() > LARGEST {
            return Err(too_large());
        }
    }
    Ok((text, cached))
}

async fn load(path: &PathBuf) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX) + 1;
    let file = tokio::fs::File::open(path).await.map_err(|e| e.to_string())?;
    file.take(most).read_to_end(&mut text).await.map_err(|e| e.to_string())?;
    if text.len() > LARGEST { Err(too_large()) } else { Ok(text) }
}

fn too_large() -> String {
    format!("it is larger than {LARGEST} bytes")
}
