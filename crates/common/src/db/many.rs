//! Many rows of one table by one statement: a query a row would take as long as the network is far.

use diesel::RunQueryDsl as _;
use serde_json::Value;

use super::{Db, DbError, Json, sql};

/// Stores rows that are given as JSON objects with a value for each of `columns`: texts for texts, ids and times (RFC 3339,
/// UTC, microseconds), `null` for nothing. Table and columns are part of the program, never input. Answers how many.
///
/// # Errors
/// [`DbError::Duplicate`] when one of them is there already; then none is stored.
pub fn insert_many(
    conn: &mut Db,
    table: &'static str,
    columns: &[&'static str],
    rows: Vec<Value>,
) -> Result<usize, DbError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let names = columns.join(", ");
    let text = if conn.is_pg() {
        format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1)"
        )
    } else {
        let values: Vec<String> = columns.iter().map(|c| format!("json_extract(value, '$.{c}')")).collect();
        format!("INSERT INTO {table} ({names}) SELECT {} FROM json_each($1)", values.join(", "))
    };
    Ok(diesel::sql_query(text).bind::<sql::Jsonb, _>(Json(Value::Array(rows))).execute(conn)?)
}
