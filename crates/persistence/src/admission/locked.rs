//! The rows an admission stands on: number and contact, locked when it is to be acted upon, and the settings
//! beside them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    clock::Clock,
    ids::{ChatbotId, ContactId, PolicyId},
    phone::PhoneNumber,
    policy::Policy,
};

use super::draft::{Draft, Recipient};
use crate::{
    contact::{self, Identity},
    db::{Db, locking, on_either},
    error::PersistenceError,
    instant::Instant,
    number::NumberRow,
    policy,
    schema::{channels, chatbot_contacts, chatbots, contacts, numbers},
    user::Actor,
};

/// The rows an admission stands on, locked when it is to be acted upon.
pub(super) struct Locked {
    pub(super) number: Option<NumberRow>,
    pub(super) contact: Option<ContactRow>,
    pub(super) chatbot: ChatbotId,
    pub(super) channel: ChannelFacts,
    pub(super) settings: ChatbotFacts,
    pub(super) policy_id: PolicyId,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub(super) struct ContactRow {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) phone: Option<String>,
    pub(super) time_zone: Option<String>,
}

/// Locks the number, then the contact: always in this order.
pub(super) fn lock(db: &mut Db, actor: &Actor, draft: &Draft) -> Result<Locked, PersistenceError> {
    let number: Option<NumberRow> = locking!(db => numbers::table
            .filter(numbers::channel_id.eq(draft.channel.0))
            .select(NumberRow::as_select()))
    .optional()?;
    let contact: Option<ContactRow> = match find_recipient(db, actor, draft)? {
        None => None,
        Some(id) => {
            locking!(db => contacts::table.find(id.0).select(ContactRow::as_select())).optional()?
        }
    };
    with_settings(db, draft, number, contact)
}

/// Reads what [`lock`] locks.
pub(super) fn look(db: &mut Db, actor: &Actor, draft: &Draft) -> Result<Locked, PersistenceError> {
    let number: Option<NumberRow> = numbers::table
        .filter(numbers::channel_id.eq(draft.channel.0))
        .select(NumberRow::as_select())
        .first(db)
        .optional()?;
    let contact = match find_recipient(db, actor, draft)? {
        None => None,
        Some(id) => {
            contacts::table.find(id.0).select(ContactRow::as_select()).first(db).optional()?
        }
    };
    with_settings(db, draft, number, contact)
}

fn with_settings(
    db: &mut Db,
    draft: &Draft,
    number: Option<NumberRow>,
    contact: Option<ContactRow>,
) -> Result<Locked, PersistenceError> {
    let (channel, settings): (ChannelFacts, ChatbotFacts) = on_either!(db => channels::table
        .inner_join(chatbots::table)
        .filter(channels::id.eq(draft.channel.0))
        .select((ChannelFacts::as_select(), ChatbotFacts::as_select()))
        .first(db))?;
    let policy_id = match &number {
        Some(number) => PolicyId(number.policy_id),
        None => {
            policy::find_latest(db, policy::DEFAULT_PROFILE)?.ok_or(PersistenceError::NotFound)?
        }
    };
    let chatbot = ChatbotId(settings.id);
    Ok(Locked { number, contact, chatbot, channel, settings, policy_id })
}

impl Locked {
    pub(super) fn policy(&self, db: &mut Db) -> Result<Arc<Policy>, PersistenceError> {
        policy::get(db, self.policy_id)
    }

    /// The clock, read after the lock, and never before what the number's row has already seen: clocks of
    /// several processes differ.
    pub(super) fn now_after_lock(&self, policy: &Policy, clock: &dyn Clock) -> DateTime<Utc> {
        let now = clock.now();
        let Some(number) = &self.number else { return now };
        let day = DateTime::from(number.day_expired_through) + policy.tiers.window;
        let week = DateTime::from(number.week_expired_through) + policy.tiers.promotion_window;
        now.max(day).max(week)
    }

    /// The number written to; `None` for a contact known by another identity only.
    pub(super) fn recipient_phone(&self, draft: &Draft) -> Option<PhoneNumber> {
        match (&self.contact, &draft.to) {
            (Some(row), _) => {
                row.phone.as_deref().and_then(|phone| PhoneNumber::from_e164(phone).ok())
            }
            (None, Recipient::Phone(phone)) => Some(phone.clone()),
            (None, Recipient::Contact(_) | Recipient::NoNumber(_)) => None,
        }
    }

    /// The contact, made now when the send goes to a number nobody has.
    pub(super) fn contact_or_create(
        &self,
        db: &mut Db,
        draft: &Draft,
        now: DateTime<Utc>,
    ) -> Result<ContactId, PersistenceError> {
        match (&self.contact, &draft.to) {
            (Some(contact), _) => Ok(ContactId(contact.id)),
            (None, Recipient::Contact(_) | Recipient::NoNumber(_)) => {
                Err(PersistenceError::NotFound)
            }
            (None, Recipient::Phone(phone)) => {
                let new = contact::NewContact {
                    phone: Some(phone.clone()),
                    ..contact::NewContact::default()
                };
                contact::create(db, &new, now)
            }
        }
    }
}

/// Who the draft names; `None` for a number nobody has yet, and for what is none.
fn find_recipient(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
) -> Result<Option<ContactId>, PersistenceError> {
    let contact = match &draft.to {
        Recipient::Phone(phone) => return contact::find_by_identity(db, Identity::Phone(phone)),
        Recipient::NoNumber(_) => return Ok(None),
        Recipient::Contact(contact) => *contact,
    };
    if is_known_to(db, actor, contact)? {
        Ok(Some(contact))
    } else {
        Err(PersistenceError::NotFound)
    }
}

/// Whether a chatbot of `actor` knows `contact`.
pub(super) fn is_known_to(
    db: &mut Db,
    actor: &Actor,
    contact: ContactId,
) -> Result<bool, PersistenceError> {
    // Compared here rather than there: a list of ids in the query would be prepared anew each time.
    let known_to: Vec<i64> = on_either!(db => chatbot_contacts::table
        .filter(chatbot_contacts::contact_id.eq(contact.0))
        .select(chatbot_contacts::chatbot_id)
        .load(db))?;
    Ok(known_to.into_iter().any(|chatbot| actor.is_in_team(ChatbotId(chatbot))))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = channels)]
pub(super) struct ChannelFacts {
    pub(super) kind: String,
    pub(super) account_id: String,
    pub(super) connected: bool,
    pub(super) credentials_failing_since: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = chatbots)]
pub(super) struct ChatbotFacts {
    pub(super) id: i64,
    pub(super) time_zone: String,
    pub(super) active_messages_enabled: bool,
    pub(super) cap_enabled: bool,
    pub(super) cap_sends: i64,
    pub(super) cap_scope: String,
    pub(super) quiet_hours_enabled: bool,
}
