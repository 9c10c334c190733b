//! Watches the wall clock of this process, says when it jumps, and asks whether an operator has confirmed it (JO-05).

use std::{sync::Arc, time::Duration};

use domain::{
    clock::Clock,
    clock_guard::{AGREEMENT, ClockJump},
};
use persistence::{error::PersistenceError, store::Store, workspace};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const TICK: Duration = Duration::from_secs(1);

/// A jump that was told, until the clock is trusted again.
struct Told {
    jump: ClockJump,
    /// The operator's confirmations by then; `None` until they could be read.
    confirmations: Option<i64>,
}

/// Looks at `clock` each second until `stop`: one line in the log when it jumps, one when it is trusted again, and
/// a gauge. While it is not trusted, one more confirmation in the workspace than there was ends that.
pub async fn watch(store: Store, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut told = None;
    let trusted = metrics::gauge!("janela_clock_trusted");
    loop {
        look(&store, &*clock, &mut told).await;
        trusted.set(if told.is_none() { 1.0 } else { 0.0 });
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn look(store: &Store, clock: &dyn Clock, told: &mut Option<Told>) {
    let Some(jump) = clock.jump() else {
        if told.take().is_some() {
            tracing::info!("the wall clock is trusted again: sends and jobs go on");
        }
        return;
    };
    let earlier = told.take().filter(|told| told.jump == jump);
    let told = told.insert(earlier.unwrap_or_else(|| {
        say(jump);
        Told { jump, confirmations: None }
    }));
    if let Err(error) = obey_operator(store, clock, told).await {
        tracing::warn!(error = %error, "cannot ask whether an operator has confirmed the clock");
    }
}

fn say(jump: ClockJump) {
    tracing::error!(
        jump_seconds = jump.by.num_seconds(),
        "the wall clock jumped by {} s: nothing is admitted or sent and no job starts for {} min, unless \
         `janela clock confirm` says that it is right now",
        jump.by.num_seconds(),
        AGREEMENT.as_secs() / 60,
    );
}

/// Confirms the jump when there are other confirmations than when it was told.
async fn obey_operator(
    store: &Store,
    clock: &dyn Clock,
    told: &mut Told,
) -> Result<(), PersistenceError> {
    let confirmations = store.read(workspace::count_clock_confirmations).await?;
    match told.confirmations {
        None => told.confirmations = Some(confirmations),
        Some(earlier) if earlier != confirmations => clock.confirm(told.jump),
        Some(_) => {}
    }
    Ok(())
}
