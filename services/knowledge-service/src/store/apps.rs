//! `apps`: in which generation the knowledge of an app is. It rises in the same transaction as what it stands for, so that
//! whoever has an index of an older one knows it, in any replica.

use common::db::{Db, DbError, lease};
use diesel::prelude::*;

use super::schema::apps;
use crate::domain::query::AppId;

/// The generation; 0 of an app that has never known anything.
pub(crate) fn generation(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    let found = apps::table.find(app.as_str()).select(apps::generation).first(db).optional()?;
    Ok(found.unwrap_or(0))
}

/// Begins the next generation. Until the transaction ends, nobody else changes what the app knows.
pub(crate) fn next_generation(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    lease::exclusive(db, &format!("knowledge of {}", app.as_str()))?;
    let next = generation(db, app)? + 1;
    if next == 1 {
        diesel::insert_into(apps::table)
            .values((apps::id.eq(app.as_str()), apps::generation.eq(next)))
            .execute(db)?;
    } else {
        diesel::update(apps::table.find(app.as_str())).set(apps::generation.eq(next)).execute(db)?;
    }
    Ok(next)
}
