//! Open tickets as rows of the desk: the tab *In progress*, one row alone, and how many there are.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*, sql_types::Bool};
use domain::{
    channel::ChannelKind,
    ids::{ChatbotId, ContactId, TicketId, UserId},
    permission::Permission,
    phone::PhoneNumber,
    policy::SessionWindowPolicy,
    session_window::SessionState,
    ticket::TicketState,
};

use super::{
    ConversationId,
    access::ticket_meant,
    people::{Policies, Search, names, read_phone},
    sent,
};
use crate::{
    channel::read_kind,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    number::count,
    queue,
    schema::{channels, chatbots, contacts, messages, session_windows, tickets},
    user::Actor,
};

/// Which open tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketTab {
    /// Nobody serves them yet.
    Waiting,
    /// Being served.
    InProgress,
}

/// How many rows each tab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TabCounts {
    /// Tickets nobody serves yet.
    pub waiting: u32,
    /// Tickets being served.
    pub in_progress: u32,
    /// Contacts with own sends that wait for an answer or ended without one.
    pub sent: u32,
}

/// One open ticket, as a row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// The conversation it opens.
    pub conversation: ConversationId,
    /// The ticket.
    pub ticket: TicketId,
    /// Its number for people (RO-11).
    pub protocol: String,
    /// The contact's name; empty when unknown.
    pub name: String,
    /// The contact's number; `None` for people known by another identity.
    pub phone: Option<PhoneNumber>,
    /// How the contact's session stands.
    pub session: SessionState,
    /// Below this many minutes it is at risk.
    pub risk_alert_minutes: u32,
    /// The platform policy the window follows (SW-08); `None` where there is no window.
    pub window_policy: Option<SessionWindowPolicy>,
    /// When it was opened: since when it waits, while nobody serves it.
    pub opened_at: DateTime<Utc>,
    /// The latest message; `None` when the ticket has none of its own.
    pub last: Option<LastMessage>,
    /// When it was written.
    pub last_message_at: DateTime<Utc>,
    /// Messages of the contact nobody has looked at.
    pub unread: u32,
    /// Who serves it, with name.
    pub agent: Option<(UserId, String)>,
    /// For whom alone it waits, with name (RO-02).
    pub reserved_for: Option<(UserId, String)>,
}

/// The latest message of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastMessage {
    /// Whether we wrote it.
    pub is_ours: bool,
    /// Which agent wrote it; `None` for the contact and for programs.
    pub agent: Option<UserId>,
    /// What it is: `text`, `template`, `image` and so on.
    pub kind: String,
    /// Its text; empty where it has none.
    pub body: String,
}

/// The most rows *In progress* shows; the rest is found by search.
const MOST_ROWS: i64 = 100;

type Backend = <Db as diesel::Connection>::Backend;
pub(super) type Condition = Box<dyn BoxableExpression<tickets::table, Backend, SqlType = Bool>>;

/// The tickets of `tab` that `actor` may see: with *see all tickets* every one of the chatbot, else those
/// they serve, those that wait for them alone, and those that wait for anyone in queues they serve.
fn visible(db: &mut Db, actor: &Actor, tab: TicketTab) -> Result<Condition, PersistenceError> {
    let all = ids(actor.chatbots_where(Permission::SeeAllTickets));
    let (own, state) = match tab {
        TicketTab::InProgress => (served_by(actor), TicketState::InProgress),
        TicketTab::Waiting => (takeable_by(db, actor)?, TicketState::Waiting),
    };
    if all.is_empty() {
        return Ok(own);
    }
    let every = tickets::chatbot_id.eq_any(all).and(tickets::state.eq(state.as_str()));
    Ok(Box::new(own.or(every)))
}

/// The tickets that `actor` serves.
pub(super) fn served_by(actor: &Actor) -> Condition {
    // The agent's index is the one to walk: the sum keeps SQLite from the chatbots'.
    Box::new(
        tickets::agent_id
            .eq(actor.id().0)
            .assume_not_null()
            .and((tickets::chatbot_id + 0).eq_any(ids(actor.chatbots())))
            .and(tickets::state.eq(TicketState::InProgress.as_str())),
    )
}

