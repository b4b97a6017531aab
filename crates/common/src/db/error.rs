//! What can go wrong with a table, seen by a service: a few cases it may act on, and the rest.

use diesel::result::{DatabaseErrorKind, Error};

/// A failed query or transaction.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No such row where one was expected.
    #[error("no such row")]
    NotFound,
    /// A unique constraint says that it is there already.
    #[error("already there ({constraint})")]
    Duplicate {
        /// The constraint or the columns, as the engine names them.
        constraint: String,
    },
    /// Somebody else changed the row in between: load and decide again.
    #[error("changed by somebody else in the meantime")]
    Conflict,
    /// The database cannot be reached, has no connection free, is too slow, has no room left or takes no writes at this
    /// moment; the work was not done, and waiting may help.
    #[error("the database is away: {0}")]
    Unavailable(String),
    /// A row holds what the program cannot read.
    #[error("unreadable row: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error("database: {0}")]
    Other(#[source] Error),
}

impl DbError {
    /// True when waiting may help.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DeserializationError(e) => Self::Corrupt(e.to_string()),
            Error::BrokenTransactionManager => {
                Self::Unavailable("the connection was lost in a transaction".to_owned())
            }
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Duplicate {
                constraint: info.constraint_name().unwrap_or_else(|| info.message()).to_owned(),
            },
            Error::DatabaseError(kind, info) if overtaken(&kind, info.message()) => Self::Conflict,
            Error::DatabaseError(kind, info)
                if connection_lost(&kind, info.message()) || overloaded(&kind, info.message()) =>
            {
                Self::Unavailable(info.message().to_owned())
            }
            other => Self::Other(other),
        }
    }
}

/// `PostgreSQL` picked this transaction as the one to give way.
fn overtaken(kind: &DatabaseErrorKind, message: &str) -> bool {
    matches!(kind, DatabaseErrorKind::SerializationFailure) || message.contains("deadlock detected")
}

/// libpq reports a lost server as an ordinary error; the texts are those of libpq and of PostgreSQL's shutdown, and of
/// `SQLite` when another process has held its file for longer than the busy timeout.
fn connection_lost(kind: &DatabaseErrorKind, message: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "server closed the connection",
        "connection to server",
        "no connection to the server",
        "terminating connection",
        "could not receive data from server",
        "could not send data to server",
        "SSL connection has been closed",
        "the database system is",
        "database is locked",
    ];
    matches!(kind, DatabaseErrorKind::ClosedConnection) || SIGNS.iter().any(|s| message.contains(s))
}

/// The server is there and cannot do it now: too slow (SQLSTATE 57014, 55P03), full (53100, 53200, 53300), or a standby that
/// takes no writes (25006). The texts are those of `PostgreSQL` and of `SQLite` for a full or failing disk.
fn overloaded(kind: &DatabaseErrorKind, message: &str) -> bool {
    const SIGNS: [&str; 12] = [
        "canceling statement due to statement timeout",
        "canceling statement due to lock timeout",
        "canceling statement due to conflict with recovery",
        "No space left on device",
        "could not extend file",
        "out of memory",
        "out of shared memory",
        "too many clients already",
        "remaining connection slots",
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
    ];
    matches!(kind, DatabaseErrorKind::ReadOnlyTransaction) || SIGNS.iter().any(|s| message.contains(s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Outcome;

    fn said(message: &str) -> DbError {
        DbError::from(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())))
    }

    #[test]
    fn a_database_that_is_slow_or_full_makes_no_message_dead() {
        for message in [
            "canceling statement due to statement timeout",
            "could not extend file \"base/5/16384\": No space left on device",
            "database or disk is full",
            "FATAL: sorry, too many clients already",
        ] {
            assert!(said(message).is_away(), "{message}");
            assert!(matches!(Outcome::from(said(message)), Outcome::Unavailable(_)), "{message}");
        }
        assert!(matches!(Outcome::from(said("syntax error at or near \"SELEC\"")), Outcome::Dead(_)));
    }
}
