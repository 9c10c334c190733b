//! What an agent puts on a message of the contact: it goes out like a message, inside the session window.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    clock::Clock,
    ids::{ChannelId, ContactId, MessageId, TicketId},
    permission::Permission,
    ticket::TicketState,
};

use super::{
    LockedTicket,
    desk::{Outgoing, Reply, ReplyRefusal, find_quotable, queue, session_refusal},
    lock,
};
use crate::{
    channel,
    db::Db,
    error::PersistenceError,
    reaction::{self, NewReaction, REACTION, ReactionSide},
    schema::{channels, messages, tickets},
    signal,
    user::Actor,
};

/// What an agent may put on a message.
pub const EMOJIS: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/// A reaction on its way to a message of the contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionDraft {
    /// In which ticket.
    pub ticket: TicketId,
    /// On which message.
    pub message: MessageId,
    /// One of [`EMOJIS`]; empty to take back what was put there.
    pub emoji: String,
}

/// Queues a reaction in a ticket that `actor` serves, if the session window allows it now. What is on the message
/// already is put there once: pressing again is [`Reply::Replayed`].
///
/// Locks the ticket, then reads the clock.
///
/// # Errors
/// `NotFound` for a ticket of another team, and for a message that is none of the contact's there; `Denied` without
/// *serve tickets*.
pub fn react(
    db: &mut Db,
    actor: &Actor,
    draft: &ReactionDraft,
    clock: &dyn Clock,
) -> Result<Reply, PersistenceError> {
    if !draft.emoji.is_empty() && !EMOJIS.contains(&draft.emoji.as_str()) {
        return Ok(Reply::Refused(ReplyRefusal::TextEmpty));
    }
    db.write(|db| {
        let ticket = lock(db, draft.ticket)?;
        actor.require(ticket.chatbot, Permission::ServeTickets)?;
        let now = clock.now();
        let to = find_theirs(db, &ticket, draft.message)?;
        if let Some(refusal) = ticket.holding.refuses_writing(actor.id()) {
            return Ok(Reply::Refused(ReplyRefusal::Ticket(refusal)));
        }
        if let Some(refusal) = session_refusal(db, ticket.channel, ticket.contact, now)? {
            return Ok(Reply::Refused(ReplyRefusal::Session(refusal)));
        }
        put(db, actor, &ticket, draft, &to, now)
    })
}

/// Notes that `actor` types in a ticket they serve; for anyone else, and without an open session window, it means
/// nothing.
///
/// # Errors
/// When the database fails.
pub fn note_typing(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let served: Option<(i64, i64)> = tickets::table
        .find(ticket.0)
        .filter(tickets::chatbot_id.eq_any(actor.chatbot_ids()))
        .filter(tickets::agent_id.eq(actor.id().0))
        .filter(tickets::state.ne(TicketState::Closed.as_str()))
        .select((tickets::channel_id, tickets::contact_id))
        .first(db)
        .optional()?;
    let Some((channel, contact)) = served else { return Ok(()) };
    db.write(|db| signal::request_typing(db, ChannelId(channel), ContactId(contact), now))
}

fn put(
    db: &mut Db,
    actor: &Actor,
    ticket: &LockedTicket,
    draft: &ReactionDraft,
    to: &str,
    now: DateTime<Utc>,
) -> Result<Reply, PersistenceError> {
    let there = reaction::find_ours(db, ticket.channel, to)?;
    if there.as_deref().unwrap_or_default() == draft.emoji {
        return Ok(Reply::Replayed(draft.message));
    }
    let payload = reaction::payload(to)?;
    let outgoing = Outgoing {
        kind: REACTION,
        body: &draft.emoji,
        payload: &payload,
        quoted_provider_id: None,
    };
    let message = queue(db, actor, ticket, &outgoing, now)?;
    let placed = NewReaction {
        channel: ticket.channel,
        to,
        side: ReactionSide::Desk,
        agent: Some(actor.id()),
        emoji: &draft.emoji,
        at: now,
    };
    reaction::save(db, &placed)?;
    Ok(Reply::Queued(message))
}

/// The platform's id of a message of the contact in the conversation, on a channel that knows reactions.
fn find_theirs(
    db: &mut Db,
    ticket: &LockedTicket,
    message: MessageId,
) -> Result<String, PersistenceError> {
    let kind: String = channels::table.find(ticket.channel.0).select(channels::kind).first(db)?;
    if !channel::read_kind(&kind)?.capabilities().reactions {
        return Err(PersistenceError::NotFound);
    }
    let direction: String =
        messages::table.find(message.0).select(messages::direction).first(db)?;
    let provider_id = find_quotable(db, ticket, message)?.filter(|_| direction == "in");
    provider_id.ok_or(PersistenceError::NotFound)
}
