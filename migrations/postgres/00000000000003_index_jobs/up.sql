-- The jobs look at what is due, never at all there is.
CREATE INDEX active_messages_by_listed ON active_messages (listed_until);
CREATE INDEX webhook_inbox_done ON webhook_inbox (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX job_runs_open ON job_runs (job) WHERE finished_at IS NULL;
CREATE INDEX decisions_by_outcome ON decisions (allowed, at);
CREATE INDEX seen_changes_by_seen ON seen_changes (seen_at);
