-- The carrier's id of the call that put the customer through to a person: it has a price of its own.
ALTER TABLE dial_attempts ADD COLUMN second_call_sid TEXT;
ALTER TABLE price_checks ADD COLUMN second_call_sid TEXT;
