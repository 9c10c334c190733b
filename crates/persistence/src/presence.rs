//! Whether users take part right now, and what tells that their desk is still there (RO-06).

#[cfg(test)]
mod tests;

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

/// A user's presence as last noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// What they are.
    pub presence: Presence,
    /// Since when: a break's timer counts from it (RO-06).
    pub since: DateTime<Utc>,
    /// Whether a live stream of theirs is open.
    pub streaming: bool,
}

/// The presence of `user` as last noted, with since when; `None` when they never entered.
///
/// # Errors
/// When the database fails.
pub fn find_noted(db: &mut Db, user: UserId) -> Result<Option<Noted>, PersistenceError> {
    let Some(row) = find_row(db, user)? else { return Ok(None) };
    Ok(Some(Noted { presence: row.chosen()?, since: row.since(), streaming: row.streaming }))
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
        Presence::Online | Presence::OnBreak | Presence::Invisible => {
            note_request(db, user, now).map(drop)
        }
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

/// Notes a request of `user`; whoever had fallen offline is back, invisible, and then it tells so. Never goes
/// back in time.
///
/// # Errors
/// When the database fails.
pub fn note_request(
    db: &mut Db,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<Noted>, PersistenceError> {
    db.write(|db| {
        if find(db, user)? != Presence::Offline {
            note_past_request(db, user, now)?;
            return Ok(None);
        }
        let presence = Presence::ON_ENTERING;
        save(db, user, presence, now)?;
        Ok(Some(Noted { presence, since: now, streaming: false }))
    })
}

/// Notes a request of `user` that was answered a while ago, at `at`. Whoever is offline by now stays so. Never
/// goes back in time.
///
/// # Errors
/// When the database fails.
pub fn note_past_request(
    db: &mut Db,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let earlier = presences::table
        .filter(presences::user_id.eq(user.0))
        .filter(presences::last_seen_at.lt(Instant::from(at)))
        .filter(presences::presence.ne(Presence::Offline.as_str()));
    diesel::update(earlier).set(presences::last_seen_at.eq(Instant::from(at))).execute(db)?;
    Ok(())
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

/// Turns everyone offline whose desk has not been heard of for too long, and tells how many. Whoever comes back
/// at the same moment stays.
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
    lose_silent_streams(db, policy, now)?;
    let mut absent = 0;
    for row in list_absent(db, policy, now)? {
        absent += usize::from(turn_offline(db, &row, now)?);
    }
    Ok(absent)
}

/// Whoever is not offline yet, though nothing was heard of their desk for too long; by user.
fn list_absent(
    db: &mut Db,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Result<Vec<PresenceRow>, PersistenceError> {
    let rows: Vec<PresenceRow> = presences::table
        .filter(presences::presence.ne(Presence::Offline.as_str()))
        .filter(presences::streaming.eq(false))
        .order(presences::user_id.asc())
        .select(PresenceRow::as_select())
        .load(db)?;
    let mut absent = Vec::new();
    for row in rows {
        if row.presence_at(policy, now)? == Presence::Offline {
            absent.push(row);
        }
    }
    Ok(absent)
}

/// Turns the user of `row` offline, unless their desk was heard of since it was read; whether it was done.
fn turn_offline(
    db: &mut Db,
    row: &PresenceRow,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    db.write(|db| {
        let as_read = presences::table
            .find(row.user_id)
            .filter(presences::presence.eq(&row.presence))
            .filter(presences::since.eq(row.since))
            .filter(presences::last_seen_at.eq(row.last_seen_at))
            .filter(presences::streaming.eq(false))
            .filter(
                presences::stream_lost_at
                    .is_null()
                    .or(presences::stream_lost_at.eq(row.stream_lost_at)),
            );
        let turned = diesel::update(as_read)
            .set((
                presences::presence.eq(Presence::Offline.as_str()),
                presences::since.eq(Instant::from(now)),
            ))
            .execute(db)?;
        if turned == 1 {
            live::note(db, LiveEvent::of_all(LiveKind::Presence, row.user_id));
        }
        Ok(turned == 1)
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

/// Saves what `user` is from `now` on, and tells open desks. Whoever is that already has been so since they
/// became it: a break that is chosen twice began the first time. An open stream stays noted.
fn save(
    db: &mut Db,
    user: UserId,
    presence: Presence,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let now = Instant::from(now);
        let stays = presences::table.find(user.0).filter(presences::presence.eq(presence.as_str()));
        if diesel::update(stays).set(presences::last_seen_at.eq(now)).execute(db)? == 1 {
            return Ok(());
        }
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
