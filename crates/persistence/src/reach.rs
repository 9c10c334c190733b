//! How a contact is reached on a channel, and what the platform last said of it.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use domain::{
    admission::ContactReach,
    ids::{ChannelId, ContactId},
};

use crate::{
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

/// How a platform's `account` knows the contact: the number as they last wrote it, else the id the account
/// gave them, and of these one at which they can be reached before any other. `None` when the account knows
/// neither.
pub(crate) fn find_address(
    db: &mut Db,
    contact: ContactId,
    account: &str,
) -> Result<Option<String>, PersistenceError> {
    let mut ways: Vec<(String, String, String)> = contact_identities::table
        .filter(contact_identities::contact_id.eq(contact.0))
        .filter(is_of_account(account))
        .filter(contact_identities::left_at.is_null())
        .order(contact_identities::id.asc())
        .select((
            contact_identities::kind,
            contact_identities::value,
            contact_identities::reachable,
        ))
        .load(db)?;
    let reachable = ContactReach::Reachable.as_str();
    ways.sort_by_key(|(kind, _, reach)| (reach != reachable, kind != "phone"));
    let Some((kind, value, _)) = ways.into_iter().next() else { return Ok(None) };
    let written = match kind.as_str() {
        "phone" => contacts::table.find(contact.0).select(contacts::phone).first(db)?,
        _ => None::<String>,
    };
    Ok(Some(written.unwrap_or(value).trim_start_matches('+').to_owned()))
}

#[cfg(test)]
mod tests;
