-- The project whose carrier a bot's calls come in by. A bot from before there was one answers no calls.
ALTER TABLE bots ADD COLUMN project_id UUID;

-- A row with a bot is what a call to it is for: nobody is rung for it, and its project does not see it among its notifications.
-- Its id is the call's; the bot as it was when the call came in, and what became of its goal, stand in its `options`.
ALTER TABLE notifications ADD COLUMN bot_id UUID;
ALTER TABLE notifications ADD COLUMN business_id UUID;
CREATE INDEX notifications_to_bots ON notifications (business_id, id) WHERE bot_id IS NOT NULL;
CREATE INDEX notifications_to_bot ON notifications (business_id, bot_id, id) WHERE bot_id IS NOT NULL;
-- Pages of notifications pass over none of them.
DROP INDEX notifications_newest;
CREATE INDEX notifications_newest ON notifications (project_id, created_at, id) WHERE bot_id IS NULL;
DROP INDEX notifications_by_status;
CREATE INDEX notifications_by_status ON notifications (project_id, status, created_at, id) WHERE bot_id IS NULL;
CREATE INDEX notifications_of_caller ON notifications (project_id, phone, created_at) WHERE bot_id IS NOT NULL;

-- Calls to bots take no line from the calls that a project makes.
ALTER TABLE calls ADD COLUMN bot_id UUID;
CREATE INDEX calls_to_bot_alive ON calls (bot_id) WHERE ended_at IS NULL AND bot_id IS NOT NULL;
CREATE INDEX calls_by_carrier_sid ON calls (carrier_sid) WHERE carrier_sid IS NOT NULL;
