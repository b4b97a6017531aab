//! The tables as `migrations/` makes them.

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Nullable, Text, UtcTime, Uuid};
    dial_attempts (id) {
        id -> Uuid,
        project_id -> Uuid,
        call_id -> Uuid,
        account_sid -> Text,
        to_number -> Text,
        from_number -> Text,
        state -> Text,
        live -> Bool,
        carrier_call_sid -> Nullable<Text>,
        carrier_status -> Nullable<Text>,
        answered_by -> Nullable<Text>,
        stop_requested -> Bool,
        gave_up -> Bool,
        ring_timeout_seconds -> Integer,
        time_limit_seconds -> Integer,
        dial_before -> UtcTime,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        check_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        version -> BigInt,
        leaves_message -> Bool,
        carrier_id -> Nullable<Uuid>,
        answers_call_id -> Nullable<Uuid>,
        customer_id -> Nullable<Uuid>,
        bot_id -> Nullable<Uuid>,
        second_call_sid -> Nullable<Text>,
        nobody_reached -> Bool,
        records_turn -> Nullable<Integer>,
        records_fill -> Nullable<Integer>,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Text, UtcTime, Uuid};
    carrier_reports (attempt_id, sequence) {
        attempt_id -> Uuid,
        sequence -> Integer,
        status -> Text,
        received_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{Binary, Integer, Nullable, Text, Uuid};
    own_words (attempt_id, turn, part, fill) {
        attempt_id -> Uuid,
        turn -> Integer,
        part -> Integer,
        fill -> Integer,
        words -> Text,
        heard -> Nullable<Binary>,
        language -> Nullable<Text>,
        voice -> Nullable<Text>,
    }
}

diesel::table! {
    use common::db::sql::{Text, UtcTime};
    carrier_accounts (account_sid) {
        account_sid -> Text,
        next_dial_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Text, UtcTime, Uuid};
    project_carriers (id) {
        id -> Uuid,
        project_id -> Uuid,
        kind -> Text,
        account_sid -> Text,
        auth_token -> Text,
        phone_number_sid -> Text,
        phone_number -> Text,
        calls_per_second -> Integer,
        in_use -> Bool,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Nullable, Text, UtcTime, Uuid};
    price_checks (id) {
        id -> Uuid,
        project_id -> Uuid,
        call_id -> Uuid,
        account_sid -> Text,
        carrier_id -> Nullable<Uuid>,
        carrier_call_sid -> Text,
        ended_at -> UtcTime,
        asked -> Integer,
        ask_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        second_call_sid -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(dial_attempts, own_words);

diesel::table! {
    use common::db::sql::{Integer, Nullable, Text, Uuid};
    bot_turns (attempt_id, turn) {
        attempt_id -> Uuid,
        turn -> Integer,
        token -> Nullable<Text>,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, UtcTime, Uuid};
    erasures (id) {
        id -> Uuid,
        project_id -> Uuid,
        customer_id -> Nullable<Uuid>,
        asked_at -> UtcTime,
        next_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
    }
}
