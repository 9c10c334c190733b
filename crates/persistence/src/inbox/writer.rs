//! The one thread that makes webhooks durable: group commit, so that a busy hour costs few commits.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
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
    store::Store,
};

/// How many webhooks may wait for the thread; beyond that the platform is asked to come again.
const WAITING: usize = 8_192;
/// The most webhooks in one commit.
const BATCH: usize = 256;
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
        let db = store.connect()?;
        let writer = Writer { store: store.clone(), db: Some(db), nudges };
        let thread = thread::Builder::new()
            .name("webhook-inbox".into())
            .spawn(move || writer.run(receiver))
            .map_err(|error| {
                PersistenceError::Settings(format!("cannot start a thread: {error}"))
            })?;
        Ok(Self { sender, stopping: AtomicBool::new(false), thread: Mutex::new(Some(thread)) })
    }

    /// Hands a verified body over; it is durable once the answer's [`Appended::durable`] says so.
    ///
    /// # Errors
    /// [`AppendError::Full`] when 8,192 wait already, or after [`Self::stop`].
    pub fn append(
        &self,
        channel: ChannelId,
        received_at: DateTime<Utc>,
        body: Vec<u8>,
    ) -> Result<Appended, AppendError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(AppendError::Full);
        }
        let (done, answer) = oneshot::channel();
        let row = NewWebhook { channel_id: channel.0, received_at: received_at.into(), body };
        self.sender.try_send(Task::Append(Append { row, done })).map_err(|_| AppendError::Full)?;
        Ok(Appended(answer))
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
    db: Option<Db>,
    nudges: Arc<Nudges>,
}

impl Writer {
    fn run(mut self, mut receiver: mpsc::Receiver<Task>) {
        let mut stopping = false;
        while !stopping {
            let Some(Task::Append(first)) = receiver.blocking_recv() else { break };
            let mut batch = vec![first];
            while batch.len() < BATCH {
                match receiver.try_recv() {
                    Ok(Task::Append(next)) => batch.push(next),
                    Ok(Task::Stop) => {
                        stopping = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            self.commit(batch);
            self.nudges.inbox.notify_one();
        }
    }

    /// Stores the batch in one transaction; one by one when that fails, so that a row that cannot be
    /// stored fails its own sender only.
    fn commit(&mut self, batch: Vec<Append>) {
        let (rows, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|append| (append.row, append.done)).unzip();
        let together = self.try_insert(&rows);
        if together.is_ok() {
            for done in waiting {
                answer(done, true);
            }
            return;
        }
        for (row, done) in rows.iter().zip(waiting) {
            let stored = self.try_insert(std::slice::from_ref(row));
            if let Err(error) = &stored {
                tracing::error!(error = %error, "a webhook could not be stored");
            }
            answer(done, stored.is_ok());
        }
    }

    /// A failure costs the connection: whether it is still good is not worth asking.
    fn try_insert(&mut self, rows: &[NewWebhook]) -> Result<(), PersistenceError> {
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.reconnect()?,
        };
        insert(&mut db, rows)?;
        self.db = Some(db);
        Ok(())
    }

    fn reconnect(&self) -> Result<Db, PersistenceError> {
        for pause in RECONNECT_PAUSES {
            match self.store.connect() {
                Ok(db) => return Ok(db),
                Err(error) => {
                    tracing::warn!(error = %error, "the inbox cannot reach the database");
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
