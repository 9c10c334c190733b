//! The one place where the state is touched: lock, act, then tell the dispatcher and the pages.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::SandboxClock;
use crate::dispatcher::Dispatcher;
use crate::state::State;

/// What the pages should look at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The phone of this customer.
    Phone(String),
    Mail,
    Clock,
}

/// Everything the servers share.
pub(crate) struct Core {
    state: Mutex<State>,
    pub clock: Arc<dyn SandboxClock>,
    /// The zone the pages show instants in.
    pub zone: Tz,
    pub dispatcher: Arc<Dispatcher>,
    pub client: reqwest::Client,
    pub changes: broadcast::Sender<Change>,
    /// Rung when something may be due earlier than it seemed.
    pub due: Arc<Notify>,
    pub stop: CancellationToken,
    /// Takes how long every connection is refused.
    pub outage: mpsc::UnboundedSender<Duration>,
    /// Where the HTTP server listens, for the addresses it hands out.
    pub address: SocketAddr,
}

impl Core {
    pub(crate) fn new(
        state: State,
        (clock, zone): (Arc<dyn SandboxClock>, Tz),
        dispatcher: Arc<Dispatcher>,
        (client, outage): (reqwest::Client, mpsc::UnboundedSender<Duration>),
        address: SocketAddr,
    ) -> Self {
        let due = Arc::clone(&dispatcher.rests);
        Self {
            state: Mutex::new(state),
            clock,
            zone,
            dispatcher,
            client,
            changes: broadcast::channel(1_024).0,
            due,
            stop: CancellationToken::new(),
            outage,
            address,
        }
    }

    /// Where the sandbox is reached, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs `act` on the state at one instant, then sends the webhooks and changes it caused.
    pub(crate) fn act<R>(&self, act: impl FnOnce(&mut State, i64) -> R) -> R {
        let now_ms = self.clock.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut state, now_ms);
        let changes = state.take_changes();
        if state.take_newly_due() {
            self.due.notify_one();
        }
        // Handed over under the lock, so that webhooks are queued in the order they were caused.
        self.dispatcher.enqueue(state.take_deliveries());
        drop(state);
        for change in changes {
            self.announce(change);
        }
        result
    }

    /// Moves the clock forward and carries out what became due.
    pub(crate) fn advance(&self, step: Duration) {
        self.clock.advance(step);
        self.act(|state, now_ms| state.run_due(now_ms));
        self.due.notify_one();
        self.announce(Change::Clock);
    }

    /// Sends the webhooks of `subject` to `callback_url` from now on, those not yet taken included.
    pub(crate) fn subscribe(&self, subject: &str, callback_url: &str) {
        let before = self.act(|state, _| state.subscribe(subject, callback_url));
        self.dispatcher.follow(before.as_deref().unwrap_or(callback_url), callback_url);
    }

    /// Tells the open pages; that there may be none is no error.
    pub(crate) fn announce(&self, change: Change) {
        let listeners = self.changes.send(change).unwrap_or_default();
        tracing::trace!(listeners, "announced a change");
    }
}
