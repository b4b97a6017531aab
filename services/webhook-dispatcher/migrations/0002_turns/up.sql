-- An endpoint that keeps failing has one attempt in flight at most, and takes turns with the others that do.
ALTER TABLE endpoints ADD COLUMN turn_at TIMESTAMPTZ;     -- when it is its turn; null while nothing waits in its lane
ALTER TABLE endpoints ADD COLUMN lease_until TIMESTAMPTZ; -- whose turn it is: until then nobody else's attempt
UPDATE endpoints SET turn_at = (
    SELECT MIN(next_retry_at) FROM deliveries
    WHERE deliveries.endpoint_id = endpoints.id AND lane = 'slow' AND next_retry_at IS NOT NULL
);
CREATE INDEX endpoints_by_turn ON endpoints (turn_at) WHERE turn_at IS NOT NULL;
