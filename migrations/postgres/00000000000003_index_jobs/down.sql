DROP INDEX seen_changes_by_seen;
DROP INDEX decisions_by_outcome;
DROP INDEX job_runs_open;
DROP INDEX webhook_inbox_done;
DROP INDEX active_messages_by_listed;
