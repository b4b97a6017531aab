-- Calls whose price the carrier is still to be asked for: it knows it some time after the end. A row is gone once the price was
-- told, or given up.
CREATE TABLE price_checks (
    id               UUID PRIMARY KEY NOT NULL,
    project_id       UUID NOT NULL,
    call_id          UUID NOT NULL,
    account_sid      TEXT NOT NULL,
    carrier_id       UUID,
    carrier_call_sid TEXT NOT NULL,
    ended_at         TIMESTAMPTZ NOT NULL,
    asked            INTEGER NOT NULL,
    ask_at           TIMESTAMPTZ NOT NULL,
    lease_until      TIMESTAMPTZ
);
CREATE INDEX price_checks_due ON price_checks (ask_at);