/// The waiting tickets that are for `actor` to take.
pub(super) fn takeable_by(db: &mut Db, actor: &Actor) -> Result<Condition, PersistenceError> {
    let is_for = is_for(db, actor)?;
    Ok(Box::new(
        tickets::chatbot_id
            .eq_any(ids(actor.chatbots()))
            .and(tickets::state.eq(TicketState::Waiting.as_str()))
            .and(is_for),
    ))
}

/// Whether a waiting ticket is for `actor`: for them alone, or for anyone in queues they serve.
pub(super) fn is_for(db: &mut Db, actor: &Actor) -> Result<Condition, PersistenceError> {
    let served: Vec<i64> = queue::list_served(db, actor.id())?.into_iter().map(|id| id.0).collect();
    let serving = ids(actor.chatbots_where(Permission::ServeTickets));
    let for_me = tickets::only_agent_id
        .is_not_null()
        .and(tickets::only_agent_id.assume_not_null().eq(actor.id().0));
    let in_my_queues = tickets::only_agent_id.is_null().and(
        tickets::queue_id
            .is_not_null()
            .and(tickets::queue_id.assume_not_null().eq_any(served))
            .or(tickets::queue_id.is_null().and(tickets::chatbot_id.eq_any(serving))),
    );
    Ok(Box::new(for_me.or(in_my_queues)))
}

pub(super) fn ids(chatbots: Vec<ChatbotId>) -> Vec<i64> {
    chatbots.into_iter().map(|id| id.0).collect()
}

#[derive(Queryable)]
struct Row {
    id: i64,
    protocol: String,
    chatbot_id: i64,
    contact_id: i64,
    channel_id: i64,
    agent_id: Option<i64>,
    only_agent_id: Option<i64>,
    opened_at: Instant,
    last_message_at: Instant,
    unread: i64,
    name: String,
    phone: Option<String>,
    kind: String,
    risk_alert_minutes: i64,
    last_inbound_at: Option<Instant>,
}

