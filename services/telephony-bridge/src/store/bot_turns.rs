//! Turns of calls to bots that have been opened: a request that names no turn means the one after the last of them.

use common::db::{Db, DbError, Id};
use contracts::ids::AttemptId;
use diesel::prelude::*;

use super::schema::bot_turns;

/// The turn that a request with this mark of the carrier's has opened.
pub(crate) fn opened_by(db: &mut Db, attempt: AttemptId, token: &str) -> Result<Option<u32>, DbError> {
    let turn: Option<i32> = bot_turns::table
        .filter(bot_turns::attempt_id.eq(Id::of(attempt)))
        .filter(bot_turns::token.eq(token))
        .select(bot_turns::turn)
        .first(db)
        .optional()?;
    Ok(turn.map(i32::unsigned_abs))
}

/// The turn that is open: the caller has heard what comes before it. The first one is the greeting's.
pub(crate) fn open(db: &mut Db, attempt: AttemptId) -> Result<u32, DbError> {
    let last: Option<i32> = bot_turns::table
        .filter(bot_turns::attempt_id.eq(Id::of(attempt)))
        .select(diesel::dsl::max(bot_turns::turn))
        .first(db)?;
    Ok(last.map_or(0, i32::unsigned_abs).saturating_add(1))
}

/// Notes that a turn has been opened. One that was opened before stays as it is.
pub(crate) fn note(db: &mut Db, attempt: AttemptId, turn: u32, token: Option<&str>) -> Result<(), DbError> {
    let turn = i32::try_from(turn).unwrap_or(i32::MAX);
    let known: i64 = bot_turns::table
        .filter(bot_turns::attempt_id.eq(Id::of(attempt)))
        .filter(bot_turns::turn.eq(turn))
        .count()
        .get_result(db)?;
    if known > 0 {
        return Ok(());
    }
    diesel::insert_into(bot_turns::table)
        .values((
            bot_turns::attempt_id.eq(Id::of(attempt)),
            bot_turns::turn.eq(turn),
            bot_turns::token.eq(token),
        ))
        .execute(db)?;
    Ok(())
}
