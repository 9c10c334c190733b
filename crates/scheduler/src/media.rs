//! Carries files in the background, few at a time, each by one process: fetches what contacts sent, and hands over
//! what agents chose before their messages may go.

mod fetch;
mod hand_over;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    channel::{Channel, ChannelAccess},
    clock::Clock,
    ids::ChannelId,
};
use persistence::{channel, db::Db, live::Nudges, media, store::Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{dispatch::with_cause, error::SchedulerError, job::Channels};

/// Between two looks when nobody nudges.
const TICK: Duration = Duration::from_millis(500);
/// After a failure of the database, before the next look.
const PAUSE: Duration = Duration::from_secs(2);
/// Files under way at once in this process.
const AT_ONCE: usize = 3;
/// For how long a file is leased to one process: longer than it may take, and to be read and written.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Carries the files of one process.
pub(crate) struct Carrier {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub nudges: Arc<Nudges>,
}

/// What the loop and the files under way share.
struct Shared {
    parts: Carrier,
    slots: Arc<Semaphore>,
    /// Pictures are read whole into memory, so one after the other.
    reading: Semaphore,
    stop: CancellationToken,
}

impl Carrier {
    /// Carries until `stop`; what is under way then is put off.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let shared = Arc::new(Shared {
            parts: self,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            reading: Semaphore::new(1),
            stop: stop.clone(),
        });
        let under_way = TaskTracker::new();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = shared.parts.nudges.media.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            if let Err(error) = shared.start_what_is_due(&under_way).await {
                tracing::error!(error = %with_cause(&error), "cannot claim files");
                tokio::time::sleep(PAUSE).await;
            }
        }
        under_way.close();
        under_way.wait().await;
    }
}

impl Shared {
    /// Claims as many files as there are slots, and starts with them.
    async fn start_what_is_due(
        self: &Arc<Self>,
        under_way: &TaskTracker,
    ) -> Result<(), SchedulerError> {
        let now = self.parts.clock.now();
        let free = self.slots.available_permits();
        if free == 0 || !self.parts.store.read(move |db| media::has_due(db, now)).await? {
            return Ok(());
        }
        let claim = move |db: &mut Db| {
            let uploads = media::claim_uploads(db, free, LEASE, now)?;
            let fetches = media::claim_fetches(db, free - uploads.len(), LEASE, now)?;
            Ok((uploads, fetches))
        };
        let (uploads, fetches) = self.parts.store.write(claim).await?;
        for claim in uploads {
            self.start(under_way, move |shared| async move { shared.hand_over(&claim).await });
        }
        for claim in fetches {
            self.start(under_way, move |shared| async move { shared.fetch(&claim).await });
        }
        Ok(())
    }

    /// Starts with one file, in a slot of its own.
    fn start<F>(
        self: &Arc<Self>,
        under_way: &TaskTracker,
        carry: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let Some(slot) = self.take_slot() else { return };
        let shared = Arc::clone(self);
        under_way.spawn(async move {
            carry(Arc::clone(&shared)).await;
            drop(slot);
            shared.parts.nudges.media.notify_one();
        });
    }

    fn take_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// The adapter that speaks for `channel`, and what it needs.
    async fn adapter_of(
        &self,
        channel: ChannelId,
    ) -> Result<(Arc<dyn Channel>, ChannelAccess), SchedulerError> {
        let vault = self.parts.store.vault()?;
        let access = move |db: &mut Db| channel::get_access(db, &vault, channel);
        let (kind, access) = self.parts.store.read(access).await?;
        let adapter = self.parts.channels.get(&kind).ok_or(SchedulerError::NoAdapter)?;
        Ok((Arc::clone(adapter), access))
    }
}
