//! The one thread that makes webhooks durable: group commit, so that a busy hour costs few commits.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::ChannelId;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::Nudges,
    schema::webhook_inbox,
    seldom::Seldom,
    store::Store,
};

/// How many webhooks may wait for the thread; beyond that the platform is asked to come again.
const WAITING: usize = 8_192;
/// How many bytes may wait for it: posts of 3 MB must not fill the memory.
const WAITING_BYTES: usize = 64 << 20;
/// The most webhooks in one commit.
const BATCH: usize = 256;
/// A commit takes no further webhook once it has so many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Between attempts to reach a database that does not answer.
const RECONNECT_PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// Why a webhook was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Too many wait, or the desk is stopping: answer 503, the platform comes again.
    #[error("the inbox takes no more webhooks for now")]
    Full,
    /// It could not be stored: answer 503, the platform comes again.
    #[error("the webhook could not be stored")]
    NotStored,
}

/// Takes raw webhooks and makes them durable before they are answered with 200.
///
/// One OS thread with a connection of its own commits whatever has arrived meanwhile in one
/// transaction. [`WebhookInbox::stop`] drains what waits.
#[derive(Debug)]
pub struct WebhookInbox {
    sender: mpsc::Sender<Task>,
    waiting_bytes: Arc<AtomicUsize>,
    stopping: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Says when a webhook is durable, or that it never will be.
#[derive(Debug)]
pub struct Appended(oneshot::Receiver<bool>);

impl Appended {
    /// Waits for the commit.
    ///
    /// # Errors
    /// [`AppendError::NotStored`].
    pub async fn durable(self) -> Result<(), AppendError> {
        match self.0.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(AppendError::NotStored),
        }
    }

    /// [`Self::durable`] for threads that may block.
    ///
    /// # Errors
    /// [`AppendError::NotStored`].
    pub fn blocking_durable(self) -> Result<(), AppendError> {
        match self.0.blocking_recv() {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(AppendError::NotStored),
        }
    }
}

enum Task {
    Append(Append),
    /// Store what came before, then end.
    Stop,
}

struct Append {
    row: NewWebhook,
    done: oneshot::Sender<bool>,
}

#[derive(Insertable, Clone)]
#[diesel(table_name = webhook_inbox)]
struct NewWebhook {
    channel_id: i64,
    received_at: Instant,
    body: Vec<u8>,
}

impl WebhookInbox {
    /// Starts the writer thread; `nudges.inbox` is told after each commit.
    ///
    /// # Errors
    /// `Open` when the database cannot be reached; `Settings` when no thread can be started.
    pub fn start(store: &Store, nudges: Arc<Nudges>) -> Result<Self, PersistenceError> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let db = if store.is_sqlite() { None } else { Some(store.connect()?) };
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            store: store.clone(),
            db,
            nudges,
            waiting_bytes: Arc::clone(&waiting_bytes),
            told: Seldom::new(),
        };
        let thread = thread::Builder::new()
            .name("webhook-inbox".into())
            .spawn(move || writer.run(receiver))
            .map_err(|error| {
                PersistenceError::Settings(format!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            sender,
            waiting_bytes,
            stopping: AtomicBool::new(false),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands a verified body over; it is durable once the answer's [`Appended::durable`] says so.
    ///
    /// # Errors
    /// [`AppendError::Full`] when 8,192 wait already, or 64 MiB with this one, or after [`Self::stop`].
    pub fn append(
        &self,
        channel: ChannelId,
        received_at: DateTime<Utc>,
        body: Vec<u8>,
    ) -> Result<Appended, AppendError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(AppendError::Full);
        }
        let size = body.len();
        if WAITING_BYTES < self.waiting_bytes.fetch_add(size, Ordering::AcqRel) + size {
            self.waiting_bytes.fetch_sub(size, Ordering::AcqRel);
            return Err(AppendError::Full);
        }
        let (done, answer) = oneshot::channel();
        let row = NewWebhook { channel_id: channel.0, received_at: received_at.into(), body };
        match self.sender.try_send(Task::Append(Append { row, done })) {
            Ok(()) => Ok(Appended(answer)),
            Err(_) => {
                self.waiting_bytes.fetch_sub(size, Ordering::AcqRel);
                Err(AppendError::Full)
            }
        }
    }

    /// How many wait for the thread right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        WAITING - self.sender.capacity()
    }

    /// Takes no more, stores what waits, and ends the thread. May block for as long as that takes.
    pub fn stop(&self) {
        if self.stopping.swap(true, Ordering::AcqRel) {
            return;
        }
        let told = self.sender.blocking_send(Task::Stop);
        let mut thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ended = thread.take().map(JoinHandle::join);
        if told.is_err() || matches!(ended, Some(Err(_))) {
            tracing::error!("the inbox's thread ended before it was told to");
        }
    }
}

struct Writer {
    store: Store,
    /// A connection of its own on PostgreSQL, so that a pool in use does not hold it up.
    db: Option<Db>,
    nudges: Arc<Nudges>,
    waiting_bytes: Arc<AtomicUsize>,
    told: Seldom,
}

/// Webhooks that are stored in one transaction, and those who wait for it.
struct Batch {
    rows: Vec<NewWebhook>,
    waiting: Vec<oneshot::Sender<bool>>,
    bytes: usize,
}

