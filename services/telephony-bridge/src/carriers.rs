//! Which account dials for whom, and who can have signed a request: a project's own account, the sandbox where a project has
//! chosen that, else the operator's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::config::{ConfigError, Secret};
use common::crypto;
use common::platform::Platform;
use contracts::ids::{CarrierId, ProjectId};
use twilio::AccountSid;
use url::Url;

use crate::carrier::{Carrier, connections};
use crate::config::{AccountConfig, Config, pause};
use crate::error::BridgeError;
use crate::store::attempts::Attempt;
use crate::store::project_carriers::{self, Choice, Chosen, OwnAccount};

/// Accounts whose tokens are remembered for the time when the tables are away, and numbers that were asked about.
const REMEMBERED: usize = 10_000;
/// Whose a number is, is asked again after this long.
const GOOD_FOR: Duration = Duration::from_secs(300);

/// All accounts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carriers {
    platform: Platform,
    http: reqwest::Client,
    twilio_api: Url,
    operator: Option<Carrier>,
    sandbox: Option<Carrier>,
    remembered: Arc<Mutex<HashMap<AccountSid, Vec<Carrier>>>>,
    owned: Arc<Mutex<HashMap<(AccountSid, String), Instant>>>,
}

impl Carriers {
    pub(crate) fn new(config: &Config, platform: &Platform) -> Result<Self, ConfigError> {
        let http = connections()?;
        let set = |account: &Option<AccountConfig>| {
            let made = account.clone().map(|account| Carrier::new(http.clone(), None, account));
            made.transpose()
                .map_err(|e| ConfigError::new("ECHO_CARRIER", format!("the carrier's address: {e}")))
        };
        Ok(Self {
            operator: set(&config.operator)?,
            sandbox: set(&config.sandbox)?,
            twilio_api: config.twilio_api.clone(),
            platform: platform.clone(),
            remembered: Arc::default(),
            owned: Arc::default(),
            http,
        })
    }

    /// The account of projects that have chosen nothing.
    pub(crate) const fn operator(&self) -> Option<&Carrier> {
        self.operator.as_ref()
    }

    /// The account of projects that have chosen the sandbox.
    pub(crate) const fn sandbox(&self) -> Option<&Carrier> {
        self.sandbox.as_ref()
    }

    /// What this project calls with now; `None` when there is nothing.
    pub(crate) async fn of_project(&self, project: ProjectId) -> Result<Option<Carrier>, BridgeError> {
        let read = move |db: &mut common::db::Db| project_carriers::of_project(db, project);
        match self.platform.database.read(read).await? {
            None => Ok(self.operator.clone()),
            Some(Chosen { choice: Choice::Sandbox, .. }) => Ok(self.sandbox.clone()),
            Some(Chosen { id, choice: Choice::Twilio(account), .. }) => self.own(id, &account).map(Some),
        }
    }

    /// The account with this id, if it is what this project calls with, or did until a short while ago.
    pub(crate) async fn speaking_for(
        &self,
        project: ProjectId,
        account_sid: &str,
    ) -> Result<Option<Carrier>, BridgeError> {
        let is_it = |carrier: &Carrier| carrier.account.sid.as_str() == account_sid;
        if let Some(now) = self.of_project(project).await?.filter(is_it) {
            return Ok(Some(now));
        }
        let read = move |db: &mut common::db::Db| project_carriers::replaced(db, project);
        let replaced = self.platform.database.read(read).await?;
        let usable = replaced.into_iter().filter_map(|row| match row.choice {
            Choice::Sandbox => self.sandbox.clone(),
            Choice::Twilio(_) => self.usable(row),
        });
        Ok(usable.into_iter().find(is_it))
    }

    /// What this attempt was made with, whatever its project calls with now.
    pub(crate) async fn of_attempt(&self, attempt: &Attempt) -> Result<Carrier, BridgeError> {
        self.of_account(attempt.carrier_id, &attempt.account_sid).await
    }

    /// A project's own carrier, or without one the account of the settings with this id.
    pub(crate) async fn of_account(
        &self,
        carrier: Option<CarrierId>,
        account_sid: &str,
    ) -> Result<Carrier, BridgeError> {
        let Some(id) = carrier else {
            let named = self.of_settings(account_sid).next();
            return named.cloned().ok_or(BridgeError::NoAccount);
        };
        let found = self.platform.database.read(move |db| project_carriers::find(db, id)).await?;
        match found {
            Some(Chosen { choice: Choice::Twilio(account), .. }) => self.own(id, &account),
            _ => Err(BridgeError::NoAccount),
        }
    }

    /// The accounts of the settings with this id: at most two.
    pub(crate) fn of_settings<'a>(&'a self, account_sid: &'a str) -> impl Iterator<Item = &'a Carrier> {
        let all = self.operator.iter().chain(&self.sandbox);
        all.filter(move |carrier| carrier.account.sid.as_str() == account_sid)
    }

