-- The webhook of a bot is an endpoint that its project does not see; `secret` is '' there: `targets` has the bot's.
ALTER TABLE endpoints ADD COLUMN business_id UUID;
ALTER TABLE endpoints ADD COLUMN bot_id TEXT;
ALTER TABLE endpoints ADD COLUMN url_at TIMESTAMPTZ;          -- since when a bot's has its address: older calls do not change it
CREATE UNIQUE INDEX endpoints_of_bots ON endpoints (business_id, bot_id) WHERE bot_id IS NOT NULL AND status <> 'deleted';

-- After a rotation the secret before the current one may be good for a while longer.
ALTER TABLE targets ADD COLUMN previous_secret TEXT;          -- sealed like `secret`
ALTER TABLE targets ADD COLUMN previous_until TIMESTAMPTZ;
ALTER TABLE targets ADD COLUMN removed_at TIMESTAMPTZ;        -- its owner is gone, and `secret` is ''
CREATE INDEX targets_removed ON targets (removed_at) WHERE removed_at IS NOT NULL;
