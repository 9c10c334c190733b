//! A contact's message: kept once, counted as the reply to what it answers, and served by a ticket
//! (LI-06, LI-10, LI-11, RO-01 to RO-08, AD-09).

mod change;
mod echo;
mod payload;
mod reading;

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::{
    channel::{ChannelKind, InboundContent, InboundMessage},
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, MessageId, TicketId},
    opt_out::{OptOutScope, OptOutWish},
    ticket::{Arrival, arrival},
};

pub(crate) use self::change::{
    ChangeOutcome, apply_edit, apply_revocation, delete_stray_changes, list_earlier,
};
pub(crate) use self::echo::{EchoOutcome, apply_echo};
pub use self::payload::Payload;
use self::reading::Reading;
use crate::{
    db::{Db, on_either},
    delivery::Replies,
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    live::{self, LiveEvent, LiveKind},
    media, opt_out,
    reaction::{self, NewReaction, ReactionSide},
    routing,
    schema::{channels, messages, session_windows},
    sender::{self, Addressed, without_nul},
    ticket::{self, Arriving},
};

/// The channel an event came over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelFacts {
    pub id: ChannelId,
    pub chatbot: ChatbotId,
    pub kind: ChannelKind,
    pub account: String,
}

impl ChannelFacts {
    pub(crate) fn addressed(&self) -> Addressed<'_> {
        Addressed { chatbot: self.chatbot, channel: self.id, account: &self.account }
    }
}

/// What became of a contact's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundOutcome {
    /// It is kept.
    Kept {
        /// The message.
        message: MessageId,
        /// The ticket it opened, to be handed out once this is committed; `None` when it joined one or
        /// opened none.
        opened: Option<TicketId>,
    },
    /// It was kept before.
    Copy,
}

/// The channel `id`; `None` when there is none any more.
pub(crate) fn find_channel(
    db: &mut Db,
    id: ChannelId,
) -> Result<Option<ChannelFacts>, PersistenceError> {
    let row: Option<(i64, i64, String, String)> = channels::table
        .find(id.0)
        .select((channels::id, channels::chatbot_id, channels::kind, channels::account_id))
        .first(db)
        .optional()?;
    row.map(channel_facts).transpose()
}

/// The channel that the platform knows as `external_id` in the account of `of`; `None` when there is
/// none. A webhook signed for one account tells nothing about another.
pub(crate) fn find_sibling_channel(
    db: &mut Db,
    of: &ChannelFacts,
    external_id: &str,
) -> Result<Option<ChannelFacts>, PersistenceError> {
    let row: Option<(i64, i64, String, String)> = channels::table
        .filter(channels::kind.eq(of.kind.as_str()))
        .filter(channels::external_id.eq(external_id))
        .filter(channels::account_id.eq(&of.account))
        .select((channels::id, channels::chatbot_id, channels::kind, channels::account_id))
        .first(db)
        .optional()?;
    row.map(channel_facts).transpose()
}

fn channel_facts(
    (id, chatbot, kind, account): (i64, i64, String, String),
) -> Result<ChannelFacts, PersistenceError> {
    let kind = ChannelKind::parse(&kind)
        .ok_or_else(|| PersistenceError::unreadable("channels", "kind", kind))?;
    Ok(ChannelFacts { id: ChannelId(id), chatbot: ChatbotId(chatbot), kind, account })
}

