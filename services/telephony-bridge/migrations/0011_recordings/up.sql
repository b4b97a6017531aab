-- Calls that the carrier records; NULL: not. Of a call that came in, the turn, and how often the caller had been asked to wait in it,
-- of the document in which the recording begins; of a call that we dial zeroes, for it begins when somebody picks up.
ALTER TABLE dial_attempts ADD COLUMN records_turn INTEGER;
ALTER TABLE dial_attempts ADD COLUMN records_fill INTEGER;
