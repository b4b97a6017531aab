-- Who has an account of EchoLink, and with which Twilio account they prove it. The row comes before the carrier is asked, with
-- the id that the project will have: what comes to nothing then can be taken back.
CREATE TABLE connections (
    project_id  UUID PRIMARY KEY NOT NULL,
    email_key   TEXT NOT NULL,                      -- the address in lower case
    account_sid TEXT NOT NULL,
    user_id     UUID REFERENCES users (id),         -- absent: being connected
    business_id UUID REFERENCES businesses (id),
    undo_at     TIMESTAMPTZ                         -- while it is being connected: when it is given up
);
CREATE UNIQUE INDEX connections_once ON connections (email_key, account_sid);
CREATE INDEX connections_to_undo ON connections (undo_at) WHERE undo_at IS NOT NULL;
