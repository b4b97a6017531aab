-- The carrier's own word for why a call could not be placed.
ALTER TABLE calls ADD COLUMN carrier_code BIGINT;
