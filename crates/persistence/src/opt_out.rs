//! Who no longer wants to be written to, since when and from where it is known (AD-09).

mod enter;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::ContactId,
    opt_out::{OptOut, OptOutScope, OptOutSource},
};

pub use self::enter::{Entered, WishOf, Wishes, enter, find_wishes, may_enter};
use crate::{
    among::is_among,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::opt_outs,
};

/// Records that `contact` opted out at `at`. An opt-out of that scope in force since before begins anew then;
/// one that was lifted at `at` or later is stored as lifted, so that the order of arrival changes nothing
/// (LI-10).
///
/// # Errors
/// When the database fails.
pub fn opt_out(
    db: &mut Db,
    contact: ContactId,
    scope: OptOutScope,
    source: OptOutSource,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(at);
    db.write(|db| {
        let in_force: Option<(i64, Instant)> = opt_outs::table
            .filter(opt_outs::contact_id.eq(contact.0))
            .filter(opt_outs::scope.eq(scope.as_str()))
            .filter(opt_outs::lifted_at.is_null())
            .order(opt_outs::at.desc())
            .select((opt_outs::id, opt_outs::at))
            .first(db)
            .optional()?;
        match in_force {
            Some((_, since)) if at <= since => return Ok(()),
            Some((id, _)) => {
                diesel::update(opt_outs::table.find(id))
                    .set((opt_outs::source.eq(source.as_str()), opt_outs::at.eq(at)))
                    .execute(db)?;
                return Ok(());
            }
            None => {}
        }
        let lifted: Option<(Option<Instant>, Option<String>, Option<String>)> = opt_outs::table
            .filter(opt_outs::contact_id.eq(contact.0))
            .filter(opt_outs::scope.eq(scope.as_str()))
            .filter(opt_outs::lifted_at.ge(at))
            .order(opt_outs::lifted_at.desc())
            .select((opt_outs::lifted_at, opt_outs::lifted_source, opt_outs::lifted_reason))
            .first(db)
            .optional()?;
        let (lifted_at, lifted_source, lifted_reason) = lifted.unwrap_or_default();
        diesel::insert_into(opt_outs::table)
            .values((
                opt_outs::contact_id.eq(contact.0),
                opt_outs::scope.eq(scope.as_str()),
                opt_outs::source.eq(source.as_str()),
                opt_outs::at.eq(at),
                opt_outs::lifted_at.eq(lifted_at),
                opt_outs::lifted_source.eq(lifted_source),
                opt_outs::lifted_reason.eq(lifted_reason),
            ))
            .execute(db)?;
        Ok(())
    })
}

/// Lifts the opt-outs of `contact` within `scopes` that began at `at` or before; `reason` is an agent's.
/// Returns how many.
///
/// A start word that was written before the stop word but arrives after it lifts nothing; one that arrives
/// before it is remembered, and lifts it then (LI-10).
///
/// # Errors
/// When the database fails.
pub fn lift(
    db: &mut Db,
    contact: ContactId,
    scopes: &[OptOutScope],
    source: OptOutSource,
    reason: Option<&str>,
    at: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    let at = Instant::from(at);
    let words = scopes.iter().map(|scope| scope.as_str());
    db.write(|db| {
        let lifted = diesel::update(
            opt_outs::table
                .filter(opt_outs::contact_id.eq(contact.0))
                .filter(opt_outs::scope.eq_any(words.clone()))
                .filter(opt_outs::at.le(at))
                .filter(opt_outs::lifted_at.is_null()),
        )
        .set((
            opt_outs::lifted_at.eq(Some(at)),
            opt_outs::lifted_source.eq(Some(source.as_str())),
            opt_outs::lifted_reason.eq(reason),
        ))
        .execute(db)?;
        let settled: Vec<String> = opt_outs::table
            .filter(opt_outs::contact_id.eq(contact.0))
            .filter(opt_outs::scope.eq_any(words.clone()))
            .filter(opt_outs::lifted_at.is_null().or(opt_outs::lifted_at.ge(at)))
            .select(opt_outs::scope)
            .load(db)?;
        for scope in words.filter(|scope| !settled.iter().any(|word| word == scope)) {
            diesel::insert_into(opt_outs::table)
                .values((
                    opt_outs::contact_id.eq(contact.0),
                    opt_outs::scope.eq(scope),
                    opt_outs::source.eq(source.as_str()),
                    opt_outs::at.eq(at),
                    opt_outs::lifted_at.eq(Some(at)),
                    opt_outs::lifted_source.eq(Some(source.as_str())),
                    opt_outs::lifted_reason.eq(reason),
                ))
                .execute(db)?;
        }
        Ok(lifted)
    })
}

/// The opt-outs of `contact` that were not lifted, oldest first.
pub fn list_in_force(db: &mut Db, contact: ContactId) -> Result<Vec<OptOut>, PersistenceError> {
    let rows: Vec<OptOutRow> = on_either!(db => opt_outs::table
        .filter(opt_outs::contact_id.eq(contact.0))
        .filter(opt_outs::lifted_at.is_null())
        .order(opt_outs::at.asc())
        .select(row_columns())
        .load(db))?;
    rows.into_iter().map(OptOut::try_from).collect()
}

