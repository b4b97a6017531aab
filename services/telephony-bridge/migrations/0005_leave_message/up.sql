-- Whether a message is to be left on a machine: the verdict then waits for the end of its greeting.
ALTER TABLE dial_attempts ADD COLUMN leaves_message BOOLEAN NOT NULL DEFAULT FALSE;
