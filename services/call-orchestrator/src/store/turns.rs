//! Turns and their sentences. A turn is leased under a generation; a sentence is stored before it is spoken.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CallId, ProjectId};
use diesel::prelude::*;

use super::opening::Opening;
use super::schema::{calls, sentences, turns};
use super::{int, word};
use crate::domain::question::Source;
use crate::domain::silence::Heard;
use crate::domain::transcript::SpokenTurn;
use crate::domain::turn::{Sentence, Then, TurnNumber, TurnState, TurnView};

/// A stored turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) number: TurnNumber,
    pub(crate) opening: Opening,
    /// Whether it was asked for; what was only prepared has not been said.
    pub(crate) asked: bool,
    /// How many of its sentences have been handed to the bridge.
    pub(crate) handed_out: usize,
    pub(crate) view: TurnView,
}

impl Turn {
    /// What was said in it, for the transcript: what is stored and was never fetched has not been spoken.
    pub(crate) fn spoken(&self) -> SpokenTurn {
        SpokenTurn {
            number: self.number,
            heard: self.opening.words().map(str::to_owned),
            said: self.view.sentences.iter().take(self.handed_out).map(|s| s.text.clone()).collect(),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = turns)]
struct Row {
    number: i32,
    heard_kind: String,
    heard: Option<String>,
    confidence: Option<f64>,
    state: String,
    generation: i32,
    then_do: Option<String>,
    lease_until: Option<Time>,
    asked_at: Option<Time>,
    handed_out: i32,
}

fn number(turn: TurnNumber) -> i32 {
    int(turn.0)
}

fn state_of(row: &Row) -> TurnState {
    match (row.state.as_str(), row.lease_until) {
        ("running", Some(lease)) => {
            TurnState::Running { generation: row.generation.unsigned_abs(), lease_until: lease.0 }
        }
        ("done", _) => {
            TurnState::Done { then: row.then_do.as_deref().and_then(Then::parse).unwrap_or(Then::Listen) }
        }
        _ => TurnState::Broken,
    }
}

fn to_turn(row: Row, sentences: Vec<Sentence>) -> Turn {
    let state = state_of(&row);
    Turn {
        number: TurnNumber(row.number.unsigned_abs()),
        asked: row.asked_at.is_some(),
        handed_out: usize::try_from(row.handed_out).unwrap_or_default(),
        opening: Opening::read(&row.heard_kind, row.heard, row.confidence),
        view: TurnView { state, sentences },
    }
}

fn sentence(text: String, then: Option<String>) -> Sentence {
    Sentence { text, last: then.as_deref().and_then(Then::parse) }
}

/// One turn with its sentences.
pub(crate) fn find(db: &mut Db, call: CallId, turn: TurnNumber) -> Result<Option<Turn>, DbError> {
    let row: Option<Row> =
        turns::table.find((Id::of(call), number(turn))).select(Row::as_select()).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    let said: Vec<(String, Option<String>)> = sentences::table
        .filter(sentences::call_id.eq(Id::of(call)))
        .filter(sentences::turn.eq(number(turn)))
        .order(sentences::number)
        .select((sentences::text, sentences::then_do))
        .load(db)?;
    Ok(Some(to_turn(row, said.into_iter().map(|(text, then)| sentence(text, then)).collect())))
}

/// All turns of a call, oldest first.
pub(crate) fn all(db: &mut Db, call: CallId) -> Result<Vec<Turn>, DbError> {
    let rows: Vec<Row> = turns::table
        .filter(turns::call_id.eq(Id::of(call)))
        .order(turns::number)
        .select(Row::as_select())
        .load(db)?;
    let said: Vec<(i32, String, Option<String>)> = sentences::table
        .filter(sentences::call_id.eq(Id::of(call)))
        .order((sentences::turn, sentences::number))
        .select((sentences::turn, sentences::text, sentences::then_do))
        .load(db)?;
    let mut said = said.into_iter().peekable();
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut own = Vec::new();
        while let Some((_, text, then)) = said.next_if(|(turn, ..)| *turn == row.number) {
            own.push(sentence(text, then));
        }
        all.push(to_turn(row, own));
    }
    Ok(all)
}

