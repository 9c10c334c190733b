//! What people search for on a page, kept here for a day, so that no address holds a name or a number: it
//! carries the search's id.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::UserId;

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::searches,
    secret::random_bytes,
};

/// The most characters of a search; what is beyond is cut.
const LONGEST: usize = 200;

/// Names a search in an address.
///
/// Invariant: 32 lower-case hexadecimal digits, random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchId(String);

impl SearchId {
    fn random() -> Result<Self, PersistenceError> {
        Ok(Self(hex::encode(random_bytes::<16>()?)))
    }

    /// The id an address holds; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id =
            text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_id.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for SearchId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A search of someone.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    /// Names it.
    pub id: SearchId,
    /// What was typed, without outer spaces; never empty.
    pub typed: String,
}

impl fmt::Debug for Search {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Search").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Keeps what `owner` typed; the same words again keep their id. `None` when nothing was typed.
///
/// # Errors
/// `Secret` when the system gives no random bytes.
pub fn save(
    db: &mut Db,
    owner: UserId,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<Option<Search>, PersistenceError> {
    let typed: String = typed
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(LONGEST)
        .collect();
    let typed = typed.trim().to_owned();
    if typed.is_empty() {
        return Ok(None);
    }
    let used_at = Instant::from(now);
    let row = (
        searches::id.eq(SearchId::random()?.0),
        searches::owner_id.eq(owner.0),
        searches::typed.eq(&typed),
        searches::used_at.eq(used_at),
    );
    let id: String = on_either!(db => diesel::insert_into(searches::table)
        .values(row)
        .on_conflict((searches::owner_id, searches::typed))
        .do_update()
        .set(searches::used_at.eq(used_at))
        .returning(searches::id)
        .get_result(db))?;
    Ok(Some(Search { id: SearchId(id), typed }))
}

/// The search of `owner` that `id` names; `None` when there is none any more, or it is someone else's.
///
/// # Errors
/// When the database fails.
pub fn find(db: &mut Db, owner: UserId, id: &SearchId) -> Result<Option<Search>, PersistenceError> {
    let typed: Option<String> = searches::table
        .find(&id.0)
        .filter(searches::owner_id.eq(owner.0))
        .select(searches::typed)
        .first(db)
        .optional()?;
    Ok(typed.map(|typed| Search { id: id.clone(), typed }))
}

/// Deletes up to `most` searches last asked for at or before `until`, and tells how many.
///
/// # Errors
/// When the database fails.
pub fn delete_until(
    db: &mut Db,
    until: DateTime<Utc>,
    most: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<String> = searches::table
        .filter(searches::used_at.le(Instant::from(until)))
        .order(searches::used_at.asc())
        .limit(most)
        .select(searches::id)
        .load(db)?;
    Ok(diesel::delete(searches::table.filter(searches::id.eq_any(ids))).execute(db)?)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;

    use super::*;
    use crate::{given::Desk, test_support::on_both};

    #[test]
    fn a_search_is_its_owners_keeps_its_id_and_ends() {
        on_both(|store| {
            let desk = Desk::given(store);
            let (ana, now) = (desk.ana.id(), desk.clock.now());
            let saved = |typed: &str, now| store.blocking_write(|db| save(db, ana, typed, now));
            let found = |owner, id: &SearchId| store.blocking_read(|db| find(db, owner, id));
            assert_eq!(saved("  ", now).unwrap(), None);
            let luisa = saved(" Luísa\u{0}\n", now).unwrap().unwrap();
            assert_eq!(luisa.typed, "Luísa");
            assert!(!luisa.id.to_string().contains("Lu"));
            assert_eq!(found(ana, &luisa.id).unwrap(), Some(luisa.clone()));
            assert_eq!(found(UserId(ana.0 + 1), &luisa.id).unwrap(), None, "someone else's");
            let later = now + TimeDelta::hours(1);
            assert_eq!(saved("Luísa", later).unwrap(), Some(luisa.clone()));
            let cut = saved(&"é".repeat(500), now).unwrap().unwrap();
            assert_eq!(cut.typed.chars().count(), LONGEST);
            assert_eq!(store.blocking_write(|db| delete_until(db, now, 10)).unwrap(), 1);
            assert_eq!(found(ana, &cut.id).unwrap(), None);
            assert_eq!(found(ana, &luisa.id).unwrap(), Some(luisa));
        });
    }

    #[test]
    fn an_address_names_a_search_by_32_hexadecimal_digits_only() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert!(SearchId::parse(digits).is_some());
        for none in ["", "Lui", &digits[1..], &digits.to_uppercase(), &digits.replace('0', "\0")] {
            assert_eq!(SearchId::parse(none), None, "{none:?}");
        }
    }
}
