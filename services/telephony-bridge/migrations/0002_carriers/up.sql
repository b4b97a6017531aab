-- What projects have chosen to call with. A row that was replaced is kept for a while: the carrier still speaks of its calls.
CREATE TABLE project_carriers (
    id               UUID PRIMARY KEY NOT NULL,
    project_id       UUID NOT NULL,
    kind             TEXT NOT NULL,
    account_sid      TEXT NOT NULL,
    auth_token       TEXT NOT NULL,
    phone_number_sid TEXT NOT NULL,
    phone_number     TEXT NOT NULL,
    calls_per_second INTEGER NOT NULL,
    in_use           BOOLEAN NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    version          BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_carrier_per_project ON project_carriers (project_id) WHERE in_use;
CREATE UNIQUE INDEX one_project_per_number ON project_carriers (phone_number) WHERE in_use AND kind = 'twilio';
CREATE INDEX project_carriers_by_account ON project_carriers (account_sid);

-- Which of them dials; without one, an account of this process's settings.
ALTER TABLE dial_attempts ADD COLUMN carrier_id UUID;
