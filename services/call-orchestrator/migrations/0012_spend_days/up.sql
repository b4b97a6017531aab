-- What calls have cost, by project, day (UTC) on which they ended, and currency: different ones are never added up. Until now all
-- were taken for one; carriers say USD unless an account is billed otherwise. The column of `usage_days` is not read any more; it
-- stays for replicas of before.
CREATE TABLE spend_days (
    project_id  UUID NOT NULL,
    day         TEXT NOT NULL,
    currency    TEXT NOT NULL,
    cost_micros BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, currency)
);
INSERT INTO spend_days (project_id, day, currency, cost_micros)
    SELECT project_id, day, 'USD', cost_micros FROM usage_days WHERE cost_micros IS NOT NULL;