impl Batch {
    fn of(first: Append) -> Self {
        let bytes = first.row.body.len();
        Self { rows: vec![first.row], waiting: vec![first.done], bytes }
    }

    /// Adds what waits, as far as one commit takes it; whether the thread is told to end after it.
    fn fill_from(&mut self, receiver: &mut mpsc::Receiver<Task>) -> bool {
        while self.rows.len() < BATCH && self.bytes < BATCH_BYTES {
            match receiver.try_recv() {
                Ok(Task::Append(next)) => {
                    self.bytes += next.row.body.len();
                    self.rows.push(next.row);
                    self.waiting.push(next.done);
                }
                Ok(Task::Stop) => return true,
                Err(_) => return false,
            }
        }
        false
    }
}

impl Writer {
    fn run(mut self, mut receiver: mpsc::Receiver<Task>) {
        let mut stopping = false;
        while !stopping {
            let Some(Task::Append(first)) = receiver.blocking_recv() else { break };
            let mut batch = Batch::of(first);
            let together = self.try_write(|db| {
                // What came while others wrote goes with it.
                stopping |= batch.fill_from(&mut receiver);
                insert(db, &batch.rows)
            });
            let bytes = batch.bytes;
            self.answer_all(batch, &together);
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            self.nudges.inbox.notify_one();
        }
    }

    /// Answers those of a batch; stores them one by one when it is not stored, so that a row that cannot be stored
    /// fails its own sender only. While the database is away all fail at once: nobody waits for the rest.
    fn answer_all(&mut self, batch: Batch, together: &Result<(), PersistenceError>) {
        let is_away = together.as_ref().is_err_and(PersistenceError::may_pass_later);
        if together.is_ok() || is_away {
            if let Err(error) = together
                && self.told.is_due()
            {
                let webhooks = batch.rows.len();
                tracing::error!(error = %error, webhooks, "webhooks could not be stored");
            }
            for done in batch.waiting {
                answer(done, together.is_ok());
            }
            return;
        }
        for (row, done) in batch.rows.into_iter().zip(batch.waiting) {
            let stored = self.try_write(|db| insert(db, std::slice::from_ref(&row)));
            if let Err(error) = &stored {
                tracing::error!(error = %error, "a webhook could not be stored");
            }
            answer(done, stored.is_ok());
        }
    }

    /// A failure costs the connection: whether it is still good is not worth asking. On SQLite everyone who writes
    /// takes turns at one.
    fn try_write(
        &mut self,
        work: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
    ) -> Result<(), PersistenceError> {
        if self.store.is_sqlite() {
            return self.store.hasty_write(work);
        }
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.reconnect()?,
        };
        work(&mut db)?;
        self.db = Some(db);
        Ok(())
    }

    fn reconnect(&self) -> Result<Db, PersistenceError> {
        for pause in RECONNECT_PAUSES {
            match self.store.connect() {
                Ok(db) => return Ok(db),
                Err(error) => {
                    if self.told.is_due() {
                        tracing::warn!(error = %error, "the inbox cannot reach the database");
                    }
                    thread::sleep(pause);
                }
            }
        }
        self.store.connect()
    }
}

/// The handler may have gone away by its deadline; the platform then comes again, and deduplication
/// takes the copy.
fn answer(done: oneshot::Sender<bool>, stored: bool) {
    let _gone_by_its_deadline = done.send(stored);
}

fn insert(db: &mut Db, rows: &[NewWebhook]) -> Result<(), PersistenceError> {
    db.write(|db| {
        on_either!(db => diesel::insert_into(webhook_inbox::table).values(rows).execute(db))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use diesel::sql_query;
    use domain::clock::Clock;

    use super::*;
    use crate::{test_desk::TestDesk, test_support::on_both};

    #[test]
    fn large_posts_are_turned_away_before_they_fill_the_memory_and_taken_again_after() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let inbox = WebhookInbox::start(store, Arc::default()).unwrap();
            let post = || inbox.append(desk.channel, desk.clock.now(), vec![b' '; 3_000_000]);
            let (held, is_held) = mpsc::channel();
            let (release, is_released) = mpsc::channel::<()>();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let hold = |db: &mut Db| {
                        if !db.is_sqlite() {
                            let lock = "LOCK TABLE webhook_inbox IN EXCLUSIVE MODE";
                            sql_query(lock).execute(db)?;
                        }
                        held.send(()).unwrap();
                        is_released.recv().unwrap();
                        Ok(())
                    };
                    store.blocking_write(|db| db.write(hold)).unwrap();
                });
                is_held.recv().unwrap();
                let taken: Vec<_> = (0..22).map(|_| post().unwrap()).collect();
                assert_eq!(post().unwrap_err(), AppendError::Full, "66 MB wait");
                release.send(()).unwrap();
                taken.into_iter().for_each(|webhook| webhook.blocking_durable().unwrap());
            });
            // The last answer comes before its bytes are counted out.
            while inbox.waiting_bytes.load(Ordering::Acquire) > 0 {
                thread::sleep(Duration::from_millis(5));
            }
            post().unwrap().blocking_durable().unwrap();
            inbox.stop();
        });
    }
}
