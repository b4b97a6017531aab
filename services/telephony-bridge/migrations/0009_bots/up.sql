-- A call to a bot has the bot; its `from_number` is the caller's, empty when they hide it.
ALTER TABLE dial_attempts ADD COLUMN bot_id UUID;
-- Many people may ring one bot at the same time.
DROP INDEX one_live_call_per_number;
CREATE UNIQUE INDEX one_live_call_per_number ON dial_attempts (project_id, to_number)
    WHERE live AND answers_call_id IS NULL AND bot_id IS NULL;

-- Turns of calls to bots that have been opened, so that a request whose address names no turn finds the open one; with the
-- carrier's mark of that request, by which a repeat is known.
CREATE TABLE bot_turns (
    attempt_id UUID NOT NULL,
    turn       INTEGER NOT NULL,
    token      TEXT,
    PRIMARY KEY (attempt_id, turn)
);
