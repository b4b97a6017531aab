-- Whom an attempt rang, so that they can be forgotten.
ALTER TABLE dial_attempts ADD COLUMN customer_id UUID;
CREATE INDEX dial_attempts_of_customer ON dial_attempts (project_id, customer_id);
-- What was blanked has no number any more.
CREATE INDEX dial_attempts_not_blanked ON dial_attempts (updated_at) WHERE state = 'over' AND to_number <> '';

-- Who is to be forgotten: a customer, or everybody in a project. Gone when it is done.
CREATE TABLE erasures (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL,
    customer_id UUID,
    asked_at    TIMESTAMPTZ NOT NULL,
    next_at     TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ
);
CREATE INDEX erasures_due ON erasures (next_at);
