//! The one connection that writes to an SQLite file, and the transaction that those who write at the same time share.
//!
//! A commit waits for the disk, which takes as long as many small writes. So whoever is done while others wait leaves
//! the transaction open to the next; the last one commits for all, and nobody is answered before.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::{db::Db, error::PersistenceError, live};

/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most writers that share a transaction.
const MOST_MEMBERS: usize = 64;
/// A transaction that has been open for so long is committed even while others wait.
pub(super) const MOST_AGE: Duration = Duration::from_millis(5);

/// Whether a writer lets others go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// First come, first served, and the commit when nobody waits.
    None,
    /// Before all who wait, and committed at once. For one writer that has little to write.
    Great,
}

/// Gives one writer after the other the connection.
pub(super) struct GroupCommit {
    state: Mutex<State>,
    most_age: Duration,
    connect: Box<dyn Fn() -> Result<Db, PersistenceError> + Send + Sync>,
}

struct State {
    /// Away while someone is at it.
    held: Option<Held>,
    /// Whether someone is at it, or was called to it.
    taken: bool,
    waiting: VecDeque<Arc<Seat>>,
}

/// The connection, with what is not committed yet.
#[derive(Default)]
struct Held {
    /// `None` after a failure: whether it is still good is not worth asking.
    db: Option<Db>,
    open: Option<Open>,
}

/// A transaction with those who wrote in it.
struct Open {
    since: Instant,
    members: Vec<Arc<Seat>>,
}

/// Where a writer waits: for its turn, then for the commit.
struct Seat {
    thread: Thread,
    call: AtomicU8,
}

const NOT_CALLED: u8 = 0;
const TURN: u8 = 1;
const COMMITTED: u8 = 2;
const UNDONE: u8 = 3;

impl Seat {
    fn call(&self, call: u8) {
        self.call.store(call, Ordering::Release);
        self.thread.unpark();
    }

    /// Waits for what follows `last`.
    fn wait_for_commit(&self, last: u8) -> Result<(), PersistenceError> {
        loop {
            match self.call.load(Ordering::Acquire) {
                COMMITTED => return Ok(()),
                call if call == last => thread::park(),
                _ => return Err(PersistenceError::Busy),
            }
        }
    }
}

impl GroupCommit {
    /// Begins with `db`; `connect` makes another one when it fails. A transaction of `most_age` takes no more in.
    pub(super) fn new(
        db: Db,
        most_age: Duration,
        connect: impl Fn() -> Result<Db, PersistenceError> + Send + Sync + 'static,
    ) -> Self {
        let held = Held { db: Some(db), open: None };
        let state = State { held: Some(held), taken: false, waiting: VecDeque::new() };
        Self { state: Mutex::new(state), most_age, connect: Box::new(connect) }
    }

    /// Runs `work` inside a transaction that others may share, and answers once that is committed. What must be
    /// undone alone when it fails is to be in a [`Db::write`] of its own.
    ///
    /// # Errors
    /// What `work` returned; what the commit returned, for those who shared it `Busy`; `Busy` also when the turn did
    /// not come within 30 s or the write lock is not to be had.
    pub(super) fn run<T>(
        &self,
        haste: Haste,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let seat = Arc::new(Seat { thread: thread::current(), call: AtomicU8::new(NOT_CALLED) });
        let mut turn = Turn { group: self, held: Some(self.wait_for_turn(&seat, haste)?) };
        live::transaction_begins();
        let answer = work(turn.begin()?);
        let ended = turn.end(&seat, haste);
        if ended.is_ok() {
            fault::committed();
            live::transaction_committed();
        } else {
            fault::undone();
        }
        // What went wrong first is what is told.
        answer.and_then(|answer| ended.map(|()| answer))
    }

    fn wait_for_turn(&self, seat: &Arc<Seat>, haste: Haste) -> Result<Held, PersistenceError> {
        let mut state = self.lock();
        if !state.taken {
            state.taken = true;
            return Ok(state.held.take().unwrap_or_default());
        }
        match haste {
            Haste::None => state.waiting.push_back(Arc::clone(seat)),
            Haste::Great => state.waiting.push_front(Arc::clone(seat)),
        }
        drop(state);
        let deadline = Instant::now() + PATIENCE;
        while seat.call.load(Ordering::Acquire) == NOT_CALLED {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::park_timeout(left);
        }
        let mut state = self.lock();
        if seat.call.load(Ordering::Acquire) == TURN {
            return Ok(state.held.take().unwrap_or_default());
        }
        state.waiting.retain(|other| !Arc::ptr_eq(other, seat));
        Err(PersistenceError::Busy)
    }

