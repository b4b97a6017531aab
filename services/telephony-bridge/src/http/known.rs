//! What the tables know about a request for a document: whose call it is, and what has been said at this place before.

use contracts::calls::StartTurnRequest;
use prost::Message as _;

use super::signed::{Refused, Signed};
use crate::app::App;
use crate::domain::patience::OwnWords;
use crate::domain::urls::Place;
use crate::domain::voice::Voice;
use crate::error::BridgeError;
use crate::progress::own_call;
use crate::store::attempts::{self, Attempt};
use crate::store::own_words;

/// A request of an attempt's own call.
pub(super) struct Known {
    pub(super) attempt: Attempt,
    /// What this service said to the same request before, and how.
    pub(super) said: Option<(OwnWords, Voice)>,
    /// What was heard at the beginning of this turn, if the orchestrator may not have it.
    pub(super) heard: Option<StartTurnRequest>,
}

/// Why a request has no document of its own.
pub(super) enum Unknown {
    /// No such attempt, or no call that it could be about.
    NoAttempt,
    /// It is not the carrier's to ask.
    Refused(Refused),
    /// Another call claims this attempt, or an attempt that is over: the second ring that must not be.
    OtherCall(String),
    /// The tables do not answer.
    Away(BridgeError),
}

impl<E: Into<BridgeError>> From<E> for Unknown {
    fn from(error: E) -> Self {
        Self::Away(error.into())
    }
}

pub(super) async fn look_up(app: &App, signed: &Signed, place: Place) -> Result<Known, Unknown> {
    let found = app
        .platform
        .database
        .read(move |db| {
            let attempt = attempts::find(db, place.attempt)?;
            let said = own_words::find(db, place)?;
            let after_filler = place.part == 0 && place.fill > 0;
            let heard = if after_filler { own_words::heard(db, place)? } else { None };
            Ok::<_, BridgeError>((attempt, said, heard))
        })
        .await?;
    let (Some(attempt), said, heard) = found else { return Err(Unknown::NoAttempt) };
    if attempt.account_sid != signed.account_sid() {
        return Err(Unknown::Refused(Refused::OTHER_ACCOUNT));
    }
    // An address names the bot of its attempt, or none: anything else was put together by hand.
    if signed.names_a_bot() && signed.bot() != attempt.bot {
        return Err(Unknown::NoAttempt);
    }
    let attempt = its_call(app, signed, attempt).await?;
    let heard = heard.and_then(|bytes| StartTurnRequest::decode(bytes.as_slice()).ok());
    Ok(Known { attempt, said, heard })
}

/// The attempt, if the request is about its call. Most requests are about a call that is known and write nothing.
async fn its_call(app: &App, signed: &Signed, attempt: Attempt) -> Result<Attempt, Unknown> {
    let Some(sid) = signed.request.call_sid.as_ref().map(ToString::to_string) else {
        return Err(Unknown::NoAttempt);
    };
    if attempt.carrier_call_sid.as_deref() == Some(sid.as_str()) {
        return Ok(attempt);
    }
    if attempt.carrier_call_sid.is_some() {
        return Err(Unknown::OtherCall(sid));
    }
    // The carrier is faster than its answer to our request, or the answer was lost.
    let (id, claimed) = (attempt.id, sid.clone());
    let own = app
        .write(move |tx| match attempts::find(tx.conn, id)? {
            Some(attempt) => Ok(own_call(tx, attempt, &claimed)?),
            None => Ok(None),
        })
        .await?;
    own.ok_or(Unknown::OtherCall(sid))
}
