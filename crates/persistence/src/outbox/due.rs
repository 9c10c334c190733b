//! The due messages of one channel, read together: as many queries for all of them as for one.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, not},
    prelude::*,
};
use domain::{
    dispatch::OutboxState,
    ids::{ChannelId, ContactId, MessageId},
};

use crate::{
    among::{is_among, is_named_among},
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{active_messages, messages, outbox},
};

/// The states in which a message waits for a worker.
pub(super) fn waiting_states() -> [&'static str; 2] {
    [OutboxState::Queued.as_str(), OutboxState::Held.as_str()]
}

/// A message as the dispatcher sees it.
#[derive(Queryable)]
pub(super) struct DueRow {
    pub message_id: i64,
    pub contact_id: i64,
    pub kind: String,
    pub body: String,
    pub callback_id: Option<String>,
    pub quoted_provider_id: Option<String>,
    pub ticket_id: Option<i64>,
    pub agent_id: Option<i64>,
    pub created_at: Instant,
    pub attempts: i64,
    pub lease_fence: i64,
    /// `None` for a reply.
    pub active: Option<ActiveRow>,
}

/// What only an active message has.
#[derive(Queryable)]
pub(super) struct ActiveRow {
    pub chatbot_id: i64,
    pub template_id: i64,
    pub variables: String,
}

impl DueRow {
    pub(super) fn message(&self) -> MessageId {
        MessageId(self.message_id)
    }

    pub(super) fn contact(&self) -> ContactId {
        ContactId(self.contact_id)
    }
}

/// Due messages of `channel` with nothing earlier for the same contact before them, oldest first, at most `share`.
/// Nobody else claims them until the transaction ends; what another worker is claiming is left out.
pub(super) fn list_due(
    db: &mut Db,
    channel: ChannelId,
    share: usize,
    now: DateTime<Utc>,
) -> Result<Vec<DueRow>, PersistenceError> {
    let limit = i64::try_from(share).unwrap_or(i64::MAX);
    let ids = match db {
        Db::Sqlite(sqlite) => list_due_on_sqlite(sqlite, channel, limit, now)?,
        Db::Postgres(postgres) => lock_due_on_postgres(postgres, channel, limit, now)?,
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = outbox::table
        .inner_join(messages::table.left_join(active_messages::table))
        .filter(is_among(outbox::message_id, ids))
        .order((outbox::due_at.asc(), outbox::message_id.asc()))
        .select((
            outbox::message_id,
            outbox::contact_id,
            messages::kind,
            messages::body,
            messages::callback_id,
            messages::quoted_provider_id,
            messages::ticket_id,
            messages::agent_id,
            messages::created_at,
            outbox::attempts,
            outbox::lease_fence,
            (active_messages::chatbot_id, active_messages::template_id, active_messages::variables)
                .nullable(),
        ))
        .load(db)?;
    Ok(rows)
}

diesel::alias!(outbox as earlier: Earlier);

/// What is due: the same words for both databases.
macro_rules! due_messages {
    ($channel:expr, $limit:expr, $now:expr) => {{
        let before = earlier
            .filter(earlier.field(outbox::channel_id).eq(outbox::channel_id))
            .filter(earlier.field(outbox::contact_id).eq(outbox::contact_id))
            .filter(earlier.field(outbox::message_id).lt(outbox::message_id))
            .filter(earlier.field(outbox::state).ne(OutboxState::Unknown.as_str()));
        outbox::table
            .filter(outbox::channel_id.eq($channel.0))
            .filter(is_named_among(outbox::state, waiting_states()))
            .filter(outbox::due_at.le(Instant::from($now)))
            .filter(not(exists(before)))
            .order((outbox::due_at.asc(), outbox::message_id.asc()))
            .limit($limit)
            .select(outbox::message_id)
    }};
}

/// The transaction holds SQLite's only write lock, so nobody else can be claiming.
fn list_due_on_sqlite(
    sqlite: &mut SqliteConnection,
    channel: ChannelId,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<i64>> {
    due_messages!(channel, limit, now).load(sqlite)
}

/// Locks the rows it finds and passes over those that another worker has locked, instead of waiting.
fn lock_due_on_postgres(
    postgres: &mut PgConnection,
    channel: ChannelId,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<i64>> {
    due_messages!(channel, limit, now).for_update().skip_locked().load(postgres)
}
