-- The documents of each app. A row is a document that was given to the app; what it says is cut into passages elsewhere.
CREATE TABLE sources (
    id         UUID PRIMARY KEY NOT NULL,
    -- The tenant.
    app_id     TEXT NOT NULL,
    title      TEXT NOT NULL,
    -- Where it came from; NULL for a text that was given without an address.
    url        TEXT,
    -- The app's generation in which this source was last changed: an index of an older generation does not know it.
    generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (app_id, url)
);
