//! A session that is about to begin: its row and its first tokens.

use common::db::{DbError, Time, Tx};
use contracts::ids::{BusinessId, UserId};
use uuid::Uuid;

use crate::app::App;
use crate::error::ApiError;
use crate::identity::tokens::{Holder, LINK_LIFE, Pair, SessionId};
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

/// A session of EchoLink that is about to begin: one token, and none to refresh it with.
#[derive(Clone, Debug)]
pub(crate) struct LinkOpening {
    session: Session,
    token: String,
}

impl LinkOpening {
    /// For a user who has just proved who they are, on behalf of a business.
    ///
    /// # Errors
    /// 500 when the token cannot be signed.
    pub(crate) fn new(app: &App, user: &User, business: BusinessId) -> Result<Self, ApiError> {
        let (id, now) = (SessionId(Uuid::now_v7()), app.platform.clock.now());
        let owner = UserId(user.id.0);
        let holder = Holder { user: owner, email: user.email.clone(), session: id };
        let token = app.tokens.issue_link(&holder, now).map_err(ApiError::internal)?;
        let (generation, expires_at) = (user.token_generation, (now + LINK_LIFE).into());
        Ok(Self { session: Session { id, user: owner, business, generation, expires_at }, token })
    }

    /// Stores it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn insert(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let now = Time::from(tx.now());
        sessions::insert(tx.conn, self.session, now)
    }

    /// What is given out once it is stored.
    pub(crate) fn into_token(self) -> String {
        self.token
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
