//! How contacts are known: by a number, or by ids that a platform gave them. Any of them may become another one, and a
//! number someone left may be given to someone else.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{admission::ContactReach, ids::ContactId, phone::PhoneNumber};

use crate::{db::Db, error::PersistenceError, instant::Instant, schema::contact_identities};

/// How a contact is known to a platform.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// A phone number, compared in canonical form (DE-03).
    Phone(&'a PhoneNumber),
    /// An id that only means something within `scope`, such as a platform account.
    Scoped {
        /// The account or app it was given by.
        scope: &'a str,
        /// The id.
        id: &'a str,
    },
    /// The same person's id across linked businesses.
    Parent(&'a str),
}

impl Identity<'_> {
    /// Kind, scope and value as they are stored.
    pub(crate) fn stored(self) -> (&'static str, String, String) {
        match self {
            Self::Phone(phone) => ("phone", String::new(), phone.canonical().as_e164().to_owned()),
            Self::Scoped { scope, id } => ("scoped_id", scope.to_owned(), id.to_owned()),
            Self::Parent(id) => ("parent_scoped_id", String::new(), id.to_owned()),
        }
    }
}

/// Who is known by an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    pub contact: ContactId,
    /// Since when they go by another one; `None` while it is theirs.
    pub left_at: Option<DateTime<Utc>>,
}

impl Holder {
    /// Whether whoever goes by it at `at` is the holder.
    pub(crate) fn is_at(self, at: DateTime<Utc>) -> bool {
        self.left_at.is_none_or(|left_at| at <= left_at)
    }
}

/// Who is known by `identity`, or was until they left it; `None` when nobody is.
///
/// # Errors
/// When the database fails.
pub fn find_by_identity(
    db: &mut Db,
    identity: Identity<'_>,
) -> Result<Option<ContactId>, PersistenceError> {
    Ok(find_holder(db, identity)?.map(|holder| holder.contact))
}

/// [`find_by_identity`] with since when it is no more theirs.
pub(crate) fn find_holder(
    db: &mut Db,
    identity: Identity<'_>,
) -> Result<Option<Holder>, PersistenceError> {
    let (kind, scope, value) = identity.stored();
    let found: Option<(i64, Option<Instant>)> = contact_identities::table
        .filter(contact_identities::kind.eq(kind))
        .filter(contact_identities::scope.eq(scope))
        .filter(contact_identities::value.eq(value))
        .select((contact_identities::contact_id, contact_identities::left_at))
        .first(db)
        .optional()?;
    Ok(found.map(|(contact, left_at)| Holder {
        contact: ContactId(contact),
        left_at: left_at.map(DateTime::from),
    }))
}

/// Makes `contact` known by `identity` as well.
///
/// # Errors
/// `Duplicate` when someone is known by it already.
pub fn add_identity(
    db: &mut Db,
    contact: ContactId,
    identity: Identity<'_>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (kind, scope, value) = identity.stored();
    diesel::insert_into(contact_identities::table)
        .values((
            contact_identities::contact_id.eq(contact.0),
            contact_identities::kind.eq(kind),
            contact_identities::scope.eq(scope),
            contact_identities::value.eq(value),
            contact_identities::reachable.eq(ContactReach::Reachable.as_str()),
            contact_identities::created_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Gives `identity` to `contact` from whoever had it: the platform's newest statement wins (DE-03).
///
/// # Errors
/// When the database fails.
pub(crate) fn move_identity(
    db: &mut Db,
    identity: Identity<'_>,
    contact: ContactId,
) -> Result<(), PersistenceError> {
    let (kind, scope, value) = identity.stored();
    diesel::update(
        contact_identities::table
            .filter(contact_identities::kind.eq(kind))
            .filter(contact_identities::scope.eq(scope))
            .filter(contact_identities::value.eq(value)),
    )
    .set((
        contact_identities::contact_id.eq(contact.0),
        contact_identities::left_at.eq(None::<Instant>),
    ))
    .execute(db)?;
    Ok(())
}

/// Nobody is known by `identity` any more.
pub(crate) fn forget_identity(db: &mut Db, identity: Identity<'_>) -> Result<(), PersistenceError> {
    let (kind, scope, value) = identity.stored();
    diesel::delete(
        contact_identities::table
            .filter(contact_identities::kind.eq(kind))
            .filter(contact_identities::scope.eq(scope))
            .filter(contact_identities::value.eq(value)),
    )
    .execute(db)?;
    Ok(())
}

/// Notes that since `at` the numbers of `contact` but `kept` are no more theirs. Says whether there were any.
pub(crate) fn leave_phones(
    db: &mut Db,
    contact: ContactId,
    kept: Option<&PhoneNumber>,
    at: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let kept = kept.map(|phone| phone.canonical().as_e164().to_owned()).unwrap_or_default();
    let left = diesel::update(
        contact_identities::table
            .filter(contact_identities::contact_id.eq(contact.0))
            .filter(contact_identities::kind.eq("phone"))
            .filter(contact_identities::value.ne(kept))
            .filter(contact_identities::left_at.is_null()),
    )
    .set(contact_identities::left_at.eq(Some(Instant::from(at))))
    .execute(db)?;
    Ok(0 < left)
}