    /// The projects' own accounts with this id, also those that were replaced a short while ago: the carrier still speaks of
    /// their calls. When the tables do not answer within `patience`, those that they last told.
    ///
    /// # Errors
    /// When neither is there.
    pub(crate) async fn with_account(
        &self,
        account_sid: &AccountSid,
        patience: Duration,
    ) -> Result<Vec<Carrier>, BridgeError> {
        let wanted = account_sid.to_string();
        let read = self.platform.database.read(move |db| project_carriers::with_account(db, &wanted));
        match tokio::time::timeout(patience, read).await {
            Ok(Ok(rows)) => {
                let known: Vec<Carrier> = rows.into_iter().filter_map(|row| self.usable(row)).collect();
                self.remember(account_sid, &known);
                Ok(known)
            }
            Ok(Err(error)) => self.recall(account_sid).ok_or_else(|| error.into()),
            Err(_) => self.recall(account_sid).ok_or(BridgeError::Slow),
        }
    }

    /// The carrier, calling from this number; `None` when the number is not the account's. That it is, is remembered for some
    /// minutes; that it is not, is not: whoever buys it is served at once.
    pub(crate) async fn calling_from(
        &self,
        carrier: Carrier,
        number: &str,
    ) -> Result<Option<Carrier>, twilio::rest::Error> {
        if carrier.account.from == number {
            return Ok(Some(carrier));
        }
        let key = (carrier.account.sid.clone(), number.to_owned());
        let known = |owned: &HashMap<_, Instant>| owned.get(&key).is_some_and(|at| at.elapsed() < GOOD_FOR);
        let lock = || self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        if known(&lock()) {
            return Ok(Some(carrier.calling_from(number)));
        }
        if !carrier.owns(number).await? {
            return Ok(None);
        }
        let mut owned = lock();
        if owned.len() >= REMEMBERED {
            owned.clear();
        }
        owned.insert(key, Instant::now());
        Ok(Some(carrier.calling_from(number)))
    }

    fn usable(&self, row: Chosen) -> Option<Carrier> {
        let Choice::Twilio(account) = row.choice else { return None };
        let opened = self.own(row.id, &account);
        opened
            .inspect_err(|error| tracing::error!(carrier = %row.id, %error, "an account cannot be used"))
            .ok()
    }

    fn remember(&self, account_sid: &AccountSid, known: &[Carrier]) {
        let mut all = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            all.remove(account_sid);
        } else if all.len() < REMEMBERED || all.contains_key(account_sid) {
            all.insert(account_sid.clone(), known.to_vec());
        }
    }

    fn recall(&self, account_sid: &AccountSid) -> Option<Vec<Carrier>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(account_sid).cloned()
    }

    /// An account that a project has stored.
    pub(crate) fn own(&self, id: CarrierId, account: &OwnAccount) -> Result<Carrier, BridgeError> {
        let token = open(self, id, &account.auth_token)?;
        let sid = account.account_sid.parse().map_err(|e| BridgeError::Unusable(format!("{e}")))?;
        let pace = f64::from(account.calls_per_second);
        self.carrier(Some(id), sid, token, account.phone_number.clone(), pace)
    }

    /// Whether this is the sandbox's account: whoever connects it calls with the sandbox.
    pub(crate) fn is_sandboxs(&self, sid: &AccountSid) -> bool {
        self.sandbox.as_ref().is_some_and(|sandbox| sandbox.account.sid == *sid)
    }

    /// An account of a project: the sandbox's, or one with Twilio or where `ECHO_TWILIO_API_URL` says.
    pub(crate) fn carrier(
        &self,
        id: Option<CarrierId>,
        sid: AccountSid,
        auth_token: Secret,
        from: String,
        calls_per_second: f64,
    ) -> Result<Carrier, BridgeError> {
        let sandbox = self.sandbox.as_ref().filter(|sandbox| sandbox.account.sid == sid);
        // Nobody shall wait for the sandbox.
        let (api, between_calls) = match sandbox {
            Some(sandbox) => (sandbox.account.api.clone(), sandbox.account.between_calls),
            None => (self.twilio_api.clone(), pause(calls_per_second.max(0.01))),
        };
        let account = AccountConfig { sid, auth_token, from, api, between_calls };
        Carrier::new(self.http.clone(), id, account).map_err(|e| BridgeError::Unusable(e.to_string()))
    }

    /// Seals the token of an account for its row.
    pub(crate) fn seal(&self, id: CarrierId, token: &Secret) -> Result<String, BridgeError> {
        let sealed = crypto::seal(&self.platform.keys.master, &row(id), token.reveal().as_bytes());
        sealed.map_err(|e| BridgeError::Unusable(e.to_string()))
    }
}

fn row(id: CarrierId) -> String {
    format!("carrier:{id}")
}

fn open(carriers: &Carriers, id: CarrierId, sealed: &str) -> Result<Secret, BridgeError> {
    let plain = crypto::open(&carriers.platform.keys.master, &row(id), sealed)
        .map_err(|e| BridgeError::Unusable(e.to_string()))?;
    String::from_utf8(plain)
        .map(Secret::new)
        .map_err(|_| BridgeError::Unusable("a token is no text".to_owned()))
}
