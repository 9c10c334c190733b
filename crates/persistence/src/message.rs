//! A contact's message: kept once, counted as the reply to what it answers, and served by a ticket
//! (LI-06, LI-10, LI-11, RO-01 to RO-08, AD-09).

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::{
    channel::{ChannelKind, InboundContent, InboundMediaKind, InboundMessage},
    delivery::{DeliveryEventKind, EventSource},
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, MessageId, TicketId},
    opt_out::{self as words, OptOutScope, OptOutSource, OptOutWord},
    ticket::{Arrival, arrival},
};
use serde_json::json;

use crate::{
    db::{Db, on_either},
    delivery::{self, NewEvent},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    opt_out, routing,
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

/// Keeps a contact's message and draws every consequence from it. A copy changes nothing.
///
/// The contact's row is locked first, so that two messages at once open one ticket.
pub(crate) fn apply_inbound(
    db: &mut Db,
    channel: &ChannelFacts,
    inbound: &InboundMessage,
    now: DateTime<Utc>,
) -> Result<InboundOutcome, PersistenceError> {
    if is_known(db, channel.id, &inbound.provider_id)? {
        return Ok(InboundOutcome::Copy);
    }
    let contact =
        sender::find_or_create_sender(db, channel.addressed(), &inbound.sender, inbound.at, now)?;
    let reading = Reading::of(&inbound.content);
    open_session(db, channel.id, contact, inbound.at)?;
    let answered = match reading.is_reply {
        true => routing::list_answered(db, channel.chatbot, contact, inbound.at, now)?,
        false => Vec::new(),
    };
    let word = obey_word(db, contact, reading.word, inbound.at)?;
    let open = ticket::find_open(db, channel.chatbot, contact)?;
    let opens_none = word == Some(OptOutWord::Stop)
        || (reading.is_reaction && answered.is_empty())
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
    for answered in &answered {
        count_reply(db, answered.message, inbound.at, now)?;
    }
    live::note(db, LiveEvent::of_contact(LiveKind::Arrival, channel.chatbot, contact, message.0));
    Ok(InboundOutcome::Kept { message, opened })
}

fn is_known(db: &mut Db, channel: ChannelId, provider_id: &str) -> Result<bool, PersistenceError> {
    let known = messages::table
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::provider_id.eq(provider_id));
    Ok(diesel::select(exists(known)).get_result(db)?)
}

/// What a contact's message is, in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    kind: String,
    body: String,
    payload: serde_json::Value,
    is_reaction: bool,
    /// Taking a reaction back answers nothing.
    is_reply: bool,
    word: Option<OptOutWord>,
}

impl Reading {
    fn of(content: &InboundContent) -> Self {
        let plain = |kind: &str, body: &str, payload: serde_json::Value| Self {
            kind: kind.to_owned(),
            body: without_nul(body),
            payload,
            is_reaction: false,
            is_reply: true,
            word: None,
        };
        let shown =
            |kind: &str, body: Option<&str>| plain(kind, body.unwrap_or_default(), json!({}));
        match content {
            InboundContent::Text(text) => Self {
                word: words::read_opt_out_word(text, &words::default_word_lists()),
                ..plain("text", text, json!({}))
            },
            InboundContent::Button { text, payload } => Self {
                word: words::read_opt_out_word(text, &words::default_word_lists()),
                ..plain("button", text, json!({ "payload": without_nul(payload) }))
            },
            InboundContent::Reaction { to, emoji } => Self {
                is_reaction: true,
                is_reply: !emoji.is_empty(),
                ..plain("reaction", emoji, json!({ "to": without_nul(to) }))
            },
            InboundContent::Media(media) => {
                let name = match media.kind {
                    InboundMediaKind::Document => media.filename.as_deref(),
                    InboundMediaKind::Image
                    | InboundMediaKind::Video
                    | InboundMediaKind::Audio { .. }
                    | InboundMediaKind::Sticker { .. } => None,
                };
                shown(media.kind.as_str(), media.caption.as_deref().or(name))
            }
            InboundContent::Location(place) => {
                shown("location", place.name.as_deref().or(place.address.as_deref()))
            }
            InboundContent::Contacts(cards) => {
                shown("contacts", cards.first().and_then(|card| card.formatted_name.as_deref()))
            }
            InboundContent::Form(form) => shown("nfm_reply", form.body.as_deref()),
            InboundContent::CallPermission(_) => shown("call_permission_reply", None),
            InboundContent::Order(order) => shown("order", order.text.as_deref()),
            InboundContent::Unsupported(_) => shown("unsupported", None),
            InboundContent::Other { kind, .. } => shown(&without_nul(kind), None),
        }
    }
}

