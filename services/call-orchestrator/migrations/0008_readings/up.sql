-- What is read out of a call by which a customer rang back after their notification was over; `outcome` is empty until it is. `id`
-- is the call's.
CREATE TABLE readings (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL,
    outcome     JSONB,
    ended_at    TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ
);
CREATE INDEX readings_due ON readings (ended_at) WHERE outcome IS NULL;
