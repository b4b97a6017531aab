-- Apps: documents that answer questions, who may ask them from where, and the keys of programs.

CREATE TABLE apps (
    id              UUID PRIMARY KEY NOT NULL,
    business_id     UUID NOT NULL REFERENCES businesses (id),
    project_id      UUID NOT NULL REFERENCES projects (id),
    name            TEXT NOT NULL,
    allowed_domains JSONB NOT NULL,                 -- hosts, or `*.` and a host
    require_origin  BOOLEAN NOT NULL,
    notify_emails   JSONB NOT NULL,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX apps_of_project ON apps (project_id, id);
CREATE INDEX apps_of_business ON apps (business_id);

CREATE TABLE app_keys (
    id         UUID PRIMARY KEY NOT NULL,
    app_id     UUID NOT NULL REFERENCES apps (id),
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL,                       -- SHA-256, hex
    key_prefix TEXT NOT NULL,                       -- the first 16 characters, for display
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX app_keys_hash ON app_keys (key_hash);
CREATE INDEX app_keys_of_app ON app_keys (app_id, id);
