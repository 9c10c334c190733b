//! What an agent does with tickets: takes them, answers, closes them, comes and goes
//! (RO-02, RO-06, RO-07, SW-04).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::SignalKind,
    clock::Clock,
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, MessageId, TicketId},
    permission::Permission,
    presence::Presence,
    session_window::{self, FreeFormRefusal, SessionFacts},
    ticket::{TicketRefusal, TicketState},
};

use super::{
    LockedTicket, assign,
    hand_out::{agent_came_online, slot_is_free},
    lock, note, remember_agent, touch,
};
use crate::{
    channel, conversation,
    db::Db,
    error::PersistenceError,
    idempotency::{self, EarlierUse, IdempotencyKey, KeyOwner},
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    outbox, presence,
    routing::lock_agent,
    schema::{channels, messages, outbox as outbox_rows, tickets},
    secret, signal,
    user::{self, Actor},
};

/// The longest text the platforms take.
const LONGEST_TEXT: usize = 4_096;
/// For how long a form that is sent again gets the first answer (AM-11).
const KEYS_KEPT: TimeDelta = TimeDelta::hours(24);

/// An agent's free-form message, as typed.
#[derive(Clone)]
pub struct ReplyDraft {
    /// In which ticket.
    pub ticket: TicketId,
    /// What is written.
    pub text: String,
    /// Made when the form was shown, so that a double click is one message.
    pub key: String,
    /// The message of the conversation that it answers; `None` for one that stands alone.
    pub quotes: Option<MessageId>,
}

impl std::fmt::Debug for ReplyDraft {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ReplyDraft").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// What became of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Reply {
    /// It is queued for sending.
    Queued(MessageId),
    /// The same form was sent before; this is its message.
    Replayed(MessageId),
    /// The form's key was used for something else: the page is stale.
    KeyReused,
    /// It may not be sent.
    Refused(ReplyRefusal),
}

/// Why a reply may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyRefusal {
    /// The ticket is not the agent's to write in.
    Ticket(TicketRefusal),
    /// The session window does not allow it (SW-04).
    Session(FreeFormRefusal),
    /// There is nothing to send.
    TextEmpty,
    /// The platform takes no more than 4,096 characters.
    TextTooLong,
    /// The message it answers is not there any more, or is of another channel than the one it would go over.
    QuoteGone,
}

impl ReplyRefusal {
    /// The code the API answers with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket(refusal) => refusal.as_str(),
            Self::Session(refusal) => refusal.as_str(),
            Self::TextEmpty => "text_empty",
            Self::TextTooLong => "text_too_long",
            Self::QuoteGone => "quote_gone",
        }
    }
}

/// What became of an action on a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TicketOutcome {
    /// It is done.
    Done,
    /// It may not be done.
    Refused(TicketRefusal),
}

/// Queues a free-form message in a ticket that `actor` serves, if the session window allows it now.
///
/// Locks the ticket, then reads the clock.
///
/// # Errors
/// `NotFound` for a ticket of another team, `Denied` without *serve tickets*.
pub fn reply(
    db: &mut Db,
    actor: &Actor,
    draft: &ReplyDraft,
    clock: &dyn Clock,
) -> Result<Reply, PersistenceError> {
    let text = draft.text.trim();
    if text.is_empty() {
        return Ok(Reply::Refused(ReplyRefusal::TextEmpty));
    }
    if LONGEST_TEXT < text.chars().count() {
        return Ok(Reply::Refused(ReplyRefusal::TextTooLong));
    }
    db.write(|db| {
        let ticket = lock(db, draft.ticket)?;
        actor.require(ticket.chatbot, Permission::ServeTickets)?;
        let now = clock.now();
        let key = IdempotencyKey {
            owner: KeyOwner::User(actor.id()),
            key: draft.key.clone(),
            body_hash: idempotency::hash_body(hashed(draft, text).as_bytes()),
        };
        match idempotency::find(db, &key, now - KEYS_KEPT)? {
            Some(EarlierUse::Same(message)) => return replayed(&message),
            Some(EarlierUse::Another) => return Ok(Reply::KeyReused),
            None => {}
        }
        if let Some(refusal) = ticket.holding.refuses_writing(actor.id()) {
            return Ok(Reply::Refused(ReplyRefusal::Ticket(refusal)));
        }
        if let Some(refusal) = session_refusal(db, ticket.channel, ticket.contact, now)? {
            return Ok(Reply::Refused(ReplyRefusal::Session(refusal)));
        }
        let quoted_provider_id = match draft.quotes {
            None => None,
            Some(quotes) => match find_quotable(db, &ticket, quotes)? {
                Some(provider_id) => Some(provider_id),
                None => return Ok(Reply::Refused(ReplyRefusal::QuoteGone)),
            },
        };
        let outgoing = Outgoing { kind: "text", body: text, payload: "{}", quoted_provider_id };
        let message = queue(db, actor, &ticket, &outgoing, now)?;
        idempotency::save(db, &key, &message.to_string(), now - KEYS_KEPT, now)?;
        Ok(Reply::Queued(message))
    })
}

