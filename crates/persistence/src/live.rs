//! Tells pages and jobs that something changed, once it is committed: ids only.
//!
//! A use case calls [`note`] inside its transaction. What was noted waits in the thread that runs the
//! transaction, is dropped with a rollback, and is broadcast by the [`Store`](crate::store::Store) after
//! the commit. On PostgreSQL one `NOTIFY` per transaction tells the other processes the same; on SQLite commands
//! that are run beside the one process say that something changed.

pub(crate) mod beside;

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use diesel::{
    Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_types::Text,
};
use domain::ids::{ChatbotId, ContactId, UserId};
use tokio::sync::{Notify, broadcast};

use crate::{db::Db, error::PersistenceError};

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LiveKind {
    /// A contact wrote; the id is the message's.
    Arrival,
    /// A message of ours or its state; the id is the message's.
    Message,
    /// A ticket opened, closed, or went to someone; the id is the ticket's.
    Ticket,
    /// What had arrived was looked at; the id is the ticket's.
    Seen,
    /// An active message; the id is its message's.
    ActiveMessage,
    /// An agent's presence; the id is the user's.
    Presence,
    /// A chatbot's settings; the id is the chatbot's.
    Settings,
    /// Message templates; the id is the template's, 0 for several.
    Template,
    /// A number; the id is the number's.
    Number,
    /// A job; the id is the run's, 0 for several.
    Job,
    /// The clock was moved (demo).
    Clock,
    /// Events may have been missed: read everything anew.
    Resync,
}

impl LiveKind {
    const ALL: [Self; 12] = [
        Self::Arrival,
        Self::Message,
        Self::Ticket,
        Self::Seen,
        Self::ActiveMessage,
        Self::Presence,
        Self::Settings,
        Self::Template,
        Self::Number,
        Self::Job,
        Self::Clock,
        Self::Resync,
    ];

    /// The word it is told by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Message => "message",
            Self::Ticket => "ticket",
            Self::Seen => "seen",
            Self::ActiveMessage => "active_message",
            Self::Presence => "presence",
            Self::Settings => "settings",
            Self::Template => "template",
            Self::Number => "number",
            Self::Job => "job",
            Self::Clock => "clock",
            Self::Resync => "resync",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One change, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LiveEvent {
    /// What kind of thing changed.
    pub kind: LiveKind,
    /// Whose chatbot it belongs to; `None` when it concerns all.
    pub chatbot: Option<ChatbotId>,
    /// Whose conversation with that chatbot changed; `None` when none did, or several.
    pub contact: Option<ContactId>,
    /// The one user it is for; `None` when it is for all who may see the chatbot.
    pub user: Option<UserId>,
    /// The id of what changed; 0 when several did.
    pub id: i64,
}

impl LiveEvent {
    /// Says that events may have been missed.
    pub const RESYNC: Self = Self::of_all(LiveKind::Resync, 0);

    /// A change that concerns everyone.
    #[must_use]
    pub const fn of_all(kind: LiveKind, id: i64) -> Self {
        Self { kind, chatbot: None, contact: None, user: None, id }
    }

    /// A change of the conversation of `contact` with `chatbot`.
    #[must_use]
    pub const fn of_contact(
        kind: LiveKind,
        chatbot: ChatbotId,
        contact: ContactId,
        id: i64,
    ) -> Self {
        Self { chatbot: Some(chatbot), contact: Some(contact), ..Self::of_all(kind, id) }
    }

    fn to_words(self) -> String {
        let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        let (chatbot, contact) = (self.chatbot.map(|id| id.0), self.contact.map(|id| id.0));
        let user = number(self.user.map(|id| id.0));
        let (kind, chatbot, contact) = (self.kind.as_str(), number(chatbot), number(contact));
        format!("{kind}:{chatbot}:{contact}:{user}:{}", self.id)
    }

    /// Reads [`Self::to_words`]; anything else is `None`.
    fn from_words(words: &str) -> Option<Self> {
        let optional = |word: &str| match word {
            "" => Some(None),
            digits => digits.parse().ok().map(Some),
        };
        let mut parts = words.split(':');
        let kind = LiveKind::parse(parts.next()?)?;
        let chatbot = optional(parts.next()?)?.map(ChatbotId);
        let contact = optional(parts.next()?)?.map(ContactId);
        let user = optional(parts.next()?)?.map(UserId);
        let id = parts.next()?.parse().ok()?;
        Some(Self { kind, chatbot, contact, user, id })
    }
}

/// Where pages listen.
#[derive(Debug, Clone)]
pub struct LiveEvents {
    sender: broadcast::Sender<LiveEvent>,
}

impl Default for LiveEvents {
    fn default() -> Self {
        Self { sender: broadcast::channel(1_024).0 }
    }
}

impl LiveEvents {
    /// Everything published from now on. A listener that lags behind must read everything anew.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.sender.subscribe()
    }

