-- Who is told of the tickets of an app.
CREATE TABLE apps (
    id            UUID PRIMARY KEY NOT NULL,
    business_id   UUID,                     -- null where nothing was known when the app was removed
    name          TEXT NOT NULL,            -- '' until the app has said it
    notify_emails JSONB NOT NULL,           -- array of addresses
    version       BIGINT NOT NULL,          -- of what the app has said: an older one changes nothing; 0: nothing yet
    slack_url     TEXT,                     -- sealed, bound to `slack:<id>`; null: none
    slack_after   TIMESTAMPTZ,              -- Slack has asked to be left alone until then
    removed_at    TIMESTAMPTZ               -- the app is gone: what comes late brings nothing of it back
);

-- What somebody wants to know, as long as it is to be told.
CREATE TABLE tickets (
    id         UUID PRIMARY KEY NOT NULL,
    app_id     UUID NOT NULL,
    content    TEXT NOT NULL,               -- sealed, bound to `ticket:<id>`; '' once all its notices have ended
    told_at    TIMESTAMPTZ,                 -- when its notices were made; null: its app has said nothing of itself yet
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX tickets_by_app ON tickets (app_id, id);
CREATE INDEX tickets_by_age ON tickets (created_at);

-- One ticket told to one place.
CREATE TABLE notices (
    id              UUID PRIMARY KEY NOT NULL, -- made of the ticket, the channel and the address: the same when it comes again
    app_id          UUID NOT NULL,
    ticket_id       UUID NOT NULL,
    channel         TEXT NOT NULL,          -- slack | mail
    status          TEXT NOT NULL,          -- waiting | sent | refused | expired
    failed_attempts INTEGER NOT NULL,
    next_try_at     TIMESTAMPTZ,            -- due then; null once it has ended
    send_before     TIMESTAMPTZ NOT NULL,
    lease_until     TIMESTAMPTZ,
    problem         TEXT,                   -- why the last try failed
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX notices_due ON notices (channel, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX notices_waiting ON notices (app_id, channel, next_try_at, id) WHERE next_try_at IS NOT NULL;
CREATE INDEX notices_of_ticket ON notices (app_id, ticket_id);
CREATE INDEX notices_ended ON notices (updated_at) WHERE next_try_at IS NULL;
