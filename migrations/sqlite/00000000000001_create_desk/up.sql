-- Instants are milliseconds since 1970 in UTC. Enums are short words. Flags are BOOLEAN.

-- The workspace: one row, id 1.
CREATE TABLE workspace (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    language TEXT NOT NULL,
    -- How often an operator said that a clock is right after it jumped.
    clock_confirmations BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Data keys, each wrapped by the key-encryption key named beside it.
CREATE TABLE data_keys (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- Limits as versioned data: a body is never changed, a new version is a new row.
CREATE TABLE policies (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    profile TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (profile, version)
);

CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    language TEXT,
    time_zone TEXT,
    status TEXT NOT NULL,
    max_tickets BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Permissions that hold for the whole workspace.
CREATE TABLE workspace_permissions (
    user_id BIGINT NOT NULL REFERENCES users (id),
    permission TEXT NOT NULL,
    PRIMARY KEY (user_id, permission)
);

-- Database sessions of the web pages; only the hash of the token is kept.
CREATE TABLE sessions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    form_token TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE chatbots (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    active_messages_enabled BOOLEAN NOT NULL,
    cap_enabled BOOLEAN NOT NULL,
    cap_sends BIGINT NOT NULL,
    cap_scope TEXT NOT NULL,
    direct_transfer BOOLEAN NOT NULL,
    distribution TEXT NOT NULL,
    release_after_minutes BIGINT,
    all_day_service BOOLEAN NOT NULL,
    quiet_hours_enabled BOOLEAN NOT NULL,
    risk_alert_minutes BIGINT NOT NULL,
    read_marks BOOLEAN NOT NULL,
    settings_changed_at BIGINT,
    settings_changed_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL
);

-- Weekly frames in which writing is allowed; weekday 1 is Monday, minutes of the day, end exclusive.
CREATE TABLE quiet_hours_frames (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    weekday BIGINT NOT NULL,
    opens_minute BIGINT NOT NULL,
    closes_minute BIGINT NOT NULL
);
CREATE INDEX quiet_hours_frames_by_chatbot ON quiet_hours_frames (chatbot_id);

-- Who belongs to a chatbot's team, with the role shown and the permissions held. An absent member's tickets
-- go by the normal rules.
CREATE TABLE memberships (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id),
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    role TEXT NOT NULL,
    absent_since BIGINT,
    UNIQUE (user_id, chatbot_id)
);
CREATE INDEX memberships_by_chatbot ON memberships (chatbot_id);
CREATE TABLE membership_permissions (
    membership_id BIGINT NOT NULL REFERENCES memberships (id),
    permission TEXT NOT NULL,
    PRIMARY KEY (membership_id, permission)
);

CREATE TABLE presences (
    user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    presence TEXT NOT NULL,
    since BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    streaming BOOLEAN NOT NULL,
    stream_lost_at BIGINT
);

CREATE TABLE queues (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX queues_by_chatbot ON queues (chatbot_id);
CREATE TABLE queue_agents (
    queue_id BIGINT NOT NULL REFERENCES queues (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    PRIMARY KEY (queue_id, user_id)
);
CREATE INDEX queue_agents_by_user ON queue_agents (user_id);

-- One connection to a platform. Secrets are sealed (see data_keys). calls_rest_until is when the account may ask
-- for lists and numbers again, after the platform said that it asked too much.
CREATE TABLE channels (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    external_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    api_base_url TEXT NOT NULL,
    access_token BLOB NOT NULL,
    app_secret BLOB NOT NULL,
    verify_token BLOB NOT NULL,
    connected BOOLEAN NOT NULL,
    credentials_failing_since BIGINT,
    calls_rest_until BIGINT,
    webhook_verified_at BIGINT,
    last_webhook_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, external_id)
);
CREATE INDEX channels_by_chatbot ON channels (chatbot_id);
CREATE INDEX channels_by_account ON channels (account_id);

-- A WhatsApp phone number: its rating, the clocks of its standing, its level, and the exact
-- count of its recipients: rows of recipient_window with counted_at > *_expired_through. What the platform
-- says stands beside its own instant (*_at): older news replaces nothing newer. Where the platform told it to stop,
-- with all or with templates alone, the rest stays when it is over, so that the next one is longer; slow_until is
-- when it may go on after the platform called it too fast.
CREATE TABLE numbers (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL UNIQUE REFERENCES channels (id),
    phone TEXT NOT NULL,
    policy_id BIGINT NOT NULL REFERENCES policies (id),
    level BIGINT NOT NULL,
    level_entered_at BIGINT NOT NULL,
    rating TEXT NOT NULL,
    rating_since BIGINT NOT NULL,
    standing TEXT NOT NULL,
    low_since BIGINT,
    not_low_since BIGINT,
    platform_status TEXT NOT NULL,
    platform_restricted_until BIGINT,
    platform_rating TEXT,
    platform_limit BIGINT,
    platform_limit_at BIGINT,
    platform_read_at BIGINT,
    throughput BIGINT NOT NULL,
    throughput_at BIGINT,
    paused_since BIGINT,
    paused_until BIGINT,
    pause_code TEXT,
    templates_paused_since BIGINT,
    templates_paused_until BIGINT,
    templates_pause_code TEXT,
    slow_until BIGINT,
    counted_day BIGINT NOT NULL,
    day_expired_through BIGINT NOT NULL,
    counted_week BIGINT NOT NULL,
    week_expired_through BIGINT NOT NULL,
    lock_version BIGINT NOT NULL
);

-- What the platform last said of a number besides: its name, a ban, a review, each by its own instant. detail is JSON.
CREATE TABLE number_statements (
    number_id BIGINT NOT NULL REFERENCES numbers (id),
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (number_id, kind)
) WITHOUT ROWID;

-- What the platform forbids a number for a time, or without an end while until is NULL. A row whose lifted_at is
-- set forbids nothing; it stays, so that nothing older forbids it again.
CREATE TABLE number_restrictions (
    number_id BIGINT NOT NULL REFERENCES numbers (id),
    kind TEXT NOT NULL,
    until BIGINT,
    remediation TEXT,
    at BIGINT NOT NULL,
    lifted_at BIGINT,
    PRIMARY KEY (number_id, kind)
) WITHOUT ROWID;

-- The history of a number; detail is JSON.
CREATE TABLE number_events (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    number_id BIGINT NOT NULL REFERENCES numbers (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX number_events_by_number ON number_events (number_id, at);

CREATE TABLE contacts (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    phone TEXT,
    language TEXT,
    time_zone TEXT,
    responsible_agent_id BIGINT REFERENCES users (id),
    marketing_opt_in_at BIGINT,
    marketing_opt_in_source TEXT,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    lock_version BIGINT NOT NULL
);

-- Folded words of name and phone, for search by word beginnings.
CREATE TABLE contact_words (
    word TEXT NOT NULL,
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    PRIMARY KEY (word, contact_id)
) WITHOUT ROWID;
CREATE INDEX contact_words_by_contact ON contact_words (contact_id);

-- How a contact is reached. Phones are in canonical form with scope ''; other kinds name their scope.
-- reachable_at is the platform's instant of what reachable says; NULL when the platform said nothing yet.
-- left_at is since when the contact goes by another one: whoever writes from it then is someone else.
CREATE TABLE contact_identities (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    reachable TEXT NOT NULL,
    reachable_at BIGINT,
    left_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, scope, value)
);
CREATE INDEX contact_identities_by_contact ON contact_identities (contact_id);

-- What happened to a contact, other than messages: a changed number, a wish told to the platform. detail is JSON.
CREATE TABLE contact_events (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX contact_events_by_contact ON contact_events (contact_id, at);

-- What a chatbot knows of a contact; without a row the contact is not this chatbot's.
CREATE TABLE chatbot_contacts (
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    first_contact_at BIGINT NOT NULL,
    last_agent_id BIGINT REFERENCES users (id),
    last_channel_id BIGINT REFERENCES channels (id),
    PRIMARY KEY (chatbot_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX chatbot_contacts_by_contact ON chatbot_contacts (contact_id);

CREATE TABLE opt_outs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    lifted_at BIGINT,
    lifted_source TEXT,
    lifted_reason TEXT
);
CREATE INDEX opt_outs_by_contact ON opt_outs (contact_id);

CREATE TABLE session_windows (
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    last_inbound_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX session_windows_by_contact ON session_windows (contact_id);

-- One row per template and language of a platform account. status_changed_at is since when the platform says
-- it is in its status: older news must not replace newer; so do the other *_changed_at for what they name.
CREATE TABLE message_templates (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    category TEXT NOT NULL,
    status TEXT NOT NULL,
    paused_until BIGINT,
    parameter_format TEXT NOT NULL,
    components TEXT NOT NULL,
    quality TEXT,
    synced_at BIGINT NOT NULL,
    gone_at BIGINT,
    status_changed_at BIGINT,
    quality_changed_at BIGINT,
    category_changed_at BIGINT,
    components_changed_at BIGINT,
    upcoming_category TEXT,
    upcoming_category_from BIGINT,
    UNIQUE (account_id, name, language)
);

CREATE TABLE tickets (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    protocol TEXT NOT NULL UNIQUE,
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    queue_id BIGINT REFERENCES queues (id),
    agent_id BIGINT REFERENCES users (id),
    only_agent_id BIGINT REFERENCES users (id),
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    assigned_at BIGINT,
    closed_at BIGINT,
    closed_by BIGINT REFERENCES users (id),
    last_message_at BIGINT NOT NULL,
    unread BIGINT NOT NULL
);
CREATE UNIQUE INDEX tickets_one_open ON tickets (chatbot_id, contact_id) WHERE state <> 'closed';
CREATE INDEX tickets_by_agent ON tickets (agent_id, state, last_message_at);
CREATE INDEX tickets_by_chatbot ON tickets (chatbot_id, state, last_message_at);
CREATE INDEX tickets_by_contact ON tickets (contact_id, opened_at);
-- Routing asks for an agent's latest tickets and for what waits, never for all there ever was.
CREATE INDEX tickets_by_assignment ON tickets (agent_id, assigned_at);
CREATE INDEX tickets_by_closing ON tickets (agent_id, closed_at);
CREATE INDEX tickets_by_state ON tickets (state, opened_at);

-- Every message of every conversation, in and out. What the dispatcher keeps of outgoing ones
-- stands in outbox; callback_id is what the platform echoes in its receipts; folded is the body without case
-- and accents, for search. payload is what it holds besides its text. quoted_provider_id is the message of the
-- same channel that it answers. One that was taken back (revoked_at) has neither text nor payload any more.
CREATE TABLE messages (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    ticket_id BIGINT REFERENCES tickets (id),
    agent_id BIGINT REFERENCES users (id),
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    folded TEXT NOT NULL,
    payload TEXT NOT NULL,
    provider_id TEXT,
    quoted_provider_id TEXT,
    callback_id TEXT UNIQUE,
    state TEXT NOT NULL,
    failure_code TEXT,
    failure_title TEXT,
    occurred_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX messages_by_provider_id ON messages (channel_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX messages_by_contact ON messages (contact_id, occurred_at);
CREATE INDEX messages_by_ticket ON messages (ticket_id, occurred_at) WHERE ticket_id IS NOT NULL;

-- What someone did to a message after it was written, by the platform's name of it: also of one that is not
-- known yet, while message_id is NULL. kind is edit or revocation, or original for what it said at first.
CREATE TABLE message_changes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    provider_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    message_id BIGINT REFERENCES messages (id),
    kind TEXT NOT NULL,
    message_kind TEXT NOT NULL,
    body TEXT NOT NULL,
    payload TEXT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE (channel_id, provider_id, change_id)
);
CREATE INDEX message_changes_by_message ON message_changes (message_id, at) WHERE message_id IS NOT NULL;
CREATE INDEX message_changes_waiting ON message_changes (received_at) WHERE message_id IS NULL;

-- What each side last put on a message, by the platform's name of it: also on one that is not known yet.
-- An empty emoji took it back; its row stays, so that nothing older comes back.
CREATE TABLE reactions (
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    provider_id TEXT NOT NULL,
    side TEXT NOT NULL,
    agent_id BIGINT REFERENCES users (id),
    emoji TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, provider_id, side)
) WITHOUT ROWID;

-- Outgoing messages the dispatcher still has to do with: queued, held, leased, unknown.
CREATE TABLE outbox (
    message_id INTEGER NOT NULL PRIMARY KEY REFERENCES messages (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    lease_token TEXT,
    lease_fence BIGINT NOT NULL,
    lease_until BIGINT,
    reason TEXT
);
CREATE INDEX outbox_by_due ON outbox (state, due_at);
CREATE INDEX outbox_by_channel ON outbox (channel_id, state, due_at);
CREATE INDEX outbox_by_pair ON outbox (contact_id, channel_id, message_id);

-- Who sends, by process: those seen lately share the throughput of every number.
CREATE TABLE dispatchers (
    owner TEXT NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- What the platform is told besides messages: that one was read, that someone types. The latest of a kind stands
-- for all before it, is tried once, and stays a while so that it is not told too often.
CREATE TABLE signals (
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    kind TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    taken_at BIGINT,
    PRIMARY KEY (channel_id, contact_id, kind)
) WITHOUT ROWID;
CREATE INDEX signals_waiting ON signals (requested_at) WHERE taken_at IS NULL;
CREATE INDEX signals_taken ON signals (taken_at) WHERE taken_at IS NOT NULL;

CREATE TABLE attempts (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id BIGINT NOT NULL REFERENCES messages (id),
    fence BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    outcome TEXT,
    code TEXT,
    detail TEXT,
    UNIQUE (message_id, fence)
);

-- The append-only log a message's state is folded from. A failure's code is part of what happened: two codes
-- in one second are two events, and one that is absent counts as ''. pricing is what the platform charges, if told.
CREATE TABLE delivery_events (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id BIGINT NOT NULL REFERENCES messages (id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    code TEXT,
    title TEXT,
    pricing TEXT,
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX delivery_events_once ON delivery_events (message_id, kind, at, source, coalesce(code, ''));

-- Receipts that came before the message they speak of was known.
CREATE TABLE early_receipts (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    provider_id TEXT NOT NULL,
    callback_id TEXT,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT,
    title TEXT,
    class TEXT,
    pricing TEXT,
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX early_receipts_once ON early_receipts (channel_id, provider_id, kind, at, coalesce(code, ''));
CREATE INDEX early_receipts_by_received ON early_receipts (received_at);

-- A message with which an agent starts a conversation. state is the fold shown on pages.
CREATE TABLE active_messages (
    message_id INTEGER NOT NULL PRIMARY KEY REFERENCES messages (id),
    chatbot_id BIGINT NOT NULL REFERENCES chatbots (id),
    number_id BIGINT NOT NULL REFERENCES numbers (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    agent_id BIGINT REFERENCES users (id),
    token_id BIGINT REFERENCES api_tokens (id),
    template_id BIGINT NOT NULL REFERENCES message_templates (id),
    variables TEXT NOT NULL,
    door TEXT NOT NULL,
    decision_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    notification BOOLEAN NOT NULL,
    queued_at BIGINT NOT NULL,
    accepted_at BIGINT,
    replied_at BIGINT,
    given_back_at BIGINT,
    expires_at BIGINT NOT NULL,
    expired_at BIGINT,
    listed_until BIGINT NOT NULL,
    counted_at BIGINT
);
CREATE INDEX active_messages_by_cap ON active_messages (contact_id, chatbot_id, queued_at);
CREATE INDEX active_messages_by_agent ON active_messages (agent_id, listed_until);
CREATE INDEX active_messages_by_expiry ON active_messages (state, expires_at);
CREATE INDEX active_messages_by_chatbot ON active_messages (chatbot_id, queued_at);
CREATE INDEX active_messages_by_counted ON active_messages (number_id, counted_at);
CREATE INDEX active_messages_by_recipient ON active_messages (number_id, contact_id, counted_at);
-- Growth lists all sends, the latest first, also those of one agent.
CREATE INDEX active_messages_by_queued ON active_messages (queued_at, message_id);
CREATE INDEX active_messages_by_agent_queued ON active_messages (agent_id, queued_at, message_id);
-- Jobs look at what is due, never at all there is.
CREATE INDEX active_messages_by_listed ON active_messages (listed_until);

-- Latest counted notification of each contact on each number; rows live 168 h.
CREATE TABLE recipient_window (
    number_id BIGINT NOT NULL REFERENCES numbers (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    counted_at BIGINT NOT NULL,
    PRIMARY KEY (number_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX recipient_window_by_instant ON recipient_window (number_id, counted_at);

CREATE TABLE decisions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    chatbot_id BIGINT NOT NULL,
    contact_id BIGINT,
    agent_id BIGINT,
    number_id BIGINT,
    policy_id BIGINT NOT NULL,
    door TEXT NOT NULL,
    allowed BOOLEAN NOT NULL,
    codes TEXT NOT NULL,
    until BIGINT,
    facts TEXT NOT NULL
);
CREATE INDEX decisions_by_at ON decisions (at);
CREATE INDEX decisions_by_contact ON decisions (contact_id, at);
CREATE INDEX decisions_by_outcome ON decisions (allowed, at);

CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, idempotency_key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_created ON idempotency_keys (created_at);

-- Raw signed webhooks, durable before the platform gets its 200.
CREATE TABLE webhook_inbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    done_at BIGINT
);
CREATE INDEX webhook_inbox_open ON webhook_inbox (id) WHERE done_at IS NULL;
CREATE INDEX webhook_inbox_done ON webhook_inbox (done_at) WHERE done_at IS NOT NULL;

-- Changes that are neither messages nor receipts, by the hash of the change.
CREATE TABLE seen_changes (
    channel_id BIGINT NOT NULL,
    hash TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, hash)
) WITHOUT ROWID;
CREATE INDEX seen_changes_by_seen ON seen_changes (seen_at);

-- What the platform told and this program has no use for, one row for each kind: how often, since when, and the
-- latest as it came. known says whether the protocol names it.
CREATE TABLE kept_events (
    kind TEXT NOT NULL PRIMARY KEY,
    known BOOLEAN NOT NULL,
    seen BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    latest TEXT NOT NULL
);

-- Elements that could not be applied, kept with the reason.
CREATE TABLE quarantined_events (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    inbox_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    element TEXT NOT NULL,
    error TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX quarantined_events_by_inbox ON quarantined_events (inbox_id);

-- The timetable as the schedulers run it, for the portal. run_requested_at is a press of *Run now*;
-- passed_over_at is the latest occurrence that nobody was there for until it was of no use any more.
CREATE TABLE jobs (
    name TEXT NOT NULL PRIMARY KEY,
    schedule TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    next_run_at BIGINT,
    run_requested_at BIGINT,
    passed_over_at BIGINT
);

CREATE TABLE job_leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE job_runs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    scheduled_for BIGINT NOT NULL,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    rows_touched BIGINT,
    error TEXT,
    UNIQUE (job, scheduled_for)
);
CREATE INDEX job_runs_by_start ON job_runs (job, started_at);
CREATE INDEX job_runs_open ON job_runs (job) WHERE finished_at IS NULL;

-- Media files as found behind the address an agent typed: fetched once, shown from here, kept for a day.
CREATE TABLE media_previews (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id BIGINT NOT NULL REFERENCES users (id),
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    bytes BLOB,
    created_at BIGINT NOT NULL
);
CREATE INDEX media_previews_by_owner ON media_previews (owner_id, created_at);
CREATE INDEX media_previews_by_age ON media_previews (created_at);

-- The picture, recording or file of a message: in, fetched from the platform in the background; out, chosen by an
-- agent and handed to the platform before its message may go. message_id is NULL until an agent sends it. due_at is
-- when it is to be fetched or handed over, and while someone is at it, when another may try; attempts fences them.
-- take names the chunks that count; link is where a file lies of which only the address is sent.
CREATE TABLE media (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    message_id BIGINT REFERENCES messages (id) ON DELETE CASCADE,
    uploaded_by BIGINT REFERENCES users (id),
    kind TEXT NOT NULL,
    name TEXT,
    told_type TEXT,
    told_sha256 TEXT,
    platform_id TEXT,
    platform_until BIGINT,
    link TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    content_type TEXT,
    size BIGINT,
    width BIGINT,
    height BIGINT,
    small BLOB,
    take BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX media_by_message ON media (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX media_by_due ON media (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX media_unsent ON media (created_at) WHERE message_id IS NULL;

-- The bytes of a file, in parts of equal length but the last. They are in the database because it is all that the
-- processes of a desk share.
CREATE TABLE media_chunks (
    media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    take BIGINT NOT NULL,
    part BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (media_id, take, part)
);

-- What someone searched for on a page: addresses carry the id, never the words.
CREATE TABLE searches (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id BIGINT NOT NULL REFERENCES users (id),
    typed TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    UNIQUE (owner_id, typed)
);
CREATE INDEX searches_by_use ON searches (used_at);
