-- How a notification is to be dialled: whether it was scheduled, the number it comes from, what a machine hears.
ALTER TABLE notifications ADD COLUMN options JSONB;

-- Pages are newest first by the time of acceptance; each filter leads to its page without a look at other rows.
DROP INDEX notifications_of_project;
CREATE INDEX notifications_newest ON notifications (project_id, created_at, id);
CREATE INDEX notifications_by_status ON notifications (project_id, status, created_at, id);
CREATE INDEX notifications_by_customer ON notifications (project_id, customer_id, created_at, id);
CREATE INDEX notifications_by_agent_and_status ON notifications (project_id, agent_id, status, created_at, id);
CREATE INDEX notifications_by_agent ON notifications (project_id, agent_id, created_at, id);

-- What a project sees of a call: when the carrier had it, and who the carrier believes has picked up.
ALTER TABLE calls ADD COLUMN dialled_at TIMESTAMPTZ;
ALTER TABLE calls ADD COLUMN answered_by TEXT;
