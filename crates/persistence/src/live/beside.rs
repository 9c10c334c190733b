//! Commands that are run beside the serving process on one SQLite file, such as `janela user disable`: they say
//! that something changed, and the serving process has its open pages read everything anew (C12).
//!
//! What is said is a count in the file's header, SQLite's `user_version`, which nothing else uses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use diesel::{QueryableByName, RunQueryDsl, sql_types::Integer};

use super::{LiveEvent, LiveEvents, pause};
use crate::{db::Db, error::PersistenceError};

/// Between two looks: pages hear of it within five seconds (C12).
const EVERY: Duration = Duration::from_secs(1);

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Integer)]
    user_version: i32,
}

/// Says to the serving process that something changed.
pub(crate) fn tell(db: &mut Db) -> Result<(), PersistenceError> {
    db.write(|db| {
        let next = find_told(db)?.wrapping_add(1);
        diesel::sql_query(format!("PRAGMA user_version = {next}")).execute(db)?;
        Ok(())
    })
}

/// Passes on to `live` until `stop` what other processes say from now on, on a connection and thread of its own.
pub(crate) fn listen(
    mut db: Db,
    live: LiveEvents,
    stop: Arc<AtomicBool>,
) -> Result<(), PersistenceError> {
    let mut heard = find_told(&mut db)?;
    let listening = move || {
        while !stop.load(Ordering::Relaxed) {
            match find_told(&mut db) {
                Ok(told) if told == heard => {}
                Ok(told) => {
                    heard = told;
                    live.publish(LiveEvent::RESYNC);
                }
                Err(error) => tracing::warn!(error = %error, "cannot hear other processes"),
            }
            pause(&stop, EVERY);
        }
    };
    thread::Builder::new()
        .name("live-listen".into())
        .spawn(listening)
        .map(drop)
        .map_err(|error| PersistenceError::Settings(format!("cannot start a thread: {error}")))
}

fn find_told(db: &mut Db) -> Result<i32, PersistenceError> {
    let told: Told = diesel::sql_query("PRAGMA user_version").get_result(db)?;
    Ok(told.user_version)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::broadcast::error::TryRecvError;

    use crate::{
        live::{LiveEvent, LiveKind, note},
        store::Store,
        test_support::TestStore,
    };

    #[test]
    fn c12_what_a_command_changes_beside_the_serving_process_is_told_within_seconds() {
        let serving = TestStore::sqlite();
        serving.listen().unwrap();
        let mut heard = serving.live().subscribe();
        let command = Store::open(serving.settings()).unwrap();
        command.tell_serving_process().unwrap();
        let began = Instant::now();
        let told = loop {
            match heard.try_recv() {
                Ok(event) => break event,
                Err(TryRecvError::Empty) => std::thread::sleep(super::EVERY / 20),
                Err(error) => panic!("{error}"),
            }
            assert!(began.elapsed().as_secs() < 30, "nothing heard");
        };
        assert_eq!(told, LiveEvent::RESYNC);

        let own = LiveEvent::of_all(LiveKind::Presence, 1);
        let change = |db: &mut _| {
            note(db, own);
            Ok(())
        };
        serving.blocking_write(|db| db.write(change)).unwrap();
        std::thread::sleep(super::EVERY * 2);
        assert_eq!(heard.try_recv().unwrap(), own);
        assert_eq!(heard.try_recv(), Err(TryRecvError::Empty), "what it does itself is told once");
    }
}
