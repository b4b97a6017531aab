-- Who answers the calls to users' own numbers. `id` is what stands behind `bot_…`. An empty text: none.
CREATE TABLE bots (
    id               UUID PRIMARY KEY NOT NULL,
    business_id      UUID NOT NULL,
    goal             TEXT NOT NULL,
    webhook          TEXT NOT NULL,
    context          TEXT NOT NULL,
    language         TEXT NOT NULL,
    voice            TEXT NOT NULL,
    greeting         TEXT NOT NULL,
    transfer_number  TEXT NOT NULL,
    knowledge_app_id TEXT NOT NULL,
    status           TEXT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL
);
CREATE INDEX bots_of_business ON bots (business_id, id);
