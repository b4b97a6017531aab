//! What this service said by itself, so that the same request gets the same document again.

use common::db::{Db, DbError, Id};
use diesel::prelude::*;

use super::schema::own_words;
use crate::domain::patience::OwnWords;
use crate::domain::urls::Place;
use crate::domain::voice::Voice;

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// What was said at this place and how, if this service said it.
pub(crate) fn find(db: &mut Db, place: Place) -> Result<Option<(OwnWords, Voice)>, DbError> {
    let said: Option<(String, Option<String>, Option<String>)> = own_words::table
        .find((Id::of(place.attempt), number(place.turn), number(place.part), number(place.fill)))
        .select((own_words::words, own_words::language, own_words::voice))
        .first(db)
        .optional()?;
    Ok(said.and_then(|(words, language, voice)| Some((OwnWords::parse(&words)?, Voice { language, voice }))))
}

/// What was heard at the beginning of this turn, if it had to be kept here: an encoded `StartTurnRequest`.
pub(crate) fn heard(db: &mut Db, place: Place) -> Result<Option<Vec<u8>>, DbError> {
    let heard: Option<Option<Vec<u8>>> = own_words::table
        .filter(own_words::attempt_id.eq(Id::of(place.attempt)))
        .filter(own_words::turn.eq(number(place.turn)))
        .filter(own_words::heard.is_not_null())
        .select(own_words::heard)
        .first(db)
        .optional()?;
    Ok(heard.flatten())
}

/// Notes what is said at this place and how, with what was heard when that is not known to have arrived.
pub(crate) fn note(
    db: &mut Db,
    place: Place,
    (words, voice): (OwnWords, &Voice),
    heard: Option<Vec<u8>>,
) -> Result<(), DbError> {
    if find(db, place)?.is_some() {
        return Ok(());
    }
    diesel::insert_into(own_words::table)
        .values((
            own_words::attempt_id.eq(Id::of(place.attempt)),
            own_words::turn.eq(number(place.turn)),
            own_words::part.eq(number(place.part)),
            own_words::fill.eq(number(place.fill)),
            own_words::words.eq(words.as_str()),
            own_words::heard.eq(heard),
            own_words::language.eq(&voice.language),
            own_words::voice.eq(&voice.voice),
        ))
        .execute(db)?;
    Ok(())
}
