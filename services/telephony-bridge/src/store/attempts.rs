//! Attempts to dial: one row per wish, written before the carrier is asked. A call that came in, from a customer who rings back
//! or to a bot, has a row of the same kind.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{AttemptId, BotId, CallId, CarrierId, CustomerId, ProjectId};
use diesel::prelude::*;
use twilio::call::CallStatus;

use super::schema::dial_attempts;
use crate::domain::attempt::{AttemptState, RecordsFrom};

/// A row of `dial_attempts`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = dial_attempts)]
struct Row {
    id: Id,
    project_id: Id,
    call_id: Id,
    account_sid: String,
    to_number: String,
    from_number: String,
    state: String,
    live: bool,
    carrier_call_sid: Option<String>,
    carrier_status: Option<String>,
    answered_by: Option<String>,
    stop_requested: bool,
    gave_up: bool,
    ring_timeout_seconds: i32,
    time_limit_seconds: i32,
    dial_before: Time,
    created_at: Time,
    updated_at: Time,
    check_at: Time,
    lease_until: Option<Time>,
    version: i64,
    leaves_message: bool,
    carrier_id: Option<Id>,
    answers_call_id: Option<Id>,
    customer_id: Option<Id>,
    bot_id: Option<Id>,
    second_call_sid: Option<String>,
    nobody_reached: bool,
    records_turn: Option<i32>,
    records_fill: Option<i32>,
}

/// One wish to dial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) project_id: ProjectId,
    pub(crate) call_id: CallId,
    /// The carrier account that dials and whose token signs.
    pub(crate) account_sid: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) state: AttemptState,
    /// Whether a phone may ring or talk because of it.
    pub(crate) live: bool,
    pub(crate) carrier_call_sid: Option<String>,
    pub(crate) carrier_status: Option<CallStatus>,
    /// The carrier's verdict on who picked up.
    pub(crate) answered_by: Option<String>,
    pub(crate) stop_requested: bool,
    /// This service said goodbye by itself.
    pub(crate) gave_up: bool,
    pub(crate) ring_timeout_seconds: u32,
    pub(crate) time_limit_seconds: u32,
    pub(crate) dial_before: DateTime<Utc>,
    pub(crate) created_at: DateTime<Utc>,
    /// When to ask the carrier how it is, if it has not said so itself.
    pub(crate) check_at: DateTime<Utc>,
    pub(crate) version: i64,
    /// A message is to be left on a machine.
    pub(crate) leaves_message: bool,
    /// The project's own carrier; without one, an account of the settings dials.
    pub(crate) carrier_id: Option<CarrierId>,
    /// A customer who rings back: the call that they answer. `from` is the customer then, and `to` our number.
    pub(crate) answers: Option<CallId>,
    /// Who is, or was, on the line; `None` where nobody said.
    pub(crate) customer_id: Option<CustomerId>,
    /// Somebody rings a bot. `from` is the caller then, empty when they hide their number, and `to` the bot's number.
    pub(crate) bot: Option<BotId>,
    /// The carrier's id of the call that put the customer through to a person.
    pub(crate) second_call_sid: Option<String>,
    /// A person to whom the customer was to be put through was not reached.
    pub(crate) nobody_reached: bool,
    /// The carrier records it, from here; `None`: it does not.
    pub(crate) records: Option<RecordsFrom>,
}

impl Attempt {
    fn from_row(row: Row) -> Result<Self, DbError> {
        let state = AttemptState::parse(&row.state).ok_or_else(|| {
            DbError::Corrupt(format!("attempt {} is in no known state: {}", row.id.0, row.state))
        })?;
        Ok(Self {
            id: AttemptId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            call_id: CallId(row.call_id.0),
            account_sid: row.account_sid,
            to: row.to_number,
            from: row.from_number,
            state,
            live: row.live,
            carrier_call_sid: row.carrier_call_sid,
            carrier_status: row.carrier_status.as_deref().map(CallStatus::from),
            answered_by: row.answered_by,
            stop_requested: row.stop_requested,
            gave_up: row.gave_up,
            ring_timeout_seconds: row.ring_timeout_seconds.unsigned_abs(),
            time_limit_seconds: row.time_limit_seconds.unsigned_abs(),
            dial_before: row.dial_before.0,
            created_at: row.created_at.0,
            check_at: row.check_at.0,
            version: row.version,
            leaves_message: row.leaves_message,
            carrier_id: row.carrier_id.map(|id| CarrierId(id.0)),
            answers: row.answers_call_id.map(|id| CallId(id.0)),
            customer_id: row.customer_id.map(|id| CustomerId(id.0)),
            bot: row.bot_id.map(|id| BotId::of(id.0)),
            second_call_sid: row.second_call_sid,
            nobody_reached: row.nobody_reached,
            records: row
                .records_turn
                .zip(row.records_fill)
                .map(|(turn, fill)| RecordsFrom { turn: turn.unsigned_abs(), fill: fill.unsigned_abs() }),
        })
    }

