//! An agent's picture, recording or file in a ticket, with what is written below it.

use chrono::TimeDelta;
use domain::{
    clock::Clock,
    ids::{MessageId, TicketId},
    media::{LONGEST_CAPTION, MediaId},
    permission::Permission,
};

use super::{
    desk::{Outgoing, Reply, ReplyRefusal, find_quotable, queue, replayed, session_refusal},
    lock,
};
use crate::{
    db::Db,
    error::PersistenceError,
    idempotency::{self, EarlierUse, IdempotencyKey, KeyOwner},
    media,
    user::Actor,
};

/// For how long a form that is sent again gets the first answer (AM-11).
const KEYS_KEPT: TimeDelta = TimeDelta::hours(24);

/// A file to be sent, as chosen.
#[derive(Clone)]
pub struct FileDraft {
    /// In which ticket.
    pub ticket: TicketId,
    /// The file, chosen by the same agent and not sent yet.
    pub file: MediaId,
    /// What is written below it; may be empty.
    pub caption: String,
    /// Made when the form was shown, so that a double click is one message.
    pub key: String,
    /// The message of the conversation that it answers; `None` for one that stands alone.
    pub quotes: Option<MessageId>,
}

impl std::fmt::Debug for FileDraft {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FileDraft").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// Queues a file in a ticket that `actor` serves, if the session window allows it now. It goes once the platform
/// has it.
///
/// Locks the ticket, then reads the clock.
///
/// # Errors
/// `NotFound` for a ticket of another team, or a file that is not theirs to send; `Denied` without *serve tickets*.
pub fn send_file(
    db: &mut Db,
    actor: &Actor,
    draft: &FileDraft,
    clock: &dyn Clock,
) -> Result<Reply, PersistenceError> {
    let caption = draft.caption.trim();
    if LONGEST_CAPTION < caption.chars().count() {
        return Ok(Reply::Refused(ReplyRefusal::TextTooLong));
    }
    db.write(|db| {
        let ticket = lock(db, draft.ticket)?;
        actor.require(ticket.chatbot, Permission::ServeTickets)?;
        let now = clock.now();
        let hashed = match draft.quotes {
            Some(quotes) => format!("{} file {caption}\u{1f}{quotes}", draft.ticket),
            None => format!("{} file {caption}", draft.ticket),
        };
        let key = IdempotencyKey {
            owner: KeyOwner::User(actor.id()),
            key: draft.key.clone(),
            body_hash: idempotency::hash_body(hashed.as_bytes()),
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
        let file = media::find_unsent(db, actor, &draft.file)?.ok_or(PersistenceError::NotFound)?;
        let body = if file.kind.takes_caption() { caption } else { "" };
        let kind = file.kind.message_kind();
        let outgoing = Outgoing { kind, body, payload: "{}", quoted_provider_id };
        let message = queue(db, actor, &ticket, &outgoing, now)?;
        if !media::give_to_message(db, actor, &draft.file, message, now)? {
            return Err(PersistenceError::NotFound);
        }
        idempotency::save(db, &key, &message.to_string(), now - KEYS_KEPT, now)?;
        Ok(Reply::Queued(message))
    })
}