/// Keeps a contact's message and draws every consequence from it, but for what it answers: that is noted in `replies`,
/// for the caller to count. A copy changes nothing.
///
/// The contact's row is locked first, so that two messages at once open one ticket.
pub(crate) fn apply_inbound(
    db: &mut Db,
    channel: &ChannelFacts,
    inbound: &InboundMessage,
    replies: &mut Replies,
    now: DateTime<Utc>,
) -> Result<InboundOutcome, PersistenceError> {
    if is_known(db, channel.id, &inbound.provider_id)? {
        return Ok(InboundOutcome::Copy);
    }
    let contact =
        sender::find_or_create_sender(db, channel.addressed(), &inbound.sender, inbound.at, now)?;
    replies.count_before(db, contact, now)?;
    let reading = Reading::of(&inbound.content);
    open_session(db, channel.id, contact, inbound.at)?;
    let answered = match reading.is_reply {
        true => routing::list_answered(db, channel.chatbot, contact, inbound.at, now)?,
        false => Vec::new(),
    };
    obey(db, contact, reading.wish, inbound.at)?;
    let open = ticket::find_open(db, channel.chatbot, contact)?;
    let opens_none = matches!(reading.wish, Some(OptOutWish::Stop { .. }))
        || (reading.reacts_to.is_some() && answered.is_empty())
        || !reading.is_reply;
    let arriving =
        Arriving { chatbot: channel.chatbot, contact, channel: channel.id, written_at: inbound.at };
    let (ticket, opened) = match arrival(open, opens_none) {
        Arrival::Joins(ticket) => (Some(ticket), None),
        Arrival::Opens => {
            let facts = routing::routing_facts(db, channel.chatbot, &answered)?;
            let ticket = ticket::open(db, arriving, &facts, now)?;
            (Some(ticket), Some(ticket))
        }
        Arrival::OpensNone => (None, None),
    };
    if let Some(ticket) = ticket {
        ticket::join(db, ticket, arriving)?;
    }
    let message = insert(db, channel, contact, ticket, inbound, &reading, now)?;
    if let InboundContent::Media(file) = &inbound.content {
        media::note_inbound(db, channel.id, message, file, now)?;
    }
    if let Some(to) = &reading.reacts_to {
        let (side, emoji, at) = (ReactionSide::Contact, &reading.body, inbound.at);
        let reaction = NewReaction { channel: channel.id, to, side, agent: None, emoji, at };
        reaction::save(db, &reaction)?;
    }
    change::join(db, channel.id, &inbound.provider_id, message)?;
    replies.note(contact, answered.iter().map(|answered| answered.message), inbound.at);
    live::note(db, LiveEvent::of_contact(LiveKind::Arrival, channel.chatbot, contact, message.0));
    Ok(InboundOutcome::Kept { message, opened })
}

fn is_known(db: &mut Db, channel: ChannelId, provider_id: &str) -> Result<bool, PersistenceError> {
    let known = messages::table
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::provider_id.eq(provider_id));
    Ok(diesel::select(exists(known)).get_result(db)?)
}

/// Opts the contact out as far as they wished, or lifts every opt-out that was there before (AD-09).
fn obey(
    db: &mut Db,
    contact: ContactId,
    wish: Option<OptOutWish>,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match wish {
        Some(OptOutWish::Stop { scope, source }) => {
            opt_out::opt_out(db, contact, scope, source, at)
        }
        Some(OptOutWish::Start { source }) => {
            opt_out::lift(db, contact, &OptOutScope::ALL, source, None, at)?;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Moves the session window forward, by the platform's instant; a late message never moves it back.
fn open_session(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
    written_at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(written_at);
    let row = (
        session_windows::channel_id.eq(channel.0),
        session_windows::contact_id.eq(contact.0),
        session_windows::last_inbound_at.eq(at),
    );
    let opened = on_either!(db => diesel::insert_into(session_windows::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    if opened == 0 {
        let is_earlier = session_windows::channel_id
            .eq(channel.0)
            .and(session_windows::contact_id.eq(contact.0))
            .and(session_windows::last_inbound_at.lt(at));
        let later = session_windows::last_inbound_at.eq(at);
        let update = kept_update(session_windows::table, is_earlier, later);
        on_either!(db => update.execute(db))?;
    }
    Ok(())
}

fn insert(
    db: &mut Db,
    channel: &ChannelFacts,
    contact: ContactId,
    ticket: Option<TicketId>,
    inbound: &InboundMessage,
    reading: &Reading,
    now: DateTime<Utc>,
) -> Result<MessageId, PersistenceError> {
    let referral = inbound.referral.as_deref();
    let payload =
        Payload::of_inbound(&inbound.content, &inbound.context, referral, &inbound.errors);
    let id: i64 = diesel::insert_into(messages::table)
        .values((
            messages::chatbot_id.eq(channel.chatbot.0),
            messages::channel_id.eq(channel.id.0),
            messages::contact_id.eq(contact.0),
            messages::ticket_id.eq(ticket.map(|ticket| ticket.0)),
            messages::direction.eq("in"),
            messages::kind.eq(&reading.kind),
            messages::body.eq(&reading.body),
            messages::folded.eq(fold(&reading.body)),
            messages::payload.eq(payload.to_column()),
            messages::provider_id.eq(&inbound.provider_id),
            messages::quoted_provider_id.eq(inbound
                .context
                .in_reply_to
                .as_deref()
                .map(without_nul)),
            messages::state.eq("received"),
            messages::occurred_at.eq(Instant::from(inbound.at)),
            messages::created_at.eq(Instant::from(now)),
        ))
        .returning(messages::id)
        .get_result(db)?;
    Ok(MessageId(id))
}