    /// It was not we who dialled.
    pub(crate) const fn came_in(&self) -> bool {
        self.answers.is_some() || self.bot.is_some()
    }

    /// It came in, and whether the orchestrator knows of it is not known: it has no status before.
    pub(crate) const fn is_untold(&self) -> bool {
        self.came_in() && self.live && self.carrier_status.is_none()
    }

    /// The same with nothing more to happen.
    pub(crate) fn over(self) -> Self {
        Self { state: AttemptState::Over, live: false, ..self }
    }

    fn to_row(&self, now: DateTime<Utc>) -> Row {
        Row {
            id: Id::of(self.id),
            project_id: Id::of(self.project_id),
            call_id: Id::of(self.call_id),
            account_sid: self.account_sid.clone(),
            to_number: self.to.clone(),
            from_number: self.from.clone(),
            state: self.state.as_str().to_owned(),
            live: self.live,
            carrier_call_sid: self.carrier_call_sid.clone(),
            carrier_status: self.carrier_status.as_ref().map(|s| s.as_str().to_owned()),
            answered_by: self.answered_by.clone(),
            stop_requested: self.stop_requested,
            gave_up: self.gave_up,
            ring_timeout_seconds: int(self.ring_timeout_seconds),
            time_limit_seconds: int(self.time_limit_seconds),
            dial_before: self.dial_before.into(),
            created_at: self.created_at.into(),
            updated_at: now.into(),
            check_at: self.check_at.into(),
            lease_until: None,
            version: self.version,
            leaves_message: self.leaves_message,
            carrier_id: self.carrier_id.map(Id::of),
            answers_call_id: self.answers.map(Id::of),
            customer_id: self.customer_id.map(Id::of),
            bot_id: self.bot.map(Id::of),
            second_call_sid: self.second_call_sid.clone(),
            nobody_reached: self.nobody_reached,
            records_turn: self.records.map(|from| int(from.turn)),
            records_fill: self.records.map(|from| int(from.fill)),
        }
    }
}

fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Writes a new attempt.
pub(crate) fn insert(db: &mut Db, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::insert_into(dial_attempts::table).values(attempt.to_row(now)).execute(db)?;
    Ok(())
}

/// The attempt that a callback address names. The carrier knows no project; the attempt's id cannot be guessed and the
/// request is signed.
pub(crate) fn find(db: &mut Db, id: AttemptId) -> Result<Option<Attempt>, DbError> {
    let row: Option<Row> =
        dial_attempts::table.find(Id::of(id)).select(Row::as_select()).first(db).optional()?;
    row.map(Attempt::from_row).transpose()
}

/// The attempt whose call has this id at the carrier. The carrier knows no project, and its ids cannot be guessed.
pub(crate) fn of_call(db: &mut Db, account_sid: &str, sid: &str) -> Result<Option<Attempt>, DbError> {
    let row: Option<Row> = dial_attempts::table
        .filter(dial_attempts::carrier_call_sid.eq(sid))
        .filter(dial_attempts::account_sid.eq(account_sid))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Attempt::from_row).transpose()
}

/// The latest call that rang `customer` from `ours`, a number of this account, since then: of whatever project, for the
/// carrier knows none.
pub(crate) fn last_rung(
    db: &mut Db,
    account_sid: &str,
    (ours, customer): (&str, &str),
    since: DateTime<Utc>,
) -> Result<Option<Attempt>, DbError> {
    let row: Option<Row> = dial_attempts::table
        .filter(dial_attempts::to_number.eq(customer))
        .filter(dial_attempts::from_number.eq(ours))
        .filter(dial_attempts::created_at.gt(Time::from(since)))
        .filter(dial_attempts::account_sid.eq(account_sid))
        .filter(dial_attempts::answers_call_id.is_null())
        .filter(dial_attempts::bot_id.is_null())
        .filter(dial_attempts::carrier_call_sid.is_not_null())
        .order(dial_attempts::created_at.desc())
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Attempt::from_row).transpose()
}

