//! A transaction in progress: a connection, the time it began, and what is to happen once it has committed.

use chrono::{DateTime, Utc};
use contracts::message::Message;
use tokio::sync::Notify;

use super::{Db, DbError, outbox};
use crate::bus::Cause;

/// A transaction in progress.
pub struct Tx<'a> {
    /// The connection, for queries.
    pub conn: &'a mut Db,
    now: DateTime<Utc>,
    after: After,
}

#[derive(Default)]
pub(super) struct After {
    staged: bool,
    actions: Vec<Box<dyn FnOnce() + Send>>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut Db, now: DateTime<Utc>) -> Self {
        Self { conn, now, after: After::default() }
    }

    /// The time of this transaction by the database's clock.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Publishes `message` if and when this transaction commits. `cause` carries request, trace and tenant along.
    ///
    /// # Errors
    /// When the outbox row cannot be written.
    pub fn stage<M: Message>(&mut self, message: &M, cause: &Cause) -> Result<(), DbError> {
        self.after.staged = true;
        outbox::stage(self.conn, self.now, message, cause)
    }

    /// Does something once this transaction has committed, and not at all if it does not. For wake-ups: what must not be
    /// forgotten is a row.
    pub fn after_commit(&mut self, action: impl FnOnce() + Send + 'static) {
        self.after.actions.push(Box::new(action));
    }

    pub(super) fn finish(self) -> After {
        self.after
    }
}

impl After {
    pub(super) fn run(self, outbox: &Notify) {
        if self.staged {
            outbox.notify_one();
        }
        for action in self.actions {
            action();
        }
    }
}