/// The right to answer a turn: under which generation, from when until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) generation: u32,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// Opens a turn under its first generation. `asked`: somebody waits for it.
pub(crate) fn open(
    db: &mut Db,
    (project, call, turn): (ProjectId, CallId, TurnNumber),
    opening: &Opening,
    lease: Lease,
    asked: bool,
) -> Result<(), DbError> {
    let now = lease.from;
    diesel::insert_into(turns::table)
        .values((
            turns::call_id.eq(Id::of(call)),
            turns::number.eq(number(turn)),
            turns::project_id.eq(Id::of(project)),
            turns::heard_kind.eq(opening.kind()),
            turns::heard.eq(opening.words()),
            turns::confidence.eq(opening.confidence().map(f64::from)),
            turns::state.eq("running"),
            turns::generation.eq(int(lease.generation)),
            turns::lease_until.eq(Some(Time::from(lease.until))),
            turns::opened_at.eq(Time::from(now)),
            turns::asked_at.eq(asked.then(|| Time::from(now))),
        ))
        .execute(db)?;
    Ok(())
}

/// Takes over a turn whose run was lost, under the next generation. [`DbError::Conflict`]: somebody else did, or the run has
/// shown a sign of life.
pub(crate) fn take_over(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    lease: Lease,
) -> Result<(), DbError> {
    let touched = diesel::update(
        turns::table
            .find((Id::of(call), number(turn)))
            .filter(turns::state.eq("running"))
            .filter(turns::generation.lt(int(lease.generation)))
            .filter(turns::lease_until.le(Time::from(lease.from))),
    )
    .set((turns::generation.eq(int(lease.generation)), turns::lease_until.eq(Some(Time::from(lease.until)))))
    .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// Closes a turn whose run was lost. [`DbError::Conflict`] as in [`take_over`].
pub(crate) fn close_lost(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    then: Then,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let touched = diesel::update(
        turns::table
            .find((Id::of(call), number(turn)))
            .filter(turns::state.eq("running"))
            .filter(turns::lease_until.le(Time::from(now))),
    )
    .set((
        turns::state.eq("done"),
        turns::then_do.eq(then.as_str()),
        turns::lease_until.eq(None::<Time>),
        turns::closed_at.eq(Some(Time::from(now))),
    ))
    .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// Notes that the first `count` sentences of a turn have been handed out, unless more have been, or the call is over: nobody
/// hears what is asked for again after the end.
pub(crate) fn note_handed_out(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    count: usize,
) -> Result<(), DbError> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let goes_on = calls::table.filter(calls::id.eq(Id::of(call))).filter(calls::ended_at.is_null());
    if goes_on.count().get_result::<i64>(db)? == 0 {
        return Ok(());
    }
    diesel::update(turns::table.find((Id::of(call), number(turn))).filter(turns::handed_out.lt(count)))
        .set(turns::handed_out.eq(count))
        .execute(db)?;
    Ok(())
}

/// Notes that somebody asked for a turn that was prepared.
pub(crate) fn note_asked(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(turns::table.find((Id::of(call), number(turn))))
        .set(turns::asked_at.eq(Some(Time::from(now))))
        .execute(db)?;
    Ok(())
}

/// Gives up a run of a turn that nobody has asked for yet, so that it is run again when somebody does. False: somebody has.
pub(crate) fn let_go(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    generation: u32,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let touched = diesel::update(
        turns::table
            .find((Id::of(call), number(turn)))
            .filter(turns::state.eq("running"))
            .filter(turns::generation.eq(int(generation)))
            .filter(turns::asked_at.is_null()),
    )
    .set(turns::lease_until.eq(Some(Time::from(now))))
    .execute(db)?;
    Ok(touched == 1)
}

/// Prolongs the lease of a run. False: it was lost. Until the transaction ends nobody else can take it.
pub(crate) fn renew(db: &mut Db, (call, turn): (CallId, TurnNumber), lease: Lease) -> Result<bool, DbError> {
    let touched = diesel::update(
        turns::table
            .find((Id::of(call), number(turn)))
            .filter(turns::state.eq("running"))
            .filter(turns::generation.eq(int(lease.generation))),
    )
    .set(turns::lease_until.eq(Some(Time::from(lease.until))))
    .execute(db)?;
    Ok(touched == 1)
}

/// Stores a sentence. The primary key refuses a second one in its place.
pub(crate) fn store_sentence(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    n: usize,
    sentence: &Sentence,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(sentences::table)
        .values((
            sentences::call_id.eq(Id::of(call)),
            sentences::turn.eq(number(turn)),
            sentences::number.eq(i32::try_from(n).unwrap_or(i32::MAX)),
            sentences::text.eq(&sentence.text),
            sentences::then_do.eq(sentence.last.map(Then::as_str)),
            sentences::stored_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Closes a turn.
pub(crate) fn close(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    state: &TurnState,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (word, then) = match state {
        TurnState::Done { then } => ("done", Some(then.as_str())),
        TurnState::Broken | TurnState::Running { .. } => ("broken", None),
    };
    diesel::update(turns::table.find((Id::of(call), number(turn))))
        .set((
            turns::state.eq(word),
            turns::then_do.eq(then),
            turns::lease_until.eq(None::<Time>),
            turns::closed_at.eq(Some(Time::from(now))),
        ))
        .execute(db)?;
    Ok(())
}

/// Notes what documents gave a turn that is being closed: those it draws from, and whether it is one whose question nobody could answer.
pub(crate) fn note_documents(
    db: &mut Db,
    (call, turn): (CallId, TurnNumber),
    sources: &[Source],
    unanswered: bool,
) -> Result<(), DbError> {
    let listed = (!sources.is_empty()).then(|| serde_json::to_value(sources)).transpose();
    diesel::update(turns::table.find((Id::of(call), number(turn))))
        .set((turns::sources.eq(word(listed)?.map(Json)), turns::unanswered.eq(unanswered)))
        .execute(db)?;
    Ok(())
}

/// How many questions of a call nobody could answer.
pub(crate) fn unanswered(db: &mut Db, call: CallId) -> Result<usize, DbError> {
    let asked = turns::table.filter(turns::call_id.eq(Id::of(call))).filter(turns::unanswered.eq(true));
    let count: i64 = asked.count().get_result(db)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// What is still in the making is dropped: all of a call that is over, or what stands before the turn `before` of one in
/// which the customer has spoken on.
pub(crate) fn drop_running(
    db: &mut Db,
    call: CallId,
    before: Option<TurnNumber>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(
        turns::table
            .filter(turns::call_id.eq(Id::of(call)))
            .filter(turns::number.lt(before.map_or(i32::MAX, number)))
            .filter(turns::state.eq("running")),
    )
    .set((
        turns::state.eq("broken"),
        turns::lease_until.eq(None::<Time>),
        turns::closed_at.eq(Some(Time::from(now))),
    ))
    .execute(db)?;
    Ok(())
}

/// The latest turn of a call.
pub(crate) fn latest(db: &mut Db, call: CallId) -> Result<Option<TurnNumber>, DbError> {
    let number: Option<i32> = turns::table
        .filter(turns::call_id.eq(Id::of(call)))
        .order(turns::number.desc())
        .select(turns::number)
        .first(db)
        .optional()?;
    Ok(number.map(|n| TurnNumber(n.unsigned_abs())))
}

/// What opened the turns of a call, oldest first.
pub(crate) fn heard(db: &mut Db, call: CallId) -> Result<Vec<Heard>, DbError> {
    let rows: Vec<Row> = turns::table
        .filter(turns::call_id.eq(Id::of(call)))
        .order(turns::number)
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(|row| to_turn(row, Vec::new()).opening.heard()).collect())
}
