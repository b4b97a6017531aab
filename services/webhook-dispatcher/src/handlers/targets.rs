//! Calls into users' systems while a phone call runs, and the secrets that they are signed with.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use common::clock::to_millis;
use common::db::{DbError, Tx};
use contracts::ids::{BusinessId, EventId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    CallNowRequest, CallNowResponse, RevealTargetRequest, RotateTargetRequest, Target, TargetsRpc,
};
use tokio::time::{Instant, timeout_at};

use super::bot_acted::{self, Acted};
use super::refusals::{away, broken, id, invalid, not_found};
use crate::app::App;
use crate::domain::call_now::{self, Told};
use crate::domain::event::{Event, EventName};
use crate::domain::owner::Owner;
use crate::domain::signature::SigningSecrets;
use crate::sending::secrets::{self, Row};
use crate::sending::{Letter, Signed, now};
use crate::store::targets;

#[async_trait]
impl TargetsRpc for App {
    async fn reveal_target(&self, _: Context, request: RevealTargetRequest) -> Result<Target, RpcError> {
        let owner = owner(&request.business_id, &request.owner_id)?;
        let stored = self.target(&owner).await?;
        self.shown_target(&owner, &stored)
    }

    async fn rotate_target(&self, _: Context, request: RotateTargetRequest) -> Result<Target, RpcError> {
        let owner = owner(&request.business_id, &request.owner_id)?;
        self.rotated(owner, None).await
    }

    async fn call_now(&self, _: Context, request: CallNowRequest) -> Result<CallNowResponse, RpcError> {
        let begun = Instant::now();
        let call = Call::read(&request)?;
        let Some(_place) = self.sending.places.take(&call.owner) else {
            self.numbers.call_now_busy();
            return Err(RpcError::Busy);
        };
        let mut status = None;
        let told = match timeout_at(begun + call.deadline, self.ask(&call, &mut status)).await {
            Ok(told) => told?,
            Err(_) => Told::late(status, call.deadline),
        };
        let took = begun.elapsed();
        self.numbers.call_now(told.label(), took);
        if call.owner.is_bot() {
            bot_acted::note(self, call.acted(self.platform.database.now(), took), &told);
        }
        Ok(CallNowResponse {
            outcome: told.outcome.into(),
            status: told.status.map_or(0, u32::from),
            body: told.body,
            duration_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            problem: told.problem.unwrap_or_default(),
        })
    }
}

/// What is to be sent in whose name.
struct Call<'a> {
    project: ProjectId,
    owner: Owner,
    letter: Letter<'a>,
    deadline: Duration,
}

impl<'a> Call<'a> {
    fn read(request: &'a CallNowRequest) -> Result<Self, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let event = id::<EventId>("event_id", &request.event_id)?;
        let body = call_now::body(&request.body_json).map_err(|e| invalid("body_json", &e))?;
        Ok(Self {
            project,
            owner: owner(&request.business_id, &request.owner_id)?,
            letter: Letter { url: &request.url, id: event.0, body },
            deadline: call_now::deadline(request.deadline_ms).map_err(|e| invalid("deadline_ms", &e))?,
        })
    }
}

impl Call<'_> {
    /// What its bot's log says of it: it ended now and took so long.
    fn acted(&self, now: DateTime<Utc>, took: Duration) -> Acted {
        let took = TimeDelta::from_std(took).unwrap_or_default();
        Acted {
            bot: self.owner.clone(),
            event: Event {
                project: self.project,
                id: EventId(self.letter.id),
                name: EventName::BotAction,
                customer: None,
                payload: self.letter.body.to_owned(),
            },
            url: self.letter.url.to_owned(),
            begun: now - took,
            duration_ms: took.num_milliseconds(),
        }
    }
}

fn owner(business: &str, owner: &str) -> Result<Owner, RpcError> {
    let business = id::<BusinessId>("business_id", business)?;
    Owner::parse(business, owner).map_err(|e| invalid("owner_id", &e))
}

fn rotate(
    tx: &mut Tx<'_>,
    owner: &Owner,
    sealed: &str,
    overlap: Option<TimeDelta>,
) -> Result<targets::Target, DbError> {
    let now = tx.now();
    match targets::find(tx.conn, owner)? {
        Some(gone) if gone.is_removed() => return Ok(gone),
        Some(_) => drop(targets::replace(tx.conn, owner, sealed, overlap.map(|overlap| now + overlap), now)?),
        None => targets::insert(tx.conn, owner, sealed, now)?,
    }
    targets::find(tx.conn, owner)?.ok_or(DbError::NotFound)
}

impl App {
    /// Gives an owner another secret; the one before it is good for `overlap` longer.
    pub(super) async fn rotated(&self, owner: Owner, overlap: Option<TimeDelta>) -> Result<Target, RpcError> {
        let (_, sealed) = secrets::make(&self.platform.keys.master, &Row::target(&owner)).map_err(broken)?;
        let this = owner.clone();
        let write = self.platform.database.write(move |tx| rotate(tx, &this, &sealed, overlap));
        self.shown_target(&owner, &write.await.map_err(away)?)
    }

    /// The owner's secret, made if there is none yet; of one that was removed, what is left.
    async fn target(&self, owner: &Owner) -> Result<targets::Target, RpcError> {
        let database = &self.platform.database;
        let this = owner.clone();
        if let Some(found) = database.read(move |db| targets::find(db, &this)).await.map_err(away)? {
            return Ok(found);
        }
        let (_, sealed) = secrets::make(&self.platform.keys.master, &Row::target(owner)).map_err(broken)?;
        let this = owner.clone();
        let made = database.write(move |tx| targets::insert(tx.conn, &this, &sealed, tx.now())).await;
        match made {
            Ok(()) | Err(DbError::Duplicate { .. }) => {} // of two at the same moment, one was first
            Err(error) => return Err(away(error)),
        }
        let this = owner.clone();
        let found = database.read(move |db| targets::find(db, &this)).await.map_err(away)?;
        found.ok_or(RpcError::Busy)
    }

    async fn ask(&self, call: &Call<'_>, seen: &mut Option<u16>) -> Result<Told, RpcError> {
        let stored = self.target(&call.owner).await?;
        if stored.is_removed() {
            return Ok(Told::unreachable(
                "not sent: the agent or bot in whose name it was to be is gone".to_owned(),
            ));
        }
        let (row, now) = (Row::target(&call.owner), self.platform.clock.now());
        let open = |sealed: &str| secrets::open(&self.platform.keys.master, &row, sealed).map_err(broken);
        let previous = stored.previous_secret(now).map(open).transpose()?;
        let secrets = SigningSecrets { current: open(&stored.secret)?, previous };
        Ok(now::ask(self, &Signed::new(call.letter, &secrets, now), seen).await)
    }

    fn shown_target(&self, owner: &Owner, stored: &targets::Target) -> Result<Target, RpcError> {
        if stored.is_removed() {
            return Err(not_found(owner.id()));
        }
        let row = Row::target(owner);
        let secret = secrets::open(&self.platform.keys.master, &row, &stored.secret).map_err(broken)?;
        Ok(Target {
            owner_id: owner.id().to_owned(),
            signing_secret: secret.reveal().to_owned(),
            created_at_ms: to_millis(stored.created_at.0),
        })
    }
}
