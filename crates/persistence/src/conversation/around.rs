//! What stands around the text of a message: what it holds besides, which message it answers, what was put on it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::{ChannelId, MessageId, TicketId, UserId};

use super::{ConversationId, people::names};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    message::{self, Payload},
    reaction::{self, Reaction},
    schema::messages,
};

/// What stands around the text of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Around {
    /// What it holds besides its text.
    pub payload: Payload,
    /// Which message it answers; `None` when it answers none.
    pub quoted: Option<Quoted>,
    /// What was put on it, the contact's first.
    pub reactions: Vec<Reaction>,
    /// When it was rewritten last; `None` when it says what it said.
    pub edited_at: Option<DateTime<Utc>>,
    /// What it said before it was rewritten, each since when; oldest first.
    pub earlier: Vec<(DateTime<Utc>, String)>,
    /// When its sender took it back: of what it said nothing is kept.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The channel whose platform knows it, so that it can be answered there; `None` for one that no platform took.
    pub known_on: Option<ChannelId>,
    links: Links,
}

/// A message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quoted {
    /// One of this conversation.
    Known {
        /// Which.
        id: MessageId,
        /// Whether we wrote it.
        is_ours: bool,
        /// Who of us.
        agent: Option<(UserId, String)>,
        /// What it is: `text`, `image` and so on.
        kind: String,
        /// Its text; empty where it has none, or it was taken back.
        body: String,
        /// Whether its sender took it back.
        is_revoked: bool,
    },
    /// One that is not kept here, or not to be seen by whoever looks.
    Unknown,
}

/// How the platform knows the message and the one it answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Links {
    message: i64,
    channel: i64,
    provider_id: Option<String>,
    quoted: Option<String>,
}

/// The columns of a message that [`Around`] is made of.
#[derive(Queryable)]
pub(super) struct AroundRow {
    id: i64,
    channel_id: i64,
    provider_id: Option<String>,
    quoted_provider_id: Option<String>,
    payload: String,
    edited_at: Option<Instant>,
    revoked_at: Option<Instant>,
}

pub(super) type AroundColumns = (
    messages::id,
    messages::channel_id,
    messages::provider_id,
    messages::quoted_provider_id,
    messages::payload,
    messages::edited_at,
    messages::revoked_at,
);

pub(super) fn around_columns() -> AroundColumns {
    (
        messages::id,
        messages::channel_id,
        messages::provider_id,
        messages::quoted_provider_id,
        messages::payload,
        messages::edited_at,
        messages::revoked_at,
    )
}

impl AroundRow {
    /// Without what [`add_links`] looks for.
    pub(super) fn read(self) -> Result<Around, PersistenceError> {
        Ok(Around {
            payload: Payload::from_column(&self.payload)?,
            quoted: None,
            reactions: Vec::new(),
            edited_at: self.edited_at.map(DateTime::from),
            earlier: Vec::new(),
            revoked_at: self.revoked_at.map(DateTime::from),
            known_on: self.provider_id.as_ref().map(|_| ChannelId(self.channel_id)),
            links: Links {
                message: self.id,
                channel: self.channel_id,
                provider_id: self.provider_id,
                quoted: self.quoted_provider_id,
            },
        })
    }
}

/// Adds the messages that are answered and the reactions, in a constant number of queries. A quoted message of
/// another conversation, or of the ticket `hidden`, is not told.
pub(super) fn add_links<'a>(
    db: &mut Db,
    conversation: ConversationId,
    hidden: Option<TicketId>,
    messages: impl Iterator<Item = &'a mut Around>,
) -> Result<(), PersistenceError> {
    let mut around: Vec<&mut Around> = messages.collect();
    let mut channels: Vec<i64> = around.iter().map(|one| one.links.channel).collect();
    channels.sort_unstable();
    channels.dedup();
    let names: Vec<&str> =
        around.iter().filter_map(|one| one.links.provider_id.as_deref()).collect();
    let reactions = reaction::list_on(db, &channels, &names)?;
    let quoted: Vec<&str> = around.iter().filter_map(|one| one.links.quoted.as_deref()).collect();
    let quoted = find_quoted(db, conversation, hidden, &channels, &quoted)?;
    let edited = around.iter().filter(|one| one.edited_at.is_some() && one.revoked_at.is_none());
    let mut earlier = message::list_earlier(db, edited.map(|one| one.links.message).collect())?;
    for one in &mut around {
        one.earlier = earlier.remove(&one.links.message).unwrap_or_default();
        let key = |name: &String| (one.links.channel, name.clone());
        let put = one.links.provider_id.as_ref().and_then(|name| reactions.get(&key(name)));
        let answered = one
            .links
            .quoted
            .as_ref()
            .map(|name| quoted.get(&key(name)).cloned().unwrap_or(Quoted::Unknown));
        one.reactions = put.cloned().unwrap_or_default();
        one.quoted = answered;
    }
    Ok(())
}

