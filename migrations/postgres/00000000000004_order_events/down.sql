DROP INDEX tickets_by_state;
DROP INDEX tickets_by_closing;
DROP INDEX tickets_by_assignment;

-- What the narrower identity cannot hold goes; of each the first stays.
DELETE FROM early_receipts WHERE id NOT IN (
    SELECT min(id) FROM early_receipts GROUP BY channel_id, provider_id, kind, at
);
DROP INDEX early_receipts_once;
ALTER TABLE early_receipts ADD UNIQUE (channel_id, provider_id, kind, at);
DELETE FROM delivery_events WHERE id NOT IN (
    SELECT min(id) FROM delivery_events GROUP BY message_id, kind, at, source
);
DROP INDEX delivery_events_once;
ALTER TABLE delivery_events ADD UNIQUE (message_id, kind, at, source);

ALTER TABLE message_templates DROP COLUMN status_changed_at;
