-- A call that came in has the call that it answers; its `from_number` is the customer's.
ALTER TABLE dial_attempts ADD COLUMN answers_call_id UUID;
-- A customer who rings back while we ring them is answered all the same.
DROP INDEX one_live_call_per_number;
CREATE UNIQUE INDEX one_live_call_per_number ON dial_attempts (project_id, to_number) WHERE live AND answers_call_id IS NULL;
CREATE INDEX dial_attempts_between ON dial_attempts (to_number, from_number, created_at);
