//! Rings a number, at most once. The intent is committed before the carrier is asked; the request is sent once, by
//! [`crate::dialling`]; an answer that never comes is looked for by [`crate::tasks::reconcile`] and never asked for again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::{Cause, Meta, Outcome};
use common::clock::from_millis;
use common::db::{Tx, lease};
use common::trace;
use contracts::calls::DialRequested;
use contracts::telephony::dial_failed::Cause as FailCause;
use contracts::telephony::dial_refused::Reason;

use crate::app::App;
use crate::carrier::Carrier;
use crate::dialling::{self, Intent, TRY_AGAIN};
use crate::domain::attempt::{AttemptState, DialDecision, RecordsFrom, decide_dial};
use crate::error::BridgeError;
use crate::events;
use crate::store::accounts;
use crate::store::attempts::{self, Attempt};

/// Twilio's own code for a call from a number that the account may not call from.
const FROM_IS_NOT_YOURS: u32 = 21_210;

pub(crate) async fn handle(app: App, meta: Meta, message: DialRequested) -> Outcome {
    match dial(&app, &meta, message).await {
        Ok(outcome) => outcome,
        Err(e) => e.into(),
    }
}

async fn dial(app: &App, meta: &Meta, message: DialRequested) -> Result<Outcome, BridgeError> {
    let carrier = match app.carriers.of_project(message.project_id.parse()?).await {
        Err(error @ BridgeError::Unusable(_)) => {
            tracing::error!(project = %message.project_id, %error, "a project cannot call");
            None
        }
        found => found?,
    };
    let line = match carrier {
        None => Err(BridgeError::NoAccount),
        Some(carrier) => calling_from(app, carrier, &message).await?,
    };
    match commit_intent(app, meta, message, line).await? {
        Decided::Dial(intent) => dialling::carry_out(app, meta, *intent).await,
        Decided::Later => Ok(Outcome::RetryAfter(TRY_AGAIN)),
        Decided::Settled => Ok(Outcome::Done),
    }
}

/// The carrier, with the number that the wish names. Whose number it is, is asked before the intent; a wish that is late is
/// refused all the same.
async fn calling_from(app: &App, carrier: Carrier, message: &DialRequested) -> Result<Line, BridgeError> {
    let late = app.platform.database.now() > from_millis(message.dial_before_ms);
    if message.from_e164.is_empty() || late {
        return Ok(Ok(carrier));
    }
    let found = app.carriers.calling_from(carrier, &message.from_e164).await?;
    Ok(found.ok_or(BridgeError::NotOurNumber))
}

/// What to dial with, or why there is nothing.
type Line = Result<Carrier, BridgeError>;

enum Decided {
    Dial(Box<Intent>),
    Later,
    Settled,
}

/// `line`: what the project calls with now.
async fn commit_intent(
    app: &App,
    meta: &Meta,
    message: DialRequested,
    line: Line,
) -> Result<Decided, BridgeError> {
    let (cause, check_after) = (meta.cause.clone(), app.config.check_after);
    let line = Arc::new(line);
    app.write(move |tx| {
        trace::of_call(&message.call_id);
        let existing = attempts::find(tx.conn, message.attempt_id.parse()?)?;
        if existing.as_ref().is_some_and(|attempt| attempt.state.acted_on()) {
            return Ok(Decided::Settled);
        }
        let wanted = match &existing {
            Some(waiting) => waiting.clone(),
            None => Attempt::wanted(&message, tx.now())?,
        };
        let wanted = Attempt { check_at: tx.now() + check_after, ..wanted };
        match line.as_ref() {
            Ok(carrier) => decide(tx, existing.is_some(), wanted.with(carrier), carrier, &cause),
            Err(error) => no_line(tx, existing.is_some(), wanted, error, &cause),
        }
    })
    .await
}

