//! The tables as the migrations make them.

diesel::table! {
    use common::db::sql::{BigInt, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    endpoints (id) {
        id -> Uuid,
        project_id -> Uuid,
        url -> Text,
        secret -> Text,
        status -> Text,
        events -> Jsonb,
        consecutive_failures -> Integer,
        first_failure_at -> Nullable<UtcTime>,
        failed_attempts -> Integer,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        turn_at -> Nullable<UtcTime>,
        lease_until -> Nullable<UtcTime>,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<UtcTime>,
        business_id -> Nullable<Uuid>,
        bot_id -> Nullable<Text>,
        url_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{Bool, Integer, Nullable, Text, UtcTime, Uuid};
    deliveries (id) {
        id -> Uuid,
        project_id -> Uuid,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        event_name -> Text,
        payload -> Text,
        status -> Text,
        attempt_count -> Integer,
        failed_attempts -> Integer,
        next_retry_at -> Nullable<UtcTime>,
        lane -> Text,
        lease_until -> Nullable<UtcTime>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        customer_id -> Nullable<Uuid>,
        manual -> Bool,
        resume_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Bool, Integer, Nullable, Text, UtcTime, Uuid};
    attempts (id) {
        id -> Uuid,
        delivery_id -> Uuid,
        project_id -> Uuid,
        attempt_number -> Integer,
        triggered_by -> Text,
        state -> Text,
        started_at -> UtcTime,
        http_status -> Nullable<Integer>,
        response_body -> Nullable<Text>,
        duration_ms -> Nullable<BigInt>,
        success -> Bool,
        error_message -> Nullable<Text>,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, Text, UtcTime, Uuid};
    targets (id) {
        id -> Uuid,
        business_id -> Uuid,
        owner_id -> Text,
        secret -> Text,
        created_at -> UtcTime,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<UtcTime>,
        removed_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Nullable, Text, UtcTime, Uuid};
    mails (id) {
        id -> Uuid,
        business_id -> Uuid,
        content -> Text,
        status -> Text,
        failed_attempts -> Integer,
        next_try_at -> Nullable<UtcTime>,
        send_before -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        problem -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Integer, Uuid};
    retentions (project_id) {
        project_id -> Uuid,
        days -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    use common::db::sql::{BigInt, Jsonb, Nullable, Text, UtcTime, Uuid};
    apps (id) {
        id -> Uuid,
        business_id -> Nullable<Uuid>,
        name -> Text,
        notify_emails -> Jsonb,
        version -> BigInt,
        slack_url -> Nullable<Text>,
        slack_after -> Nullable<UtcTime>,
        removed_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, Text, UtcTime, Uuid};
    tickets (id) {
        id -> Uuid,
        app_id -> Uuid,
        content -> Text,
        told_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
    }
}

diesel::table! {
    use common::db::sql::{Integer, Nullable, Text, UtcTime, Uuid};
    notices (id) {
        id -> Uuid,
        app_id -> Uuid,
        ticket_id -> Uuid,
        channel -> Text,
        status -> Text,
        failed_attempts -> Integer,
        next_try_at -> Nullable<UtcTime>,
        send_before -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        problem -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
}

diesel::allow_tables_to_appear_in_same_query!(apps, notices, tickets);
diesel::allow_tables_to_appear_in_same_query!(deliveries, endpoints);
diesel::allow_tables_to_appear_in_same_query!(attempts, deliveries);
