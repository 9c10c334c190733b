//! Whether the database can be written to right now.

use diesel::prelude::*;

use crate::{db::Db, error::PersistenceError, schema::workspace};

/// Writes something that changes nothing, through to the disk: a full disk or a lost server fails here.
///
/// # Errors
/// Whatever a real write would meet.
pub fn probe_write(db: &mut Db) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::update(workspace::table).set(workspace::name.eq(workspace::name)).execute(db)?;
        Ok(())
    })
}
