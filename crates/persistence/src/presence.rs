//! Whether users take part right now, and what tells that their desk is still there (RO-06).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::UserId,
    policy::ServicePolicy,
    presence::{Connection, Presence, presence_at, silent_by},
};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::presences,
};

/// Users in one statement.
const USERS_AT_ONCE: usize = 500;

/// What is known of a user's desk.
#[derive(Queryable, Selectable)]
#[diesel(table_name = presences)]
pub(crate) struct PresenceRow {
    user_id: i64,
    presence: String,
    since: Instant,
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

    /// The user's presence at `now`, as [`find_at`] tells it.
    pub(crate) fn presence_at(
        &self,
        policy: &ServicePolicy,
        now: DateTime<Utc>,
    ) -> Result<Presence, PersistenceError> {
        Ok(presence_at(self.chosen()?, self.connection(), policy, now))
    }

    /// Since when the user is what they chose.
    pub(crate) fn since(&self) -> DateTime<Utc> {
        self.since.into()
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
    find_row(db, user)?.map_or(Ok(Presence::Offline), |row| row.presence_at(policy, now))
}

fn find_row(db: &mut Db, user: UserId) -> Result<Option<PresenceRow>, PersistenceError> {
    let row =
        on_either!(db => presences::table.find(user.0).select(PresenceRow::as_select()).first(db))
            .optional()?;
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

/// Notes that the live streams of `users` are open still. A process says so of all its streams every few
/// seconds; whoever was taken for lost meanwhile is streaming again. What they chose to be stays.
///
/// # Errors
/// When the database fails.
pub fn renew_streams(
    db: &mut Db,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        for users in users.chunks(USERS_AT_ONCE) {
            let theirs = presences::user_id.eq_any(users.iter().map(|user| user.0));
            diesel::update(presences::table.filter(theirs))
                .set((
                    presences::last_seen_at.eq(Instant::from(now)),
                    presences::streaming.eq(true),
                    presences::stream_lost_at.eq(None::<Instant>),
                ))
                .execute(db)?;
        }
        Ok(())
    })
}

/// Turns everyone offline whose desk has not been heard of for too long, and tells how many.
///
/// A stream that nobody renewed for too long counts as lost from `now` on: the process that held it ended
/// without a word. Its user is offline once the usual grace is over too, three minutes after the last sign.
/// A clock that is moved makes every stream look silent at once; within the grace each is renewed, and
/// nobody falls. Readers trust an open stream, so this is the only judge of its silence.
///
/// # Errors
/// When the database fails.
pub fn turn_absent_offline(
    db: &mut Db,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        lose_silent_streams(db, policy, now)?;
        let rows: Vec<PresenceRow> = presences::table
            .filter(presences::presence.ne(Presence::Offline.as_str()))
            .filter(presences::streaming.eq(false))
            .order(presences::user_id.asc())
            .select(PresenceRow::as_select())
            .load(db)?;
        let mut absent = 0;
        for row in rows {
            if row.presence_at(policy, now)? == Presence::Offline {
                save(db, UserId(row.user_id), Presence::Offline, now)?;
                absent += 1;
            }
        }
        Ok(absent)
    })
}

fn lose_silent_streams(
    db: &mut Db,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let silent = presences::table
        .filter(presences::streaming.eq(true))
        .filter(presences::last_seen_at.le(Instant::from(silent_by(policy, now))));
    diesel::update(silent)
        .set((
            presences::streaming.eq(false),
            presences::stream_lost_at.eq(Some(Instant::from(now))),
        ))
        .execute(db)?;
    Ok(())
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
        live::note(db, LiveEvent::of_all(LiveKind::Presence, user.0));
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
        agent(db, "ana@example.com")
    }

    fn agent(db: &mut Db, email: &str) -> UserId {
        let ana = NewUser {
            email,
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
                    assert_eq!(turn_absent_offline(db, &policy, at(20))?, 0, "streaming");
                    renew_streams(db, &[ana], at(8_990))?;
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

    /// An agent streams since second 0 and is online; the job looks at each of `looks`, and their process
    /// says at each of `signs` that the stream is open.
    fn presence_after(db: &mut Db, agent: UserId, signs: &[i64], looks: &[i64]) -> Presence {
        let policy = Policy::default().service;
        let at = |second: i64| now() + TimeDelta::seconds(second);
        stream_opened(db, agent, at(0)).unwrap();
        choose(db, agent, Presence::Online, at(0)).unwrap();
        let mut seconds: Vec<i64> = signs.iter().chain(looks).copied().collect();
        seconds.sort_unstable();
        seconds.dedup();
        for second in seconds {
            if looks.contains(&second) {
                turn_absent_offline(db, &policy, at(second)).unwrap();
            }
            if signs.contains(&second) {
                renew_streams(db, &[agent], at(second)).unwrap();
            }
        }
        find(db, agent).unwrap()
    }

    #[test]
    fn ro_06_a_stream_whose_process_died_is_lost_by_its_silence() {
        const DAY: i64 = 86_400;
        let cases: [(&str, &[i64], &[i64], Presence); 7] = [
            ("it gives signs", &[60, 120, 180, 240], &[89, 150, 209, 300], Presence::Online),
            ("silent for less than 90 s", &[60], &[149], Presence::Online),
            ("silent for 90 s: within the grace", &[60], &[150, 239], Presence::Online),
            ("silent for 3 min", &[60], &[150, 240], Presence::Offline),
            ("a sign within the grace", &[60, 239], &[150, 240, 300], Presence::Online),
            ("the job comes late", &[60], &[9_000, 9_089], Presence::Online),
            (
                "the clock is moved by a day, then comes the next sign",
                &[60, DAY + 80],
                &[DAY + 61, DAY + 71, DAY + 81, DAY + 160],
                Presence::Online,
            ),
        ];
        on_both(|store| {
            store
                .blocking_write(|db| {
                    for (index, (case, signs, looks, expected)) in cases.into_iter().enumerate() {
                        let agent = agent(db, &format!("{index}@example.com"));
                        assert_eq!(presence_after(db, agent, signs, looks), expected, "{case}");
                    }
                    Ok(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_sign_of_a_stream_brings_nobody_back_who_left() {
        on_both(|store| {
            store
                .blocking_write(|db| {
                    let ana = ana(db);
                    enter(db, ana, now())?;
                    stream_opened(db, ana, now())?;
                    leave(db, ana, now())?;
                    renew_streams(db, &[ana, UserId(9_999)], now() + TimeDelta::seconds(4))?;
                    assert_eq!(find(db, ana)?, Presence::Offline, "signed out");
                    Ok(())
                })
                .unwrap();
        });
    }
}
