-- The secrets with which requests into users' systems are signed, one for each agent or bot that calls them.
CREATE TABLE targets (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID NOT NULL,
    owner_id    TEXT NOT NULL,              -- agent id, or bot id
    secret      TEXT NOT NULL,              -- sealed, bound to `target:<business>:<owner>`
    created_at  TIMESTAMPTZ NOT NULL,       -- when the secret was made
    UNIQUE (business_id, owner_id)
);
