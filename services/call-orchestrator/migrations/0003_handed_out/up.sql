-- How many sentences of a turn have been handed to the bridge: the others were never spoken.
ALTER TABLE turns ADD COLUMN handed_out INTEGER NOT NULL DEFAULT 0;
-- Until now everything in a turn that somebody asked for counted as spoken; what is under way stays so.
UPDATE turns SET handed_out = 1000000 WHERE asked_at IS NOT NULL;
