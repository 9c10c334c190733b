-- Since when the platform says a template is in its status: older news must not replace newer.
ALTER TABLE message_templates ADD COLUMN status_changed_at BIGINT;

-- A failure's code is part of what happened: two codes in one second are two events. A code that is absent
-- must still count as the same, so the index holds '' for it.
ALTER TABLE delivery_events DROP CONSTRAINT delivery_events_message_id_kind_at_source_key;
CREATE UNIQUE INDEX delivery_events_once ON delivery_events (message_id, kind, at, source, coalesce(code, ''));
ALTER TABLE early_receipts DROP CONSTRAINT early_receipts_channel_id_provider_id_kind_at_key;
CREATE UNIQUE INDEX early_receipts_once ON early_receipts (channel_id, provider_id, kind, at, coalesce(code, ''));

-- Routing asks for an agent's latest tickets and for what waits, never for all there ever was.
CREATE INDEX tickets_by_assignment ON tickets (agent_id, assigned_at);
CREATE INDEX tickets_by_closing ON tickets (agent_id, closed_at);
CREATE INDEX tickets_by_state ON tickets (state, opened_at);
