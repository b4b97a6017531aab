-- One row per call of a user's system in a conversation, written before it is sent: `outcome` is empty until an answer came.
CREATE TABLE tool_calls (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL,
    call_id     UUID NOT NULL,
    turn        INTEGER NOT NULL,
    model_id    TEXT NOT NULL,
    name        TEXT NOT NULL,
    arguments   JSONB NOT NULL,
    outcome     TEXT,
    result      TEXT,
    asked_at    TIMESTAMPTZ NOT NULL,
    answered_at TIMESTAMPTZ
);
CREATE INDEX tool_calls_of_call ON tool_calls (call_id, id);
