//! What happens by itself: messages are delivered and read, webhooks are tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::core::Core;

/// How often the clock is looked at while something waits for it; another may have advanced it.
const LOOK: Duration = Duration::from_millis(20);

/// Carries out what is due by the sandbox's clock, and tells customers what was `taken`, until the sandbox stops.
pub(crate) async fn run(core: Arc<Core>, mut taken: UnboundedReceiver<Arc<str>>) {
    loop {
        let next = core.act(|state, now_ms| {
            state.run_due(now_ms);
            state.next_due_ms()
        });
        core.dispatcher.wake_rested(core.clock.now_ms());
        let next = [next, core.dispatcher.next_wake_ms()].into_iter().flatten().min();
        let pause = async {
            match next {
                Some(due_ms) => {
                    let wait = due_ms.saturating_sub(core.clock.now_ms()).max(1);
                    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(1));
                    tokio::time::sleep(wait.min(LOOK)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = core.due.notified() => {}
            Some(message) = taken.recv() => core.act(|state, _| state.arrived(&message)),
            () = pause => {}
        }
    }
}
