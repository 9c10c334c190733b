-- What webhooks speak of, from the one row of the temporary table `past`: contacts, and messages that the platform
-- has just accepted, sent to the contacts in turns. One text for both databases.
UPDATE numbers SET level = 3, level_entered_at = (SELECT at FROM past), throughput = 1000;
UPDATE chatbots SET active_messages_enabled = TRUE;
INSERT INTO contacts (name, phone, tags, created_at, lock_version)
WITH RECURSIVE person (i) AS (
    SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM person, past WHERE i + 1 < people
)
SELECT 'Contact ' || i, '+3519' || (10000000 + i), '', at, 0 FROM person, past;
INSERT INTO contact_identities (contact_id, kind, scope, value, reachable, created_at)
SELECT id, 'phone', '', phone, 'reachable', created_at FROM contacts;
INSERT INTO chatbot_contacts (chatbot_id, contact_id, first_contact_at, last_agent_id, last_channel_id)
SELECT chatbot, id, created_at, agent, channel FROM contacts, past;
INSERT INTO messages (chatbot_id, channel_id, contact_id, agent_id, direction, kind, body, folded, payload,
    provider_id, callback_id, state, occurred_at, created_at)
WITH RECURSIVE send (i) AS (
    SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM send, past WHERE i + 1 < sends
)
SELECT chatbot, channel, (SELECT min(id) FROM contacts) + i % people, agent, 'out', 'template',
    'Hello, how are you?', 'hello, how are you?', '{}', 'wamid.out-' || i, 'callback-' || i, 'sent', at, at
FROM send, past;
INSERT INTO delivery_events (message_id, kind, at, source, received_at)
SELECT id, 'accepted', at, 'dispatcher', at FROM messages, past;
INSERT INTO decisions (at, chatbot_id, contact_id, agent_id, number_id, policy_id, door, allowed, codes, facts)
SELECT created_at, chatbot, contact_id, agent, number, policy, 'desk', TRUE, '', '{}'
FROM messages, past;
INSERT INTO active_messages (message_id, chatbot_id, number_id, contact_id, agent_id, template_id, variables,
    door, decision_id, state, notification, queued_at, accepted_at, expires_at, listed_until, counted_at)
SELECT id, chatbot, number, contact_id, agent, template, '{}', 'desk', id, 'sent', TRUE, created_at, created_at,
    created_at + day, created_at + 3 * day, created_at
FROM messages, past;
INSERT INTO recipient_window (number_id, contact_id, counted_at)
SELECT number, contact_id, max(counted_at) FROM active_messages, past GROUP BY number, contact_id;
UPDATE numbers SET
    day_expired_through = (SELECT at - day FROM past),
    counted_day = (SELECT count(*) FROM recipient_window),
    week_expired_through = (SELECT at - 7 * day FROM past),
    counted_week = (SELECT count(*) FROM recipient_window);
