//! Tickets: opened or joined by a contact's message, taken, answered and closed by agents
//! (RO-01, RO-02, RO-04, RO-07, RO-08).
//!
//! Locks are taken in one order: the contact's row, the ticket's, the agent's; one of each at a time, except
//! that a batch of webhooks holds many contacts and no agent. Whoever gives a ticket holds all three and looks
//! at the agent after the lock, so that nobody who was disabled meanwhile is given one.

mod desk;
mod hand_out;
mod leave;
mod react;
mod send_file;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::{ChannelId, ChatbotId, ContactId, QueueId, TicketId, UserId},
    routing::{self, Route, RoutingFacts},
    ticket::{Holding, ProtocolNumber, TicketState},
};

pub use self::desk::{
    Reply, ReplyDraft, ReplyRefusal, TicketOutcome, close, mark_seen, reply, session_refusal,
    set_presence, take,
};
pub use self::hand_out::hand_out_waiting;
pub(crate) use self::hand_out::leave_referred_to_others;
pub use self::react::{EMOJIS, ReactionDraft, note_typing, react};
pub use self::send_file::{FileDraft, send_file};
pub(crate) use self::{hand_out::hand_out_opened, leave::leave_to_others};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    live::{self, LiveEvent, LiveKind},
    routing::LockedAgent,
    schema::{channels, chatbot_contacts, session_windows, tickets},
    sender,
};

/// The open ticket of `contact` in `chatbot`; there is at most one (RO-08).
pub fn find_open(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
) -> Result<Option<TicketId>, PersistenceError> {
    let ticket: Option<i64> = tickets::table
        .filter(tickets::chatbot_id.eq(chatbot.0))
        .filter(tickets::contact_id.eq(contact.0))
        .filter(tickets::state.ne(TicketState::Closed.as_str()))
        .select(tickets::id)
        .first(db)
        .optional()?;
    Ok(ticket.map(TicketId))
}

/// Where a contact's message came from, for the ticket it opens or joins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arriving {
    pub chatbot: ChatbotId,
    pub contact: ContactId,
    pub channel: ChannelId,
    pub written_at: DateTime<Utc>,
}

/// Opens a ticket for a contact's message, which waits where the rules send it: for the agent it answers
/// alone, or for anyone. [`hand_out_opened`] gives it to them once this is committed, so that a batch of
/// webhooks keeps no agent's row. The caller holds the contact's row, so that two messages at once open one
/// ticket; the unique index stands behind that.
pub(crate) fn open(
    db: &mut Db,
    arriving: Arriving,
    facts: &RoutingFacts,
    now: DateTime<Utc>,
) -> Result<TicketId, PersistenceError> {
    let only_agent = match routing::route(facts) {
        Route::InProgress(agent) | Route::WaitFor(agent) => Some(agent.0),
        Route::Queue { .. } => None,
    };
    let provisional = format!("new {} {}", arriving.chatbot, arriving.contact);
    let id: i64 = diesel::insert_into(tickets::table)
        .values((
            tickets::protocol.eq(provisional),
            tickets::chatbot_id.eq(arriving.chatbot.0),
            tickets::contact_id.eq(arriving.contact.0),
            tickets::channel_id.eq(arriving.channel.0),
            tickets::queue_id.eq(facts.service.queue.map(|queue| queue.0)),
            tickets::only_agent_id.eq(only_agent),
            tickets::state.eq(TicketState::Waiting.as_str()),
            tickets::opened_at.eq(Instant::from(now)),
            tickets::last_message_at.eq(Instant::from(arriving.written_at)),
            tickets::unread.eq(0),
        ))
        .returning(tickets::id)
        .get_result(db)?;
    let ticket = TicketId(id);
    let protocol = tickets::protocol.eq(ProtocolNumber::of(ticket).as_str().to_owned());
    let update = kept_update(tickets::table, tickets::id.eq(id), protocol);
    on_either!(db => update.execute(db))?;
    note(db, arriving.chatbot, arriving.contact, ticket);
    Ok(ticket)
}

/// Counts a contact's message into its ticket: unread, and the latest one. The ticket goes on over the channel
/// on which the contact wrote last, by the platform's instants, so that the answer goes where the session
/// window is open (SW-04, RO-08). The caller has moved that channel's window already.
pub(crate) fn join(
    db: &mut Db,
    ticket: TicketId,
    arriving: Arriving,
) -> Result<(), PersistenceError> {
    let channel: Option<i64> = session_windows::table
        .inner_join(channels::table)
        .filter(session_windows::contact_id.eq(arriving.contact.0))
        .filter(channels::chatbot_id.eq(arriving.chatbot.0))
        .order((session_windows::last_inbound_at.desc(), channels::id.asc()))
        .select(channels::id)
        .first(db)
        .optional()?;
    let update = kept_update(
        tickets::table,
        tickets::id.eq(ticket.0),
        (
            tickets::unread.eq(tickets::unread + 1),
            tickets::channel_id.eq(channel.unwrap_or(arriving.channel.0)),
        ),
    );
    on_either!(db => update.execute(db))?;
    touch(db, ticket, arriving.written_at)
}

