//! Who sends: the processes that share the throughput of every number.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::dispatchers,
};

/// A process that was not seen for so long sends no more.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(7);

/// Notes that `owner` sends, and forgets who was not seen for 7 s; answers how many send, `owner` among them. An
/// SQLite file has one process alone: whoever is there besides has died.
///
/// # Errors
/// When the database fails.
pub fn attend(db: &mut Db, owner: &str, now: DateTime<Utc>) -> Result<usize, PersistenceError> {
    let seen_at = Instant::from(now);
    db.write(|db| {
        let row = (dispatchers::owner.eq(owner), dispatchers::seen_at.eq(seen_at));
        on_either!(db => diesel::insert_into(dispatchers::table)
            .values(row)
            .on_conflict(dispatchers::owner)
            .do_update()
            .set(dispatchers::seen_at.eq(seen_at))
            .execute(db))?;
        if db.is_sqlite() {
            diesel::delete(dispatchers::table.filter(dispatchers::owner.ne(owner))).execute(db)?;
        }
        let lost = dispatchers::seen_at.le(Instant::from(now - LOST_AFTER));
        diesel::delete(dispatchers::table.filter(lost)).execute(db)?;
        let sending: i64 = dispatchers::table.count().get_result(db)?;
        Ok(usize::try_from(sending).unwrap_or(1).max(1))
    })
}

/// Notes that `owner` sends no more, so that the others have its share at once.
///
/// # Errors
/// When the database fails.
pub fn leave(db: &mut Db, owner: &str) -> Result<(), PersistenceError> {
    diesel::delete(dispatchers::table.find(owner)).execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::Store,
        test_support::{TestStore, postgres_is_wanted},
    };

    fn attend_at(store: &Store, owner: &str, seconds: i64) -> usize {
        let start: DateTime<Utc> = "2026-11-22T19:00:00Z".parse().unwrap();
        let now = start + TimeDelta::seconds(seconds);
        store.blocking_write(|db| attend(db, owner, now)).unwrap()
    }

    #[test]
    fn whoever_was_seen_within_seven_seconds_shares() {
        if !postgres_is_wanted() {
            return;
        }
        let store = TestStore::postgres();
        assert_eq!(attend_at(&store, "a", 0), 1);
        assert_eq!(attend_at(&store, "b", 1), 2);
        assert_eq!(attend_at(&store, "a", 2), 2, "seen twice is once there");
        assert_eq!(attend_at(&store, "a", 7), 2, "b was seen 6 s ago");
        assert_eq!(attend_at(&store, "a", 8), 1, "b is lost");
        assert_eq!(attend_at(&store, "b", 9), 2);
        store.blocking_write(|db| leave(db, "a")).unwrap();
        assert_eq!(attend_at(&store, "b", 10), 1, "gone at once");
    }

    #[test]
    fn a_sqlite_file_has_one_process_and_whoever_was_there_before_is_dead() {
        let store = TestStore::sqlite();
        for (second, owner) in (0..).zip(["a", "b", "a"]) {
            assert_eq!(attend_at(&store, owner, second), 1, "{owner}");
        }
    }
}
