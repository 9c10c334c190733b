-- What someone searched for on a page: addresses carry the id, never the words.
CREATE TABLE searches (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id BIGINT NOT NULL REFERENCES users (id),
    typed TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    UNIQUE (owner_id, typed)
);
CREATE INDEX searches_by_use ON searches (used_at);

-- The text without case and accents, for search; written with the text.
ALTER TABLE messages ADD COLUMN folded TEXT NOT NULL DEFAULT '';

-- Previews are tidied by age.
CREATE INDEX media_previews_by_age ON media_previews (created_at);
