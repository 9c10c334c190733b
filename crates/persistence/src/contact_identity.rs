//! A contact is someone else to the platform now: they have another number, or another id. What the platform calls one
//! person becomes one contact where nothing speaks against it; two contacts that both have a past stay two
//! (decision 8).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{IdentityChange, IdentityNews, SenderIdentity},
    ids::ContactId,
};

use crate::{
    contact::{self, Identity},
    contact_event::{self, ContactNews},
    db::Db,
    error::PersistenceError,
    live::{self, LiveEvent, LiveKind},
    message::ChannelFacts,
    opt_out,
    schema::contacts,
    sender::{self, Ids},
};

/// Takes over who a contact is now, and notes it in their history.
pub(crate) fn apply_change(
    db: &mut Db,
    channel: &ChannelFacts,
    change: &IdentityChange,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = change.at;
    let contact = sender::find_or_create_person(db, channel.addressed(), &change.contact, at, now)?;
    match &change.what {
        IdentityNews::Number { now: person } => {
            become_person(db, channel, contact, person, at, now)?;
        }
        // The platform may name the number they keep beside the new id.
        IdentityNews::ScopedId { now: person } => {
            let stays_one = become_person(db, channel, contact, person, at, now)?;
            if stays_one && Ids::of(person).phone.is_some() {
                contact_event::record(db, contact, at, &ContactNews::IdChanged, now)?;
            }
        }
        IdentityNews::Key { is_acknowledged, .. } => {
            let news = ContactNews::KeyChanged { is_acknowledged: *is_acknowledged };
            contact_event::record(db, contact, at, &news, now)?;
        }
    }
    live::note(db, LiveEvent::of_contact(LiveKind::Message, channel.chatbot, contact, 0));
    Ok(())
}

/// Makes `contact` known by the ids of `person`, unless those are of another contact; whether they were not.
fn become_person(
    db: &mut Db,
    channel: &ChannelFacts,
    contact: ContactId,
    person: &SenderIdentity,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let ids = Ids::of(person);
    if let Some(other) = find_other(db, contact, &ids, &channel.account, at)? {
        stay_two(db, contact, other, ids.phone.is_some(), at, now)?;
        return Ok(false);
    }
    let phone = ids.phone.as_ref();
    if let Some(phone) = phone {
        match contact::find_holder(db, Identity::Phone(phone))? {
            Some(holder) if holder.contact == contact && holder.left_at.is_none() => {}
            Some(_) => {
                contact::forget_identity(db, Identity::Phone(phone))?;
                sender::take_phone(db, contact, phone, at, now)?;
            }
            None => sender::take_phone(db, contact, phone, at, now)?,
        }
    }
    for identity in ids.given(&channel.account) {
        sender::keep_id(db, contact, identity, now)?;
    }
    if phone.is_none() {
        contact_event::record(db, contact, at, &ContactNews::IdChanged, now)?;
    }
    Ok(true)
}

/// Another contact who goes by one of `ids` at `at`.
fn find_other(
    db: &mut Db,
    contact: ContactId,
    ids: &Ids,
    account: &str,
    at: DateTime<Utc>,
) -> Result<Option<ContactId>, PersistenceError> {
    for identity in ids.all(account) {
        let holder = contact::find_holder(db, identity)?;
        if let Some(holder) = holder.filter(|holder| holder.contact != contact && holder.is_at(at))
        {
            return Ok(Some(holder.contact));
        }
    }
    Ok(None)
}

/// Both stay with their pasts, and each says who the other is. `contact` is reached no more by the number that
/// was left; what they no longer want, the other does not want either (AD-09).
fn stay_two(
    db: &mut Db,
    contact: ContactId,
    other: ContactId,
    has_left_number: bool,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    lock_both(db, contact, other)?;
    if has_left_number {
        contact::leave_phones(db, contact, None, at)?;
    }
    for opt_out in opt_out::list_in_force(db, contact)? {
        opt_out::opt_out(db, other, opt_out.scope, opt_out.source, opt_out.at)?;
    }
    for (one, theirs, is_successor) in [(contact, other, true), (other, contact, false)] {
        let (contact, name) = (theirs, String::new());
        let news = ContactNews::SamePerson { contact, name, is_successor };
        contact_event::record(db, one, at, &news, now)?;
    }
    Ok(())
}

/// In the order of their ids, as everyone does.
fn lock_both(db: &mut Db, one: ContactId, other: ContactId) -> Result<(), PersistenceError> {
    let mut both = [one.0, other.0];
    both.sort_unstable();
    for id in both {
        diesel::update(contacts::table.find(id))
            .set(contacts::lock_version.eq(contacts::lock_version + 1))
            .execute(db)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
