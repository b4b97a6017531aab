-- When the status of a number was last known: what a call showed before that changes nothing.
ALTER TABLE phones ADD COLUMN status_at TIMESTAMPTZ;
