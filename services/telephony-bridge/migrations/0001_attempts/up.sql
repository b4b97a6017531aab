-- One row for each wish to dial, committed before the carrier is asked.
CREATE TABLE dial_attempts (
    id                   UUID PRIMARY KEY NOT NULL,
    project_id           UUID NOT NULL,
    call_id              UUID NOT NULL,
    account_sid          TEXT NOT NULL,
    to_number            TEXT NOT NULL,
    from_number          TEXT NOT NULL,
    state                TEXT NOT NULL,
    live                 BOOLEAN NOT NULL,
    carrier_call_sid     TEXT,
    carrier_status       TEXT,
    answered_by          TEXT,
    stop_requested       BOOLEAN NOT NULL,
    gave_up              BOOLEAN NOT NULL,
    ring_timeout_seconds INTEGER NOT NULL,
    time_limit_seconds   INTEGER NOT NULL,
    dial_before          TIMESTAMPTZ NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    check_at             TIMESTAMPTZ NOT NULL,
    lease_until          TIMESTAMPTZ,
    version              BIGINT NOT NULL
);
-- A mistake in the program becomes a refused row and not a second ring.
CREATE UNIQUE INDEX one_live_call_per_number ON dial_attempts (project_id, to_number) WHERE live;
CREATE UNIQUE INDEX dial_attempts_by_sid ON dial_attempts (carrier_call_sid) WHERE carrier_call_sid IS NOT NULL;
CREATE INDEX dial_attempts_to_check ON dial_attempts (check_at) WHERE live;

-- What the carrier reported, each report once.
CREATE TABLE carrier_reports (
    attempt_id  UUID NOT NULL,
    sequence    INTEGER NOT NULL,
    status      TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (attempt_id, sequence)
);

-- What this service said by itself because nobody behind it answered in time, so that the same request gets the same
-- document again; with what was heard, so that it is not lost.
CREATE TABLE own_words (
    attempt_id UUID NOT NULL,
    turn       INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    fill       INTEGER NOT NULL,
    words      TEXT NOT NULL,
    heard      BYTEA,
    PRIMARY KEY (attempt_id, turn, part, fill)
);

-- How fast each carrier account may dial.
CREATE TABLE carrier_accounts (
    account_sid  TEXT PRIMARY KEY NOT NULL,
    next_dial_at TIMESTAMPTZ NOT NULL
);
