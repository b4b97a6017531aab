//! The tables as `migrations/` makes them.

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    notifications (id) {
        id -> Uuid,
        project_id -> Uuid,
        customer_id -> Nullable<Uuid>,
        agent_id -> Nullable<Uuid>,
        agent_version -> Integer,
        phone -> Text,
        message -> Text,
        context -> Nullable<Text>,
        collect_feedback -> Bool,
        max_duration_seconds -> Integer,
        spec -> Jsonb,
        metadata -> Nullable<Jsonb>,
        status -> Text,
        due_at -> UtcTime,
        expires_at -> UtcTime,
        next_try_at -> UtcTime,
        attempts -> Integer,
        live_call -> Bool,
        ended_reason -> Nullable<Text>,
        blocked_by -> Nullable<Text>,
        summarised -> Bool,
        summary_due -> Bool,
        retry -> Jsonb,
        options -> Nullable<Jsonb>,
        outcome -> Nullable<Jsonb>,
        call_id -> Uuid,
        lease_until -> Nullable<UtcTime>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
        bot_id -> Nullable<Uuid>,
        business_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Nullable, Text, UtcTime, Uuid};
    calls (id) {
        id -> Uuid,
        project_id -> Uuid,
        notification_id -> Uuid,
        attempt -> Integer,
        attempt_id -> Nullable<Uuid>,
        status -> Text,
        dial_requested -> Bool,
        dialled -> Bool,
        carrier_sid -> Nullable<Text>,
        last_sequence -> Nullable<BigInt>,
        time_limit_seconds -> Integer,
        started_at -> Nullable<UtcTime>,
        ended_at -> Nullable<UtcTime>,
        ended_reason -> Nullable<Text>,
        hangup_by -> Nullable<Text>,
        reap_at -> UtcTime,
        stop_asked -> Bool,
        carrier_code -> Nullable<BigInt>,
        begun_at -> Nullable<UtcTime>,
        dialled_at -> Nullable<UtcTime>,
        answered_by -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
        bot_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    use common::db::sql::{Bool, Double, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    turns (call_id, number) {
        call_id -> Uuid,
        number -> Integer,
        project_id -> Uuid,
        heard_kind -> Text,
        heard -> Nullable<Text>,
        confidence -> Nullable<Double>,
        state -> Text,
        generation -> Integer,
        then_do -> Nullable<Text>,
        lease_until -> Nullable<UtcTime>,
        opened_at -> UtcTime,
        asked_at -> Nullable<UtcTime>,
        closed_at -> Nullable<UtcTime>,
        handed_out -> Integer,
        sources -> Nullable<Jsonb>,
        unanswered -> Bool,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Nullable, Text, UtcTime, Uuid};
    sentences (call_id, turn, number) {
        call_id -> Uuid,
        turn -> Integer,
        number -> Integer,
        text -> Text,
        then_do -> Nullable<Text>,
        stored_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{Text, UtcTime, Uuid};
    suppressions (id) {
        id -> Uuid,
        project_id -> Uuid,
        phone -> Text,
        reason -> Text,
        created_at -> UtcTime,
        source -> Text,
    }
}

diesel::table! {
    use common::db::sql::{UtcTime, Uuid};
    withdrawals (project_id, notification_id) {
        project_id -> Uuid,
        notification_id -> Uuid,
        created_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Jsonb, Nullable, UtcTime, Uuid};
    policies (id) {
        id -> Uuid,
        version -> BigInt,
        settings -> Jsonb,
        deleted -> Bool,
        purge_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Jsonb, Nullable, Text, Uuid};
    standings (project_id, customer_id) {
        project_id -> Uuid,
        customer_id -> Uuid,
        version -> BigInt,
        time_zone -> Text,
        consent -> Nullable<Jsonb>,
        erased -> Bool,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, UtcTime, Uuid};
    erasures (id) {
        id -> Uuid,
        project_id -> Uuid,
        customer_id -> Nullable<Uuid>,
        next_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Nullable, Text, Uuid};
    usage_days (project_id, day) {
        project_id -> Uuid,
        day -> Text,
        calls -> BigInt,
        answered -> BigInt,
        talk_ms -> BigInt,
        tokens_in -> Nullable<BigInt>,
        tokens_out -> Nullable<BigInt>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Text, Uuid};
    spend_days (project_id, day, currency) {
        project_id -> Uuid,
        day -> Text,
        currency -> Text,
        cost_micros -> BigInt,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    tool_calls (id) {
        id -> Uuid,
        project_id -> Uuid,
        call_id -> Uuid,
        turn -> Integer,
        model_id -> Text,
        name -> Text,
        arguments -> Jsonb,
        outcome -> Nullable<Text>,
        result -> Nullable<Text>,
        asked_at -> UtcTime,
        answered_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Nullable, Text, Uuid};
    call_costs (call_id) {
        call_id -> Uuid,
        project_id -> Uuid,
        tokens_in -> Nullable<BigInt>,
        tokens_out -> Nullable<BigInt>,
        cost_micros -> Nullable<BigInt>,
        currency -> Nullable<Text>,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Text, Uuid};
    call_recordings (call_id) {
        call_id -> Uuid,
        project_id -> Uuid,
        sid -> Text,
        duration_seconds -> Integer,
    }
}

diesel::table! {
    use common::db::sql::{Jsonb, Nullable, UtcTime, Uuid};
    readings (id) {
        id -> Uuid,
        project_id -> Uuid,
        outcome -> Nullable<Jsonb>,
        ended_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, Text, UtcTime, Uuid};
    bots (id) {
        id -> Uuid,
        business_id -> Uuid,
        goal -> Text,
        webhook -> Text,
        context -> Text,
        language -> Text,
        voice -> Text,
        greeting -> Text,
        transfer_number -> Text,
        knowledge_app_id -> Text,
        status -> Text,
        created_at -> UtcTime,
        project_id -> Nullable<Uuid>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(calls, notifications);