/// [`list_in_force`] of each of `contacts`; who stopped nothing is left out.
pub(crate) fn list_in_force_of(
    db: &mut Db,
    contacts: &BTreeSet<ContactId>,
) -> Result<BTreeMap<ContactId, Vec<OptOut>>, PersistenceError> {
    let rows: Vec<OptOutRow> = opt_outs::table
        .filter(is_among(opt_outs::contact_id, contacts.iter().map(|contact| contact.0)))
        .filter(opt_outs::lifted_at.is_null())
        .order(opt_outs::at.asc())
        .select(row_columns())
        .load(db)?;
    let mut in_force: BTreeMap<ContactId, Vec<OptOut>> = BTreeMap::new();
    for row in rows {
        in_force.entry(ContactId(row.contact_id)).or_default().push(row.try_into()?);
    }
    Ok(in_force)
}

type RowColumns = (opt_outs::contact_id, opt_outs::scope, opt_outs::source, opt_outs::at);

fn row_columns() -> RowColumns {
    (opt_outs::contact_id, opt_outs::scope, opt_outs::source, opt_outs::at)
}

#[derive(Queryable)]
struct OptOutRow {
    contact_id: i64,
    scope: String,
    source: String,
    at: Instant,
}

impl TryFrom<OptOutRow> for OptOut {
    type Error = PersistenceError;

    fn try_from(row: OptOutRow) -> Result<Self, Self::Error> {
        let unreadable = |column, value| PersistenceError::unreadable("opt_outs", column, value);
        Ok(Self {
            scope: OptOutScope::parse(&row.scope).ok_or_else(|| unreadable("scope", row.scope))?,
            source: OptOutSource::parse(&row.source)
                .ok_or_else(|| unreadable("source", row.source))?,
            at: row.at.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;

    use super::*;
    use crate::{given::Desk, test_support::on_both};

    #[derive(Debug, Clone, Copy)]
    enum Word {
        Stop(i64),
        Start(i64),
    }
    use Word::{Start, Stop};

    /// Since which hour the contact is opted out after `words` arrived in this order.
    fn stopped_after(desk: &Desk, contact: ContactId, words: &[Word]) -> Option<i64> {
        let day = desk.clock.now();
        let at = |hour| day + TimeDelta::hours(hour);
        desk.store
            .blocking_write(|db| {
                for word in words {
                    match *word {
                        Stop(hour) => {
                            let (scope, source) = (OptOutScope::All, OptOutSource::Word);
                            opt_out(db, contact, scope, source, at(hour))?;
                        }
                        Start(hour) => {
                            let (scopes, source) = (&OptOutScope::ALL, OptOutSource::Word);
                            lift(db, contact, scopes, source, None, at(hour))?;
                        }
                    }
                }
                let in_force = list_in_force(db, contact)?;
                assert!(in_force.len() < 2, "{words:?}");
                Ok(in_force.first().map(|it| (it.at - day).num_hours()))
            })
            .unwrap()
    }

    #[test]
    fn ad_09_li_10_stops_and_starts_decide_by_when_they_were_written() {
        let cases: [(&[Word], Option<i64>); 9] = [
            (&[Stop(9), Stop(12), Start(11)], Some(12)),
            (&[Stop(12), Stop(9), Start(11)], Some(12)),
            (&[Stop(12), Start(11)], Some(12)),
            (&[Start(11), Stop(10)], None),
            (&[Start(11), Stop(12)], Some(12)),
            (&[Stop(9), Start(11), Stop(10)], None),
            (&[Start(11), Start(9), Stop(10)], None),
            (&[Stop(9), Stop(12), Start(13)], None),
            (&[Start(11), Stop(10), Stop(12), Start(9)], Some(12)),
        ];
        on_both(|store| {
            let desk = Desk::given(store);
            for (number, (words, expected)) in cases.iter().enumerate() {
                let contact = desk.contact("Luísa", &format!("+55119876500{number:02}"));
                assert_eq!(stopped_after(&desk, contact, words), *expected, "{words:?}");
            }
        });
    }

    #[test]
    fn ad_09_a_resumed_marketing_stop_says_nothing_of_a_stop_of_all() {
        on_both(|store| {
            let desk = Desk::given(store);
            let contact = desk.contact("Luísa", "+5511987650000");
            let (ten, eleven) = (desk.clock.now(), desk.clock.now() + TimeDelta::hours(1));
            let in_force = store
                .blocking_write(|db| {
                    let (scopes, source) = ([OptOutScope::Marketing], OptOutSource::PlatformEvent);
                    lift(db, contact, &scopes, source, None, eleven)?;
                    opt_out(db, contact, OptOutScope::Marketing, source, ten)?;
                    opt_out(db, contact, OptOutScope::All, OptOutSource::Word, ten)?;
                    list_in_force(db, contact)
                })
                .unwrap();
            let scopes: Vec<_> = in_force.iter().map(|it| it.scope).collect();
            assert_eq!(scopes, [OptOutScope::All]);
        });
    }
}
