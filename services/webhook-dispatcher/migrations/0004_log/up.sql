-- After a rotation the secret before the current one is good for a while longer.
ALTER TABLE endpoints ADD COLUMN previous_secret TEXT;        -- sealed like `secret`
ALTER TABLE endpoints ADD COLUMN previous_until TIMESTAMPTZ;
-- `status` may be `deleted`: seen by nobody, until its log has been cleared away.
CREATE INDEX endpoints_deleted ON endpoints (id) WHERE status = 'deleted';

ALTER TABLE deliveries ADD COLUMN customer_id UUID;           -- whose data is in `payload`; that is '' once they were forgotten
ALTER TABLE deliveries ADD COLUMN manual BOOLEAN NOT NULL DEFAULT FALSE; -- a person asked for the attempt that is due
ALTER TABLE deliveries ADD COLUMN resume_at TIMESTAMPTZ;      -- after which the schedule goes on then
CREATE INDEX deliveries_by_customer ON deliveries (project_id, customer_id) WHERE customer_id IS NOT NULL;
-- The log by event and status: one of them given is a merge over the few values of the other.
CREATE INDEX deliveries_in_log ON deliveries (endpoint_id, event_name, status, id);
