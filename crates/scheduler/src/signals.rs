//! Tells the platforms what is no message: that one was read, that someone types. In the background, once each;
//! a failure is counted and harms nobody.

use std::{sync::Arc, time::Duration};

use domain::clock::Clock;
use persistence::{
    channel,
    live::Nudges,
    signal::{self, DueSignal, TakenSignals},
    store::Store,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{dispatch::with_cause, error::SchedulerError, job::Channels};

/// Between two looks when nobody nudges.
const TICK: Duration = Duration::from_secs(2);
/// Taken at once; that many are told side by side.
const AT_ONCE: i64 = 8;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The teller of one process.
pub(crate) struct Signaller {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub nudges: Arc<Nudges>,
}

impl Signaller {
    /// Tells until `stop`; what is under way by then ends first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.nudges.signals.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            while !stop.is_cancelled() {
                match self.round().await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(error = %with_cause(&error), "cannot tell what was read");
                        break;
                    }
                }
            }
        }
    }

    /// Tells what is due, some at a time; answers how many were taken.
    async fn round(&self) -> Result<usize, SchedulerError> {
        let now = self.clock.now();
        let TakenSignals { due, stale } =
            self.store.write(move |db| signal::take(db, AT_ONCE, now)).await?;
        count("stale", stale);
        let taken = due.len() + stale;
        let tellers = TaskTracker::new();
        for due in due {
            let (store, channels) = (self.store.clone(), Arc::clone(&self.channels));
            tellers.spawn(async move {
                let word = match tokio::time::timeout(WITHIN, tell(&store, &channels, &due)).await {
                    Ok(Ok(())) => "told",
                    Ok(Err(error)) => {
                        let (channel, error) = (due.channel, with_cause(&error));
                        tracing::debug!(channel.id = %channel, %error, "a signal was lost");
                        "failed"
                    }
                    Err(_) => "failed",
                };
                count(word, 1);
            });
        }
        tellers.close();
        tellers.wait().await;
        Ok(taken)
    }
}

async fn tell(store: &Store, channels: &Channels, due: &DueSignal) -> Result<(), SchedulerError> {
    let (vault, channel) = (store.vault()?, due.channel);
    let (kind, access) = store.read(move |db| channel::get_access(db, &vault, channel)).await?;
    let adapter = channels.get(&kind).ok_or(SchedulerError::NoAdapter)?;
    Ok(adapter.signal(&access, &due.signal).await?)
}

fn count(outcome: &'static str, signals: usize) {
    let signals = u64::try_from(signals).unwrap_or(u64::MAX);
    metrics::counter!("janela_signals_total", "outcome" => outcome).increment(signals);
}
