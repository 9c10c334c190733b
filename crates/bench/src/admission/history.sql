-- A desk's past, from the one row of the temporary table `history`: sends at even distances to contacts in turns.
-- One text for both databases.

-- The desk: its number at the highest level, its cap on.
UPDATE numbers SET level = 3, level_entered_at = (SELECT begins_at FROM history), throughput = 1000;
UPDATE chatbots SET active_messages_enabled = TRUE, cap_enabled = TRUE, cap_sends = 3;

-- The contacts, each with a phone and known to the chatbot.
INSERT INTO contacts (name, phone, tags, created_at, lock_version)
WITH RECURSIVE person (i) AS (
    SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM person, history WHERE i < people
)
SELECT 'Contact ' || i, '+3519' || (10000000 + i), '', begins_at, 0 FROM person, history;
INSERT INTO contact_identities (contact_id, kind, scope, value, reachable, created_at)
SELECT id, 'phone', '', phone, 'reachable', created_at FROM contacts;
INSERT INTO chatbot_contacts (chatbot_id, contact_id, first_contact_at, last_agent_id, last_channel_id)
SELECT chatbot, id, created_at, agent, channel FROM contacts, history;

-- A third of them wrote once, long ago, and their tickets are closed.
INSERT INTO session_windows (channel_id, contact_id, last_inbound_at)
SELECT channel, id, begins_at FROM contacts, history WHERE id % 3 = 0;
INSERT INTO tickets (protocol, chatbot_id, contact_id, channel_id, agent_id, state, opened_at, assigned_at,
    closed_at, closed_by, last_message_at, unread)
SELECT 'P' || id, chatbot, id, channel, agent, 'closed', begins_at, begins_at, begins_at, agent, begins_at, 0
FROM contacts, history WHERE id % 3 = 0;

-- The sends. The factor and the number of contacts have no common divisor, so that all take their turn;
-- the callback ids lie in no order, as random ones do.
INSERT INTO messages (chatbot_id, channel_id, contact_id, agent_id, direction, kind, body, folded, payload,
    provider_id, callback_id, state, occurred_at, created_at)
WITH RECURSIVE send (i) AS (
    SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM send, history WHERE i < sends
)
SELECT chatbot, channel, (SELECT min(id) FROM contacts) + i * 7919 % people, agent, 'out', 'template',
    'Hello, how are you?', 'hello, how are you?', '{}', 'wamid.' || i, i * 2654435761 % 4294967296 || '-' || (1000000000000000 + i),
    CASE WHEN (sends - i) * (ends_at - begins_at) < sends * day THEN 'read' ELSE 'expired' END,
    ends_at - (sends - i) * (ends_at - begins_at) / sends, ends_at - (sends - i) * (ends_at - begins_at) / sends
FROM send, history;
INSERT INTO decisions (at, chatbot_id, contact_id, agent_id, number_id, policy_id, door, allowed, codes, facts)
SELECT created_at, chatbot, contact_id, agent, number, policy, 'desk', TRUE, '', '{}'
FROM messages, history;
INSERT INTO active_messages (message_id, chatbot_id, number_id, contact_id, agent_id, template_id, variables,
    door, decision_id, state, notification, queued_at, accepted_at, expires_at, expired_at, listed_until,
    counted_at)
SELECT id, chatbot, number, contact_id, agent, template, '{}', 'desk', id, state, TRUE, created_at, created_at,
    created_at + day, CASE WHEN state = 'expired' THEN created_at + day END, created_at + 3 * day, created_at
FROM messages, history;
INSERT INTO idempotency_keys (owner, idempotency_key, body_hash, result, created_at)
SELECT 'user:' || agent, callback_id, callback_id, id || ' ' || contact_id || ' ' || id, created_at
FROM messages, history WHERE created_at > ends_at - day;

-- What they count for: the latest send to each contact in a week, the counters and their cursors.
INSERT INTO recipient_window (number_id, contact_id, counted_at)
SELECT number, contact_id, max(counted_at) FROM active_messages, history
WHERE counted_at > ends_at - 7 * day GROUP BY number, contact_id;
UPDATE numbers SET
    day_expired_through = (SELECT ends_at - day FROM history),
    counted_day = (SELECT count(*) FROM recipient_window, history WHERE counted_at > ends_at - day),
    week_expired_through = (SELECT ends_at - 7 * day FROM history),
    counted_week = (SELECT count(*) FROM recipient_window, history WHERE counted_at > ends_at - 7 * day);