/// What makes two sends of one form the same.
fn hashed(draft: &ReplyDraft, text: &str) -> String {
    match draft.quotes {
        Some(quotes) => format!("{} {text}\u{1f}{quotes}", draft.ticket),
        None => format!("{} {text}", draft.ticket),
    }
}

/// The platform's id of `message`, when it is one of the conversation over the channel that the ticket goes on
/// over, and was not taken back.
pub(super) fn find_quotable(
    db: &mut Db,
    ticket: &LockedTicket,
    message: MessageId,
) -> Result<Option<String>, PersistenceError> {
    let provider_id: Option<Option<String>> = messages::table
        .find(message.0)
        .filter(messages::contact_id.eq(ticket.contact.0))
        .filter(messages::chatbot_id.eq(ticket.chatbot.0))
        .filter(messages::channel_id.eq(ticket.channel.0))
        .filter(messages::revoked_at.is_null())
        .select(messages::provider_id)
        .first(db)
        .optional()?;
    Ok(provider_id.flatten())
}

pub(super) fn replayed(message: &str) -> Result<Reply, PersistenceError> {
    let id = message
        .parse()
        .map_err(|_| PersistenceError::unreadable("idempotency_keys", "result", message))?;
    Ok(Reply::Replayed(id))
}

/// Why free-form text may not go to `contact` over `channel` at `now` (SW-04, SW-06).
///
/// # Errors
/// When the database fails.
pub fn session_refusal(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
    now: DateTime<Utc>,
) -> Result<Option<FreeFormRefusal>, PersistenceError> {
    let kind: String = channels::table.find(channel.0).select(channels::kind).first(db)?;
    let kind = channel::read_kind(&kind)?;
    let policy = outbox::channel_policy(db, channel)?;
    let last_inbound_at = outbox::find_last_inbound(db, channel, contact)?;
    let sent_since = count_sent_since(db, channel, contact, last_inbound_at)?;
    let facts = SessionFacts { last_inbound_at, sent_since };
    Ok(session_window::free_form_refusal(policy.session_window(kind), facts, now))
}

/// Messages of ours to the contact since they last wrote; failed ones do not count.
fn count_sent_since(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
    since: Option<DateTime<Utc>>,
) -> Result<u32, PersistenceError> {
    let Some(since) = since else { return Ok(0) };
    let sent: i64 = messages::table
        .filter(messages::contact_id.eq(contact.0))
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::direction.eq("out"))
        .filter(messages::state.ne("failed"))
        .filter(messages::occurred_at.ge(Instant::from(since)))
        .count()
        .get_result(db)?;
    Ok(u32::try_from(sent).unwrap_or(u32::MAX))
}

/// A message of an agent in a ticket, on its way into the outbox.
pub(super) struct Outgoing<'a> {
    pub kind: &'a str,
    pub body: &'a str,
    pub payload: &'a str,
    pub quoted_provider_id: Option<String>,
}

/// Queues `outgoing` in `ticket`; whoever writes there has seen what stands there.
pub(super) fn queue(
    db: &mut Db,
    actor: &Actor,
    ticket: &LockedTicket,
    outgoing: &Outgoing<'_>,
    now: DateTime<Utc>,
) -> Result<MessageId, PersistenceError> {
    let at = Instant::from(now);
    let callback_id = hex::encode(secret::random_bytes::<16>()?);
    let id: i64 = diesel::insert_into(messages::table)
        .values((
            messages::chatbot_id.eq(ticket.chatbot.0),
            messages::channel_id.eq(ticket.channel.0),
            messages::contact_id.eq(ticket.contact.0),
            messages::ticket_id.eq(Some(ticket.id.0)),
            messages::agent_id.eq(Some(actor.id().0)),
            messages::direction.eq("out"),
            messages::kind.eq(outgoing.kind),
            messages::body.eq(outgoing.body),
            messages::folded.eq(fold(outgoing.body)),
            messages::payload.eq(outgoing.payload),
            messages::quoted_provider_id.eq(outgoing.quoted_provider_id.as_deref()),
            messages::callback_id.eq(Some(callback_id)),
            messages::state.eq("sending"),
            messages::occurred_at.eq(at),
            messages::created_at.eq(at),
        ))
        .returning(messages::id)
        .get_result(db)?;
    diesel::insert_into(outbox_rows::table)
        .values((
            outbox_rows::message_id.eq(id),
            outbox_rows::channel_id.eq(ticket.channel.0),
            outbox_rows::contact_id.eq(ticket.contact.0),
            outbox_rows::state.eq("queued"),
            outbox_rows::due_at.eq(at),
            outbox_rows::attempts.eq(0),
            outbox_rows::lease_fence.eq(0),
        ))
        .execute(db)?;
    let unread = tickets::table.find(ticket.id.0).filter(tickets::unread.gt(0));
    if diesel::update(unread).set(tickets::unread.eq(0)).execute(db)? == 1 {
        signal::request(db, SignalKind::Read, ticket.channel, ticket.contact, now)?;
    }
    touch(db, ticket.id, now)?;
    remember_agent(db, ticket.chatbot, ticket.contact, actor.id())?;
    live::note(db, LiveEvent::of_contact(LiveKind::Message, ticket.chatbot, ticket.contact, id));
    Ok(MessageId(id))
}