/// Stop words opt out of all, start words lift every opt-out that was there before (AD-09). Answers the
/// word that was obeyed.
fn obey_word(
    db: &mut Db,
    contact: ContactId,
    word: Option<OptOutWord>,
    at: DateTime<Utc>,
) -> Result<Option<OptOutWord>, PersistenceError> {
    match word {
        Some(OptOutWord::Stop) => {
            opt_out::opt_out(db, contact, OptOutScope::All, OptOutSource::Word, at)?;
        }
        Some(OptOutWord::Start) => {
            opt_out::lift(db, contact, &OptOutScope::ALL, OptOutSource::Word, None, at)?;
        }
        None => {}
    }
    Ok(word)
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
        diesel::update(
            session_windows::table
                .find((channel.0, contact.0))
                .filter(session_windows::last_inbound_at.lt(at)),
        )
        .set(session_windows::last_inbound_at.eq(at))
        .execute(db)?;
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
    let mut payload = reading.payload.clone();
    if let Some(answers) = &inbound.context.in_reply_to {
        payload["in_reply_to"] = json!(without_nul(answers));
    }
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
            messages::payload.eq(payload.to_string()),
            messages::provider_id.eq(&inbound.provider_id),
            messages::state.eq("received"),
            messages::occurred_at.eq(Instant::from(inbound.at)),
            messages::created_at.eq(Instant::from(now)),
        ))
        .returning(messages::id)
        .get_result(db)?;
    Ok(MessageId(id))
}

/// Counts a message written at `written_at` as the reply to an active message: never Expired, and out
/// of *Sent* (LI-06, LI-11).
fn count_reply(
    db: &mut Db,
    answered: MessageId,
    written_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let event = NewEvent {
        kind: DeliveryEventKind::Replied,
        at: written_at,
        source: EventSource::Platform,
        title: None,
        received_at: now,
    };
    delivery::save_event(db, answered, &event)?;
    delivery::refold(db, answered, now)
}

#[cfg(test)]
mod tests {
    use domain::channel::{
        ContactCard, FormReply, InboundMedia, Location, Order, Unsupported, UnsupportedReason,
    };

    use super::*;

    fn media(
        kind: InboundMediaKind,
        caption: Option<&str>,
        filename: Option<&str>,
    ) -> InboundContent {
        InboundContent::Media(InboundMedia {
            kind,
            id: Some("881001".to_owned()),
            mime_type: None,
            sha256: None,
            caption: caption.map(str::to_owned),
            filename: filename.map(str::to_owned),
            is_lost: false,
        })
    }

    #[test]
    fn what_is_no_text_is_kept_by_its_kind_and_what_is_written_on_it() {
        let some = |text: &str| Some(text.to_owned());
        let quay = Location { address: some("Marine Parade"), ..Location::default() };
        let named = Location { name: some("Quay"), ..quay.clone() };
        let noor = ContactCard { formatted_name: some("Noor"), ..ContactCard::default() };
        let form = FormReply { body: some("Sent"), ..FormReply::default() };
        let order = Order { text: some("Gift wrap"), ..Order::default() };
        let poll = Unsupported { kind: some("poll"), reason: UnsupportedReason::Type, error: None };
        let hologram =
            InboundContent::Other { kind: "holo\0gram".to_owned(), raw: "{}".to_owned() };
        let (voice, moving) = (
            InboundMediaKind::Audio { is_voice: true },
            InboundMediaKind::Sticker { is_animated: true },
        );
        let cases = [
            (media(InboundMediaKind::Image, Some("Crack"), None), "image", "Crack"),
            (media(InboundMediaKind::Video, None, Some("a.mp4")), "video", ""),
            (
                media(InboundMediaKind::Document, Some("Signed"), Some("a.pdf")),
                "document",
                "Signed",
            ),
            (media(InboundMediaKind::Document, None, Some("a.pdf")), "document", "a.pdf"),
            (media(voice, None, None), "audio", ""),
            (media(moving, None, None), "sticker", ""),
            (InboundContent::Location(named), "location", "Quay"),
            (InboundContent::Location(quay), "location", "Marine Parade"),
            (InboundContent::Contacts(vec![noor]), "contacts", "Noor"),
            (InboundContent::Contacts(Vec::new()), "contacts", ""),
            (InboundContent::Form(form), "nfm_reply", "Sent"),
            (InboundContent::Order(order), "order", "Gift wrap"),
            (InboundContent::Unsupported(poll), "unsupported", ""),
            (hologram, "hologram", ""),
        ];
        for (content, kind, body) in cases {
            let reading = Reading::of(&content);
            assert_eq!((reading.kind.as_str(), reading.body.as_str()), (kind, body));
            assert!(reading.is_reply && !reading.is_reaction && reading.word.is_none(), "{kind}");
            assert_eq!(reading.payload, json!({}), "{kind}");
        }
    }
}
