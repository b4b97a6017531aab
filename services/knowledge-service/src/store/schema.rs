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
    use common::db::sql::{BigInt, Double, Nullable, Text, UtcTime};
    apps (id) {
        id -> Text,
        generation -> BigInt,
        weight -> Nullable<Double>,
        weighed_with -> Nullable<Text>,
        weighed_chunks -> BigInt,
        deleted_at -> Nullable<UtcTime>,
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
diesel::allow_tables_to_appear_in_same_query!(answer_passages, sources);
diesel::allow_tables_to_appear_in_same_query!(answer_passages, answers);

diesel::table! {
    use common::db::sql::{Text, UtcTime, Uuid};
    conversations (app_id, id) {
        app_id -> Text,
        id -> Uuid,
        first_question -> Text,
        started_at -> UtcTime,
        last_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Nullable, Text, UtcTime, Uuid};
    answers (id) {
        id -> Uuid,
        app_id -> Text,
        conversation_id -> Uuid,
        question -> Text,
        answer -> Text,
        verdict -> Integer,
        unanswered -> Bool,
        finished -> Bool,
        helpful -> Nullable<Bool>,
        tokens_read -> Nullable<BigInt>,
        tokens_written -> Nullable<BigInt>,
        asked_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{Double, Integer, Text, Uuid};
    answer_passages (answer_id, number) {
        answer_id -> Uuid,
        number -> Integer,
        app_id -> Text,
        source_id -> Uuid,
        score -> Double,
        text -> Text,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, Text, UtcTime, Uuid};
    tickets (app_id, id) {
        app_id -> Text,
        id -> Uuid,
        status -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        question -> Text,
        url -> Nullable<Text>,
        conversation_id -> Nullable<Uuid>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Text, Uuid};
    ticket_lines (app_id, ticket_id, number) {
        app_id -> Text,
        ticket_id -> Uuid,
        number -> Integer,
        role -> Text,
        text -> Text,
    }
}

diesel::table! {
    use common::db::sql::{Double, Integer, Text, Uuid};
    ticket_passages (app_id, ticket_id, number) {
        app_id -> Text,
        ticket_id -> Uuid,
        number -> Integer,
        source_id -> Uuid,
        title -> Text,
        url -> Text,
        score -> Double,
        text -> Text,
    }
}
