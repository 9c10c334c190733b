//! How a contact is reached on a channel, and what the platform last said of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use domain::{
    admission::ContactReach,
    ids::{ChannelId, ContactId},
};

use crate::{
    among::is_among,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    schema::{channels, contact_identities, contacts},
};

type IsOfAccount<'a> = dsl::Or<
    dsl::Eq<contact_identities::kind, &'static str>,
    dsl::Eq<contact_identities::scope, &'a str>,
>;

/// What leads to a contact on a channel of `account`: a phone, or an id that the account gave.
fn is_of_account(account: &str) -> IsOfAccount<'_> {
    contact_identities::kind.eq("phone").or(contact_identities::scope.eq(account))
}

/// Who wrote at `at`, by the platform's time, was there then; only a later word says otherwise.
pub(crate) fn mark_reachable(
    db: &mut Db,
    contact: ContactId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(at);
    let known_later = contact_identities::reachable_at.gt(Some(at)).assume_not_null();
    let nothing_known = contact_identities::reachable_at.is_null();
    let theirs = contact_identities::contact_id.eq(contact.0);
    let update = kept_update(
        contact_identities::table,
        theirs.and(nothing_known.or(dsl::not(known_later))),
        (
            contact_identities::reachable.eq(ContactReach::Reachable.as_str()),
            contact_identities::reachable_at.eq(Some(at)),
        ),
    );
    on_either!(db => update.execute(db))?;
    Ok(())
}

/// The platform of `channel` said at `at` that it does not know the contact (131026): no further send to
/// them is admitted there. Whoever wrote then or later is there, however late this word comes.
pub(crate) fn mark_not_on_platform(
    db: &mut Db,
    contact: ContactId,
    channel: ChannelId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let account: String = channels::table.find(channel.0).select(channels::account_id).first(db)?;
    let at = Instant::from(at);
    let known_before = contact_identities::reachable_at.lt(Some(at)).assume_not_null();
    let nothing_known = contact_identities::reachable_at.is_null();
    diesel::update(
        contact_identities::table
            .filter(contact_identities::contact_id.eq(contact.0))
            .filter(is_of_account(&account))
            .filter(contact_identities::left_at.is_null())
            .filter(nothing_known.or(known_before)),
    )
    .set((
        contact_identities::reachable.eq(ContactReach::NotOnPlatform.as_str()),
        contact_identities::reachable_at.eq(Some(at)),
    ))
    .execute(db)?;
    Ok(())
}

/// How a platform's `account` knows each of `contacts`: the number as they last wrote it, else the id the account
/// gave them, and of these one at which they can be reached before any other. Whom the account does not know is
/// left out.
pub(crate) fn list_addresses(
    db: &mut Db,
    contacts: &BTreeSet<ContactId>,
    account: &str,
) -> Result<BTreeMap<ContactId, String>, PersistenceError> {
    let mut ways: Vec<Way> = contact_identities::table
        .inner_join(contacts::table)
        .filter(is_among(contact_identities::contact_id, contacts.iter().map(|contact| contact.0)))
        .filter(is_of_account(account))
        .filter(contact_identities::left_at.is_null())
        .select((
            contact_identities::contact_id,
            contact_identities::id,
            contact_identities::kind,
            contact_identities::value,
            contact_identities::reachable,
            contacts::phone,
        ))
        .load(db)?;
    let reachable = ContactReach::Reachable.as_str();
    ways.sort_by_key(|way| (way.reachable != reachable, way.kind != "phone", way.id));
    let mut addresses = BTreeMap::new();
    for way in ways {
        addresses.entry(ContactId(way.contact_id)).or_insert_with(|| way.address());
    }
    Ok(addresses)
}

/// One of the ways to a contact.
#[derive(Queryable)]
struct Way {
    contact_id: i64,
    id: i64,
    kind: String,
    value: String,
    reachable: String,
    written_phone: Option<String>,
}

impl Way {
    fn address(self) -> String {
        let written = self.written_phone.filter(|_| self.kind == "phone");
        written.unwrap_or(self.value).trim_start_matches('+').to_owned()
    }
}

#[cfg(test)]
mod tests;
