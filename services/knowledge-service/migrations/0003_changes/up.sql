-- What has changed in an app since a generation is asked whenever something has.
CREATE INDEX sources_by_generation ON sources (app_id, generation);
