//! The last request of each session, noted to the millisecond and yet seldom: five minutes of absence count from
//! it where there is no live stream (RO-06).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, UserId};
use persistence::{error::PersistenceError, presence::Noted, session};
use tracing::warn;

use crate::desk::Desk;

/// After a request was noted the next ones of its session are held for so long, and then the latest of them is
/// noted: a page is several requests. Far shorter than any absence.
const HELD_FOR: Duration = Duration::from_secs(10);

/// The sessions whose latest request was noted a moment ago, with the latest that was held since.
#[derive(Default)]
pub struct LastRequests(Mutex<HashMap<SessionId, Option<DateTime<Utc>>>>);

impl LastRequests {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Option<DateTime<Utc>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a request at `now` if one of its session was noted a moment ago; `false` when it is to be noted,
    /// and the next ones held.
    fn hold(&self, session: SessionId, now: DateTime<Utc>) -> bool {
        let mut sessions = self.lock();
        match sessions.get_mut(&session) {
            Some(held) => {
                *held = (*held).max(Some(now));
                true
            }
            None => {
                sessions.insert(session, None);
                false
            }
        }
    }

    /// The latest request held, to be noted now; without one the next is not held any more.
    fn take(&self, session: SessionId) -> Option<DateTime<Utc>> {
        let mut sessions = self.lock();
        let held = sessions.get_mut(&session).and_then(Option::take);
        if held.is_none() {
            sessions.remove(&session);
        }
        held
    }
}

/// Notes a request of `session` at `now`: at once, or with the next ones after a moment. Tells what `user` is
/// now when the request brought them back.
///
/// # Errors
/// When the database fails.
pub async fn note(
    desk: &Data<Desk>,
    session: SessionId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<Noted>, PersistenceError> {
    if desk.last_requests.hold(session, now) {
        return Ok(None);
    }
    actix_web::rt::spawn(note_held(desk.clone(), session, user));
    desk.store.write(move |db| session::note_request(db, session, user, now)).await
}

/// Notes what was held, until nothing was for a while; at once when the process stops.
async fn note_held(desk: Data<Desk>, session: SessionId, user: UserId) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HELD_FOR) => {}
            () = desk.stopping.cancelled() => {}
        }
        let Some(at) = desk.last_requests.take(session) else { return };
        let noted =
            desk.store.write(move |db| session::note_past_request(db, session, user, at)).await;
        if let Err(error) = noted {
            warn!(user.id = %user, "cannot note the last request of user {user}: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_noted_at_once_and_the_latest_of_the_next_ones_after_a_moment() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
        let (last, ana, rui) = (LastRequests::default(), SessionId(1), SessionId(2));
        assert!(!last.hold(ana, at(1)), "noted");
        assert!(last.hold(ana, at(9)) && last.hold(ana, at(5)) && !last.hold(rui, at(2)));
        assert_eq!(last.take(ana), Some(at(9)), "the latest, whatever their order");
        assert!(last.hold(ana, at(12)), "held on");
        assert_eq!((last.take(ana), last.take(ana)), (Some(at(12)), None));
        assert!(!last.hold(ana, at(30)), "noted at once again");
        assert_eq!(last.take(rui), None);
    }
}
