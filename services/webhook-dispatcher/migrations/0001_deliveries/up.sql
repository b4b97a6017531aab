-- Where projects want their events.
CREATE TABLE endpoints (
    id                   UUID PRIMARY KEY NOT NULL,
    project_id           UUID NOT NULL,
    url                  TEXT NOT NULL,
    secret               TEXT NOT NULL,             -- sealed, bound to `endpoint:<id>`
    status               TEXT NOT NULL,             -- active | disabled
    events               JSONB NOT NULL,            -- array of event names
    consecutive_failures INTEGER NOT NULL,          -- deliveries that failed for good, one after the other
    first_failure_at     TIMESTAMPTZ,               -- when the first of them did
    failed_attempts      INTEGER NOT NULL,          -- attempts that failed, one after the other
    version              BIGINT NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL
);
CREATE INDEX endpoints_by_project ON endpoints (project_id, id);

-- One event to one endpoint. Open as long as next_retry_at is set.
CREATE TABLE deliveries (
    id              UUID PRIMARY KEY NOT NULL,
    project_id      UUID NOT NULL,
    endpoint_id     UUID NOT NULL,
    event_id        UUID NOT NULL,
    event_name      TEXT NOT NULL,
    payload         TEXT NOT NULL,                  -- the exact bytes of every attempt
    status          TEXT NOT NULL,                  -- pending | retrying | success | failed
    attempt_count   INTEGER NOT NULL,               -- attempts begun; the number of the latest is its fence
    failed_attempts INTEGER NOT NULL,               -- automatic attempts that failed: the place in the schedule
    next_retry_at   TIMESTAMPTZ,                    -- due then
    lane            TEXT NOT NULL,                  -- normal | crowded | slow
    lease_until     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (event_id, endpoint_id)
);
CREATE INDEX deliveries_due ON deliveries (lane, next_retry_at) WHERE next_retry_at IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, lane, next_retry_at) WHERE next_retry_at IS NOT NULL;
CREATE INDEX deliveries_by_endpoint ON deliveries (project_id, endpoint_id, id);

-- Every try, written down before it is sent.
CREATE TABLE attempts (
    id             UUID PRIMARY KEY NOT NULL,
    delivery_id    UUID NOT NULL,
    project_id     UUID NOT NULL,
    attempt_number INTEGER NOT NULL,
    triggered_by   TEXT NOT NULL,                   -- auto | manual
    state          TEXT NOT NULL,                   -- started | finished | interrupted
    started_at     TIMESTAMPTZ NOT NULL,
    http_status    INTEGER,
    response_body  TEXT,                            -- at most 4 KiB
    duration_ms    BIGINT,
    success        BOOLEAN NOT NULL,
    error_message  TEXT,
    UNIQUE (delivery_id, attempt_number)
);
