-- How long projects that have said so keep what was sent. The others keep it as long as the default says.
CREATE TABLE retentions (
    project_id UUID PRIMARY KEY NOT NULL,
    days       INTEGER NOT NULL,
    version    BIGINT NOT NULL              -- of the project's policy: an older one changes nothing
);
