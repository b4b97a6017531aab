-- Recordings that the carrier has made of calls: which, and how long. The sound stays there.
CREATE TABLE call_recordings (
    call_id          UUID PRIMARY KEY NOT NULL,
    project_id       UUID NOT NULL,
    sid              TEXT NOT NULL,
    duration_seconds INTEGER NOT NULL
);
