//! Turns of a running call. A turn is opened once, answered by the replica that holds its lease, and read by any: every
//! sentence is committed before it is spoken.
//!
//! [`open`] claims a turn and starts its answer; [`wait_for_part`] waits until a sentence stands in the table; [`speak`]
//! makes the sentences.

mod acting;
mod arguments;
pub(crate) mod frozen;
mod knowing;
pub(crate) mod learning;
pub(crate) mod rehearse;
mod rounds;
mod speak;
pub(crate) mod spec;
pub(crate) mod tools;
pub(crate) mod wakeups;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use common::bus::Cause;
use common::db::Tx;
use common::trace;
use contracts::calls as proto;
use contracts::ids::CallId;

use crate::app::App;
use crate::domain::call::{CallInput, CallStatus, HangupBy, Progress};
use crate::domain::limits::{MAX_PATIENCE, TURN_LEASE};
use crate::domain::turn::{self, Claim, Part, Then, TurnNumber, TurnState};
use crate::error::OrchestratorError;
use crate::store::calls::{self, Call};
use crate::store::opening::Opening;
use crate::store::turns::{self, Lease, Turn};
use crate::story::Story;

/// How often the table is asked when another replica makes the sentences.
const POLL: Duration = Duration::from_millis(50);

/// A turn that this replica answers.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) call: CallId,
    pub(crate) turn: TurnNumber,
    pub(crate) generation: u32,
    pub(crate) opening: Opening,
}

/// A turn that is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) call: CallId,
    pub(crate) turn: TurnNumber,
    pub(crate) opening: Opening,
    /// The carrier asks for it: somebody has picked up and waits for words. False: it is only made ready.
    pub(crate) asked: bool,
}

enum Opened {
    /// The call is over and has no such turn.
    Over,
    /// Answer it.
    Run(Run),
    /// Somebody answers it, or it has been answered.
    Stands,
}

/// Opens a turn, unless it is open already, and starts its answer. False: the call is over.
pub(crate) async fn open(app: &App, ask: Ask) -> Result<bool, OrchestratorError> {
    let inner = app.clone();
    let opened = app.write(move |tx| claim(&inner, tx, &ask)).await?;
    match opened {
        Opened::Over => Ok(false),
        Opened::Stands => Ok(true),
        Opened::Run(run) => {
            tokio::spawn(trace::continued(speak::run(app.clone(), run)));
            Ok(true)
        }
    }
}

/// Rows are written in the same order as where a turn ends a call (turns, notification, call), so that the two never wait
/// for each other.
fn claim(app: &App, tx: &mut Tx<'_>, ask: &Ask) -> Result<Opened, OrchestratorError> {
    let call = calls::find(tx.conn, ask.call)?.ok_or(OrchestratorError::NotFound("call"))?;
    let existing = turns::find(tx.conn, ask.call, ask.turn)?;
    // What was prepared and nobody has heard is as good as not there.
    let unheard = existing.as_ref().is_none_or(|t| !t.asked);
    if unheard && closed(tx, &call, ask.turn)? {
        return Ok(Opened::Over);
    }
    if ask.asked && unheard && existing.is_some() {
        let now = tx.now();
        turns::note_asked(tx.conn, (ask.call, ask.turn), now)?;
    }
    let new = existing.is_none();
    let opened = take(tx, &call, ask, existing)?;
    if ask.asked && call.state.status != CallStatus::InProgress && !call.state.status.is_final() {
        note_pick_up(app, tx, &call)?;
    }
    if new || (ask.asked && unheard) {
        calls::hold_open(tx.conn, ask.call)?;
    }
    Ok(opened)
}

fn take(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &Ask,
    existing: Option<Turn>,
) -> Result<Opened, OrchestratorError> {
    let (now, key) = (tx.now(), (ask.call, ask.turn));
    let lease = TimeDelta::from_std(TURN_LEASE).unwrap_or(TimeDelta::seconds(3));
    let (generation, until) = match turn::claim(existing.as_ref().map(|t| &t.view), now, lease) {
        Claim::AlreadyDone | Claim::RunningElsewhere => return Ok(Opened::Stands),
        Claim::CloseHere => {
            turns::close_lost(tx.conn, key, Then::Listen, now)?;
            return Ok(Opened::Stands);
        }
        Claim::Run { generation, lease_until } => (generation, lease_until),
    };
    let lease = Lease { generation, from: now, until };
    let opening = match existing {
        Some(lost) => {
            turns::take_over(tx.conn, key, lease)?;
            lost.opening
        }
        None => {
            turns::drop_running(tx.conn, ask.call, Some(ask.turn), now)?;
            let whose = (call.project_id, ask.call, ask.turn);
            turns::open(tx.conn, whose, &ask.opening, lease, ask.asked)?;
            ask.opening.clone()
        }
    };
    Ok(Opened::Run(Run { call: ask.call, turn: ask.turn, generation, opening }))
}

