//! The tables as `migrations/` makes them.

diesel::table! {
    use common::db::sql::{BigInt, Integer, Nullable, Text, UtcTime, Uuid};
    sources (id) {
        id -> Uuid,
        app_id -> Text,
        title -> Text,
        url -> Nullable<Text>,
        generation -> BigInt,
        created_at -> UtcTime,
        updated_at -> Nullable<UtcTime>,
        chunk_count -> Integer,
        embedded_with -> Nullable<Text>,
        lease_until -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Double, Nullable, Text};
    apps (id) {
        id -> Text,
        generation -> BigInt,
        weight -> Nullable<Double>,
        weighed_with -> Nullable<Text>,
        weighed_chunks -> BigInt,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Text, Uuid};
    chunks (source_id, number) {
        source_id -> Uuid,
        number -> Integer,
        app_id -> Text,
        heading -> Text,
        text -> Text,
    }
}

diesel::table! {
    use common::db::sql::{Binary, Text, Uuid};
    embeddings (source_id) {
        source_id -> Uuid,
        app_id -> Text,
        model -> Text,
        vectors -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(chunks, sources);
