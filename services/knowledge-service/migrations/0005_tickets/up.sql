-- Questions that a person is to answer.
CREATE TABLE tickets (
    app_id          TEXT NOT NULL,                  -- the tenant
    id              UUID NOT NULL,                  -- given by whoever opens it: the same id in two apps is two tickets
    status          TEXT NOT NULL,                  -- open, pending or resolved
    email           TEXT,                           -- who wants an answer…
    phone           TEXT,                           -- …and where they can be rung
    question        TEXT NOT NULL,
    url             TEXT,                           -- the page on which it was asked
    conversation_id UUID,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (app_id, id)
);
CREATE INDEX tickets_by_status ON tickets (app_id, status, id);
CREATE INDEX tickets_by_email ON tickets (app_id, email, created_at) WHERE email IS NOT NULL;
CREATE INDEX tickets_by_phone ON tickets (app_id, phone, created_at) WHERE phone IS NOT NULL;
CREATE INDEX tickets_of_conversation ON tickets (app_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX tickets_to_purge ON tickets (updated_at) WHERE status = 'resolved';
-- What was said before each ticket.
CREATE TABLE ticket_lines (
    app_id    TEXT NOT NULL,                        -- the tenant
    ticket_id UUID NOT NULL,
    number    INTEGER NOT NULL,                     -- from 1, oldest first
    role      TEXT NOT NULL,                        -- user, assistant or system
    text      TEXT NOT NULL,
    PRIMARY KEY (app_id, ticket_id, number),
    FOREIGN KEY (app_id, ticket_id) REFERENCES tickets (app_id, id)
);
-- What was found for the last question before each ticket, as it was then.
CREATE TABLE ticket_passages (
    app_id    TEXT NOT NULL,                        -- the tenant
    ticket_id UUID NOT NULL,
    number    INTEGER NOT NULL,                     -- from 1, best first
    source_id UUID NOT NULL,
    title     TEXT NOT NULL,
    url       TEXT NOT NULL,                        -- empty: from nowhere
    score     DOUBLE PRECISION NOT NULL,
    text      TEXT NOT NULL,
    PRIMARY KEY (app_id, ticket_id, number),
    FOREIGN KEY (app_id, ticket_id) REFERENCES tickets (app_id, id)
);
CREATE INDEX ticket_passages_of_source ON ticket_passages (app_id, source_id);
-- An app that is deleted stays as a row, so that nothing that comes late for it is kept.
ALTER TABLE apps ADD COLUMN deleted_at TIMESTAMPTZ;
