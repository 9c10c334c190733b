//! The tab *Sent*: the agent's own sends, one row for each contact (LI-05, LI-08).

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    fold::fold,
    ids::{ChatbotId, ContactId, MessageId},
    phone::PhoneNumber,
    policy::SessionWindowPolicy,
    session_window::SessionState,
};

use super::{
    ConversationId,
    people::{Policies, Search, read_phone},
};
use crate::{
    channel::read_kind,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    number::count,
    schema::{active_messages, channels, chatbots, contacts, messages, session_windows},
    user::Actor,
};

/// A contact the agent wrote to, with the sends that are still listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// The conversation it opens.
    pub conversation: ConversationId,
    /// The contact's name; empty when unknown.
    pub name: String,
    /// The contact's number; `None` for people known by another identity.
    pub phone: Option<PhoneNumber>,
    /// The chatbot's name.
    pub chatbot: String,
    /// How the contact's session stands.
    pub session: SessionState,
    /// Below this many minutes it is at risk.
    pub risk_alert_minutes: u32,
    /// The platform policy the window follows (SW-08); `None` where there is no window.
    pub window_policy: Option<SessionWindowPolicy>,
    /// The latest send; its state is the row's.
    pub latest: SentMessage,
    /// Those before it, the latest first.
    pub earlier: Vec<SentMessage>,
}

/// One of the agent's own sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// Which.
    pub message: MessageId,
    /// The text, variables filled in.
    pub body: String,
    /// How it stands, judged by the instant and not by when the job ran.
    pub state: ActiveMessageState,
    /// Why it failed; `None` unless it did.
    pub failure_code: Option<String>,
    /// When it was triggered.
    pub at: DateTime<Utc>,
    /// When it expires, or did.
    pub expires_at: DateTime<Utc>,
    /// Until when, exclusive, it is listed.
    pub listed_until: DateTime<Utc>,
}

/// The most sends a tab is built from: 72 h of one agent's.
const MOST_SENDS: i64 = 1_000;

#[derive(Queryable)]
struct Row {
    message_id: i64,
    chatbot_id: i64,
    contact_id: i64,
    channel_id: i64,
    state: String,
    queued_at: Instant,
    expires_at: Instant,
    listed_until: Instant,
    body: String,
    failure_code: Option<String>,
    name: String,
    phone: Option<String>,
    kind: String,
    chatbot: String,
    risk_alert_minutes: i64,
    last_inbound_at: Option<Instant>,
}

