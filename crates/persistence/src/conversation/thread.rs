//! One conversation: with whom, over which channel, how its session stands, and its messages.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{Eq, IntoBoxed, LeftJoin, LeftJoinOn},
    prelude::*,
};
use domain::{
    active_message::ActiveMessageState,
    channel::ChannelKind,
    delivery::{Failure, MessageState},
    ids::{ChannelId, MessageId, TicketId, UserId},
    phone::PhoneNumber,
    policy::{Policy, SessionWindowPolicy},
    session_window::SessionState,
    template::{FilledContent, VariableName, VariableValues},
};

use super::{
    Access, Around, ConversationId, Held, MessageFailure, OpenTicketRow, SentMedia,
    around::{self, AroundRow, around_columns},
    find_access, held, media,
    people::{Policies, names, read_phone},
};
use crate::{
    channel::read_kind,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    media::MessageFile,
    message_template,
    number::count,
    schema::{
        active_messages, channels, chatbot_contacts, chatbots, contacts, message_templates,
        messages, session_windows, tickets,
    },
    user::Actor,
};

/// A conversation with the latest of its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    /// Which.
    pub conversation: ConversationId,
    /// The contact's name; empty when unknown.
    pub name: String,
    /// The contact's number; `None` for people known by another identity.
    pub phone: Option<PhoneNumber>,
    /// The chatbot's name.
    pub chatbot: String,
    /// Over which channel it goes on; `None` while there was none.
    pub channel: Option<(ChannelId, ChannelKind)>,
    /// How the session stands there.
    pub session: SessionState,
    /// Below this many minutes it is at risk (SW-03).
    pub risk_alert_minutes: u32,
    /// The platform policy the window follows (SW-08); `None` where there is no window.
    pub window_policy: Option<SessionWindowPolicy>,
    /// What is open, if it is theirs to see.
    pub ticket: Option<OpenTicketRow>,
    /// Who serves it or for whom it waits, by name.
    pub ticket_agent: Option<(UserId, String)>,
    /// Whether another agent serves the contact, of which nothing is shown.
    pub is_served_elsewhere: bool,
    /// Oldest first.
    pub messages: Vec<ThreadMessage>,
    /// Whether there are older ones.
    pub has_earlier: bool,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The contact.
    Contact,
    /// We did.
    Ours {
        /// The agent; `None` for a program.
        agent: Option<(UserId, String)>,
        /// How far it came.
        state: MessageState,
        /// Why it did not arrive; `None` unless it failed.
        failure: Option<MessageFailure>,
        /// Why it has not left yet; `None` when it has, or nothing keeps it.
        held: Option<Held>,
    },
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadMessage {
    /// Which.
    pub id: MessageId,
    /// Who wrote it.
    pub side: Side,
    /// What it is: `text`, `template`, `image` and so on.
    pub kind: String,
    /// Its text; empty where it has none.
    pub body: String,
    /// The template it was made from.
    pub template: Option<SentTemplate>,
    /// What is kept of the file in the template's header.
    pub media: Option<SentMedia>,
    /// The picture, recording or file that it is.
    pub file: Option<MessageFile>,
    /// How long an answer was awaited in vain; `None` unless it is an active message that expired (LI-04).
    pub unanswered_for: Option<TimeDelta>,
    /// What stands around its text.
    pub around: Around,
    /// When it was written, by the platform's clock where it tells.
    pub at: DateTime<Utc>,
}

/// The template of a message, with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentTemplate {
    /// Its name.
    pub name: String,
    /// Its language, as the platform writes it.
    pub language: String,
    /// What the customer saw.
    pub content: FilledContent,
}

/// The most messages shown at once.
const MOST_MESSAGES: i64 = 200;

#[derive(Queryable)]
struct HeadRow {
    name: String,
    phone: Option<String>,
    chatbot: String,
    risk_alert_minutes: i64,
    last_channel_id: Option<i64>,
}

