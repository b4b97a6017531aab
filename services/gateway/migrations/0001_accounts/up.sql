-- Who may do what: users, businesses, projects, keys.

CREATE TABLE users (
    id               UUID PRIMARY KEY NOT NULL,
    email            TEXT NOT NULL,
    email_key        TEXT NOT NULL,                 -- the address in lower case: what must be unique
    password_hash    TEXT,                          -- Argon2id in PHC form; absent for an account without a password
    first_name       TEXT NOT NULL,
    last_name        TEXT NOT NULL,
    token_generation INTEGER NOT NULL,              -- tokens of an older generation are refused
    version          BIGINT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email_key);

CREATE TABLE businesses (
    id         UUID PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    summary    TEXT NOT NULL,
    industry   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE memberships (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID NOT NULL REFERENCES businesses (id),
    user_id     UUID NOT NULL REFERENCES users (id),
    role        TEXT NOT NULL,                      -- owner, admin, developer, viewer
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX memberships_once ON memberships (user_id, business_id);
CREATE INDEX memberships_of_business ON memberships (business_id, id);

CREATE TABLE projects (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID NOT NULL REFERENCES businesses (id),
    name        TEXT NOT NULL,
    settings    JSONB NOT NULL,                     -- only what differs from the defaults
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX projects_of_business ON projects (business_id, id);

CREATE TABLE api_keys (
    id         UUID PRIMARY KEY NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id),
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL,                       -- SHA-256, hex
    key_prefix TEXT NOT NULL,                       -- the first 16 characters, for display
    status     TEXT NOT NULL,                       -- active, revoked
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);
CREATE INDEX api_keys_of_project ON api_keys (project_id, id);

-- Every refresh token that was given out; a rotated one stays in the family of its login.
CREATE TABLE refresh_tokens (
    id          UUID PRIMARY KEY NOT NULL,          -- the token's `jti`
    family_id   UUID NOT NULL,
    user_id     UUID NOT NULL REFERENCES users (id),
    business_id UUID NOT NULL REFERENCES businesses (id),
    used_at     TIMESTAMPTZ,
    revoked_at  TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_age ON refresh_tokens (expires_at);

-- Who rings and who is rung.

CREATE TABLE agents (
    id          UUID PRIMARY KEY NOT NULL,
    business_id UUID NOT NULL REFERENCES businesses (id),
    status      TEXT NOT NULL,                      -- active, disabled
    version     INTEGER NOT NULL,                   -- the newest row in agent_versions
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX agents_of_business ON agents (business_id, id);

CREATE TABLE agent_versions (
    agent_id      UUID NOT NULL REFERENCES agents (id),
    version       INTEGER NOT NULL,
    business_id   UUID NOT NULL REFERENCES businesses (id),
    name          TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    output_schema JSONB,
    options       JSONB NOT NULL,                   -- language, voice, first_message, max_duration_seconds
    created_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (agent_id, version)
);

CREATE TABLE customers (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL REFERENCES projects (id),
    external_id TEXT NOT NULL,
    first_name  TEXT NOT NULL,
    last_name   TEXT NOT NULL,
    metadata    JSONB NOT NULL,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX customers_external_id ON customers (project_id, external_id);
CREATE INDEX customers_of_project ON customers (project_id, id);

CREATE TABLE phones (
    id          UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL REFERENCES projects (id),
    customer_id UUID NOT NULL REFERENCES customers (id),
    value       TEXT NOT NULL,                      -- E.164
    is_primary  BOOLEAN NOT NULL,
    status      TEXT NOT NULL,                      -- active, unreachable, opted_out
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX phones_of_customer ON phones (customer_id, id);
CREATE UNIQUE INDEX phones_one_primary ON phones (customer_id) WHERE is_primary;

-- What was asked for under an `Idempotency-Key`, and what was answered.
CREATE TABLE idempotency_keys (
    id              UUID PRIMARY KEY NOT NULL,
    project_id      UUID NOT NULL REFERENCES projects (id),
    idempotency_key TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,                  -- SHA-256 of route and body
    resource_id     UUID NOT NULL,                  -- the id that the thing has or will have
    generation      BIGINT NOT NULL,                -- counts those who worked on it
    lease_until     TIMESTAMPTZ,                    -- somebody works on it until then
    status          INTEGER,                        -- the answer's; absent until there is one
    answer          TEXT,                           -- sealed; absent when it held a one-time secret
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX idempotency_keys_once ON idempotency_keys (project_id, idempotency_key);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (expires_at);