/// The tickets being served that `actor` may see, the latest message first, 100 at most; with something
/// `typed` those whose contact's name or number begins so, whose messages hold it, or whose protocol number
/// it is.
///
/// Served by the indexes on `(agent_id, state, …)` and `(chatbot_id, state, …)`.
///
/// # Errors
/// When the database fails.
pub fn list_in_progress(
    db: &mut Db,
    actor: &Actor,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<Vec<TicketRow>, PersistenceError> {
    let visible = visible(db, actor, TicketTab::InProgress)?;
    let mut wanted = tickets::table.filter(visible).select(tickets::id).into_boxed();
    if let Some(search) = Search::of(db, actor, typed)? {
        wanted = wanted.filter(is_found(&search));
    }
    let latest_first = (tickets::last_message_at.desc(), tickets::id.desc());
    let ids: Vec<i64> = wanted.order(latest_first).limit(MOST_ROWS).load(db)?;
    read_tickets(db, &ids, now)
}

/// Whether a ticket is what was searched for: by its contact, by its number for people, or by a message.
pub(super) fn is_found(search: &Search) -> Condition {
    let holds_text = exists(
        messages::table
            .filter(messages::ticket_id.eq(tickets::id.nullable()))
            .filter(messages::folded.like(search.pattern()).escape('\\')),
    );
    Box::new(
        tickets::contact_id
            .eq_any(search.contacts.clone())
            .or(tickets::id.eq(ticket_meant(&search.typed).unwrap_or(-1)))
            .or(holds_text),
    )
}

/// The row of `conversation` in `tab` for `actor`; `None` when it has none there.
///
/// # Errors
/// When the database fails.
pub fn find_ticket(
    db: &mut Db,
    actor: &Actor,
    tab: TicketTab,
    conversation: ConversationId,
    now: DateTime<Utc>,
) -> Result<Option<TicketRow>, PersistenceError> {
    let visible = visible(db, actor, tab)?;
    let ids: Vec<i64> = tickets::table
        .filter(visible)
        .filter(tickets::contact_id.eq(conversation.contact.0))
        .filter(tickets::chatbot_id.eq(conversation.chatbot.0))
        .select(tickets::id)
        .limit(1)
        .load(db)?;
    Ok(read_tickets(db, &ids, now)?.pop())
}

/// The rows of the tickets `ids`, in their order, in a constant number of queries.
pub(super) fn read_tickets(
    db: &mut Db,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<Vec<TicketRow>, PersistenceError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = tickets::table
        .inner_join(contacts::table)
        .inner_join(channels::table)
        .inner_join(chatbots::table)
        .left_join(
            session_windows::table.on(session_windows::channel_id
                .eq(tickets::channel_id)
                .and(session_windows::contact_id.eq(tickets::contact_id))),
        )
        .filter(tickets::id.eq_any(ids))
        .select((
            tickets::id,
            tickets::protocol,
            tickets::chatbot_id,
            tickets::contact_id,
            tickets::channel_id,
            tickets::agent_id,
            tickets::only_agent_id,
            tickets::opened_at,
            tickets::last_message_at,
            tickets::unread,
            contacts::name,
            contacts::phone,
            channels::kind,
            chatbots::risk_alert_minutes,
            session_windows::last_inbound_at.nullable(),
        ))
        .load(db)?;
    let mut latest = list_latest(db, ids)?;
    let people = rows.iter().flat_map(|row| [row.agent_id, row.only_agent_id]).flatten().collect();
    let names = names(db, people)?;
    let policies = Policies::of(db, rows.iter().map(|row| row.channel_id).collect())?;
    let named = |id: Option<i64>| {
        let id = UserId(id?);
        names.get(&id).map(|name| (id, name.clone()))
    };
    let mut rows: BTreeMap<i64, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    ids.iter()
        .filter_map(|id| rows.remove(id))
        .map(|row| {
            let kind: ChannelKind = read_kind(&row.kind)?;
            let risk_alert_minutes = count("risk_alert_minutes", row.risk_alert_minutes)?;
            let last_inbound_at = row.last_inbound_at.map(DateTime::from);
            Ok(TicketRow {
                conversation: ConversationId {
                    chatbot: ChatbotId(row.chatbot_id),
                    contact: ContactId(row.contact_id),
                },
                ticket: TicketId(row.id),
                protocol: row.protocol,
                session: policies.session(
                    row.channel_id,
                    kind,
                    last_inbound_at,
                    risk_alert_minutes,
                    now,
                ),
                risk_alert_minutes,
                window_policy: policies.get(row.channel_id).session_window(kind).cloned(),
                name: row.name,
                phone: read_phone(row.phone)?,
                opened_at: row.opened_at.into(),
                last: latest.remove(&row.id),
                last_message_at: row.last_message_at.into(),
                unread: count("unread", row.unread)?,
                agent: named(row.agent_id),
                reserved_for: named(row.only_agent_id),
            })
        })
        .collect()
}

/// The latest message of each ticket, one step in the index on `(ticket_id, occurred_at)` for each.
fn list_latest(
    db: &mut Db,
    tickets_shown: &[i64],
) -> Result<BTreeMap<i64, LastMessage>, PersistenceError> {
    let later = diesel::alias!(messages as later);
    let latest = later
        .filter(later.field(messages::ticket_id).eq(tickets::id.nullable()))
        .order((later.field(messages::occurred_at).desc(), later.field(messages::id).desc()))
        .limit(1)
        .select(later.field(messages::id))
        .single_value();
    let rows: Vec<(i64, String, Option<i64>, String, String)> = tickets::table
        .inner_join(messages::table.on(messages::id.nullable().eq(latest)))
        .filter(tickets::id.eq_any(tickets_shown))
        .select((
            tickets::id,
            messages::direction,
            messages::agent_id,
            messages::kind,
            messages::body,
        ))
        .load(db)?;
    let read = |(ticket, direction, agent, kind, body): (i64, String, Option<i64>, _, _)| {
        let is_ours = direction == "out";
        (ticket, LastMessage { is_ours, agent: agent.map(UserId), kind, body })
    };
    Ok(rows.into_iter().map(read).collect())
}

/// How many rows each tab has for `actor` at `now`.
///
/// # Errors
/// When the database fails.
pub fn count_tabs(
    db: &mut Db,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<TabCounts, PersistenceError> {
    let waiting = count_tickets(db, actor, TicketTab::Waiting)?;
    let in_progress = count_tickets(db, actor, TicketTab::InProgress)?;
    Ok(TabCounts { waiting, in_progress, sent: sent::count_sent(db, actor, now)? })
}

fn count_tickets(db: &mut Db, actor: &Actor, tab: TicketTab) -> Result<u32, PersistenceError> {
    let visible = visible(db, actor, tab)?;
    let counted: i64 = tickets::table.filter(visible).count().get_result(db)?;
    count("tickets", counted)
}
