DROP INDEX tickets_by_state;
DROP INDEX tickets_by_closing;
DROP INDEX tickets_by_assignment;

-- What the narrower identity cannot hold goes; of each the first stays.
CREATE TABLE "early_receipts_new" (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    provider_id TEXT NOT NULL,
    callback_id TEXT,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT,
    title TEXT,
    class TEXT,
    received_at BIGINT NOT NULL,
    UNIQUE (channel_id, provider_id, kind, at)
);
INSERT INTO "early_receipts_new"
    (id, channel_id, provider_id, callback_id, kind, at, code, title, class, received_at)
SELECT id, channel_id, provider_id, callback_id, kind, at, code, title, class, received_at FROM early_receipts
WHERE id IN (SELECT min(id) FROM early_receipts GROUP BY channel_id, provider_id, kind, at);
DROP TABLE early_receipts;
ALTER TABLE "early_receipts_new" RENAME TO early_receipts;
CREATE INDEX early_receipts_by_received ON early_receipts (received_at);

CREATE TABLE "delivery_events_new" (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id BIGINT NOT NULL REFERENCES messages (id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    code TEXT,
    title TEXT,
    received_at BIGINT NOT NULL,
    UNIQUE (message_id, kind, at, source)
);
INSERT INTO "delivery_events_new" (id, message_id, kind, at, source, code, title, received_at)
SELECT id, message_id, kind, at, source, code, title, received_at FROM delivery_events
WHERE id IN (SELECT min(id) FROM delivery_events GROUP BY message_id, kind, at, source);
DROP TABLE delivery_events;
ALTER TABLE "delivery_events_new" RENAME TO delivery_events;

ALTER TABLE message_templates DROP COLUMN status_changed_at;
