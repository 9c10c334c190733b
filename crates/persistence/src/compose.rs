//! What the dialog *Active message* shows: numbers to send from, templates, people with what stands
//! against writing to them, and media files fetched once for the preview.

mod media;
mod standing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{
    channel::ChannelKind,
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, NumberId, TemplateId, TicketId},
    permission::Permission,
    template::{FieldValues, MessageTemplate},
};

pub use self::{
    media::{
        MEDIA_KEPT, MediaPreview, delete_media_until, find_recent_media, get_media, save_media,
    },
    standing::{Standing, list_standings, standing_of_number},
};

use crate::{
    channel,
    contact::Contact,
    db::Db,
    error::PersistenceError,
    message_template::{self, MessageTemplateRow, row_columns},
    number,
    schema::{channels, chatbot_contacts, chatbots, message_templates, numbers, tickets},
    user::Actor,
};

/// A number the actor may send active messages from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingNumber {
    /// Its chatbot.
    pub chatbot: ChatbotId,
    /// The chatbot's name.
    pub chatbot_name: String,
    /// X of the cap, for the sentence that names it.
    pub cap_sends: u32,
    /// The channel it sends over.
    pub channel: ChannelId,
    /// The platform.
    pub kind: ChannelKind,
    /// The platform's account, whose templates it may send.
    pub account_id: String,
    /// Its id.
    pub number: NumberId,
    /// As the platform writes it for people.
    pub phone: String,
}

/// The numbers of the chatbots in which `actor` may send, by the chatbot's name, then by channel.
///
/// Rule: AM-02.
///
/// # Errors
/// When the database fails.
pub fn list_sending_numbers(
    db: &mut Db,
    actor: &Actor,
) -> Result<Vec<SendingNumber>, PersistenceError> {
    let chatbots: Vec<i64> = actor
        .chatbots_where(Permission::SendActiveMessages)
        .into_iter()
        .map(|chatbot| chatbot.0)
        .collect();
    type Row = (i64, String, i64, i64, String, String, i64, String);
    let rows: Vec<Row> = channels::table
        .inner_join(chatbots::table)
        .inner_join(numbers::table)
        .filter(channels::chatbot_id.eq_any(chatbots))
        .order((chatbots::name.asc(), chatbots::id.asc(), channels::id.asc()))
        .select((
            chatbots::id,
            chatbots::name,
            chatbots::cap_sends,
            channels::id,
            channels::kind,
            channels::account_id,
            numbers::id,
            numbers::phone,
        ))
        .load(db)?;
    rows.into_iter()
        .map(|(chatbot, chatbot_name, cap_sends, channel, kind, account_id, number, phone)| {
            Ok(SendingNumber {
                chatbot: ChatbotId(chatbot),
                chatbot_name,
                cap_sends: number::count("cap_sends", cap_sends)?,
                channel: ChannelId(channel),
                kind: channel::read_kind(&kind)?,
                account_id,
                number: NumberId(number),
                phone,
            })
        })
        .collect()
}

/// The channel `chatbot` and `contact` last used; `None` before the first message.
///
/// # Errors
/// When the database fails.
pub fn find_last_channel(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
) -> Result<Option<ChannelId>, PersistenceError> {
    let channel: Option<Option<i64>> = chatbot_contacts::table
        .find((chatbot.0, contact.0))
        .select(chatbot_contacts::last_channel_id)
        .first(db)
        .optional()?;
    Ok(channel.flatten().map(ChannelId))
}

/// The chatbot, of those in which `actor` may send, that wrote with `contact` over a channel of its own;
/// the lowest id of several, `None` when none did.
///
/// # Errors
/// When the database fails.
pub fn find_chatbot_of(
    db: &mut Db,
    actor: &Actor,
    contact: ContactId,
) -> Result<Option<ChatbotId>, PersistenceError> {
    let chatbots: Vec<i64> = actor
        .chatbots_where(Permission::SendActiveMessages)
        .into_iter()
        .map(|chatbot| chatbot.0)
        .collect();
    let chatbot: Option<i64> = chatbot_contacts::table
        .filter(chatbot_contacts::contact_id.eq(contact.0))
        .filter(chatbot_contacts::chatbot_id.eq_any(chatbots))
        .order(chatbot_contacts::chatbot_id.asc())
        .select(chatbot_contacts::chatbot_id)
        .first(db)
        .optional()?;
    Ok(chatbot.map(ChatbotId))
}

