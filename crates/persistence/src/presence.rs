//! Whether users take part right now, and what tells that their desk is still there (RO-06).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::UserId,
    policy::ServicePolicy,
    presence::{Connection, Presence, presence_at},
};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::presences,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = presences)]
struct PresenceRow {
    user_id: i64,
    presence: String,
    last_seen_at: Instant,
    streaming: bool,
    stream_lost_at: Option<Instant>,
}

impl PresenceRow {
    fn chosen(&self) -> Result<Presence, PersistenceError> {
        Presence::parse(&self.presence).ok_or_else(|| {
            PersistenceError::unreadable("presences", "presence", self.presence.as_str())
        })
    }

    /// What was last heard of the user's desk. A request after a lost stream counts from itself.
    fn connection(&self) -> Connection {
        let last_at = DateTime::from(self.last_seen_at);
        match self.stream_lost_at.map(DateTime::from) {
            _ if self.streaming => Connection::Streaming,
            Some(lost_at) => Connection::StreamLost { at: last_at.max(lost_at) },
            None => Connection::Requests { last_at },
        }
    }
}

/// The presence of `user` as last noted; offline when they never entered.
///
/// # Errors
/// When the database fails.
pub fn find(db: &mut Db, user: UserId) -> Result<Presence, PersistenceError> {
    find_row(db, user)?.map_or(Ok(Presence::Offline), |row| row.chosen())
}

/// The presence of `user` at `now`: as last noted, unless nothing has been heard of their desk for too
/// long and no job has said so yet (RO-06).
///
/// # Errors
/// When the database fails.
pub fn find_at(
    db: &mut Db,
    user: UserId,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Result<Presence, PersistenceError> {
    let Some(row) = find_row(db, user)? else { return Ok(Presence::Offline) };
    Ok(domain::presence::presence_at(row.chosen()?, row.connection(), policy, now))
}

fn find_row(db: &mut Db, user: UserId) -> Result<Option<PresenceRow>, PersistenceError> {
    let row =
        presences::table.find(user.0).select(PresenceRow::as_select()).first(db).optional()?;
    Ok(row)
}

/// Notes that `user` signed in. Whoever was away starts invisible; whoever is here already, on another
/// browser, stays as they are.
///
/// # Errors
/// When the database fails.
pub fn enter(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    db.write(|db| match find(db, user)? {
        Presence::Offline => save(db, user, Presence::ON_ENTERING, now),
        Presence::Online | Presence::OnBreak | Presence::Invisible => note_request(db, user, now),
    })
}

/// Notes that `user` signed out: offline at once.
///
/// # Errors
/// When the database fails.
pub fn leave(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    save(db, user, Presence::Offline, now)
}

/// Notes what `user` chose to be.
///
/// # Errors
/// When the database fails.
pub fn choose(
    db: &mut Db,
    user: UserId,
    chosen: Presence,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    save(db, user, chosen, now)
}

/// Notes a request of `user`; whoever had fallen offline is back, invisible. Never goes back in time.
///
/// # Errors
/// When the database fails.
pub fn note_request(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    db.write(|db| {
        if find(db, user)? == Presence::Offline {
            return save(db, user, Presence::ON_ENTERING, now);
        }
        let earlier = presences::table
            .filter(presences::user_id.eq(user.0))
            .filter(presences::last_seen_at.lt(Instant::from(now)));
        diesel::update(earlier).set(presences::last_seen_at.eq(Instant::from(now))).execute(db)?;
        Ok(())
    })
}

/// Notes that `user` has a live stream open; whoever had fallen offline is back, invisible.
///
/// # Errors
/// When the database fails.
pub fn stream_opened(
    db: &mut Db,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        note_request(db, user, now)?;
        diesel::update(presences::table.find(user.0))
            .set((presences::streaming.eq(true), presences::stream_lost_at.eq(None::<Instant>)))
            .execute(db)?;
        Ok(())
    })
}

/// Notes that the last live stream of `user` was lost.
///
/// # Errors
/// When the database fails.
pub fn stream_lost(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::update(presences::table.find(user.0))
        .set((
            presences::streaming.eq(false),
            presences::stream_lost_at.eq(Some(Instant::from(now))),
        ))
        .execute(db)?;
    Ok(())
}

