-- What calls have cost, by project, day (UTC) on which they ended, and currency: different ones are never added up, and XTS is
-- nobody's money. The column of `usage_days` is not read any more; it stays for replicas of before.
CREATE TABLE spend_days (
    project_id  UUID NOT NULL,
    day         TEXT NOT NULL,
    currency    TEXT NOT NULL,
    cost_micros BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, currency)
);
INSERT INTO spend_days (project_id, day, currency, cost_micros)
    SELECT calls.project_id, substr(CAST(calls.ended_at AS TEXT), 1, 10), currency, CAST(SUM(call_costs.cost_micros) AS BIGINT)
    FROM call_costs JOIN calls ON calls.id = call_costs.call_id
    WHERE call_costs.cost_micros IS NOT NULL AND currency IS NOT NULL AND currency <> 'XTS' AND calls.ended_at IS NOT NULL
    GROUP BY 1, 2, 3;
-- Which summaries are due of each project.
CREATE INDEX notifications_to_summarise_by_project ON notifications (project_id, updated_at) WHERE summary_due;
