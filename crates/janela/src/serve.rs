//! `janela serve`: the desk for production.

use std::sync::Arc;

use domain::clock_guard::GuardedClock;
use tracing::info;

use crate::{
    clock::SystemClock,
    desk::{self, DeskError, Purpose},
    settings::Settings,
};

/// Serves until a signal asks to stop. Migrates by itself.
///
/// # Errors
/// [`DeskError`].
pub async fn run(settings: &Settings) -> Result<(), DeskError> {
    let store = desk::open_store(settings)?;
    info!(database = %store.describe_location(), "opened {}", store.describe_location());
    let clock = Arc::new(GuardedClock::new(SystemClock::new()));
    let desk = desk::start(settings, store, clock, Purpose::Production).await?;
    desk.run_until_stopped().await
}
