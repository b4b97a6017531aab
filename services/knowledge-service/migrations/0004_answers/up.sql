-- What was asked of each app, and what it was answered.
CREATE TABLE conversations (
    app_id         TEXT NOT NULL,                   -- the tenant
    id             UUID NOT NULL,                   -- given by whoever asks: the same id in two apps is two conversations
    first_question TEXT NOT NULL,
    started_at     TIMESTAMPTZ NOT NULL,
    last_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (app_id, id)
);
CREATE INDEX conversations_by_time ON conversations (app_id, last_at);
CREATE TABLE answers (
    id              UUID PRIMARY KEY NOT NULL,
    app_id          TEXT NOT NULL,                  -- the tenant
    conversation_id UUID NOT NULL,
    question        TEXT NOT NULL,
    answer          TEXT NOT NULL,                  -- as far as it was said
    verdict         INTEGER NOT NULL,               -- as the contract numbers them
    unanswered      BOOLEAN NOT NULL,
    finished        BOOLEAN NOT NULL,               -- false: it broke off
    helpful         BOOLEAN,                        -- what whoever asked said last
    tokens_read     BIGINT,                         -- what it cost, from a model that says so
    tokens_written  BIGINT,
    asked_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX answers_of_conversation ON answers (app_id, conversation_id, asked_at);
CREATE INDEX answers_by_time ON answers (app_id, asked_at);
CREATE INDEX answers_to_purge ON answers (asked_at);
-- What each answer was drawn from: what the model was given.
CREATE TABLE answer_passages (
    answer_id UUID NOT NULL REFERENCES answers (id),
    number    INTEGER NOT NULL,                     -- from 1, best first
    app_id    TEXT NOT NULL,                        -- the tenant
    source_id UUID NOT NULL,
    score     DOUBLE PRECISION NOT NULL,
    text      TEXT NOT NULL,                        -- empty once the source is deleted
    PRIMARY KEY (answer_id, number)
);
CREATE INDEX answer_passages_of_source ON answer_passages (app_id, source_id);
