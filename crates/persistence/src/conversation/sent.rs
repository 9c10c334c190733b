//! The tab *Sent*: the agent's own sends, one row for each contact (LI-05, LI-08).

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{InnerJoinQuerySource, exists, min, not},
    prelude::*,
    sql_types::Bool,
};
use domain::{
    active_message::ActiveMessageState,
    delivery::{Failure, MessageState},
    ids::{ChatbotId, ContactId, MessageId},
    phone::PhoneNumber,
    policy::{Policy, SessionWindowPolicy},
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
    schema::{
        active_messages, channels, chatbots, contacts, message_templates, messages, session_windows,
    },
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

impl SentRow {
    /// All its sends, the latest first.
    pub fn sends(&self) -> impl Iterator<Item = &SentMessage> {
        std::iter::once(&self.latest).chain(&self.earlier)
    }
}

/// One of the agent's own sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// Which.
    pub message: MessageId,
    /// The template's name.
    pub template: String,
    /// Its language, as the platform writes it.
    pub language: String,
    /// The text, variables filled in.
    pub body: String,
    /// How it stands, judged by the instant and not by when the job ran.
    pub state: ActiveMessageState,
    /// How far it came by the receipts, also when it has expired since.
    pub reached: MessageState,
    /// Why it failed; `None` unless it did.
    pub failure_code: Option<String>,
    /// When it was triggered.
    pub at: DateTime<Utc>,
    /// How long an answer is awaited, or was.
    pub awaited_for: TimeDelta,
    /// When it expires, or did.
    pub expires_at: DateTime<Utc>,
    /// Until when, exclusive, it is listed.
    pub listed_until: DateTime<Utc>,
}

/// Rows of the tab, from its first on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPage {
    /// The latest send first.
    pub rows: Vec<SentRow>,
    /// The latest send of the last row, to go on from; `None` when no more rows follow.
    pub more_after: Option<MessageId>,
}

/// The state that ends a row.
const REPLIED: &str = ActiveMessageState::Replied.as_str();

/// How many rows a page goes on by.
const PAGE_ROWS: usize = 100;

type Backend = <Db as Connection>::Backend;
type Sends = InnerJoinQuerySource<active_messages::table, messages::table>;
type Condition = Box<dyn BoxableExpression<Sends, Backend, SqlType = Bool>>;

#[derive(Queryable)]
struct Row {
    send: SendRow,
    /// Text, state, and why it failed.
    message: (String, String, Option<String>),
    /// Name and language.
    template: (String, String),
    /// Name and number.
    contact: (String, Option<String>),
    kind: String,
    /// Name, and below how many minutes a session is at risk.
    chatbot: (String, i64),
    last_inbound_at: Option<Instant>,
}

#[derive(Queryable)]
struct SendRow {
    message_id: i64,
    chatbot_id: i64,
    contact_id: i64,
    channel_id: i64,
    state: String,
    queued_at: Instant,
    accepted_at: Option<Instant>,
    expires_at: Instant,
    listed_until: Instant,
}

/// The sends of `actor` that are listed at `now` and were not answered, one row for each contact, the
/// latest send first: 100 rows, or with `through` all down to that send and 100 more. Sends from a ticket are
/// not among them (SW-09). With something `typed`, the rows whose contact's name or number begins so, or one
/// of whose texts holds it.
///
/// Served by the index on `(agent_id, queued_at, message_id)`, walked no further back than what is listed.
///
/// # Errors
/// When the database fails.
pub fn list_sent(
    db: &mut Db,
    actor: &Actor,
    typed: &str,
    through: Option<MessageId>,
    now: DateTime<Utc>,
) -> Result<SentPage, PersistenceError> {
    let search = Search::of(db, actor, typed)?;
    let Some(earliest) = find_earliest(db, actor, now)? else {
        return Ok(SentPage { rows: Vec::new(), more_after: None });
    };
    let latest = |db: &mut Db, part: Option<Condition>, limit| {
        let mut latest = active_messages::table
            .inner_join(messages::table)
            .into_boxed::<Backend>()
            .filter(listed(actor.id().0, actor.chatbot_ids(), now.into()))
            .filter(active_messages::queued_at.ge(earliest))
            .filter(not(has_later_send(actor, now)));
        if let Some(search) = &search {
            latest = latest.filter(is_found(search, actor, now));
        }
        if let Some(part) = part {
            latest = latest.filter(part);
        }
        if let Some(limit) = limit {
            latest = latest.limit(limit);
        }
        latest
            .order((active_messages::queued_at.desc(), active_messages::message_id.desc()))
            .select((
                active_messages::message_id,
                active_messages::chatbot_id,
                active_messages::contact_id,
            ))
            .load::<(i64, i64, i64)>(db)
    };
    let place = match through {
        Some(through) => find_place(db, actor, through)?,
        None => None,
    };
    let limit = Some(i64::try_from(PAGE_ROWS + 1).unwrap_or(i64::MAX));
    let (mut shown, mut next) = match place {
        Some(place) => {
            let above = latest(db, Some(Box::new(not(is_below(place)))), None)?;
            (above, latest(db, Some(Box::new(is_below(place))), limit)?)
        }
        None => (Vec::new(), latest(db, None, limit)?),
    };
    let has_more = PAGE_ROWS < next.len();
    next.truncate(PAGE_ROWS);
    shown.append(&mut next);
    let more_after = shown.last().filter(|_| has_more).map(|(message, ..)| MessageId(*message));
    let contacts = shown.iter().map(|(_, _, contact)| *contact).collect();
    let mut rows = read_rows(db, actor, contacts, now)?;
    let rows = shown
        .into_iter()
        .filter_map(|(_, chatbot, contact)| {
            let (chatbot, contact) = (ChatbotId(chatbot), ContactId(contact));
            rows.remove(&ConversationId { chatbot, contact })
        })
        .collect();
    Ok(SentPage { rows, more_after })
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
    Ok(read_rows(db, actor, vec![conversation.contact.0], now)?.remove(&conversation))
}

