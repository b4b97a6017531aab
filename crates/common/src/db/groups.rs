//! Writes to `SQLite`: one after the other on one connection, and committed in groups. While a commit is on its way to the
//! disk the next transactions wait; they then run one behind the other, each behind a savepoint of its own, and share one
//! commit. A disk that needs milliseconds for a commit so carries as many transactions as wait for it, and not one.
//!
//! Nobody hears of a transaction before its group has reached the disk. One that fails is undone alone; a commit that fails
//! is everybody's failure, whatever they had found.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::QueryResult;
use tokio::sync::oneshot;

use super::pool::{Database, LONGEST_WAIT};
use super::tx::After;
use super::{Db, DbError, Tx};
use crate::trace::Here;

/// Most transactions that share a commit.
const MOST: usize = 64;
/// A group that has taken this long is committed, whoever waits.
const LONGEST: Duration = Duration::from_millis(10);

/// Transactions in line for the one connection that writes.
#[derive(Default)]
pub(super) struct Groups {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Box<dyn Member>>,
    /// Somebody works on the line, and will see who joins it.
    served: bool,
}

/// A transaction, whatever it answers.
trait Member: Send {
    /// Runs it. False: what it did is to be undone.
    fn run(&mut self, db: &mut Db, database: &Database) -> bool;
    /// Tells whoever waits for it what it answered, or the problem for which the group was not committed.
    fn tell(self: Box<Self>, problem: Option<&str>, database: &Database);
}

struct Transaction<T, E, F> {
    /// What it is, and a part of what.
    work: Option<(Here, F)>,
    answer: Option<(Result<T, E>, After)>,
    told: oneshot::Sender<Result<T, E>>,
    /// It has begun, or nobody waits for it any more: whoever sets this first decides.
    begun: Arc<AtomicBool>,
}

/// Waits for a place in a group, runs `work` there, and answers when the group has been committed.
pub(super) async fn write<T, E, F>(database: &Database, groups: &Groups, work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    let (told, mut answer) = oneshot::channel();
    let begun = Arc::new(AtomicBool::new(false));
    let here = Here::now();
    let transaction = Transaction { work: Some((here, work)), answer: None, told, begun: Arc::clone(&begun) };
    if groups.join(Box::new(transaction)) {
        let database = database.clone();
        tokio::task::spawn_blocking(move || serve(&database));
    }
    let answer = match tokio::time::timeout(LONGEST_WAIT, &mut answer).await {
        Ok(answer) => answer,
        Err(_) if !begun.swap(true, Ordering::AcqRel) => {
            return Err(DbError::Unavailable("no turn to write came within 5 s".to_owned()).into());
        }
        Err(_) => answer.await, // it runs: how it ends is near
    };
    answer.unwrap_or_else(|_| Err(DbError::Unavailable("the work was dropped".to_owned()).into()))
}

/// Works on the line until it is empty.
fn serve(database: &Database) {
    let Some(groups) = database.groups() else { return };
    let _left = LeftBehind(groups);
    while let Some(first) = groups.next_or_leave() {
        groups.commit(database, first);
    }
}

/// Lets the line be served again if whoever served it was thrown out. Nothing in here panics, but a line that nobody serves
/// would be the end of all writing.
struct LeftBehind<'a>(&'a Groups);

impl Drop for LeftBehind<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.line().served = false;
        }
    }
}

impl Groups {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True: nobody serves the line, and whoever has joined has to see to it.
    fn join(&self, member: Box<dyn Member>) -> bool {
        let mut line = self.line();
        line.waiting.push_back(member);
        !std::mem::replace(&mut line.served, true)
    }

    fn next(&self) -> Option<Box<dyn Member>> {
        self.line().waiting.pop_front()
    }

    fn next_or_leave(&self) -> Option<Box<dyn Member>> {
        let mut line = self.line();
        let next = line.waiting.pop_front();
        line.served = next.is_some();
        next
    }

    /// Runs one transaction and those that wait behind it, commits all of them, and tells everybody.
    fn commit(&self, database: &Database, first: Box<dyn Member>) {
        let mut members = vec![first];
        let committed = database.on_the_writer(|db| {
            let begun = Instant::now();
            db.begin()?;
            loop {
                if let Some(member) = members.last_mut() {
                    behind_a_savepoint(db, member.as_mut(), database)?;
                }
                let more = members.len() < MOST && begun.elapsed() < LONGEST;
                let Some(next) = more.then(|| self.next()).flatten() else { break };
                members.push(next);
            }
            db.commit()
        });
        let problem = committed.err().map(|e| format!("not committed: {e}"));
        if let Some(problem) = &problem {
            tracing::warn!(problem, transactions = members.len(), "writes were lost; their callers know");
        }
        for member in members {
            // What one of them wanted to happen after the commit may panic: that is nobody else's.
            let _ = catch_unwind(AssertUnwindSafe(|| member.tell(problem.as_deref(), database)));
        }
    }
}

/// An error means that the whole group is lost.
fn behind_a_savepoint(db: &mut Db, member: &mut dyn Member, database: &Database) -> QueryResult<()> {
    let outside = db.depth();
    db.begin_savepoint()?;
    if member.run(db, database) {
        return db.release_savepoint();
    }
    // Work that panicked may have left savepoints of its own behind.
    while db.depth() > outside {
        db.rollback()?;
    }
    Ok(())
}

impl<T, E, F> Member for Transaction<T, E, F>
where
    T: Send,
    E: From<DbError> + Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, db: &mut Db, database: &Database) -> bool {
        let Some((here, work)) = self.work.take() else { return false };
        if self.told.is_closed() || self.begun.swap(true, Ordering::AcqRel) {
            return false; // nobody waits for it
        }
        let now = database.now();
        // A panic is the failure of one transaction, and must not become its neighbours'.
        self.answer = catch_unwind(AssertUnwindSafe(move || {
            let mut tx = Tx::new(db, now);
            let result = here.run(|| work(&mut tx));
            (result, tx.finish())
        }))
        .ok();
        self.answer.as_ref().is_some_and(|(result, _)| result.is_ok())
    }

    fn tell(self: Box<Self>, problem: Option<&str>, database: &Database) {
        let answer = match (self.answer, problem) {
            // Also a refusal means nothing any more: it may be due to rows of a neighbour that are gone.
            (answer, Some(problem)) => {
                drop(answer);
                Err(DbError::Unavailable(problem.to_owned()).into())
            }
            (Some((Ok(value), after)), None) => {
                database.after_commit(after);
                Ok(value)
            }
            (Some((Err(own), after)), None) => {
                drop(after); // before anybody hears of it
                Err(own)
            }
            // The work has panicked: whoever waits hears that it was dropped.
            (None, None) => return,
        };
        // Whoever waited may have gone.
        let _ = self.told.send(answer);
    }
}
