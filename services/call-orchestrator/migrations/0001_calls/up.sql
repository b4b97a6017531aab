-- One row per requested conversation.
CREATE TABLE notifications (
    id                   UUID PRIMARY KEY NOT NULL,
    project_id           UUID NOT NULL,
    customer_id          UUID,
    agent_id             UUID,
    agent_version        INTEGER NOT NULL,
    phone                TEXT NOT NULL,
    message              TEXT NOT NULL,
    context              TEXT,
    collect_feedback     BOOLEAN NOT NULL,
    max_duration_seconds INTEGER NOT NULL,
    spec                 JSONB NOT NULL,
    metadata             JSONB,
    status               TEXT NOT NULL,
    due_at               TIMESTAMPTZ NOT NULL,
    expires_at           TIMESTAMPTZ NOT NULL,
    next_try_at          TIMESTAMPTZ NOT NULL,
    attempts             INTEGER NOT NULL,
    live_call            BOOLEAN NOT NULL,
    ended_reason         TEXT,
    blocked_by           TEXT,
    summarised           BOOLEAN NOT NULL,
    summary_due          BOOLEAN NOT NULL,
    retry                JSONB NOT NULL,
    outcome              JSONB,
    call_id              UUID NOT NULL,
    lease_until          TIMESTAMPTZ,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    version              BIGINT NOT NULL
);
CREATE INDEX notifications_of_project ON notifications (project_id, id);
CREATE INDEX notifications_waiting ON notifications (next_try_at) WHERE status IN ('queued', 'in_progress') AND NOT live_call;
CREATE INDEX notifications_held ON notifications (project_id, blocked_by, id) WHERE blocked_by IS NOT NULL;
CREATE INDEX notifications_to_summarise ON notifications (updated_at) WHERE summary_due;

-- One row per call made, or to be made, for a notification.
CREATE TABLE calls (
    id                 UUID PRIMARY KEY NOT NULL,
    project_id         UUID NOT NULL,
    notification_id    UUID NOT NULL,
    attempt            INTEGER NOT NULL,
    attempt_id         UUID,
    status             TEXT NOT NULL,
    dial_requested     BOOLEAN NOT NULL,
    dialled            BOOLEAN NOT NULL,
    carrier_sid        TEXT,
    last_sequence      BIGINT,
    time_limit_seconds INTEGER NOT NULL,
    started_at         TIMESTAMPTZ,
    ended_at           TIMESTAMPTZ,
    ended_reason       TEXT,
    hangup_by          TEXT,
    reap_at            TIMESTAMPTZ NOT NULL,
    stop_asked         BOOLEAN NOT NULL,
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL,
    version            BIGINT NOT NULL,
    UNIQUE (notification_id, attempt)
);
CREATE INDEX calls_to_reap ON calls (reap_at) WHERE ended_at IS NULL;
CREATE INDEX calls_of_project_alive ON calls (project_id) WHERE ended_at IS NULL AND dial_requested;

-- One row per thing heard, with how far its answer has come.
CREATE TABLE turns (
    call_id     UUID NOT NULL,
    number      INTEGER NOT NULL,
    project_id  UUID NOT NULL,
    heard_kind  TEXT NOT NULL,
    heard       TEXT,
    confidence  DOUBLE PRECISION,
    state       TEXT NOT NULL,
    generation  INTEGER NOT NULL,
    then_do     TEXT,
    lease_until TIMESTAMPTZ,
    opened_at   TIMESTAMPTZ NOT NULL,
    asked_at    TIMESTAMPTZ,
    closed_at   TIMESTAMPTZ,
    PRIMARY KEY (call_id, number)
);

-- What is spoken, committed before it is.
CREATE TABLE sentences (
    call_id   UUID NOT NULL,
    turn      INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    text      TEXT NOT NULL,
    then_do   TEXT,
    stored_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (call_id, turn, number)
);

-- Numbers that asked not to be called.
CREATE TABLE suppressions (
    id         UUID PRIMARY KEY NOT NULL,
    project_id UUID NOT NULL,
    phone      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (project_id, phone)
);

-- Notifications that were withdrawn before they arrived.
CREATE TABLE withdrawals (
    project_id      UUID NOT NULL,
    notification_id UUID NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, notification_id)
);
