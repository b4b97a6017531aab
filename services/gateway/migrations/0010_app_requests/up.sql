-- How many requests of each kind an app has had in the hour that it was last asked in. Without a foreign key: what is counted while
-- the app goes is forgotten with the hour.
CREATE TABLE app_requests (
    app_id   UUID NOT NULL,
    kind     TEXT NOT NULL,                         -- query, ingest, handover
    hour     BIGINT NOT NULL,                       -- hours since 1970
    requests BIGINT NOT NULL,
    PRIMARY KEY (app_id, kind)
);
CREATE INDEX app_requests_by_age ON app_requests (hour);
