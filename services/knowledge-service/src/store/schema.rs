//! The tables as `migrations/` makes them.

diesel::table! {
    use common::db::sql::{BigInt, Nullable, Text, UtcTime, Uuid};
    sources (id) {
        id -> Uuid,
        app_id -> Text,
        title -> Text,
        url -> Nullable<Text>,
        generation -> BigInt,
        created_at -> UtcTime,
    }
}
