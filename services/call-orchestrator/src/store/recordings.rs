//! Recordings of calls: the carrier's id of each, and how long it is. A call has at most one.

use std::collections::HashMap;

use common::db::{Db, DbError, Id};
use contracts::ids::{AttemptId, CallId, NotificationId, ProjectId};
use diesel::prelude::*;

use super::schema::{call_recordings, calls};

/// What the carrier has recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    /// The carrier's own id of it.
    pub(crate) sid: String,
    pub(crate) duration_seconds: u32,
}

/// Writes down that a call was recorded. What is known already stays.
pub(crate) fn note(
    db: &mut Db,
    project: ProjectId,
    call: CallId,
    recording: &Recording,
) -> Result<(), DbError> {
    let of_call = call_recordings::table.filter(call_recordings::call_id.eq(Id::of(call)));
    let known: i64 = of_call.count().get_result(db)?;
    if known > 0 {
        return Ok(());
    }
    diesel::insert_into(call_recordings::table)
        .values((
            call_recordings::call_id.eq(Id::of(call)),
            call_recordings::project_id.eq(Id::of(project)),
            call_recordings::sid.eq(&recording.sid),
            call_recordings::duration_seconds
                .eq(i32::try_from(recording.duration_seconds).unwrap_or(i32::MAX)),
        ))
        .execute(db)?;
    Ok(())
}

/// The recordings of these calls.
pub(crate) fn of(
    db: &mut Db,
    project: ProjectId,
    calls: &[CallId],
) -> Result<HashMap<CallId, Recording>, DbError> {
    let ids: Vec<Id> = calls.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<(Id, String, i32)> = call_recordings::table
        .filter(call_recordings::project_id.eq(Id::of(project)))
        .filter(call_recordings::call_id.eq_any(ids))
        .select((call_recordings::call_id, call_recordings::sid, call_recordings::duration_seconds))
        .load(db)?;
    let known = |(id, sid, seconds): (Id, String, i32)| {
        (CallId(id.0), Recording { sid, duration_seconds: seconds.unsigned_abs() })
    };
    Ok(rows.into_iter().map(known).collect())
}

/// The recordings of all calls of these notifications: call, the wish under which the carrier has it, the carrier's id.
pub(crate) fn of_notifications(
    db: &mut Db,
    project: ProjectId,
    of: &[NotificationId],
) -> Result<Vec<(CallId, Option<AttemptId>, String)>, DbError> {
    let of: Vec<Id> = of.iter().map(|id| Id::of(*id)).collect();
    let made: HashMap<CallId, Option<AttemptId>> = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq_any(of))
        .select((calls::id, calls::attempt_id))
        .load(db)?
        .into_iter()
        .map(|(id, attempt): (Id, Option<Id>)| (CallId(id.0), attempt.map(|id| AttemptId(id.0))))
        .collect();
    let ids: Vec<CallId> = made.keys().copied().collect();
    let found = self::of(db, project, &ids)?.into_iter();
    Ok(found.map(|(call, recording)| (call, made.get(&call).copied().flatten(), recording.sid)).collect())
}

/// Forgets that these calls were recorded.
pub(super) fn forget(db: &mut Db, calls: &[Id]) -> Result<(), DbError> {
    diesel::delete(call_recordings::table.filter(call_recordings::call_id.eq_any(calls))).execute(db)?;
    Ok(())
}
