-- Waits for whoever holds one of these keys, and holds them until the transaction ends. The keys come sorted:
-- whoever holds a later one never waits for an earlier one.
SELECT pg_advisory_xact_lock(key) FROM unnest($1) AS key