#[derive(Queryable)]
struct QuotedRow {
    id: i64,
    channel_id: i64,
    provider_id: Option<String>,
    ticket_id: Option<i64>,
    agent_id: Option<i64>,
    direction: String,
    kind: String,
    body: String,
    revoked_at: Option<Instant>,
}

/// The messages of `conversation` that the platform knows by `provider_ids`. Served by the index on
/// `(channel_id, provider_id)`.
fn find_quoted(
    db: &mut Db,
    conversation: ConversationId,
    hidden: Option<TicketId>,
    channels: &[i64],
    provider_ids: &[&str],
) -> Result<BTreeMap<(i64, String), Quoted>, PersistenceError> {
    if provider_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<QuotedRow> = messages::table
        .filter(messages::channel_id.eq_any(channels))
        .filter(messages::provider_id.eq_any(provider_ids))
        .filter(messages::chatbot_id.eq(conversation.chatbot.0))
        .filter(messages::contact_id.eq(conversation.contact.0))
        .select((
            messages::id,
            messages::channel_id,
            messages::provider_id,
            messages::ticket_id,
            messages::agent_id,
            messages::direction,
            messages::kind,
            messages::body,
            messages::revoked_at,
        ))
        .load(db)?;
    let may_be_seen = |row: &QuotedRow| hidden.is_none_or(|hidden| row.ticket_id != Some(hidden.0));
    let rows: Vec<QuotedRow> = rows.into_iter().filter(may_be_seen).collect();
    let people = names(db, rows.iter().filter_map(|row| row.agent_id).collect())?;
    let read = |row: QuotedRow| {
        let agent = row.agent_id.map(UserId);
        let quoted = Quoted::Known {
            id: MessageId(row.id),
            is_ours: row.direction == "out",
            agent: agent.and_then(|id| people.get(&id).map(|name| (id, name.clone()))),
            kind: row.kind,
            body: row.body,
            is_revoked: row.revoked_at.is_some(),
        };
        Some(((row.channel_id, row.provider_id?), quoted))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The message of `conversation` right after `message`, for a page that ends with `message`; `None` when it is the
/// latest, or of another conversation. Served by the index on `(contact_id, occurred_at)`.
///
/// # Errors
/// When the database fails.
pub fn find_message_after(
    db: &mut Db,
    conversation: ConversationId,
    message: MessageId,
) -> Result<Option<MessageId>, PersistenceError> {
    let at: Option<Instant> = messages::table
        .find(message.0)
        .filter(messages::contact_id.eq(conversation.contact.0))
        .select(messages::occurred_at)
        .first(db)
        .optional()?;
    let Some(at) = at else { return Ok(None) };
    let same_instant = messages::occurred_at.eq(at).and(messages::id.gt(message.0));
    let next: Option<i64> = messages::table
        .filter(messages::contact_id.eq(conversation.contact.0))
        .filter(messages::chatbot_id.eq(conversation.chatbot.0))
        .filter(messages::occurred_at.ge(at))
        .filter(messages::occurred_at.gt(at).or(same_instant))
        .order((messages::occurred_at.asc(), messages::id.asc()))
        .select(messages::id)
        .first(db)
        .optional()?;
    Ok(next.map(MessageId))
}