/// Templates of `account` whose name holds `text`, as they stand at `now`, approved ones first, then by name and
/// language, `most` at most. What is gone from the account is left out.
///
/// Served by the unique index on account, name and language. Rule: AM-02.
///
/// # Errors
/// When the database fails.
pub fn search_templates(
    db: &mut Db,
    account: &str,
    text: &str,
    language: Option<&str>,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<MessageTemplate>, PersistenceError> {
    let mut query = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .filter(message_templates::gone_at.is_null())
        .filter(message_templates::name.like(name_pattern(text)).escape('!'))
        .order((
            message_templates::status.ne("approved").asc(),
            message_templates::name.asc(),
            message_templates::language.asc(),
        ))
        .limit(most)
        .select(row_columns())
        .into_boxed();
    if let Some(language) = language {
        query = query.filter(message_templates::language.eq(language));
    }
    let rows: Vec<MessageTemplateRow> = query.load(db)?;
    rows.into_iter().map(|row| MessageTemplate::try_from(row).map(|it| at(it, now))).collect()
}

/// `template` with the status it has at `now`.
fn at(template: MessageTemplate, now: DateTime<Utc>) -> MessageTemplate {
    MessageTemplate { status: template.status.at(now), ..template }
}

/// What a name must be like to hold `text`: names are lower case, with underscores for spaces.
fn name_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold(text.trim()).chars() {
        match character {
            ' ' | '_' | '-' => pattern.push_str("!_"),
            '%' | '!' => pattern.extend(['!', character]),
            other => pattern.push(other),
        }
    }
    pattern.push('%');
    pattern
}

/// The languages in which `account` has templates, by code.
///
/// # Errors
/// When the database fails.
pub fn list_template_languages(
    db: &mut Db,
    account: &str,
) -> Result<Vec<String>, PersistenceError> {
    let languages = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .filter(message_templates::gone_at.is_null())
        .order(message_templates::language.asc())
        .select(message_templates::language)
        .distinct()
        .load(db)?;
    Ok(languages)
}

/// The template `id` of `account`, gone or not; `None` when the account has none of that id.
///
/// # Errors
/// When the database fails.
pub fn find_template(
    db: &mut Db,
    account: &str,
    id: TemplateId,
    now: DateTime<Utc>,
) -> Result<Option<MessageTemplate>, PersistenceError> {
    match message_template::get(db, id) {
        Ok(template) if template.account_id == account => Ok(Some(at(template, now))),
        Ok(_) | Err(PersistenceError::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// What the fields of a value hold for `contact` when `actor` sends (AM-13), as admission fills them.
///
/// # Errors
/// When the database fails.
pub fn field_values(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    contact: &Contact,
) -> Result<FieldValues, PersistenceError> {
    let contact_protocol = tickets::table
        .filter(tickets::contact_id.eq(contact.id.0))
        .filter(tickets::chatbot_id.eq(chatbot.0))
        .order(tickets::opened_at.desc())
        .select(tickets::protocol)
        .first(db)
        .optional()?;
    Ok(FieldValues {
        contact_name: Some(contact.name.clone()),
        contact_phone: contact.phone.as_ref().map(|phone| phone.as_e164().to_owned()),
        contact_protocol,
        agent_name: Some(actor.user.name.clone()),
    })
}

/// The zones `contact` may be in: the contact's own field, else all the number may belong to; empty when
/// nothing is known.
#[must_use]
pub fn zones_of(contact: &Contact) -> Vec<Tz> {
    let own: Option<Tz> = contact.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    match (own, &contact.phone) {
        (Some(zone), _) => vec![zone],
        (None, Some(phone)) => phone.candidate_zones().to_vec(),
        (None, None) => Vec::new(),
    }
}

/// Where an open ticket stands, for a template sent from it (SW-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketOrigin {
    /// The chatbot it is in.
    pub chatbot: ChatbotId,
    /// Whose it is.
    pub contact: ContactId,
    /// The channel it runs over.
    pub channel: ChannelId,
}

/// Where `ticket` stands, for anyone of its chatbot's team.
///
/// # Errors
/// `NotFound` for anyone else.
pub fn get_ticket_origin(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
) -> Result<TicketOrigin, PersistenceError> {
    let (chatbot, contact, channel): (i64, i64, i64) = tickets::table
        .find(ticket.0)
        .filter(tickets::chatbot_id.eq_any(actor.chatbot_ids()))
        .select((tickets::chatbot_id, tickets::contact_id, tickets::channel_id))
        .first(db)?;
    Ok(TicketOrigin {
        chatbot: ChatbotId(chatbot),
        contact: ContactId(contact),
        channel: ChannelId(channel),
    })
}
