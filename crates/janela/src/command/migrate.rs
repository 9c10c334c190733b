//! `janela migrate`: brings the tables up to date and stops.

use crate::{
    database::{self, DatabaseError},
    settings::Settings,
};

/// Applies what is missing and names it.
///
/// # Errors
/// As [`database::open`], and when a migration fails.
pub fn run(settings: &Settings) -> Result<(), DatabaseError> {
    let applied = database::migrate(&database::open(settings)?)?;
    if applied.is_empty() {
        println!("nothing to do");
    }
    for version in applied {
        println!("applied {version}");
    }
    Ok(())
}