    /// Tells this process's listeners. Nobody listening is no failure.
    pub fn publish(&self, event: LiveEvent) {
        let _listeners = self.sender.send(event).unwrap_or(0);
    }
}

/// Wakes jobs before their tick; a nudge carries no data and may be lost without harm.
#[derive(Debug, Default)]
pub struct Nudges {
    /// Something was queued for sending.
    pub dispatch: Notify,
    /// A webhook was kept.
    pub inbox: Notify,
    /// Something was read, or someone types.
    pub signals: Notify,
    /// A file is to be fetched or handed over.
    pub media: Notify,
}

#[derive(Default)]
struct Noted {
    /// Noted in the open transaction.
    open: Vec<LiveEvent>,
    /// Committed and not yet broadcast.
    committed: Vec<LiveEvent>,
}

thread_local! {
    static NOTED: RefCell<Noted> = RefCell::new(Noted::default());
}

/// Notes a change made in the open transaction of `db`; told to listeners after the commit, once
/// however often it is noted.
pub fn note(_db: &mut Db, event: LiveEvent) {
    NOTED.with_borrow_mut(|noted| {
        if !noted.open.contains(&event) {
            noted.open.push(event);
        }
    });
}

pub(crate) fn transaction_begins() {
    NOTED.with_borrow_mut(|noted| noted.open.clear());
}

pub(crate) fn transaction_committed() {
    NOTED.with_borrow_mut(|noted| {
        let open = std::mem::take(&mut noted.open);
        noted.committed.extend(open);
    });
}

/// How much was noted so far in the open transaction.
pub(crate) fn mark() -> usize {
    NOTED.with_borrow(|noted| noted.open.len())
}

/// Drops what was noted since `mark`, with the savepoint it was noted in.
pub(crate) fn forget_since(mark: usize) {
    NOTED.with_borrow_mut(|noted| noted.open.truncate(mark));
}

/// What this thread committed and nobody was told yet.
pub(crate) fn take_committed() -> Vec<LiveEvent> {
    NOTED.with_borrow_mut(|noted| std::mem::take(&mut noted.committed))
}

/// PostgreSQL drops a payload of 8,000 bytes and more.
const LONGEST_PAYLOAD: usize = 7_800;
const PG_CHANNEL: &str = "janela_live";

/// Puts one `NOTIFY` for all that was noted into the open transaction; nothing on SQLite, where one process
/// serves.
///
/// The connection's own `janela.origin` goes first, so that a process knows its own events.
pub(crate) fn notify_other_processes(db: &mut Db) -> Result<(), PersistenceError> {
    let Db::Postgres(postgres) = db else { return Ok(()) };
    let events = NOTED.with_borrow(|noted| noted.open.clone());
    if events.is_empty() {
        return Ok(());
    }
    let mut payload: String =
        events.into_iter().map(LiveEvent::to_words).collect::<Vec<_>>().join(",");
    if payload.len() > LONGEST_PAYLOAD {
        payload = LiveEvent::RESYNC.to_words();
    }
    diesel::sql_query(
        "SELECT pg_notify('janela_live', coalesce(current_setting('janela.origin', true), '') || ';' || $1)",
    )
    .bind::<Text, _>(payload)
    .execute(postgres)?;
    Ok(())
}

/// Passes the events of other processes on to `live` until `stop`, on a connection and thread of its own.
///
/// After a lost connection it says [`LiveEvent::RESYNC`], because notifications are lost meanwhile.
pub(crate) fn listen(
    url: String,
    own_origin: String,
    live: LiveEvents,
    stop: Arc<AtomicBool>,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("live-listen".into()).spawn(move || {
        let mut was_lost = false;
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = listen_until_lost(&url, &own_origin, &live, &stop, was_lost) {
                tracing::warn!(error = %error, "lost the connection that hears other processes");
                was_lost = true;
                pause(&stop, Duration::from_secs(1));
            }
        }
    })
}

fn listen_until_lost(
    url: &str,
    own_origin: &str,
    live: &LiveEvents,
    stop: &AtomicBool,
    was_lost: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = PgConnection::establish(url)?;
    connection.batch_execute(&format!("LISTEN {PG_CHANNEL}"))?;
    if was_lost {
        live.publish(LiveEvent::RESYNC);
    }
    while !stop.load(Ordering::Relaxed) {
        let arrived: Vec<_> = connection.notifications_iter().collect::<Result<_, _>>()?;
        for notification in arrived {
            let Some((origin, words)) = notification.payload.split_once(';') else { continue };
            if origin == own_origin {
                continue;
            }
            for word in words.split(',') {
                live.publish(LiveEvent::from_words(word).unwrap_or(LiveEvent::RESYNC));
            }
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

fn pause(stop: &AtomicBool, length: Duration) {
    let steps = length.as_millis() / 25;
    for _ in 0..steps {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(Duration::from_millis(25));
    }
}
