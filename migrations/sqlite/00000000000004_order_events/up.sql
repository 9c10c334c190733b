-- Since when the platform says a template is in its status: older news must not replace newer.
ALTER TABLE message_templates ADD COLUMN status_changed_at BIGINT;

-- A failure's code is part of what happened: two codes in one second are two events. A code that is absent
-- must still count as the same, so the index holds '' for it. SQLite drops the former constraint with its
-- table only.
CREATE TABLE "delivery_events_new" (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id BIGINT NOT NULL REFERENCES messages (id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    code TEXT,
    title TEXT,
    received_at BIGINT NOT NULL
);
INSERT INTO "delivery_events_new" (id, message_id, kind, at, source, code, title, received_at)
SELECT id, message_id, kind, at, source, code, title, received_at FROM delivery_events;
DROP TABLE delivery_events;
ALTER TABLE "delivery_events_new" RENAME TO delivery_events;
CREATE UNIQUE INDEX delivery_events_once ON delivery_events (message_id, kind, at, source, coalesce(code, ''));

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
    received_at BIGINT NOT NULL
);
INSERT INTO "early_receipts_new"
    (id, channel_id, provider_id, callback_id, kind, at, code, title, class, received_at)
SELECT id, channel_id, provider_id, callback_id, kind, at, code, title, class, received_at FROM early_receipts;
DROP TABLE early_receipts;
ALTER TABLE "early_receipts_new" RENAME TO early_receipts;
CREATE UNIQUE INDEX early_receipts_once ON early_receipts (channel_id, provider_id, kind, at, coalesce(code, ''));
CREATE INDEX early_receipts_by_received ON early_receipts (received_at);

-- Routing asks for an agent's latest tickets and for what waits, never for all there ever was.
CREATE INDEX tickets_by_assignment ON tickets (agent_id, assigned_at);
CREATE INDEX tickets_by_closing ON tickets (agent_id, closed_at);
CREATE INDEX tickets_by_state ON tickets (state, opened_at);
