//! Looks at the inbox from outside while posts come in: how much waits, and for how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_types::BigInt};
use persistence::{error::PersistenceError, store::Store};

use crate::{BenchError, clock};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// Looks in ten seconds.
const TEN_SECONDS: usize = 100;

/// What was seen.
pub struct Watched {
    /// For how long the oldest webhook not yet applied had waited, in seconds, at each look; sorted.
    pub lags: Vec<f64>,
    /// How many more webhooks waited in the last ten seconds than in the first ten, on average.
    pub growth: f64,
}

/// A thread that looks.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Watched, PersistenceError>>,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    received_at: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
}

impl Watch {
    /// Begins to look.
    pub fn start(store: Store) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Self { stop, thread: thread::spawn(move || look(&store, &told)) }
    }

    /// Ends, and tells what was seen.
    ///
    /// # Errors
    /// When the database refused a look.
    pub fn stop(self) -> Result<Watched, BenchError> {
        self.stop.store(true, Ordering::Relaxed);
        let watched = self.thread.join();
        Ok(watched.map_err(|_| BenchError::NoFigure("the backlog"))??)
    }
}

fn look(store: &Store, stop: &AtomicBool) -> Result<Watched, PersistenceError> {
    let (mut lags, mut waiting) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(EVERY);
        let oldest: Option<Waiting> = store.blocking_read(|db| {
            let oldest = diesel::sql_query(
                "SELECT id, received_at, (SELECT max(id) FROM webhook_inbox) AS newest
                 FROM webhook_inbox WHERE done_at IS NULL ORDER BY id LIMIT 1",
            )
            .get_result(db)
            .optional()?;
            Ok(oldest)
        })?;
        let now = clock::now().timestamp_millis();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a minute, and counts")]
        let (lag, many) = oldest.map_or((0.0, 0.0), |oldest| {
            ((now - oldest.received_at) as f64 / 1_000.0, (oldest.newest - oldest.id + 1) as f64)
        });
        lags.push(lag);
        waiting.push(many);
    }
    lags.sort_by(f64::total_cmp);
    let mean = |looks: &[f64]| {
        looks.iter().sum::<f64>() / f64::from(u32::try_from(looks.len().max(1)).unwrap_or(1))
    };
    let first = &waiting[..waiting.len().min(TEN_SECONDS)];
    let last = &waiting[waiting.len().saturating_sub(TEN_SECONDS)..];
    Ok(Watched { lags, growth: mean(last) - mean(first) })
}