/// Decides about an attempt that has not been acted on; `known`: it has a row already.
fn decide(
    tx: &mut Tx<'_>,
    known: bool,
    wanted: Attempt,
    carrier: &Carrier,
    cause: &Cause,
) -> Result<Decided, BridgeError> {
    let account = &carrier.account;
    // One after the other: the account has one next turn, and a number one line.
    lease::exclusive(tx.conn, &format!("dial {}", account.sid))?;
    let busy = attempts::line_busy(tx.conn, wanted.project_id, &wanted.to, wanted.id)?;
    let turn = accounts::next_turn(tx.conn, account.sid.as_str(), tx.now())?;
    match decide_dial(busy, tx.now(), turn, wanted.dial_before) {
        DialDecision::Later => Ok(Decided::Later),
        DialDecision::RefuseLate => refuse(tx, known, wanted, Reason::Late, cause),
        DialDecision::RefuseLineBusy => refuse(tx, known, wanted, Reason::LineBusy, cause),
        DialDecision::Dial => {
            accounts::take_turn(tx.conn, account.sid.as_str(), turn, account.between_calls)?;
            let attempt = Attempt { state: AttemptState::Dialing, live: true, ..wanted };
            let attempt = write_down(tx, known, attempt)?;
            let wait = (turn - tx.now()).to_std().unwrap_or(Duration::ZERO);
            Ok(Decided::Dial(Box::new(Intent { attempt, carrier: carrier.clone(), turn, wait })))
        }
    }
}

fn write_down(tx: &mut Tx<'_>, known: bool, attempt: Attempt) -> Result<Attempt, BridgeError> {
    let now = tx.now();
    Ok(if known {
        attempts::save(tx.conn, attempt, now)?
    } else {
        attempts::insert(tx.conn, &attempt, now)?;
        attempt
    })
}

fn refuse(
    tx: &mut Tx<'_>,
    known: bool,
    wanted: Attempt,
    reason: Reason,
    cause: &Cause,
) -> Result<Decided, BridgeError> {
    let over = write_down(tx, known, wanted.over())?;
    tx.stage(&events::refused(&over, reason), cause)?;
    Ok(Decided::Settled)
}

fn no_line(
    tx: &mut Tx<'_>,
    known: bool,
    wanted: Attempt,
    error: &BridgeError,
    cause: &Cause,
) -> Result<Decided, BridgeError> {
    tracing::error!(attempt = %wanted.id, %error, "a call cannot be placed");
    let over = write_down(tx, known, wanted.over())?;
    let code = if matches!(error, BridgeError::NotOurNumber) { FROM_IS_NOT_YOURS } else { 0 };
    tx.stage(&events::failed(&over, FailCause::CarrierError, code), cause)?;
    Ok(Decided::Settled)
}

impl Attempt {
    fn wanted(message: &DialRequested, now: DateTime<Utc>) -> Result<Self, BridgeError> {
        Ok(Self {
            to: message.to_e164.clone(),
            ring_timeout_seconds: message.ring_timeout_seconds,
            time_limit_seconds: message.time_limit_seconds,
            leaves_message: message.leaves_message,
            customer_id: message.customer_id.parse().ok(),
            records: message.records.then_some(RecordsFrom::THE_START),
            dial_before: from_millis(message.dial_before_ms),
            ..Self::named(&message.attempt_id, &message.call_id, &message.project_id, now)?
        })
    }

    /// The same, to be made with this carrier.
    fn with(self, carrier: &Carrier) -> Self {
        Self {
            account_sid: carrier.account.sid.to_string(),
            from: carrier.account.from.clone(),
            carrier_id: carrier.id,
            ..self
        }
    }

    /// An attempt of which nothing is known but its names.
    pub(super) fn named(
        attempt_id: &str,
        call_id: &str,
        project_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, BridgeError> {
        Ok(Self {
            id: attempt_id.parse()?,
            project_id: project_id.parse()?,
            call_id: call_id.parse()?,
            account_sid: String::new(),
            to: String::new(),
            from: String::new(),
            state: AttemptState::Waiting,
            live: false,
            carrier_call_sid: None,
            carrier_status: None,
            answered_by: None,
            stop_requested: false,
            gave_up: false,
            nobody_reached: false,
            ring_timeout_seconds: 0,
            time_limit_seconds: 0,
            dial_before: now,
            created_at: now,
            check_at: now + TimeDelta::seconds(30),
            version: 0,
            carrier_id: None,
            leaves_message: false,
            answers: None,
            customer_id: None,
            bot: None,
            second_call_sid: None,
            records: None,
        })
    }
}