/// No new turn: the call is over or about to end, or the conversation has gone past it. A message for a machine is still a
/// turn.
fn closed(tx: &mut Tx<'_>, call: &Call, number: TurnNumber) -> Result<bool, OrchestratorError> {
    let gone_past = turns::latest(tx.conn, call.id)?.is_some_and(|latest| latest > number);
    let ends = call.state.hangup_by.is_some_and(|by| by != HangupBy::LeavingMessage);
    Ok(gone_past || call.state.status.is_final() || ends)
}

/// The carrier asks for words: somebody has picked up, whatever became of the report that says so.
fn note_pick_up(app: &App, tx: &mut Tx<'_>, call: &Call) -> Result<(), OrchestratorError> {
    let now = tx.now();
    let Some(mut story) = Story::of_call(app, tx, &Cause::own(call.project_id), call.id)? else {
        return Ok(());
    };
    story.call_input(CallInput::Progress(Progress {
        status: CallStatus::InProgress,
        sequence: None,
        at: now,
        duration_seconds: None,
        sip_code: None,
        gave_up: false,
        nobody_reached: false,
    }))?;
    story.save()?;
    Ok(())
}

/// While it rings: everything for the first turn is prepared.
pub(crate) fn prepare_first_turn(app: App, call: CallId) {
    // After a commit, on a thread for blocking work, which belongs to the runtime.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(trace::continued(async move {
        let first = Ask { call, turn: TurnNumber(0), opening: Opening::Answered, asked: false };
        if let Err(error) = open(&app, first).await {
            tracing::warn!(%call, %error, "the first turn could not be prepared; it is made when the call is answered");
        }
        knowing::warm(&app, call).await;
    }));
}

/// Waits for one sentence of a turn, at most `patience`. A turn whose answer was lost is taken over.
pub(crate) async fn wait_for_part(
    app: &App,
    call: CallId,
    turn: TurnNumber,
    n: usize,
    patience: Duration,
) -> Result<proto::TurnPart, OrchestratorError> {
    let until = Instant::now() + patience.min(MAX_PATIENCE);
    let waiter = app.wakeups.wait_for(call);
    loop {
        let woken = waiter.notified();
        let stored = app.platform.database.read(move |db| turns::find(db, call, turn)).await?;
        let Some(stored) = stored else { return Err(OrchestratorError::NotFound("turn")) };
        match turn::part(&stored.view, n) {
            Part::Pending => {}
            Part::Sentence { text, last } => {
                hand_out(app, (call, turn), n + 1, stored.handed_out).await?;
                return ready(app, call, text, last).await;
            }
            Part::Nothing { then } => return ready(app, call, String::new(), Some(then)).await,
        }
        if Instant::now() >= until {
            return not_yet(app, call).await;
        }
        if lost(&stored.view.state, app) {
            let again = Ask { call, turn, opening: stored.opening, asked: false };
            if open(app, again).await? {
                continue;
            }
            return Ok(over());
        }
        let left = until.saturating_duration_since(Instant::now());
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL.min(left)) => {}
        }
    }
}

/// Written down before it is answered: what may have been spoken stands in the transcript.
async fn hand_out(
    app: &App,
    key: (CallId, TurnNumber),
    count: usize,
    already: usize,
) -> Result<(), OrchestratorError> {
    if count <= already {
        return Ok(());
    }
    app.write(move |tx| Ok(turns::note_handed_out(tx.conn, key, count)?)).await
}

/// Nothing more is said in this call.
pub(crate) fn over() -> proto::TurnPart {
    proto::TurnPart { state: proto::PartState::CallOver.into(), ..Default::default() }
}

/// There is no sentence; how it will be spoken is known.
async fn not_yet(app: &App, call: CallId) -> Result<proto::TurnPart, OrchestratorError> {
    let frozen = frozen::of(app, call).await?;
    Ok(proto::TurnPart {
        state: proto::PartState::Pending.into(),
        language: frozen.spec.language.clone(),
        voice: frozen.spec.voice.clone(),
        ..Default::default()
    })
}

fn lost(state: &TurnState, app: &App) -> bool {
    matches!(state, TurnState::Running { lease_until, .. } if app.platform.database.now() >= *lease_until)
}

async fn ready(
    app: &App,
    call: CallId,
    text: String,
    last: Option<Then>,
) -> Result<proto::TurnPart, OrchestratorError> {
    let frozen = frozen::of(app, call).await?;
    let then = match last {
        None => proto::Then::NextPart,
        Some(Then::Listen) => proto::Then::Listen,
        Some(Then::HangUp) => proto::Then::HangUp,
        // Only who can be reached is offered; without a number the wish ends the call politely.
        Some(Then::Transfer) if frozen.spec.transfer_number.is_none() => proto::Then::HangUp,
        Some(Then::Transfer) => proto::Then::Transfer,
    };
    let transfer_to = frozen.spec.transfer_number.clone().filter(|_| then == proto::Then::Transfer);
    Ok(proto::TurnPart {
        state: proto::PartState::Ready.into(),
        text,
        then: then.into(),
        language: frozen.spec.language.clone(),
        voice: frozen.spec.voice.clone(),
        transfer_to_e164: transfer_to.unwrap_or_default(),
    })
}
