-- Sessions: one for every login. Refresh tokens descend from it, and access tokens name it. Nobody stays signed in over
-- this migration: tokens that name no session are refused.
DROP TABLE refresh_tokens;

CREATE TABLE sessions (
    id          UUID PRIMARY KEY NOT NULL,
    user_id     UUID NOT NULL REFERENCES users (id),
    business_id UUID NOT NULL REFERENCES businesses (id),
    generation  INTEGER NOT NULL,                   -- good while the user's token_generation is the same
    revoked_at  TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL                -- of its newest refresh token
);
CREATE INDEX sessions_by_age ON sessions (expires_at);

-- Every refresh token that was given out, so that a used one can be told from a fresh one.
CREATE TABLE refresh_tokens (
    id         UUID PRIMARY KEY NOT NULL,           -- the token's `jti`
    session_id UUID NOT NULL REFERENCES sessions (id),
    used_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_age ON refresh_tokens (expires_at);

-- People who were asked to become members.
CREATE TABLE invitations (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID NOT NULL REFERENCES businesses (id),
    email       TEXT NOT NULL,
    email_key   TEXT NOT NULL,                      -- the address in lower case
    role        TEXT NOT NULL,                      -- the one they will have
    token_hash  TEXT NOT NULL,                      -- SHA-256, hex
    status      TEXT NOT NULL,                      -- pending, accepted, revoked
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX invitations_token ON invitations (token_hash);
CREATE INDEX invitations_of_business ON invitations (business_id, id);
CREATE INDEX invitations_by_age ON invitations (expires_at);

-- Who asked for a new password. A row without a user is for an address that nobody has: it costs the same work.
CREATE TABLE password_resets (
    id         UUID PRIMARY KEY NOT NULL,
    user_id    UUID REFERENCES users (id),
    token_hash TEXT NOT NULL,                       -- SHA-256, hex
    used_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX password_resets_token ON password_resets (token_hash);
CREATE INDEX password_resets_of_user ON password_resets (user_id, created_at);
CREATE INDEX password_resets_by_age ON password_resets (expires_at);

-- Who changed what, and who signed in. Only added to.
CREATE TABLE audit (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID,                               -- absent: somebody tried to sign in whom nobody knows
    project_id  UUID,
    actor_type  TEXT NOT NULL,                      -- user, api_key, anonymous
    actor_id    UUID,
    action      TEXT NOT NULL,                      -- `<target type>.<what happened>`
    target_id   UUID,
    details     JSONB NOT NULL,
    address     TEXT,                               -- where the request came from
    request_id  TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_of_business ON audit (business_id, id);
CREATE INDEX audit_by_age ON audit (created_at);

-- A deleted project stays as an empty row: its id means nothing else ever after.
ALTER TABLE projects ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE projects ADD COLUMN emptied_at TIMESTAMPTZ;
CREATE INDEX projects_to_empty ON projects (deleted_at) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;
