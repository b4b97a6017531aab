-- A message that the bus did not take waits by itself: until when (NULL: not at all), how often it was tried, and why.
ALTER TABLE outbox ADD COLUMN due_at TIMESTAMPTZ;
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN reason TEXT;
