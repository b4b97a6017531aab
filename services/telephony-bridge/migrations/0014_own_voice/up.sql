-- How own words were spoken, so that the same request gets the same document: the language (BCP-47) and the carrier's name for the
-- voice; NULL where the carrier's own was used.
ALTER TABLE own_words ADD COLUMN language TEXT;
ALTER TABLE own_words ADD COLUMN voice TEXT;
