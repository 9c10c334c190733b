//! `janela migrate`: brings the tables up to date and stops.

use thiserror::Error;

use crate::{
    database::{self, DatabaseError},
    print::{self, PrintError},
    settings::Settings,
};

/// Why the tables are not up to date, or not said to be.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What was applied cannot be printed.
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Applies what is missing and names it.
///
/// # Errors
/// As [`database::open`], and when a migration fails or what was applied cannot be printed.
pub fn run(settings: &Settings) -> Result<(), MigrateError> {
    let applied = database::migrate(&database::open(settings)?)?;
    if applied.is_empty() {
        print::line("nothing to do")?;
    }
    for version in applied {
        print::line(format_args!("applied {version}"))?;
    }
    Ok(())
}
