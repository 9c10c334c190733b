//! What stands beside a conversation: may one write, over which number, to whom, and what was before.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{
    ids::{ChannelId, UserId},
    opt_out::OptOut,
    phone::PhoneNumber,
};

use super::{
    Access, ConversationId, EarlierTicket, find_access,
    people::{names, read_phone},
    thread::list_earlier_tickets,
};
use crate::{
    admission::{self, Outlook},
    contact_event::{self, ContactEvent},
    db::Db,
    error::PersistenceError,
    instant::Instant,
    opt_out,
    schema::{chatbot_contacts, chatbots, contacts},
    user::Actor,
};

/// The most lines of the contact's history.
const MOST_HISTORY: i64 = 10;

/// The side panel of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The contact's name; empty when unknown.
    pub name: String,
    /// The contact's number; `None` for people known by another identity.
    pub phone: Option<PhoneNumber>,
    /// Their own zone; `None` when it is not noted, and only their number tells.
    pub zone: Option<Tz>,
    /// What admission would say; `None` without a channel or a template.
    pub outlook: Option<Outlook>,
    /// The chatbot's name.
    pub chatbot: String,
    /// When the chatbot first knew them.
    pub first_contact_at: DateTime<Utc>,
    /// Who served or wrote to them last, by name.
    pub last_agent: Option<String>,
    /// When they agreed to marketing; `None` when that is not known.
    pub marketing_opt_in_at: Option<DateTime<Utc>>,
    /// Opt-outs in force.
    pub opt_outs: Vec<OptOut>,
    /// Sorted, without doubles.
    pub tags: Vec<String>,
    /// The latest closed tickets, the latest first.
    pub earlier_tickets: Vec<EarlierTicket>,
    /// What happened to them other than messages, the latest first.
    pub history: Vec<ContactEvent>,
}

#[derive(Queryable)]
struct Row {
    name: String,
    phone: Option<String>,
    time_zone: Option<String>,
    marketing_opt_in_at: Option<Instant>,
    tags: String,
    chatbot: String,
    first_contact_at: Instant,
    last_agent_id: Option<i64>,
    last_channel_id: Option<i64>,
}

/// What stands beside `conversation` for `actor` at `now`.
///
/// # Errors
/// `NotFound` when they may not know of it.
pub fn find_about(
    db: &mut Db,
    actor: &Actor,
    conversation: ConversationId,
    now: DateTime<Utc>,
) -> Result<About, PersistenceError> {
    let Access { ticket, .. } = find_access(db, actor, conversation)?;
    let row: Row = chatbot_contacts::table
        .inner_join(contacts::table)
        .inner_join(chatbots::table)
        .filter(chatbot_contacts::chatbot_id.eq(conversation.chatbot.0))
        .filter(chatbot_contacts::contact_id.eq(conversation.contact.0))
        .select((
            contacts::name,
            contacts::phone,
            contacts::time_zone,
            contacts::marketing_opt_in_at,
            contacts::tags,
            chatbots::name,
            chatbot_contacts::first_contact_at,
            chatbot_contacts::last_agent_id,
            chatbot_contacts::last_channel_id,
        ))
        .first(db)?;
    let channel = ticket.as_ref().map(|ticket| ticket.channel);
    let channel = channel.or(row.last_channel_id.map(ChannelId));
    let own_ticket = ticket
        .filter(|ticket| ticket.holding.refuses_writing(actor.id()).is_none())
        .map(|ticket| ticket.id);
    let outlook = match channel {
        Some(channel) => {
            admission::outlook(db, actor, channel, conversation.contact, own_ticket, now)?
        }
        None => None,
    };
    let opt_outs = match &outlook {
        Some(outlook) => outlook.facts.opt_outs.clone(),
        None => opt_out::list_in_force(db, conversation.contact)?,
    };
    let last_agent = match row.last_agent_id {
        Some(id) => names(db, vec![id])?.remove(&UserId(id)),
        None => None,
    };
    Ok(About {
        zone: row.time_zone.and_then(|zone| zone.parse().ok()),
        name: row.name,
        phone: read_phone(row.phone)?,
        outlook,
        chatbot: row.chatbot,
        first_contact_at: row.first_contact_at.into(),
        last_agent,
        marketing_opt_in_at: row.marketing_opt_in_at.map(DateTime::from),
        opt_outs,
        tags: row.tags.split_whitespace().map(str::to_owned).collect(),
        earlier_tickets: list_earlier_tickets(db, conversation)?,
        history: contact_event::list_latest(db, conversation.contact, MOST_HISTORY)?,
    })
}