/// The conversation with its latest messages, or with those before the message `before`.
///
/// # Errors
/// `NotFound` when `actor` may not know of it.
pub fn find_thread(
    db: &mut Db,
    actor: &Actor,
    conversation: ConversationId,
    before: Option<MessageId>,
    now: DateTime<Utc>,
) -> Result<Thread, PersistenceError> {
    let Access { ticket, hidden_ticket } = find_access(db, actor, conversation)?;
    let head: HeadRow = chatbot_contacts::table
        .inner_join(contacts::table)
        .inner_join(chatbots::table)
        .filter(chatbot_contacts::chatbot_id.eq(conversation.chatbot.0))
        .filter(chatbot_contacts::contact_id.eq(conversation.contact.0))
        .select((
            contacts::name,
            contacts::phone,
            chatbots::name,
            chatbots::risk_alert_minutes,
            chatbot_contacts::last_channel_id,
        ))
        .first(db)?;
    let rows = list_messages(db, conversation, hidden_ticket, before)?;
    let channel = ticket.as_ref().map(|ticket| ticket.channel.0);
    let channel = channel.or(head.last_channel_id).or(rows.first().map(|row| row.channel_id));
    let risk_alert_minutes = count("risk_alert_minutes", head.risk_alert_minutes)?;
    let window = find_window(db, conversation, channel, risk_alert_minutes, now)?;
    let holder =
        ticket.as_ref().and_then(|ticket| ticket.holding.agent.or(ticket.holding.only_agent));
    let people = rows.iter().filter_map(|row| row.agent_id).chain(holder.map(|id| id.0)).collect();
    let names = names(db, people)?;
    let policies = Policies::of(db, rows.iter().map(|row| row.channel_id).collect())?;
    let has_earlier = MOST_MESSAGES < i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let shown = usize::try_from(MOST_MESSAGES).unwrap_or(usize::MAX);
    let mut messages = rows
        .into_iter()
        .take(shown)
        .map(|row| Ok((row.agent_id, row.read(&names, &policies, now)?)))
        .collect::<Result<Vec<_>, PersistenceError>>()?;
    messages.reverse();
    media::add_media(db, &mut messages)?;
    let around = messages.iter_mut().map(|(_, message)| &mut message.around);
    around::add_links(db, conversation, hidden_ticket, around)?;
    held::add_reasons(db, &mut messages, now)?;
    let messages = messages.into_iter().map(|(_, message)| message).collect();
    Ok(Thread {
        conversation,
        name: head.name,
        phone: read_phone(head.phone)?,
        chatbot: head.chatbot,
        channel: window.channel,
        session: window.session,
        risk_alert_minutes,
        window_policy: window.policy,
        ticket_agent: holder.and_then(|id| names.get(&id).map(|name| (id, name.clone()))),
        ticket,
        is_served_elsewhere: hidden_ticket.is_some(),
        messages,
        has_earlier,
    })
}

/// The session window of a conversation on the channel it goes on over.
struct Window {
    channel: Option<(ChannelId, ChannelKind)>,
    session: SessionState,
    policy: Option<SessionWindowPolicy>,
}

fn find_window(
    db: &mut Db,
    conversation: ConversationId,
    channel: Option<i64>,
    risk_alert_minutes: u32,
    now: DateTime<Utc>,
) -> Result<Window, PersistenceError> {
    let Some(channel) = channel else {
        let session = SessionState::Closed { since: None };
        return Ok(Window { channel: None, session, policy: None });
    };
    let (kind, last_inbound_at): (String, Option<Instant>) = channels::table
        .left_join(
            session_windows::table.on(session_windows::channel_id
                .eq(channels::id)
                .and(session_windows::contact_id.eq(conversation.contact.0))),
        )
        .filter(channels::id.eq(channel))
        .select((channels::kind, session_windows::last_inbound_at.nullable()))
        .first(db)?;
    let kind = read_kind(&kind)?;
    let policies = Policies::of(db, vec![channel])?;
    let last_inbound_at = last_inbound_at.map(DateTime::from);
    Ok(Window {
        channel: Some((ChannelId(channel), kind)),
        session: policies.session(channel, kind, last_inbound_at, risk_alert_minutes, now),
        policy: policies.get(channel).session_window(kind).cloned(),
    })
}

#[derive(Queryable)]
struct MessageRow {
    id: i64,
    channel_id: i64,
    agent_id: Option<i64>,
    direction: String,
    kind: String,
    body: String,
    state: String,
    failure_code: Option<String>,
    failure_title: Option<String>,
    occurred_at: Instant,
    around: AroundRow,
    send: Option<SendRow>,
    template: Option<(String, String, String)>,
}