/// Saves what changed, if nobody else did in the meantime ([`DbError::Conflict`]). Answers it as it stands now.
pub(crate) fn save(db: &mut Db, attempt: Attempt, now: DateTime<Utc>) -> Result<Attempt, DbError> {
    let row = attempt.to_row(now);
    let touched = diesel::update(
        dial_attempts::table
            .filter(dial_attempts::project_id.eq(row.project_id))
            .filter(dial_attempts::id.eq(row.id))
            .filter(dial_attempts::version.eq(row.version)),
    )
    .set((
        dial_attempts::account_sid.eq(row.account_sid),
        dial_attempts::carrier_id.eq(row.carrier_id),
        dial_attempts::from_number.eq(row.from_number),
        dial_attempts::state.eq(row.state),
        dial_attempts::live.eq(row.live),
        dial_attempts::carrier_call_sid.eq(row.carrier_call_sid),
        dial_attempts::carrier_status.eq(row.carrier_status),
        dial_attempts::answered_by.eq(row.answered_by),
        dial_attempts::stop_requested.eq(row.stop_requested),
        dial_attempts::gave_up.eq(row.gave_up),
        dial_attempts::second_call_sid.eq(row.second_call_sid),
        dial_attempts::nobody_reached.eq(row.nobody_reached),
        dial_attempts::records_turn.eq(row.records_turn),
        dial_attempts::records_fill.eq(row.records_fill),
        dial_attempts::updated_at.eq(row.updated_at),
        dial_attempts::check_at.eq(row.check_at),
        dial_attempts::lease_until.eq(None::<Time>),
        dial_attempts::version.eq(row.version + 1),
    ))
    .execute(db)?;
    if touched == 1 {
        Ok(Attempt { version: attempt.version + 1, ..attempt })
    } else {
        Err(DbError::Conflict)
    }
}

/// Is another call of this project with this number alive, whoever rang whom?
pub(crate) fn line_busy(db: &mut Db, project: ProjectId, to: &str, but: AttemptId) -> Result<bool, DbError> {
    let live: i64 = dial_attempts::table
        .filter(dial_attempts::project_id.eq(Id::of(project)))
        .filter(
            (dial_attempts::answers_call_id
                .is_null()
                .and(dial_attempts::bot_id.is_null())
                .and(dial_attempts::to_number.eq(to)))
            .or((dial_attempts::answers_call_id.is_not_null().or(dial_attempts::bot_id.is_not_null()))
                .and(dial_attempts::from_number.eq(to))),
        )
        .filter(dial_attempts::id.ne(Id::of(but)))
        .filter(dial_attempts::live.eq(true))
        .count()
        .get_result(db)?;
    Ok(live > 0)
}

/// Is there another attempt, of whatever project, that rings this number from this account and knows no call of its own
/// yet? Then a call on the carrier's list may be that one's.
pub(crate) fn another_is_looking(db: &mut Db, attempt: &Attempt) -> Result<bool, DbError> {
    let others: i64 = dial_attempts::table
        .filter(dial_attempts::account_sid.eq(&attempt.account_sid))
        .filter(dial_attempts::to_number.eq(&attempt.to))
        .filter(dial_attempts::live.eq(true))
        .filter(dial_attempts::carrier_call_sid.is_null())
        .filter(dial_attempts::id.ne(Id::of(attempt.id)))
        .count()
        .get_result(db)?;
    Ok(others > 0)
}

/// Which of these carrier ids belong to attempts already.
pub(crate) fn adopted(db: &mut Db, sids: &[String]) -> Result<Vec<String>, DbError> {
    let known: Vec<Option<String>> = dial_attempts::table
        .filter(dial_attempts::carrier_call_sid.eq_any(sids))
        .select(dial_attempts::carrier_call_sid)
        .load(db)?;
    Ok(known.into_iter().flatten().collect())
}

const TO_CHECK: LeaseQuery =
    LeaseQuery { table: "dial_attempts", due: "live AND check_at <= $2", order: "check_at" };

/// Attempts that are asked about at the same moment: the carrier limits concurrent requests.
const AT_A_TIME: u32 = 20;

/// Leases attempts that the carrier should be asked about.
pub(crate) fn claim_to_check(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
) -> Result<Vec<Attempt>, DbError> {
    let ids = lease::claim(db, &TO_CHECK, now, hold, AT_A_TIME)?;
    let rows: Vec<Row> =
        dial_attempts::table.filter(dial_attempts::id.eq_any(ids)).select(Row::as_select()).load(db)?;
    rows.into_iter().map(Attempt::from_row).collect()
}

/// After a start: whatever is alive and has not been heard of lately is asked about at once.
pub(crate) fn check_all_soon(
    db: &mut Db,
    now: DateTime<Utc>,
    unheard_since: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(diesel::update(
        dial_attempts::table
            .filter(dial_attempts::live.eq(true))
            .filter(dial_attempts::updated_at.lt(Time::from(unheard_since)))
            .filter(dial_attempts::check_at.gt(Time::from(now))),
    )
    .set(dial_attempts::check_at.eq(Time::from(now)))
    .execute(db)?)
}
