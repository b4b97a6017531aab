//! The platform's own tables, as `migrations/0000_platform` makes them in every service's schema.

diesel::table! {
    use crate::db::types::sql::{Text, Uuid, UtcTime};
    inbox (message_id, consumer) {
        message_id -> Uuid,
        consumer -> Text,
        seen_at -> UtcTime,
    }
}

diesel::table! {
    use crate::db::types::sql::{Text, UtcTime};
    schema_migrations (name) {
        name -> Text,
        applied_at -> UtcTime,
    }
}

diesel::table! {
    use crate::db::types::sql::{Binary, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    outbox (id) {
        id -> Uuid,
        routing_key -> Text,
        headers -> Jsonb,
        body -> Binary,
        created_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        due_at -> Nullable<UtcTime>,
        attempts -> Integer,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::sql::{Binary, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    bus_queue (id) {
        id -> Uuid,
        message_id -> Uuid,
        queue -> Text,
        routing_key -> Text,
        headers -> Jsonb,
        body -> Binary,
        due_at -> UtcTime,
        attempts -> Integer,
        dead_reason -> Nullable<Text>,
        lease_until -> Nullable<UtcTime>,
    }
}