/// When the first of the listed sends was triggered; `None` when none is listed.
///
/// Served by the index on `(agent_id, listed_until)`.
fn find_earliest(
    db: &mut Db,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Option<Instant>, PersistenceError> {
    let earliest = active_messages::table
        .filter(active_messages::agent_id.eq(actor.id().0))
        .filter(active_messages::listed_until.gt(Instant::from(now)))
        .select(min(active_messages::queued_at))
        .first(db)?;
    Ok(earliest)
}

/// Where a send of `actor` stands in the order of the tab; `None` when it is not theirs.
fn find_place(
    db: &mut Db,
    actor: &Actor,
    message: MessageId,
) -> Result<Option<(Instant, i64)>, PersistenceError> {
    let place = active_messages::table
        .filter(active_messages::message_id.eq(message.0))
        .filter(active_messages::agent_id.eq(actor.id().0))
        .select((active_messages::queued_at, active_messages::message_id))
        .first(db)
        .optional()?;
    Ok(place)
}

/// Whether a send stands below `place`.
#[diesel::dsl::auto_type]
fn is_below((at, message): (Instant, i64)) -> _ {
    let earlier = active_messages::queued_at.lt(at);
    let same_instant =
        active_messages::queued_at.eq(at).and(active_messages::message_id.lt(message));
    earlier.or(same_instant)
}

/// What the tab lists of `agent`: their own sends, not answered, not from a ticket, and not over.
#[diesel::dsl::auto_type]
fn listed(agent: i64, chatbots: Vec<i64>, now: Instant) -> _ {
    let is_own = active_messages::agent_id.eq(agent).assume_not_null();
    // The agent's index by trigger is the one to walk: the sums keep SQLite from those by end and by chatbot.
    let is_listed = (active_messages::listed_until + 0_i64).gt(now);
    let replied: &'static str = REPLIED;
    let is_open = active_messages::state.ne(replied);
    let is_in_team = (active_messages::chatbot_id + 0_i64).eq_any(chatbots);
    is_own.and(is_listed).and(is_open).and(is_in_team).and(messages::ticket_id.is_null())
}

/// Whether the same contact has a later send that is listed.
///
/// Served by the index on `(contact_id, chatbot_id, queued_at)`.
fn has_later_send(actor: &Actor, now: DateTime<Utc>) -> Condition {
    let (later, its_message) = diesel::alias!(active_messages as later, messages as its_message);
    let is_later = later.field(active_messages::queued_at).gt(active_messages::queued_at).or(later
        .field(active_messages::queued_at)
        .eq(active_messages::queued_at)
        .and(later.field(active_messages::message_id).gt(active_messages::message_id)));
    let joined = its_message.field(messages::id).eq(later.field(active_messages::message_id));
    Box::new(exists(
        later
            .inner_join(its_message.on(joined))
            .filter(later.field(active_messages::contact_id).eq(active_messages::contact_id))
            .filter(later.field(active_messages::chatbot_id).eq(active_messages::chatbot_id))
            .filter(later.field(active_messages::agent_id).eq(actor.id().0))
            .filter(later.field(active_messages::listed_until).gt(Instant::from(now)))
            .filter(later.field(active_messages::state).ne(REPLIED))
            .filter(its_message.field(messages::ticket_id).is_null())
            .filter(is_later),
    ))
}

/// Whether a row's contact, or the text of one of its sends, is what was typed.
fn is_found(search: &Search, actor: &Actor, now: DateTime<Utc>) -> Condition {
    let (any, any_message) = diesel::alias!(active_messages as any, messages as any_message);
    let joined = any_message.field(messages::id).eq(any.field(active_messages::message_id));
    let holds_text = exists(
        any.inner_join(any_message.on(joined))
            .filter(any.field(active_messages::contact_id).eq(active_messages::contact_id))
            .filter(any.field(active_messages::chatbot_id).eq(active_messages::chatbot_id))
            .filter(any.field(active_messages::agent_id).eq(actor.id().0))
            .filter(any.field(active_messages::listed_until).gt(Instant::from(now)))
            .filter(any.field(active_messages::state).ne(REPLIED))
            .filter(any_message.field(messages::ticket_id).is_null())
            .filter(any_message.field(messages::folded).like(search.pattern()).escape('\\')),
    );
    Box::new(active_messages::contact_id.eq_any(search.contacts.clone()).or(holds_text))
}

/// The rows `of_contacts`, each with all its sends, the latest first; a constant number of queries.
fn read_rows(
    db: &mut Db,
    actor: &Actor,
    of_contacts: Vec<i64>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<ConversationId, SentRow>, PersistenceError> {
    let mut rows: Vec<Row> = active_messages::table
        .inner_join(messages::table)
        .inner_join(contacts::table)
        .inner_join(chatbots::table)
        .inner_join(message_templates::table)
        .inner_join(channels::table.on(channels::id.eq(messages::channel_id)))
        .left_join(
            session_windows::table.on(session_windows::channel_id
                .eq(messages::channel_id)
                .and(session_windows::contact_id.eq(active_messages::contact_id))),
        )
        .filter(listed(actor.id().0, actor.chatbot_ids(), now.into()))
        .filter(active_messages::contact_id.eq_any(of_contacts))
        .select((
            (
                active_messages::message_id,
                active_messages::chatbot_id,
                active_messages::contact_id,
                messages::channel_id,
                active_messages::state,
                active_messages::queued_at,
                active_messages::accepted_at,
                active_messages::expires_at,
                active_messages::listed_until,
            ),
            (messages::body, messages::state, messages::failure_code),
            (message_templates::name, message_templates::language),
            (contacts::name, contacts::phone),
            channels::kind,
            (chatbots::name, chatbots::risk_alert_minutes),
            session_windows::last_inbound_at.nullable(),
        ))
        .load(db)?;
    rows.sort_unstable_by_key(|row| Reverse((row.send.queued_at, row.send.message_id)));
    let policies = Policies::of(db, rows.iter().map(|row| row.send.channel_id).collect())?;
    let mut by_contact: BTreeMap<ConversationId, SentRow> = BTreeMap::new();
    for row in rows {
        let conversation = ConversationId {
            chatbot: ChatbotId(row.send.chatbot_id),
            contact: ContactId(row.send.contact_id),
        };
        let channel = row.send.channel_id;
        let sent = row.read(policies.get(channel), now)?;
        if let Some(known) = by_contact.get_mut(&conversation) {
            known.earlier.push(sent);
            continue;
        }
        let (chatbot, risk_alert_minutes) = row.chatbot;
        let risk_alert_minutes = count("risk_alert_minutes", risk_alert_minutes)?;
        let kind = read_kind(&row.kind)?;
        let last_inbound_at = row.last_inbound_at.map(DateTime::from);
        let session = policies.session(channel, kind, last_inbound_at, risk_alert_minutes, now);
        let (name, phone) = row.contact;
        let row = SentRow {
            conversation,
            name,
            chatbot,
            phone: read_phone(phone)?,
            session,
            risk_alert_minutes,
            window_policy: policies.get(channel).session_window(kind).cloned(),
            latest: sent,
            earlier: Vec::new(),
        };
        by_contact.insert(conversation, row);
    }
    Ok(by_contact)
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
        .filter(active_messages::state.ne(REPLIED))
        .filter(active_messages::chatbot_id.eq_any(actor.chatbot_ids()))
        .filter(messages::ticket_id.is_null())
        .select((active_messages::chatbot_id, active_messages::contact_id))
        .distinct()
        .load(db)?;
    Ok(u32::try_from(contacts.len()).unwrap_or(u32::MAX))
}

impl Row {
    fn read(&self, policy: &Policy, now: DateTime<Utc>) -> Result<SentMessage, PersistenceError> {
        let SendRow { queued_at, accepted_at, expires_at, listed_until, .. } = self.send;
        let (at, expires_at) = (DateTime::from(queued_at), DateTime::from(expires_at));
        let (body, reached, failure_code) = &self.message;
        let (template, language) = &self.template;
        let stored = ActiveMessageState::parse(&self.send.state).ok_or_else(|| {
            PersistenceError::unreadable("active_messages", "state", self.send.state.as_str())
        })?;
        let reached = MessageState::parse(reached)
            .ok_or_else(|| PersistenceError::unreadable("messages", "state", reached.as_str()))?;
        let state = stored.at(at, expires_at, &policy.active_messages, now);
        let failure_code = match (state, stored) {
            (ActiveMessageState::Failed, ActiveMessageState::Failed) => failure_code.clone(),
            (ActiveMessageState::Failed, _) => Some(Failure::NotSentInTime.code().to_owned()),
            _ => None,
        };
        Ok(SentMessage {
            message: MessageId(self.send.message_id),
            template: template.clone(),
            language: language.clone(),
            body: body.clone(),
            state,
            reached,
            failure_code,
            at,
            awaited_for: expires_at - accepted_at.map_or(at, DateTime::from),
            expires_at,
            listed_until: listed_until.into(),
        })
    }
}
