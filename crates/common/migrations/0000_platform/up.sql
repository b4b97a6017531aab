-- The platform's own tables, in every service's schema.

-- Messages that wait for the bus to confirm them.
CREATE TABLE outbox (
    id          UUID PRIMARY KEY NOT NULL,
    routing_key TEXT NOT NULL,
    headers     JSONB NOT NULL,
    body        BYTEA NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ
);

-- Messages that have had their effect.
CREATE TABLE inbox (
    message_id UUID NOT NULL,
    consumer   TEXT NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (message_id, consumer)
);
CREATE INDEX inbox_by_age ON inbox (seen_at);

-- The queues of the in-process bus.
CREATE TABLE bus_queue (
    id          UUID PRIMARY KEY NOT NULL,
    message_id  UUID NOT NULL,
    queue       TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    headers     JSONB NOT NULL,
    body        BYTEA NOT NULL,
    due_at      TIMESTAMPTZ NOT NULL,
    attempts    INTEGER NOT NULL,
    dead_reason TEXT,
    lease_until TIMESTAMPTZ,
    UNIQUE (message_id, queue)
);
CREATE INDEX bus_queue_due ON bus_queue (queue, due_at) WHERE dead_reason IS NULL;