/// Moves the instant of the ticket's latest message, forward only.
pub(crate) fn touch(
    db: &mut Db,
    ticket: TicketId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(at);
    let is_earlier = tickets::id.eq(ticket.0).and(tickets::last_message_at.lt(at));
    let update = kept_update(tickets::table, is_earlier, tickets::last_message_at.eq(at));
    on_either!(db => update.execute(db))?;
    Ok(())
}

/// Puts a waiting ticket into *In progress* of `agent`, who is as the caller saw them after the lock; `false`
/// when it waits no more.
fn assign(
    db: &mut Db,
    ticket: TicketId,
    agent: LockedAgent,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let agent = agent.id();
    let update = kept_update(
        tickets::table,
        tickets::id.eq(ticket.0).and(tickets::state.eq(TicketState::Waiting.as_str())),
        (
            tickets::state.eq(TicketState::InProgress.as_str()),
            tickets::agent_id.eq(Some(agent.0)),
            tickets::only_agent_id.eq(None::<i64>),
            tickets::assigned_at.eq(Some(Instant::from(now))),
        ),
    );
    let assigned = on_either!(db => update.execute(db))?;
    if assigned == 0 {
        return Ok(false);
    }
    let (chatbot, contact): (i64, i64) = tickets::table
        .find(ticket.0)
        .select((tickets::chatbot_id, tickets::contact_id))
        .first(db)?;
    remember_agent(db, ChatbotId(chatbot), ContactId(contact), agent)?;
    note(db, ChatbotId(chatbot), ContactId(contact), ticket);
    Ok(true)
}

/// Keeps who served the contact last.
fn remember_agent(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
    agent: UserId,
) -> Result<(), PersistenceError> {
    let theirs =
        chatbot_contacts::chatbot_id.eq(chatbot.0).and(chatbot_contacts::contact_id.eq(contact.0));
    let by = chatbot_contacts::last_agent_id.eq(Some(agent.0));
    let update = kept_update(chatbot_contacts::table, theirs, by);
    on_either!(db => update.execute(db))?;
    Ok(())
}

/// Tells that a ticket opened, closed, or went to someone.
pub(crate) fn note(db: &mut Db, chatbot: ChatbotId, contact: ContactId, ticket: TicketId) {
    live::note(db, LiveEvent::of_contact(LiveKind::Ticket, chatbot, contact, ticket.0));
}

/// What a ticket's row says of who has it.
#[derive(Queryable)]
struct HoldingRow {
    chatbot_id: i64,
    contact_id: i64,
    channel_id: i64,
    queue_id: Option<i64>,
    opened_at: Instant,
    state: String,
    agent_id: Option<i64>,
    only_agent_id: Option<i64>,
}

/// A ticket with who has it, its row locked until the transaction ends.
#[derive(Debug, Clone, Copy)]
struct LockedTicket {
    id: TicketId,
    chatbot: ChatbotId,
    contact: ContactId,
    channel: ChannelId,
    queue: Option<QueueId>,
    opened_at: DateTime<Utc>,
    holding: Holding,
}

/// Locks the contact's row, then the ticket's, then reads it. In the same order a contact's message takes
/// them; an agent's comes last. So nobody waits for someone who waits for them.
fn lock(db: &mut Db, ticket: TicketId) -> Result<LockedTicket, PersistenceError> {
    let contact: i64 = tickets::table.find(ticket.0).select(tickets::contact_id).first(db)?;
    sender::lock(db, ContactId(contact))?;
    let as_it_is = tickets::unread.eq(tickets::unread);
    let update = kept_update(tickets::table, tickets::id.eq(ticket.0), as_it_is);
    let found = on_either!(db => update.execute(db))?;
    if found == 0 {
        return Err(PersistenceError::NotFound);
    }
    let row: HoldingRow = tickets::table
        .find(ticket.0)
        .select((
            tickets::chatbot_id,
            tickets::contact_id,
            tickets::channel_id,
            tickets::queue_id,
            tickets::opened_at,
            tickets::state,
            tickets::agent_id,
            tickets::only_agent_id,
        ))
        .first(db)?;
    let state = TicketState::parse(&row.state)
        .ok_or_else(|| PersistenceError::unreadable("tickets", "state", row.state))?;
    Ok(LockedTicket {
        id: ticket,
        chatbot: ChatbotId(row.chatbot_id),
        contact: ContactId(row.contact_id),
        channel: ChannelId(row.channel_id),
        queue: row.queue_id.map(QueueId),
        opened_at: row.opened_at.into(),
        holding: Holding {
            state,
            agent: row.agent_id.map(UserId),
            only_agent: row.only_agent_id.map(UserId),
        },
    })
}
