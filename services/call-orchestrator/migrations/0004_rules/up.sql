-- What projects have set for their calls: copies, the newest that were heard. Version 0: nothing was heard yet.
CREATE TABLE policies (
    id          UUID PRIMARY KEY NOT NULL,
    version     BIGINT NOT NULL,
    settings    JSONB NOT NULL,
    deleted     BOOLEAN NOT NULL,
    purge_at    TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ
);
CREATE INDEX policies_to_purge ON policies (purge_at);

-- What the rules want to know about customers: copies, the newest that were heard. One that is erased stays so.
CREATE TABLE standings (
    project_id  UUID NOT NULL,
    customer_id UUID NOT NULL,
    version     BIGINT NOT NULL,
    time_zone   TEXT NOT NULL,
    consent     JSONB,
    erased      BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, customer_id)
);

-- Who is to be forgotten: a customer, or everybody in a project. Gone when it is done.
CREATE TABLE erasures (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL,
    customer_id UUID,
    next_at     TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ
);
CREATE INDEX erasures_due ON erasures (next_at);

-- Until now every one was asked for in a call.
ALTER TABLE suppressions ADD COLUMN source TEXT NOT NULL DEFAULT 'call';
CREATE INDEX suppressions_of_project ON suppressions (project_id, id);

-- When the bridge was asked to dial: counted by day.
ALTER TABLE calls ADD COLUMN begun_at TIMESTAMPTZ;
CREATE INDEX calls_begun ON calls (project_id, begun_at) WHERE dial_requested;

CREATE INDEX notifications_about_customer ON notifications (project_id, customer_id);
CREATE INDEX notifications_waiting_for_phone ON notifications (project_id, phone) WHERE status IN ('queued', 'in_progress');
-- What was blanked has no number any more.
CREATE INDEX notifications_not_blanked ON notifications (project_id, updated_at) WHERE phone <> '';

-- What a project has used on one day (UTC): calls that ended on it. NULL: not known.
CREATE TABLE usage_days (
    project_id  UUID NOT NULL,
    day         TEXT NOT NULL,
    calls       BIGINT NOT NULL,
    answered    BIGINT NOT NULL,
    talk_ms     BIGINT NOT NULL,
    tokens_in   BIGINT,
    tokens_out  BIGINT,
    cost_micros BIGINT,
    PRIMARY KEY (project_id, day)
);
