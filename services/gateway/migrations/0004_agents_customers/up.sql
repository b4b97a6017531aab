-- What else is known about a customer, whether an agent could be used in a version, and whose data a kept answer holds.

ALTER TABLE customers ADD COLUMN timezone TEXT;         -- IANA name; absent: the project's
ALTER TABLE customers ADD COLUMN language TEXT;         -- BCP-47 tag; absent: the agent's, else the project's
ALTER TABLE customers ADD COLUMN email TEXT;
ALTER TABLE customers ADD COLUMN consent JSONB;         -- {given, at_ms, source}; absent: nothing is known

ALTER TABLE agent_versions ADD COLUMN status TEXT NOT NULL DEFAULT 'active';  -- active, disabled

ALTER TABLE idempotency_keys ADD COLUMN customer_id UUID;   -- the answer goes with them
CREATE INDEX idempotency_keys_of_customer ON idempotency_keys (customer_id);
