-- Mail that the webhook-dispatcher does not have yet: it goes out exactly if what it tells of was committed.
CREATE TABLE mails (
    id          UUID PRIMARY KEY NOT NULL,
    content     TEXT NOT NULL,                      -- sealed
    send_before TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,                        -- until then it is being passed on, or rests after a failure
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX mails_to_pass_on ON mails (created_at);
