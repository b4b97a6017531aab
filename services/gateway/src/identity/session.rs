//! A session that is about to begin: its row and its first tokens.

use common::db::{DbError, Time, Tx};
use contracts::ids::{BusinessId, UserId};
use uuid::Uuid;

use crate::app::App;
use crate::error::ApiError;
use crate::identity::tokens::{Holder, Pair, SessionId};
use crate::store::refresh_tokens;
use crate::store::sessions::{self, Session};
use crate::store::users::User;

/// A session that is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    session: Session,
    pair: Pair,
}

impl Opening {
    /// For a user who has just proved who they are, on behalf of a business.
    ///
    /// # Errors
    /// 500 when the tokens cannot be signed.
    pub(crate) fn new(app: &App, user: &User, business: BusinessId) -> Result<Self, ApiError> {
        let id = SessionId(Uuid::now_v7());
        let pair = issue(app, user, id)?;
        let session = Session {
            id,
            user: UserId(user.id.0),
            business,
            generation: user.token_generation,
            expires_at: pair.refresh_expires.into(),
        };
        Ok(Self { session, pair })
    }

    /// Stores it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn insert(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let (now, Session { id, expires_at, .. }) = (Time::from(tx.now()), self.session);
        sessions::insert(tx.conn, self.session, now)?;
        refresh_tokens::insert(tx.conn, id, self.pair.refresh_id, expires_at, now)
    }

    /// What is given out once it is stored.
    pub(crate) fn into_pair(self) -> Pair {
        self.pair
    }
}

/// Tokens of a session.
///
/// # Errors
/// 500 when they cannot be signed.
pub(crate) fn issue(app: &App, user: &User, session: SessionId) -> Result<Pair, ApiError> {
    let holder = Holder { user: UserId(user.id.0), email: user.email.clone(), session };
    app.tokens.issue(&holder, app.platform.clock.now()).map_err(ApiError::internal)
}
