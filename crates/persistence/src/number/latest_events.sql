SELECT e.number_id, e.at, e.kind, e.detail
-- The latest lines of the history of each number of a chatbot, the latest first; of lines of one instant there may
-- be a few more. $1 is how many lines of each come before the last one that is wanted, $2 the chatbot: SQLite counts
-- placeholders as they come.
FROM channels c
JOIN numbers n ON n.channel_id = c.id
-- Not older than the last one wanted; all of them where there are fewer.
JOIN number_events e ON e.number_id = n.id AND e.at >= coalesce((
    SELECT o.at FROM number_events o
    WHERE o.number_id = n.id
    ORDER BY o.at DESC, o.id DESC
    LIMIT 1 OFFSET $1
), 0)
WHERE c.chatbot_id = $2
ORDER BY e.number_id, e.at DESC, e.id DESC