/// What an active message is besides its message.
#[derive(Queryable)]
struct SendRow {
    variables: String,
    state: String,
    queued_at: Instant,
    accepted_at: Option<Instant>,
    expires_at: Instant,
}

impl SendRow {
    /// How it stands at `now`, which its message does not tell by itself.
    fn state_at(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<ActiveMessageState, PersistenceError> {
        let stored = ActiveMessageState::parse(&self.state).ok_or_else(|| {
            PersistenceError::unreadable("active_messages", "state", self.state.as_str())
        })?;
        let (queued_at, expires_at) = (self.queued_at.into(), self.expires_at.into());
        Ok(stored.at(queued_at, expires_at, &policy.active_messages, now))
    }

    fn awaited_for(&self) -> TimeDelta {
        DateTime::from(self.expires_at) - DateTime::from(self.accepted_at.unwrap_or(self.queued_at))
    }
}

/// The latest first, one more than is shown; without reactions, which stand on other messages. Served by the index on `(contact_id, occurred_at)`.
fn list_messages(
    db: &mut Db,
    conversation: ConversationId,
    hidden_ticket: Option<TicketId>,
    before: Option<MessageId>,
) -> Result<Vec<MessageRow>, PersistenceError> {
    let mut query = with_templates()
        .filter(messages::contact_id.eq(conversation.contact.0))
        .filter(messages::chatbot_id.eq(conversation.chatbot.0))
        .filter(messages::kind.ne("reaction"));
    if let Some(hidden) = hidden_ticket {
        query = query.filter(
            messages::ticket_id.is_null().or(messages::ticket_id.assume_not_null().ne(hidden.0)),
        );
    }
    if let Some(before) = before {
        let at: Instant = messages::table
            .find(before.0)
            .filter(messages::contact_id.eq(conversation.contact.0))
            .select(messages::occurred_at)
            .first(db)?;
        let same_instant = messages::occurred_at.eq(at).and(messages::id.lt(before.0));
        query = query.filter(messages::occurred_at.lt(at).or(same_instant));
    }
    let latest_first = (messages::occurred_at.desc(), messages::id.desc());
    load_messages(db, query.order(latest_first).limit(MOST_MESSAGES + 1))
}

type Messages = IntoBoxed<
    'static,
    LeftJoinOn<
        LeftJoin<messages::table, active_messages::table>,
        message_templates::table,
        Eq<active_messages::template_id, message_templates::id>,
    >,
    <Db as Connection>::Backend,
>;

/// Messages with the templates they were made from. The joins stand side by side: one inside the other
/// makes SQLite read all active messages first.
fn with_templates() -> Messages {
    let its_template = active_messages::template_id.eq(message_templates::id);
    messages::table
        .left_join(active_messages::table)
        .left_join(message_templates::table.on(its_template))
        .into_boxed()
}

fn load_messages(db: &mut Db, query: Messages) -> Result<Vec<MessageRow>, PersistenceError> {
    let rows = query
        .select((
            messages::id,
            messages::channel_id,
            messages::agent_id,
            messages::direction,
            messages::kind,
            messages::body,
            messages::state,
            messages::failure_code,
            messages::failure_title,
            messages::occurred_at,
            around_columns(),
            (
                active_messages::variables,
                active_messages::state,
                active_messages::queued_at,
                active_messages::accepted_at,
                active_messages::expires_at,
            )
                .nullable(),
            (message_templates::name, message_templates::language, message_templates::components)
                .nullable(),
        ))
        .load(db)?;
    Ok(rows)
}

/// `message` as its thread shows it at `now`, without the name of who sent it.
///
/// # Errors
/// `NotFound` when there is none.
pub(crate) fn get_message(
    db: &mut Db,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<ThreadMessage, PersistenceError> {
    let query = with_templates().filter(messages::id.eq(message.0));
    let row = load_messages(db, query)?.pop().ok_or(PersistenceError::NotFound)?;
    let policies = Policies::of(db, vec![row.channel_id])?;
    let mut found = [(row.agent_id, row.read(&BTreeMap::new(), &policies, now)?)];
    media::add_media(db, &mut found)?;
    held::add_reasons(db, &mut found, now)?;
    let [(_, message)] = found;
    Ok(message)
}

impl MessageRow {
    fn read(
        self,
        names: &BTreeMap<UserId, String>,
        policies: &Policies,
        now: DateTime<Utc>,
    ) -> Result<ThreadMessage, PersistenceError> {
        let policy = policies.get(self.channel_id);
        let sent = self.send.as_ref().map(|send| send.state_at(policy, now)).transpose()?;
        let is_too_late = sent == Some(ActiveMessageState::Failed);
        let side = if self.direction == "out" {
            let agent = self.agent_id.map(UserId);
            let state = MessageState::parse(&self.state).ok_or_else(|| {
                PersistenceError::unreadable("messages", "state", self.state.as_str())
            })?;
            // Not sent in time, though no job has noted it yet (LI-04, LI-08).
            let failure = |code: String, title| {
                Some(MessageFailure { code, title, at: None, template_paused_until: None })
            };
            let (state, failure) = match state {
                MessageState::Sending if is_too_late => {
                    let code = Failure::NotSentInTime.code().to_owned();
                    (MessageState::Failed, failure(code, None))
                }
                MessageState::Failed => {
                    (state, failure(self.failure_code.unwrap_or_default(), self.failure_title))
                }
                MessageState::Sending
                | MessageState::Sent
                | MessageState::Delivered
                | MessageState::Read => (state, None),
            };
            let agent = agent.and_then(|id| names.get(&id).map(|name| (id, name.clone())));
            Side::Ours { agent, state, failure, held: None }
        } else {
            Side::Contact
        };
        let has_expired = sent == Some(ActiveMessageState::Expired);
        let unanswered_for = self.send.as_ref().filter(|_| has_expired).map(SendRow::awaited_for);
        let template = match (self.template, self.send) {
            (Some(template), Some(send)) => Some(read_template(template, &send.variables)?),
            _ => None,
        };
        Ok(ThreadMessage {
            id: MessageId(self.id),
            side,
            kind: self.kind,
            body: self.body,
            template,
            media: None,
            file: None,
            unanswered_for,
            around: self.around.read()?,
            at: self.occurred_at.into(),
        })
    }
}

pub(super) fn read_template(
    (name, language, components): (String, String, String),
    variables: &str,
) -> Result<SentTemplate, PersistenceError> {
    let values: BTreeMap<String, String> = serde_json::from_str(variables).map_err(|error| {
        PersistenceError::unreadable("active_messages", "variables", error.to_string())
    })?;
    let values: VariableValues =
        values.into_iter().map(|(name, value)| (VariableName(name), value)).collect();
    let content = message_template::read_content(&components)?.fill(&values);
    Ok(SentTemplate { name, language, content })
}

/// A ticket that is closed, as the side panel lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierTicket {
    /// Its number for people.
    pub protocol: String,
    /// When it was closed.
    pub closed_at: DateTime<Utc>,
    /// Who closed it; `None` when a rule did.
    pub closed_by: Option<String>,
}

/// The latest closed tickets of a conversation, five at most, the latest first.
///
/// Served by the index on `(contact_id, opened_at)`.
pub(super) fn list_earlier_tickets(
    db: &mut Db,
    conversation: ConversationId,
) -> Result<Vec<EarlierTicket>, PersistenceError> {
    const MOST: i64 = 5;
    let rows: Vec<(String, Option<Instant>, Instant, Option<i64>)> = tickets::table
        .filter(tickets::contact_id.eq(conversation.contact.0))
        .filter(tickets::chatbot_id.eq(conversation.chatbot.0))
        .filter(tickets::state.eq("closed"))
        .order((tickets::opened_at.desc(), tickets::id.desc()))
        .limit(MOST)
        .select((tickets::protocol, tickets::closed_at, tickets::opened_at, tickets::closed_by))
        .load(db)?;
    let names = names(db, rows.iter().filter_map(|row| row.3).collect())?;
    let read = |(protocol, closed_at, opened_at, closed_by): (
        _,
        Option<Instant>,
        Instant,
        Option<i64>,
    )| {
        EarlierTicket {
            protocol,
            closed_at: closed_at.unwrap_or(opened_at).into(),
            closed_by: closed_by.and_then(|id| names.get(&UserId(id)).cloned()),
        }
    };
    Ok(rows.into_iter().map(read).collect())
}
