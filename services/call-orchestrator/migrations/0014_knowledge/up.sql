-- Which documents the words of a turn draw from (a list of `{id, title, url}`), and whether it was one whose question nobody could answer.
ALTER TABLE turns ADD COLUMN sources JSONB;
ALTER TABLE turns ADD COLUMN unanswered BOOLEAN NOT NULL DEFAULT FALSE;