/// Takes a waiting ticket into *In progress* of `actor`; taking what one serves already does nothing.
///
/// # Errors
/// `NotFound` for a ticket of another team or of a queue they neither serve nor see, `Denied` without
/// *serve tickets*, or when they were disabled meanwhile.
pub fn take(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<TicketOutcome, PersistenceError> {
    db.write(|db| {
        let ticket = lock(db, ticket)?;
        actor.require(ticket.chatbot, Permission::ServeTickets)?;
        if !conversation::may_know_ticket(db, actor, ticket.id)? {
            return Err(PersistenceError::NotFound);
        }
        if let Some(refusal) = ticket.holding.refuses_taking(actor.id()) {
            return Ok(TicketOutcome::Refused(refusal));
        }
        // As they are by now: whoever was disabled since the request began is given nothing (C12).
        let agent = lock_agent(db, actor.id())?;
        let as_they_are = user::find_actor(db, agent.id())?.ok_or(PersistenceError::Denied)?;
        as_they_are.require(ticket.chatbot, Permission::ServeTickets)?;
        assign(db, ticket.id, agent, now)?;
        Ok(TicketOutcome::Done)
    })
}

/// Closes a ticket: its holder's, or any for one who sees all tickets. Its holder has a free slot then, and is
/// given what waits for anyone in any of their chatbots.
///
/// # Errors
/// `NotFound` for a ticket of another team, `Denied` without *serve tickets* or *see all tickets*.
pub fn close(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<TicketOutcome, PersistenceError> {
    let mut freed = None;
    let outcome = db.write(|db| {
        let ticket = lock(db, ticket)?;
        let sees_all = actor.may(ticket.chatbot, Permission::SeeAllTickets);
        if !sees_all {
            actor.require(ticket.chatbot, Permission::ServeTickets)?;
        }
        if let Some(refusal) = ticket.holding.refuses_closing(actor.id(), sees_all) {
            return Ok(TicketOutcome::Refused(refusal));
        }
        diesel::update(tickets::table.find(ticket.id.0))
            .set((
                tickets::state.eq(TicketState::Closed.as_str()),
                tickets::closed_at.eq(Some(Instant::from(now))),
                tickets::closed_by.eq(Some(actor.id().0)),
                tickets::only_agent_id.eq(None::<i64>),
                tickets::unread.eq(0),
            ))
            .execute(db)?;
        note(db, ticket.chatbot, ticket.contact, ticket.id);
        freed = ticket.holding.agent;
        Ok(TicketOutcome::Done)
    })?;
    if let Some(agent) = freed {
        slot_is_free(db, agent, now);
    }
    Ok(outcome)
}

/// Notes that the agent who serves a ticket has seen it, and lets the contact know; for anyone else it stays unread.
///
/// # Errors
/// `NotFound` for a ticket of another team.
pub fn mark_seen(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let seen = diesel::update(
            tickets::table
                .find(ticket.0)
                .filter(tickets::chatbot_id.eq_any(actor.chatbot_ids()))
                .filter(tickets::agent_id.eq(actor.id().0))
                .filter(tickets::unread.gt(0)),
        )
        .set(tickets::unread.eq(0))
        .execute(db)?;
        if seen == 1 {
            let (chatbot, contact, channel): (i64, i64, i64) = tickets::table
                .find(ticket.0)
                .select((tickets::chatbot_id, tickets::contact_id, tickets::channel_id))
                .first(db)?;
            let (chatbot, contact) = (ChatbotId(chatbot), ContactId(contact));
            signal::request(db, SignalKind::Read, ChannelId(channel), contact, now)?;
            live::note(db, LiveEvent::of_contact(LiveKind::Seen, chatbot, contact, ticket.0));
        }
        Ok(())
    })
}

/// Notes what `actor` chose to be. Coming online brings the tickets that waited for them, and for anyone
/// in their queues (RO-02, RO-04); returns how many.
///
/// # Errors
/// When the database fails.
pub fn set_presence(
    db: &mut Db,
    actor: &Actor,
    chosen: Presence,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    presence::choose(db, actor.id(), chosen, now)?;
    Ok(if chosen.is_online() { agent_came_online(db, actor.id(), now) } else { 0 })
}