/// The sends of `actor` that are listed at `now` and were not answered, one row for each contact, the
/// latest send first. Sends from a ticket are not among them (SW-09).
///
/// Served by the index on `(agent_id, listed_until)`.
///
/// # Errors
/// When the database fails.
pub fn list_sent(
    db: &mut Db,
    actor: &Actor,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<Vec<SentRow>, PersistenceError> {
    let search = Search::of(db, actor, typed)?;
    let rows = read_sends(db, actor, None, now)?;
    Ok(rows.into_iter().filter(|row| search.as_ref().is_none_or(|it| is_found(row, it))).collect())
}

/// The row of `conversation` in [`list_sent`]; `None` when it has none.
///
/// # Errors
/// When the database fails.
pub fn find_sent(
    db: &mut Db,
    actor: &Actor,
    conversation: ConversationId,
    now: DateTime<Utc>,
) -> Result<Option<SentRow>, PersistenceError> {
    Ok(read_sends(db, actor, Some(conversation), now)?.pop())
}

/// The rows of all conversations, or of `only` one.
fn read_sends(
    db: &mut Db,
    actor: &Actor,
    only: Option<ConversationId>,
    now: DateTime<Utc>,
) -> Result<Vec<SentRow>, PersistenceError> {
    let mut sends = active_messages::table
        .inner_join(messages::table.inner_join(channels::table))
        .inner_join(contacts::table)
        .inner_join(chatbots::table)
        .left_join(
            session_windows::table.on(session_windows::channel_id
                .eq(messages::channel_id)
                .and(session_windows::contact_id.eq(active_messages::contact_id))),
        )
        .filter(active_messages::agent_id.eq(actor.id().0))
        .filter(active_messages::listed_until.gt(Instant::from(now)))
        .filter(active_messages::state.ne(ActiveMessageState::Replied.as_str()))
        .filter(active_messages::chatbot_id.eq_any(actor.chatbot_ids()))
        .filter(messages::ticket_id.is_null())
        .into_boxed();
    if let Some(ConversationId { chatbot, contact }) = only {
        sends = sends
            .filter(active_messages::contact_id.eq(contact.0))
            .filter(active_messages::chatbot_id.eq(chatbot.0));
    }
    // In the order of the index; nearly the order wanted.
    let mut rows: Vec<Row> = sends
        .order((active_messages::listed_until.desc(), active_messages::message_id.desc()))
        .limit(MOST_SENDS)
        .select((
            active_messages::message_id,
            active_messages::chatbot_id,
            active_messages::contact_id,
            messages::channel_id,
            active_messages::state,
            active_messages::queued_at,
            active_messages::expires_at,
            active_messages::listed_until,
            messages::body,
            messages::failure_code,
            contacts::name,
            contacts::phone,
            channels::kind,
            chatbots::name,
            chatbots::risk_alert_minutes,
            session_windows::last_inbound_at.nullable(),
        ))
        .load(db)?;
    rows.sort_unstable_by_key(|row| Reverse((row.queued_at, row.message_id)));
    let policies = Policies::of(db, rows.iter().map(|row| row.channel_id).collect())?;
    let mut order = Vec::new();
    let mut by_contact: BTreeMap<ConversationId, SentRow> = BTreeMap::new();
    for row in rows {
        let conversation = ConversationId {
            chatbot: ChatbotId(row.chatbot_id),
            contact: ContactId(row.contact_id),
        };
        let sent = read_sent(&row, policies.get(row.channel_id), now)?;
        if let Some(known) = by_contact.get_mut(&conversation) {
            known.earlier.push(sent);
            continue;
        }
        let risk_alert_minutes = count("risk_alert_minutes", row.risk_alert_minutes)?;
        let kind = read_kind(&row.kind)?;
        let session = policies.session(
            row.channel_id,
            kind,
            row.last_inbound_at.map(DateTime::from),
            risk_alert_minutes,
            now,
        );
        order.push(conversation);
        by_contact.insert(
            conversation,
            SentRow {
                conversation,
                name: row.name,
                chatbot: row.chatbot,
                phone: read_phone(row.phone)?,
                session,
                risk_alert_minutes,
                window_policy: policies.get(row.channel_id).session_window(kind).cloned(),
                latest: sent,
                earlier: Vec::new(),
            },
        );
    }
    let rows = order.into_iter().filter_map(|conversation| by_contact.remove(&conversation));
    Ok(rows.collect())
}

/// Whether a row's contact or one of its texts is what was typed.
fn is_found(row: &SentRow, search: &Search) -> bool {
    let mut texts = std::iter::once(&row.latest).chain(&row.earlier).map(|sent| &sent.body);
    search.contacts.contains(&row.conversation.contact.0)
        || texts.any(|text| fold(text).contains(&search.folded))
}

/// How many contacts [`list_sent`] has rows for.
///
/// # Errors
/// When the database fails.
pub(super) fn count_sent(
    db: &mut Db,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<u32, PersistenceError> {
    let contacts: Vec<(i64, i64)> = active_messages::table
        .inner_join(messages::table)
        .filter(active_messages::agent_id.eq(actor.id().0))
        .filter(active_messages::listed_until.gt(Instant::from(now)))
        .filter(active_messages::state.ne(ActiveMessageState::Replied.as_str()))
        .filter(active_messages::chatbot_id.eq_any(actor.chatbot_ids()))
        .filter(messages::ticket_id.is_null())
        .select((active_messages::chatbot_id, active_messages::contact_id))
        .distinct()
        .load(db)?;
    Ok(u32::try_from(contacts.len()).unwrap_or(u32::MAX))
}

fn read_sent(
    row: &Row,
    policy: &domain::policy::Policy,
    now: DateTime<Utc>,
) -> Result<SentMessage, PersistenceError> {
    let at = DateTime::from(row.queued_at);
    let expires_at = DateTime::from(row.expires_at);
    let stored = ActiveMessageState::parse(&row.state).ok_or_else(|| {
        PersistenceError::unreadable("active_messages", "state", row.state.as_str())
    })?;
    let state = stored.at(at, expires_at, &policy.active_messages, now);
    let failure_code = match (state, stored) {
        (ActiveMessageState::Failed, ActiveMessageState::Failed) => row.failure_code.clone(),
        (ActiveMessageState::Failed, _) => {
            Some(domain::delivery::Failure::NotSentInTime.code().to_owned())
        }
        _ => None,
    };
    Ok(SentMessage {
        message: MessageId(row.message_id),
        body: row.body.clone(),
        state,
        failure_code,
        at,
        expires_at,
        listed_until: row.listed_until.into(),
    })
}
