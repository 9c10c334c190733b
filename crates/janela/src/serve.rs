//! `janela serve`: the desk for production.

use std::sync::Arc;

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
    let desk =
        desk::start(settings, store, Arc::new(SystemClock::new()), Purpose::Production).await?;
    desk.run_until_stopped().await
}