    /// Leaves the open transaction to the next, to be committed with what they write; gives it back when nobody waits.
    fn share(&self, mut held: Held, seat: &Arc<Seat>) -> Option<Held> {
        let mut state = self.lock();
        let Some(next) = state.waiting.pop_front() else { return Some(held) };
        if let Some(open) = &mut held.open {
            open.members.push(Arc::clone(seat));
        }
        state.held = Some(held);
        next.call(TURN);
        None
    }

    /// Hands the connection to the next who waits, or keeps it for who comes.
    fn pass_on(&self, db: Option<Db>) {
        let mut state = self.lock();
        state.held = Some(Held { db, open: None });
        match state.waiting.pop_front() {
            Some(next) => next.call(TURN),
            None => state.taken = false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever is at the connection. Dropped before its end, it undoes the whole transaction.
struct Turn<'a> {
    group: &'a GroupCommit,
    held: Option<Held>,
}

impl Turn<'_> {
    /// The connection inside its transaction, which is begun if none is open.
    fn begin(&mut self) -> Result<&mut Db, PersistenceError> {
        let held = self.held.get_or_insert_default();
        let db = match held.db.take() {
            Some(db) => db,
            None => (self.group.connect)()?,
        };
        let db = held.db.insert(db);
        if held.open.is_none() {
            db.begin()?;
            held.open = Some(Open { since: Instant::now(), members: Vec::new() });
        }
        Ok(db)
    }

    /// Commits for all, or waits for whoever does.
    fn end(mut self, seat: &Arc<Seat>, haste: Haste) -> Result<(), PersistenceError> {
        let Some(mut held) = self.held.take_if(|held| held.is_whole()) else {
            return Err(PersistenceError::Busy);
        };
        if haste == Haste::None && held.takes_more(self.group.most_age) {
            let last = seat.call.load(Ordering::Acquire);
            match self.group.share(held, seat) {
                None => return seat.wait_for_commit(last),
                Some(given_back) => held = given_back,
            }
        }
        self.held.insert(held).commit()?;
        let Held { db, open } = self.held.take().unwrap_or_default();
        self.group.pass_on(db);
        call_all(open, COMMITTED);
        Ok(())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(Held { db, open }) = self.held.take() else { return };
        drop(db);
        self.group.pass_on(None);
        call_all(open, UNDONE);
    }
}

impl Held {
    /// Whether the transaction stands as it was handed to `work`: some failures undo it behind its back.
    fn is_whole(&mut self) -> bool {
        self.open.is_some() && self.db.as_mut().is_some_and(Db::is_in_outermost_transaction)
    }

    fn takes_more(&self, most_age: Duration) -> bool {
        let Some(open) = &self.open else { return false };
        open.members.len() + 1 < MOST_MEMBERS && open.since.elapsed() < most_age
    }

