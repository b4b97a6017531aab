//! The tables as queries see them.

macro_rules! tables {
    ($($name:ident ($($key:ident),+) { $($column:ident -> $kind:ty,)+ })+) => {$(
        diesel::table! {
            use common::db::sql::*;
            $name ($($key),+) { $($column -> $kind,)+ }
        }
    )+};
}

tables! {
    users (id) {
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        password_hash -> Nullable<Text>,
        first_name -> Text,
        last_name -> Text,
        token_generation -> Integer,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    businesses (id) {
        id -> Uuid,
        name -> Text,
        summary -> Text,
        industry -> Text,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    memberships (id) {
        id -> Uuid,
        business_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    connections (project_id) {
        project_id -> Uuid,
        email_key -> Text,
        account_sid -> Text,
        user_id -> Nullable<Uuid>,
        business_id -> Nullable<Uuid>,
        undo_at -> Nullable<UtcTime>,
    }
    projects (id) {
        id -> Uuid,
        business_id -> Uuid,
        name -> Text,
        settings -> Jsonb,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        deleted_at -> Nullable<UtcTime>,
        emptied_at -> Nullable<UtcTime>,
    }
    api_keys (id) {
        id -> Uuid,
        project_id -> Uuid,
        name -> Text,
        key_hash -> Text,
        key_prefix -> Text,
        status -> Text,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    apps (id) {
        id -> Uuid,
        business_id -> Uuid,
        project_id -> Uuid,
        name -> Text,
        allowed_domains -> Jsonb,
        require_origin -> Bool,
        notify_emails -> Jsonb,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    app_keys (id) {
        id -> Uuid,
        app_id -> Uuid,
        name -> Text,
        key_hash -> Text,
        key_prefix -> Text,
        created_at -> UtcTime,
    }
    app_requests (app_id, kind) {
        app_id -> Uuid,
        kind -> Text,
        hour -> BigInt,
        requests -> BigInt,
    }
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        business_id -> Uuid,
        generation -> Integer,
        revoked_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        expires_at -> UtcTime,
    }
    refresh_tokens (id) {
        id -> Uuid,
        session_id -> Uuid,
        used_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        expires_at -> UtcTime,
    }
    invitations (id) {
        id -> Uuid,
        business_id -> Uuid,
        email -> Text,
        email_key -> Text,
        role -> Text,
        token_hash -> Text,
        status -> Text,
        created_at -> UtcTime,
        expires_at -> UtcTime,
        invited_by -> Nullable<Uuid>,
    }
    mails (id) {
        id -> Uuid,
        content -> Text,
        send_before -> UtcTime,
        lease_until -> Nullable<UtcTime>,
        created_at -> UtcTime,
    }
    password_resets (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        token_hash -> Text,
        used_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        expires_at -> UtcTime,
    }
    audit (id) {
        id -> Uuid,
        business_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        actor_type -> Text,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        target_id -> Nullable<Uuid>,
        details -> Jsonb,
        address -> Nullable<Text>,
        request_id -> Text,
        created_at -> UtcTime,
    }
    agents (id) {
        id -> Uuid,
        business_id -> Uuid,
        status -> Text,
        version -> Integer,
        created_at -> UtcTime,
        updated_at -> UtcTime,
    }
    agent_versions (agent_id, version) {
        agent_id -> Uuid,
        version -> Integer,
        business_id -> Uuid,
        name -> Text,
        system_prompt -> Text,
        output_schema -> Nullable<Jsonb>,
        options -> Jsonb,
        created_at -> UtcTime,
        status -> Text,
    }
    customers (id) {
        id -> Uuid,
        project_id -> Uuid,
        external_id -> Text,
        first_name -> Text,
        last_name -> Text,
        metadata -> Jsonb,
        version -> BigInt,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        timezone -> Nullable<Text>,
        language -> Nullable<Text>,
        email -> Nullable<Text>,
        consent -> Nullable<Jsonb>,
    }
    phones (id) {
        id -> Uuid,
        project_id -> Uuid,
        customer_id -> Uuid,
        value -> Text,
        is_primary -> Bool,
        status -> Text,
        created_at -> UtcTime,
        status_at -> Nullable<UtcTime>,
    }
    placings (id) {
        id -> Uuid,
        project_id -> Uuid,
        request_id -> Text,
        withdraw_at -> UtcTime,
    }
    idempotency_keys (id) {
        id -> Uuid,
        project_id -> Uuid,
        idempotency_key -> Text,
        fingerprint -> Text,
        resource_id -> Uuid,
        generation -> BigInt,
        lease_until -> Nullable<UtcTime>,
        status -> Nullable<Integer>,
        answer -> Nullable<Text>,
        created_at -> UtcTime,
        expires_at -> UtcTime,
        customer_id -> Nullable<Uuid>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(api_keys, projects, memberships, businesses, users, sessions);
diesel::allow_tables_to_appear_in_same_query!(agents, agent_versions);
diesel::allow_tables_to_appear_in_same_query!(apps, projects);
