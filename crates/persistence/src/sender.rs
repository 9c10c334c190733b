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
    contact_event::{self, ContactNews},
    db::{Db, on_either},
    error::PersistenceError,
    kept::kept_update,
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
    let contact = find_or_create_person(db, to, sender, written_at, now)?;
    reach::mark_reachable(db, contact, written_at)?;
    Ok(contact)
}

/// [`find_or_create_sender`] for someone of whom the platform speaks at `at`, but who did not write.
pub(crate) fn find_or_create_person(
    db: &mut Db,
    to: Addressed<'_>,
    person: &SenderIdentity,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<ContactId, PersistenceError> {
    let ids = Ids::of(person);
    let name = name_of(person);
    let known = find(db, &ids, to.account, at)?;
    let contact = match known {
        Some(contact) => contact,
        None if ids.is_none() => {
            return Err(PersistenceError::unreadable("webhook_inbox", "body", "no sender"));
        }
        None => {
            let phone = ids.phone.clone();
            let new = NewContact { name: name.clone(), phone, ..NewContact::default() };
            contact::create(db, &new, now)?
        }
    };
    lock(db, contact)?;
    if let Some(phone) = &ids.phone {
        keep_phone(db, contact, phone, at, now)?;
    }
    for identity in ids.given(to.account) {
        keep_id(db, contact, identity, now)?;
    }
    if known.is_some() && !name.is_empty() {
        name_the_nameless(db, contact, &name)?;
    }
    contact::join_chatbot(db, to.chatbot, contact, None, Some(to.channel), now)?;
    Ok(contact)
}

/// By what someone is known to a platform.
pub(crate) struct Ids {
    pub(crate) phone: Option<PhoneNumber>,
    scoped: Option<String>,
    parent: Option<String>,
}

impl Ids {
    pub(crate) fn of(person: &SenderIdentity) -> Self {
        let digits = person.phone_digits.as_deref();
        Self {
            phone: digits.and_then(|digits| PhoneNumber::from_e164(digits).ok()),
            scoped: person.scoped_id.as_deref().map(without_nul),
            parent: person.parent_scoped_id.as_deref().map(without_nul),
        }
    }

    fn is_none(&self) -> bool {
        self.phone.is_none() && self.scoped.is_none() && self.parent.is_none()
    }

    /// The ids that the platform gave, those of `account` before those of all linked businesses.
    pub(crate) fn given<'a>(&'a self, account: &'a str) -> impl Iterator<Item = Identity<'a>> {
        let scoped = self.scoped.as_deref().map(|id| Identity::Scoped { scope: account, id });
        scoped.into_iter().chain(self.parent.as_deref().map(Identity::Parent))
    }

    /// All of them, the number first.
    pub(crate) fn all<'a>(&'a self, account: &'a str) -> impl Iterator<Item = Identity<'a>> {
        self.phone.iter().map(Identity::Phone).chain(self.given(account))
    }
}

/// The profile's name, else the one the person chose to be found by; empty when there is neither.
fn name_of(person: &SenderIdentity) -> String {
    let chosen = || person.username.as_deref().map(|name| format!("@{name}"));
    let name = person.name.as_deref().map(str::to_owned).or_else(chosen);
    name.map(|name| without_nul(&name)).unwrap_or_default()
}

/// PostgreSQL keeps no NUL in a text; no person writes one.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// Who goes by one of `ids` at `at`. Whoever goes by a number that someone left before is someone else, and has it
/// from then on.
fn find(
    db: &mut Db,
    ids: &Ids,
    account: &str,
    at: DateTime<Utc>,
) -> Result<Option<ContactId>, PersistenceError> {
    for identity in ids.all(account) {
        match contact::find_holder(db, identity)? {
            Some(holder) if holder.is_at(at) => return Ok(Some(holder.contact)),
            Some(_) => contact::forget_identity(db, identity)?,
            None => {}
        }
    }
    Ok(None)
}

/// Locks the contact's row until the transaction ends: one message of a contact at a time.
pub(crate) fn lock(db: &mut Db, contact: ContactId) -> Result<(), PersistenceError> {
    let next = contacts::lock_version.eq(contacts::lock_version + 1);
    let update = kept_update(contacts::table, contacts::id.eq(contact.0), next);
    on_either!(db => update.execute(db))?;
    Ok(())
}

/// A contact known by another id until now gets the number they wrote from; one with another number until now goes
/// by this one from `at` on.
fn keep_phone(
    db: &mut Db,
    contact: ContactId,
    phone: &PhoneNumber,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match contact::find_by_identity(db, Identity::Phone(phone))? {
        Some(_) => Ok(()),
        None => take_phone(db, contact, phone, at, now),
    }
}

/// Gives `contact` a number that is nobody's, in place of the one they had, and notes it in their history.
pub(crate) fn take_phone(
    db: &mut Db,
    contact: ContactId,
    phone: &PhoneNumber,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let before: Option<String> =
        contacts::table.find(contact.0).select(contacts::phone).first(db)?;
    contact::set_phone(db, contact, phone, now)?;
    if contact::leave_phones(db, contact, Some(phone), at)? {
        let to = phone.as_e164().to_owned();
        contact_event::record(
            db,
            contact,
            at,
            &ContactNews::NumberChanged { from: before, to },
            now,
        )?;
    }
    Ok(())
}

/// An id belongs to whom the platform says now.
pub(crate) fn keep_id(
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
