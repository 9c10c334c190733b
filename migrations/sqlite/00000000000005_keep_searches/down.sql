DROP INDEX media_previews_by_age;
ALTER TABLE messages DROP COLUMN folded;
DROP TABLE searches;
