//! `janela clock`: the operator's word on a clock that jumped (JO-05).

use persistence::{error::PersistenceError, workspace};
use thiserror::Error;

use crate::{
    database::{self, DatabaseError},
    print::{self, PrintError},
    settings::Settings,
};

/// Why the clock is not confirmed, or not said to be.
#[derive(Debug, Error)]
pub enum ClockError {
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No process has served this database yet.
    #[error("nothing has served this database yet, so there is no clock to confirm")]
    NeverServed,
    /// The database fails.
    #[error(transparent)]
    Persistence(PersistenceError),
    /// What was done cannot be printed.
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Tells every process at this database that its clock is right.
///
/// # Errors
/// `NeverServed` when there is no process to tell and never was.
pub fn confirm(settings: &Settings) -> Result<(), ClockError> {
    let store = database::open_current(settings)?;
    store.blocking_write(workspace::confirm_clock).map_err(|error| match error {
        PersistenceError::NotFound => ClockError::NeverServed,
        other => ClockError::Persistence(other),
    })?;
    Ok(print::line("confirmed: a process that paused for a jump of its clock goes on")?)
}
