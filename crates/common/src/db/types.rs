//! Column types that both engines understand from one query text. `PostgreSQL` stores native `uuid`, `jsonb` and
//! `timestamptz`; `SQLite` stores text. The Rust side is [`Id`], [`Json`] and [`Time`].
//!
//! `SQLite` gives columns declared `JSONB`, `UUID` or `TIMESTAMPTZ` numeric affinity: text that looks like a number would
//! be turned into one. Ids and times never do; a [`Json`] column holds objects and arrays only.

use std::io::Write as _;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use diesel::backend::Backend;
use diesel::deserialize::FromSqlRow;
use diesel::deserialize::{self, FromSql};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::HasSqlType;
use diesel::sqlite::Sqlite;

use super::connection::MultiBackend;

/// The SQL types, for `diesel::table!`.
pub mod sql {
    pub use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};

    /// `UUID` (oid 2950).
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId, Debug, Clone, Copy, Default)]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Text"))]
    pub struct Uuid;

    /// `JSONB` (oid 3802).
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId, Debug, Clone, Copy, Default)]
    #[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
    pub struct Jsonb;

    /// `TIMESTAMPTZ` (oid 1184). Not called `Timestamptz`: `table!` gives columns of that name arithmetic of its own.
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId, Debug, Clone, Copy, Default)]
    #[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
    pub struct UtcTime;
}

/// An id column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Uuid)]
pub struct Id(pub uuid::Uuid);

impl Id {
    /// The column value of a typed id.
    pub fn of(id: impl Into<uuid::Uuid>) -> Self {
        Self(id.into())
    }
}

/// A JSON column: an object or an array.
#[derive(Clone, Debug, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Jsonb)]
pub struct Json(pub serde_json::Value);

/// A point in time, UTC, kept to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::UtcTime)]
pub struct Time(pub DateTime<Utc>);

impl Time {
    /// As text of a fixed width, so that the order of the texts is the order of the times.
    #[must_use]
    pub fn text(self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }
}

macro_rules! multi {
    ($rust:ty, $sql:ty) => {
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }

        impl FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<Self, $sql>()
            }
        }

        impl ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
    };
}

multi!(Id, sql::Uuid);
multi!(Json, sql::Jsonb);
multi!(Time, sql::UtcTime);

type SqliteText<'a> = <Sqlite as Backend>::RawValue<'a>;

fn sqlite_text(value: SqliteText<'_>) -> deserialize::Result<String> {
    <String as FromSql<diesel::sql_types::Text, Sqlite>>::from_sql(value)
}

impl FromSql<sql::Uuid, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(uuid::Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<sql::Uuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Uuid, Sqlite> for Id {
    fn from_sql(value: SqliteText<'_>) -> deserialize::Result<Self> {
        Ok(Self(sqlite_text(value)?.parse()?))
    }
}

impl ToSql<sql::Uuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

/// PostgreSQL's binary `jsonb` is the text behind one version byte, which is 1.
const JSONB_VERSION: u8 = 1;

impl FromSql<sql::Jsonb, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, text)) => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("jsonb in a form other than version 1".into()),
        }
    }
}

impl ToSql<sql::Jsonb, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Jsonb, Sqlite> for Json {
    fn from_sql(value: SqliteText<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(&sqlite_text(value)?)?))
    }
}

impl ToSql<sql::Jsonb, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

/// `PostgreSQL` counts microseconds from the first of January 2000.
fn pg_epoch() -> DateTime<Utc> {
    DateTime::from_timestamp(946_684_800, 0).unwrap_or_default()
}

impl FromSql<sql::UtcTime, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        // `infinity` is the largest number there is.
        let at = pg_epoch().checked_add_signed(TimeDelta::microseconds(micros));
        Ok(Self(at.ok_or("a time outside of what can be read")?))
    }
}

impl ToSql<sql::UtcTime, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros =
            (self.0 - pg_epoch()).num_microseconds().ok_or("a time outside of what can be stored")?;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql::UtcTime, Sqlite> for Time {
    fn from_sql(value: SqliteText<'_>) -> deserialize::Result<Self> {
        Ok(Self(DateTime::parse_from_rfc3339(&sqlite_text(value)?)?.to_utc()))
    }
}

impl ToSql<sql::UtcTime, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}
