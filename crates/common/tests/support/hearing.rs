//! A handler that notes every delivery, has its effect once per message, and answers what the test tells it to.

use std::sync::{Arc, Mutex};

use common::bus::{Cause, Meta, Outcome, Subscription};
use common::db::{Database, DbError, inbox};
use contracts::accounts::CancelNotification;
use uuid::Uuid;

/// One delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) message_id: Uuid,
    pub(crate) notification: String,
    pub(crate) cause: Cause,
    /// Which delivery of this message, from 1.
    pub(crate) nth: u32,
}

type Answer = Arc<dyn Fn(&Heard) -> Outcome + Send + Sync>;

/// The handler of one service.
#[derive(Clone)]
pub(crate) struct Hearing {
    database: Database,
    answer: Answer,
    heard: Arc<Mutex<Vec<Heard>>>,
    effects: Arc<Mutex<Vec<String>>>,
}

impl Hearing {
    /// Notes its effects in the inbox of `database`.
    pub(crate) fn new(
        database: &Database,
        answer: impl Fn(&Heard) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        let answer: Answer = Arc::new(answer);
        Self { database: database.clone(), answer, heard: Arc::default(), effects: Arc::default() }
    }

    /// Its subscription to `CancelNotification`.
    pub(crate) fn subscription(&self) -> Subscription {
        Subscription::to(self, Self::handle)
    }

    /// Every delivery so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The notifications that have had their effect, sorted.
    pub(crate) fn effects(&self) -> Vec<String> {
        let mut effects = self.effects.lock().unwrap().clone();
        effects.sort();
        effects
    }

    /// `Ok` with the deliveries once there are `count`, else what there is.
    pub(crate) fn heard_times(&self, count: usize) -> Result<Vec<Heard>, Vec<Heard>> {
        let heard = self.heard();
        if heard.len() >= count { Ok(heard) } else { Err(heard) }
    }

    /// `Ok` with the effects once there are `count`, else how many effects and deliveries there are.
    pub(crate) fn effects_of(&self, count: usize) -> Result<Vec<String>, (usize, usize)> {
        let effects = self.effects();
        if effects.len() >= count { Ok(effects) } else { Err((effects.len(), self.heard().len())) }
    }

    fn note(&self, meta: Meta, message: CancelNotification) -> Heard {
        let mut heard = self.heard.lock().unwrap();
        let before = heard.iter().filter(|h| h.message_id == meta.message_id).count();
        let now = Heard {
            message_id: meta.message_id,
            notification: message.notification_id,
            cause: meta.cause,
            nth: u32::try_from(before + 1).unwrap(),
        };
        heard.push(now.clone());
        now
    }

    async fn handle(self, meta: Meta, message: CancelNotification) -> Outcome {
        let heard = self.note(meta, message);
        let outcome = (self.answer)(&heard);
        if outcome != Outcome::Done {
            return outcome;
        }
        let id = heard.message_id;
        match self.database.write(move |tx| inbox::first_time(tx, "hearing", id)).await {
            Ok(true) => self.effects.lock().unwrap().push(heard.notification),
            Ok(false) => {}
            Err(e) => return DbError::into(e),
        }
        Outcome::Done
    }
}