/// Turns everyone offline whose desk has not been heard of for too long, and tells how many. Streams
/// this process does not hold are others'; a process that ended without a word leaves its own to
/// [`drop_streams`].
///
/// # Errors
/// When the database fails.
pub fn turn_absent_offline(
    db: &mut Db,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let rows: Vec<PresenceRow> = presences::table
            .filter(presences::presence.ne(Presence::Offline.as_str()))
            .filter(presences::streaming.eq(false))
            .order(presences::user_id.asc())
            .select(PresenceRow::as_select())
            .load(db)?;
        let mut absent = 0;
        for row in rows {
            let chosen = row.chosen()?;
            if presence_at(chosen, row.connection(), policy, now) == Presence::Offline {
                save(db, UserId(row.user_id), Presence::Offline, now)?;
                absent += 1;
            }
        }
        Ok(absent)
    })
}

/// Takes every stream for lost at `now`: none outlives the process that held it. For the start of the
/// one process there is; pages that are open come back within seconds.
///
/// # Errors
/// When the database fails.
pub fn drop_streams(db: &mut Db, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::update(presences::table.filter(presences::streaming.eq(true)))
        .set((
            presences::streaming.eq(false),
            presences::stream_lost_at.eq(Some(Instant::from(now))),
        ))
        .execute(db)?;
    Ok(())
}

/// Saves what `user` is from `now` on, and tells open desks. An open stream stays noted.
fn save(
    db: &mut Db,
    user: UserId,
    presence: Presence,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let now = Instant::from(now);
        on_either!(db => diesel::insert_into(presences::table)
            .values((
                presences::user_id.eq(user.0),
                presences::presence.eq(presence.as_str()),
                presences::since.eq(now),
                presences::last_seen_at.eq(now),
                presences::streaming.eq(false),
            ))
            .on_conflict(presences::user_id)
            .do_update()
            .set((
                presences::presence.eq(presence.as_str()),
                presences::since.eq(now),
                presences::last_seen_at.eq(now),
            ))
            .execute(db))?;
        live::note(
            db,
            LiveEvent { kind: LiveKind::Presence, chatbot: None, user: None, id: user.0 },
        );
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::policy::Policy;

    use super::*;
    use crate::{
        test_support::on_both,
        user::{self, NewUser},
    };

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_348_800_000).unwrap()
    }

    fn ana(db: &mut Db) -> UserId {
        let ana = NewUser {
            email: "ana@example.com",
            name: "Ana",
            password_hash: "x",
            language: None,
            time_zone: None,
            max_tickets: 5,
        };
        user::create(db, &ana, now()).unwrap()
    }

    #[test]
    fn ro_06_entering_starts_invisible_and_leaving_is_offline() {
        on_both(|store| {
            store
                .blocking_write(|db| {
                    let ana = ana(db);
                    assert_eq!(find(db, ana)?, Presence::Offline);
                    enter(db, ana, now())?;
                    assert_eq!(find(db, ana)?, Presence::Invisible);
                    choose(db, ana, Presence::Online, now())?;
                    enter(db, ana, now())?;
                    assert_eq!(find(db, ana)?, Presence::Online, "another browser changes nothing");
                    leave(db, ana, now())?;
                    assert_eq!(find(db, ana)?, Presence::Offline);
                    Ok(())
                })
                .unwrap();
        });
    }

    #[test]
    fn ro_06_offline_90_s_after_the_last_stream_or_5_min_after_the_last_request() {
        let policy = Policy::default().service;
        let at = |seconds| now() + TimeDelta::seconds(seconds);
        on_both(|store| {
            store
                .blocking_write(|db| {
                    let ana = ana(db);
                    enter(db, ana, at(0))?;
                    choose(db, ana, Presence::Online, at(0))?;
                    assert_eq!(turn_absent_offline(db, &policy, at(299))?, 0);
                    stream_opened(db, ana, at(10))?;
                    assert_eq!(turn_absent_offline(db, &policy, at(9_000))?, 0, "streaming");
                    stream_lost(db, ana, at(9_000))?;
                    assert_eq!(turn_absent_offline(db, &policy, at(9_089))?, 0);
                    assert_eq!(turn_absent_offline(db, &policy, at(9_090))?, 1);
                    assert_eq!(find(db, ana)?, Presence::Offline);
                    stream_opened(db, ana, at(9_100))?;
                    assert_eq!(find(db, ana)?, Presence::Invisible, "back, and invisible");
                    leave(db, ana, at(9_200))?;
                    enter(db, ana, at(9_300))?;
                    drop_streams(db, at(9_300))?;
                    assert_eq!(turn_absent_offline(db, &policy, at(9_390))?, 1);
                    Ok(())
                })
                .unwrap();
        });
    }
}
