//! Finds who wrote, or makes a contact of them: one person, whatever form their number has (DE-03).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::SenderIdentity,
    ids::{ChannelId, ChatbotId, ContactId},
    phone::PhoneNumber,
};

use crate::{
    contact::{self, Identity, NewContact},
    db::Db,
    error::PersistenceError,
    reach,
    schema::contacts,
};

/// Where someone wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addressed<'a> {
    pub chatbot: ChatbotId,
    pub channel: ChannelId,
    /// The platform account, in which scoped ids mean something.
    pub account: &'a str,
}

/// The contact who is `sender`, who wrote at `written_at` by the platform's time; made when nobody is, named by their
/// profile when they have no name yet, and known to the chatbot from now on. The contact's row is locked until the
/// transaction ends.
///
/// Where number and scoped id name two contacts, the number decides and the scoped id goes with it: the
/// platform's newest statement wins.
///
/// # Errors
/// `Unreadable` when the sender has no identity at all.
pub(crate) fn find_or_create_sender(
    db: &mut Db,
    to: Addressed<'_>,
    sender: &SenderIdentity,
    written_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<ContactId, PersistenceError> {
    let contact = find_or_create_person(db, to, sender, now)?;
    reach::mark_reachable(db, contact, written_at)?;
    Ok(contact)
}

/// [`find_or_create_sender`] for someone of whom the platform speaks, but who did not write.
pub(crate) fn find_or_create_person(
    db: &mut Db,
    to: Addressed<'_>,
    sender: &SenderIdentity,
    now: DateTime<Utc>,
) -> Result<ContactId, PersistenceError> {
    let phone =
        sender.phone_digits.as_deref().and_then(|digits| PhoneNumber::from_e164(digits).ok());
    let scoped = sender.scoped_id.as_deref().map(without_nul);
    let name = sender.name.as_deref().map(without_nul).unwrap_or_default();
    let by_phone = phone.as_ref().map(Identity::Phone);
    let by_scope = scoped.as_deref().map(|id| Identity::Scoped { scope: to.account, id });
    let known = match find(db, by_phone)? {
        Some(contact) => Some(contact),
        None => find(db, by_scope)?,
    };
    let contact = match (known, by_phone, by_scope) {
        (Some(contact), _, _) => contact,
        (None, None, None) => {
            return Err(PersistenceError::unreadable("webhook_inbox", "body", "no sender"));
        }
        (None, _, _) => {
            let new =
                NewContact { name: name.clone(), phone: phone.clone(), ..NewContact::default() };
            contact::create(db, &new, now)?
        }
    };
    lock(db, contact)?;
    if let Some(phone) = &phone {
        keep_phone(db, contact, phone, now)?;
    }
    if let Some(identity) = by_scope {
        keep_scoped_id(db, contact, identity, now)?;
    }
    if known.is_some() && !name.is_empty() {
        name_the_nameless(db, contact, &name)?;
    }
    contact::join_chatbot(db, to.chatbot, contact, None, Some(to.channel), now)?;
    Ok(contact)
}

/// PostgreSQL keeps no NUL in a text; no person writes one.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

fn find(
    db: &mut Db,
    identity: Option<Identity<'_>>,
) -> Result<Option<ContactId>, PersistenceError> {
    match identity {
        Some(identity) => contact::find_by_identity(db, identity),
        None => Ok(None),
    }
}

/// Locks the contact's row until the transaction ends: one message of a contact at a time.
pub(crate) fn lock(db: &mut Db, contact: ContactId) -> Result<(), PersistenceError> {
    diesel::update(contacts::table.find(contact.0))
        .set(contacts::lock_version.eq(contacts::lock_version + 1))
        .execute(db)?;
    Ok(())
}

/// A contact known by another id until now gets the number they wrote from.
fn keep_phone(
    db: &mut Db,
    contact: ContactId,
    phone: &PhoneNumber,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match contact::find_by_identity(db, Identity::Phone(phone))? {
        Some(_) => Ok(()),
        None => contact::set_phone(db, contact, phone, now),
    }
}

/// The scoped id belongs to whom the platform says now.
fn keep_scoped_id(
    db: &mut Db,
    contact: ContactId,
    identity: Identity<'_>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match contact::find_by_identity(db, identity)? {
        Some(holder) if holder == contact => Ok(()),
        Some(_) => contact::move_identity(db, identity, contact),
        None => contact::add_identity(db, contact, identity, now),
    }
}

fn name_the_nameless(db: &mut Db, contact: ContactId, name: &str) -> Result<(), PersistenceError> {
    let known: String = contacts::table.find(contact.0).select(contacts::name).first(db)?;
    if known.is_empty() { contact::set_name(db, contact, name) } else { Ok(()) }
}
