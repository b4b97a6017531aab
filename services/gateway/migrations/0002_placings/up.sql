-- Notifications that are being placed for a caller who has no key to ask again with: there from before the orchestrator is
-- asked until it is known what became of it.
CREATE TABLE placings (
    id          UUID PRIMARY KEY NOT NULL,          -- the notification's id
    project_id  UUID NOT NULL REFERENCES projects (id),
    request_id  TEXT NOT NULL,                      -- of the request, for logs
    withdraw_at TIMESTAMPTZ NOT NULL                -- nobody works on it any more
);
CREATE INDEX placings_by_age ON placings (withdraw_at);
