//! A message that someone of the business sent from the phone app: it stands in the thread as ours, though nobody
//! here wrote it. It opens neither a ticket nor a session window, and answers nothing of the contact's.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::MessageEcho,
    delivery::MessageState,
    fold::fold,
    ids::{ContactId, MessageId, TicketId},
};

use super::{ChannelFacts, Payload, Reading, is_known};
use crate::{
    db::Db,
    delivery::{self, Taken},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    reaction::{self, NewReaction, ReactionSide},
    schema::messages,
    sender, ticket,
};

/// What became of a message from the phone app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EchoOutcome {
    /// It is kept.
    Kept,
    /// It was kept before.
    Copy,
}

/// Keeps what was said from the phone app. A copy changes nothing, nor does a message that was sent from here.
pub(crate) fn apply_echo(
    db: &mut Db,
    channel: &ChannelFacts,
    echo: &MessageEcho,
    now: DateTime<Utc>,
) -> Result<EchoOutcome, PersistenceError> {
    if is_known(db, channel.id, &echo.provider_id)? {
        return Ok(EchoOutcome::Copy);
    }
    let contact =
        sender::find_or_create_person(db, channel.addressed(), &echo.recipient, echo.at, now)?;
    let ticket = ticket::find_open(db, channel.chatbot, contact)?;
    let reading = Reading::of(&echo.content);
    let message = insert(db, channel, contact, ticket, echo, &reading, now)?;
    if let Some(to) = &reading.reacts_to {
        let (side, emoji, at) = (ReactionSide::Desk, &reading.body, echo.at);
        reaction::save(db, &NewReaction { channel: channel.id, to, side, agent: None, emoji, at })?;
    }
    let taken = Taken { channel: channel.id, message, provider_id: &echo.provider_id };
    delivery::note_taken(db, taken, echo.at, now)?;
    live::note(db, LiveEvent::of_contact(LiveKind::Message, channel.chatbot, contact, message.0));
    Ok(EchoOutcome::Kept)
}

fn insert(
    db: &mut Db,
    channel: &ChannelFacts,
    contact: ContactId,
    ticket: Option<TicketId>,
    echo: &MessageEcho,
    reading: &Reading,
    now: DateTime<Utc>,
) -> Result<MessageId, PersistenceError> {
    let id: i64 = diesel::insert_into(messages::table)
        .values((
            messages::chatbot_id.eq(channel.chatbot.0),
            messages::channel_id.eq(channel.id.0),
            messages::contact_id.eq(contact.0),
            messages::ticket_id.eq(ticket.map(|ticket| ticket.0)),
            messages::direction.eq("out"),
            messages::kind.eq(&reading.kind),
            messages::body.eq(&reading.body),
            messages::folded.eq(fold(&reading.body)),
            messages::payload.eq(Payload::of_echo(&echo.content).to_column()),
            messages::provider_id.eq(&echo.provider_id),
            messages::state.eq(MessageState::Sent.as_str()),
            messages::occurred_at.eq(Instant::from(echo.at)),
            messages::created_at.eq(Instant::from(now)),
        ))
        .returning(messages::id)
        .get_result(db)?;
    Ok(MessageId(id))
}