    fn commit(&mut self) -> Result<(), PersistenceError> {
        self.db.as_mut().map_or(Ok(()), Db::commit)
    }
}

fn call_all(open: Option<Open>, call: u8) {
    for member in open.into_iter().flat_map(|open| open.members) {
        member.call(call);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::ScopedJoinHandle};

    use diesel::prelude::*;

    use super::*;
    use crate::{schema::workspace, store::Store, test_support::TestStore};

    fn insert(db: &mut Db, id: i64) -> Result<(), PersistenceError> {
        let row = (
            workspace::id.eq(id),
            workspace::name.eq("Ana"),
            workspace::time_zone.eq("Europe/Madrid"),
            workspace::language.eq("en"),
            workspace::clock_confirmations.eq(0),
            workspace::created_at.eq(0_i64),
        );
        diesel::insert_into(workspace::table).values(row).execute(db)?;
        Ok(())
    }

    fn list(store: &Store) -> Vec<i64> {
        let ids = workspace::table.order(workspace::id.asc()).select(workspace::id);
        store.blocking_read(|db| Ok(ids.load(db)?)).unwrap()
    }

    fn group(store: &Store) -> GroupCommit {
        let again = store.clone();
        GroupCommit::new(store.connect().unwrap(), Duration::from_secs(60), move || again.connect())
    }

    fn until(holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds() {
            assert!(Instant::now() < deadline, "never came true");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn whoever_is_answered_is_on_disk_and_whoever_fails_is_undone_alone() {
        let store = TestStore::sqlite();
        let (store, group) = (&store, &group(&store));
        thread::scope(|scope| {
            for writer in 0..32_i64 {
                scope.spawn(move || {
                    for turn in 0..20_i64 {
                        let id = writer * 100 + turn;
                        let done = group.run(Haste::None, |db| {
                            db.write(|db| {
                                insert(db, id)?;
                                if turn % 3 == 2 { Err(PersistenceError::Denied) } else { Ok(()) }
                            })
                        });
                        assert_eq!(done.is_ok(), turn % 3 != 2);
                        assert_eq!(list(store).contains(&id), done.is_ok());
                    }
                });
            }
        });
        assert_eq!(list(store).len(), 32 * 14);
    }

    /// Three writers that share one transaction: they insert 1 and 2, and the third does `last`.
    fn share<'scope>(
        scope: &'scope thread::Scope<'scope, '_>,
        group: &'scope GroupCommit,
        last: impl FnOnce(&mut Db) -> Result<(), PersistenceError> + Send + 'scope,
    ) -> [ScopedJoinHandle<'scope, Result<(), PersistenceError>>; 3] {
        let (release, released) = mpsc::channel::<()>();
        let (held, is_held) = mpsc::channel();
        let first = scope.spawn(move || {
            group.run(Haste::None, |db| {
                held.send(()).unwrap();
                released.recv().unwrap();
                db.write(|db| insert(db, 1))
            })
        });
        is_held.recv().unwrap();
        let second = scope.spawn(|| group.run(Haste::None, |db| db.write(|db| insert(db, 2))));
        until(|| group.lock().waiting.len() == 1);
        let third = scope.spawn(|| group.run(Haste::None, last));
        until(|| group.lock().waiting.len() == 2);
        release.send(()).unwrap();
        [first, second, third]
    }

    #[test]
    fn a_shared_transaction_answers_nobody_before_its_commit() {
        let store = TestStore::sqlite();
        let group = group(&store);
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        thread::scope(|scope| {
            let all = share(scope, &group, move |db| {
                begun.send(()).unwrap();
                released.recv().unwrap();
                db.write(|db| insert(db, 3))
            });
            has_begun.recv().unwrap();
            assert_eq!(list(&store), [0; 0], "written, and not committed");
            assert!(all.iter().all(|writer| !writer.is_finished()));
            release.send(()).unwrap();
            all.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
        });
        assert_eq!(list(&store), [1, 2, 3]);
    }

    #[test]
    fn whoever_is_in_haste_goes_first_and_commits_for_those_before() {
        let store = TestStore::sqlite();
        let group = &group(&store);
        let (release, released) = mpsc::channel::<()>();
        let (held, is_held) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(move || {
                group.run(Haste::None, |db| {
                    held.send(()).unwrap();
                    released.recv().unwrap();
                    db.write(|db| insert(db, 1))
                })
            });
            is_held.recv().unwrap();
            let (hold, is_let_go) = mpsc::channel::<()>();
            let slow = scope.spawn(move || {
                group.run(Haste::None, |db| {
                    is_let_go.recv().unwrap();
                    db.write(|db| insert(db, 2))
                })
            });
            until(|| group.lock().waiting.len() == 1);
            let hasty = scope.spawn(|| group.run(Haste::Great, |db| db.write(|db| insert(db, 3))));
            until(|| group.lock().waiting.len() == 2);
            release.send(()).unwrap();
            first.join().unwrap().unwrap();
            hasty.join().unwrap().unwrap();
            assert_eq!(list(&store), [1, 3], "the slow one comes after");
            hold.send(()).unwrap();
            slow.join().unwrap().unwrap();
        });
        assert_eq!(list(&store), [1, 2, 3]);
    }

    #[test]
    fn a_shared_transaction_that_is_lost_is_told_to_everyone_in_it_and_the_next_one_is_fine() {
        let store = TestStore::sqlite();
        let group = group(&store);
        thread::scope(|scope| {
            let [first, second, third] = share(scope, &group, |_| panic!("a writer breaks down"));
            assert!(third.join().is_err());
            for writer in [first, second] {
                assert!(matches!(writer.join().unwrap(), Err(PersistenceError::Busy)));
            }
        });
        assert_eq!(list(&store), [0; 0]);
        group.run(Haste::None, |db| db.write(|db| insert(db, 4))).unwrap();
        assert_eq!(list(&store), [4]);
    }
}
