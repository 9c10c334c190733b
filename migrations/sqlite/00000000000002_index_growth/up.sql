-- Growth lists all sends, the latest first, also those of one agent.
CREATE INDEX active_messages_by_queued ON active_messages (queued_at, message_id);
CREATE INDEX active_messages_by_agent_queued ON active_messages (agent_id, queued_at, message_id);
