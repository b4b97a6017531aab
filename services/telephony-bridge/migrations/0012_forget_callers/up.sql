-- Somebody who rings a bot is known by their own number alone where the carrier does not say which one they rang.
DROP INDEX dial_attempts_not_blanked;
CREATE INDEX dial_attempts_not_blanked ON dial_attempts (updated_at)
    WHERE state = 'over' AND (to_number <> '' OR from_number <> '');
-- And who hides it too, by what they said.
CREATE INDEX own_words_heard ON own_words (attempt_id) WHERE heard IS NOT NULL;
