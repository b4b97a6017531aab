-- What a call has cost, as far as model and carrier have said: beside the call, because both are told of it at moments of their
-- own. NULL: not known.
CREATE TABLE call_costs (
    call_id     UUID PRIMARY KEY NOT NULL,
    project_id  UUID NOT NULL,
    tokens_in   BIGINT,
    tokens_out  BIGINT,
    cost_micros BIGINT,
    currency    TEXT
);
