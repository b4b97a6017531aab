//! What is still under way in the tables of all services, wherever they are: rows that somebody has to do something about.

use std::collections::BTreeSet;
use std::path::PathBuf;

use testkit::database::{count, count_in_file, texts, texts_in_file};

use crate::stack::Room;

/// Where the tables are.
pub(crate) enum Tables {
    /// In schemas with this prefix, on the server at this address.
    Server {
        /// The address.
        url: String,
        /// The prefix.
        schemas: String,
    },
    /// In files of this folder, with the queues of the bus beside them.
    Files(PathBuf),
}

/// Attempts at a webhook.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempts {
    /// All.
    Made,
    /// Begun, and nothing more is known of them.
    InFlight,
    /// Whose end is written down.
    WrittenDown,
}

impl Attempts {
    const fn condition(self) -> &'static str {
        match self {
            Self::Made => "a.attempt_number > 0",
            Self::InFlight => "a.state = 'started'",
            Self::WrittenDown => "a.state = 'finished'",
        }
    }
}

impl Room {
    /// The tables in which something of this service may be under way, with the condition for it.
    fn under_way(self) -> &'static [&'static str] {
        match self {
            Self::Gateway | Self::Knowledge => &["outbox"],
            Self::Orchestrator => &[
                "outbox",
                "notifications WHERE summary_due OR NOT summarised",
                "calls WHERE ended_at IS NULL AND dial_requested",
            ],
            Self::Bridge => &["outbox", "dial_attempts WHERE live"],
            Self::Dispatcher => &["outbox", "deliveries WHERE next_retry_at IS NOT NULL"],
        }
    }
}

/// One number for rows of several tables.
fn sum<'a>(tables: impl Iterator<Item = &'a str>, schema: &str) -> String {
    let counts: Vec<String> = tables.map(|table| format!("(SELECT count(*) FROM {schema}{table})")).collect();
    counts.join(" + ")
}

impl Tables {
    /// The events with an attempt of this kind in the dispatcher's log.
    pub(crate) fn events(&self, attempts: Attempts) -> Result<BTreeSet<String>, String> {
        let query = |schema: &str| {
            format!(
                "SELECT DISTINCT CAST(event_id AS TEXT) AS text FROM {schema}deliveries d \
                 JOIN {schema}attempts a ON a.delivery_id = d.id WHERE {}",
                attempts.condition()
            )
        };
        let room = Room::Dispatcher;
        let found = match self {
            Self::Server { url, schemas } => texts(url, &query(&format!("{schemas}{}.", room.schema()))),
            Self::Files(folder) => texts_in_file(&folder.join(format!("{}.sqlite", room.name())), &query("")),
        };
        Ok(found?.into_iter().collect())
    }

    /// Fails as long as anything is under way.
    pub(crate) fn at_rest(&self) -> Result<(), String> {
        let left = match self {
            Self::Server { url, schemas } => {
                let of = |room: Room| {
                    sum(room.under_way().iter().copied(), &format!("{schemas}{}.", room.schema()))
                };
                count(url, &format!("SELECT {} AS count", Room::ALL.map(of).join(" + ")))?
            }
            Self::Files(_) => self.in_files(|room| {
                room.under_way().iter().copied().chain(["bus_queue WHERE dead_reason IS NULL"])
            })?,
        };
        if left == 0 { Ok(()) } else { Err(format!("{left} rows")) }
    }

    /// How many messages were given up, as far as the tables know: a broker has its own dead.
    pub(crate) fn given_up(&self) -> Result<i64, String> {
        match self {
            Self::Server { .. } => Ok(0),
            Self::Files(_) => self.in_files(|_| std::iter::once("bus_queue WHERE dead_reason IS NOT NULL")),
        }
    }

    fn in_files<T: Iterator<Item = &'static str>>(&self, of: impl Fn(Room) -> T) -> Result<i64, String> {
        let Self::Files(folder) = self else { return Ok(0) };
        let counts = Room::ALL.map(|room| {
            let file = folder.join(format!("{}.sqlite", room.name()));
            count_in_file(&file, &format!("SELECT {} AS count", sum(of(room), "")))
        });
        counts.into_iter().sum()
    }
}
