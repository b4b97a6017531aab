//! The documents of an app.

use common::db::{Db, DbError};
use diesel::prelude::*;

use super::schema::sources;
use crate::domain::query::AppId;

/// How many sources the app has.
pub(crate) fn count(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    Ok(sources::table.filter(sources::app_id.eq(app.as_str())).count().get_result(db)?)
}
