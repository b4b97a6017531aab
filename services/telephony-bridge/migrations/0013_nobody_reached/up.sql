-- A person to whom the customer was to be put through was not reached.
ALTER TABLE dial_attempts ADD COLUMN nobody_reached BOOLEAN NOT NULL DEFAULT FALSE;
