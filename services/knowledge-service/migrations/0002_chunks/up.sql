-- What each app knows, cut into what can be found.
CREATE TABLE apps (
    id         TEXT PRIMARY KEY NOT NULL,
    generation BIGINT NOT NULL                      -- rises with every change of what the app knows
);
CREATE TABLE chunks (
    source_id UUID NOT NULL REFERENCES sources (id),
    number    INTEGER NOT NULL,                     -- from 0
    app_id    TEXT NOT NULL,                        -- the tenant
    heading   TEXT NOT NULL,                        -- the title and the headings that it stands under
    text      TEXT NOT NULL,
    PRIMARY KEY (source_id, number)
);
CREATE INDEX chunks_of_app ON chunks (app_id, source_id, number);
ALTER TABLE sources ADD COLUMN updated_at TIMESTAMPTZ;
ALTER TABLE sources ADD COLUMN chunk_count INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sources_of_app ON sources (app_id, id);
