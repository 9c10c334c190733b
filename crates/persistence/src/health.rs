//! Whether the database can be written to right now, and whether its file is whole.

use diesel::{prelude::*, sql_query, sql_types::Text};

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

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Reads the whole SQLite file and says the first thing that is wrong with it; `None` for a whole one, and for
/// PostgreSQL, which looks after its files itself.
///
/// # Errors
/// What the database says when it cannot even look, which may tell of damage, too.
pub fn find_damage(db: &mut Db) -> Result<Option<String>, PersistenceError> {
    if !db.is_sqlite() {
        return Ok(None);
    }
    let found: Checked = sql_query("PRAGMA quick_check(1)").get_result(db)?;
    Ok((found.quick_check != "ok").then_some(found.quick_check))
}
