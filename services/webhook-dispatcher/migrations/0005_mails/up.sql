-- Mail on its way to people.
CREATE TABLE mails (
    id              UUID PRIMARY KEY NOT NULL,
    business_id     UUID NOT NULL,
    content         TEXT NOT NULL,          -- sealed, bound to `mail:<id>`; '' once it has ended
    status          TEXT NOT NULL,          -- waiting | sent | refused | expired
    failed_attempts INTEGER NOT NULL,
    next_try_at     TIMESTAMPTZ,            -- due then; null once it has ended
    send_before     TIMESTAMPTZ NOT NULL,
    lease_until     TIMESTAMPTZ,
    problem         TEXT,                   -- why the last try failed
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX mails_due ON mails (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX mails_ended ON mails (updated_at) WHERE next_try_at IS NULL;
