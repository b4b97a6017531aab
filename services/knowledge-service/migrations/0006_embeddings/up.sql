-- What the chunks of each source mean, in numbers, as one model sees them.
CREATE TABLE embeddings (
    source_id UUID PRIMARY KEY NOT NULL REFERENCES sources (id),
    app_id    TEXT NOT NULL,                        -- the tenant
    model     TEXT NOT NULL,                        -- vectors of different models are never compared
    -- One vector for each chunk, in their order: numbers in half precision, the lower byte first; all zeros where there is none.
    vectors   BYTEA NOT NULL
);
-- With which model a source is embedded; NULL: with none yet.
ALTER TABLE sources ADD COLUMN embedded_with TEXT;
ALTER TABLE sources ADD COLUMN lease_until TIMESTAMPTZ;
CREATE INDEX sources_to_embed ON sources (id) WHERE embedded_with IS NULL;
-- How much meaning counts against words in an app (0-1), for which model, and how many chunks it had when that was found out.
ALTER TABLE apps ADD COLUMN weight DOUBLE PRECISION;
ALTER TABLE apps ADD COLUMN weighed_with TEXT;
ALTER TABLE apps ADD COLUMN weighed_chunks BIGINT NOT NULL DEFAULT 0;
