//! Everything that is stored, as text, so that a test can tell whether anything changed.

use std::collections::BTreeMap;

use diesel::{QueryableByName, RunQueryDsl, sql_types::Text};

use super::TestStore;
use crate::{db::Db, error::PersistenceError};

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

impl TestStore {
    /// The rows of each table but those in `except`, sorted.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn dump(&self, except: &[&str]) -> BTreeMap<String, Vec<String>> {
        let dumped = self.blocking_read(|db| {
            let tables = list_tables(db)?.into_iter();
            tables
                .filter(|table| !except.contains(&table.as_str()))
                .map(|table| Ok((table.clone(), list_rows(db, &table)?)))
                .collect::<Result<_, PersistenceError>>()
        });
        dumped.expect("every table is readable")
    }
}

fn list_tables(db: &mut Db) -> Result<Vec<String>, PersistenceError> {
    let tables = if db.is_sqlite() {
        "SELECT name AS word FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    } else {
        "SELECT table_name::text AS word FROM information_schema.tables WHERE table_schema = 'public'"
    };
    words(db, tables)
}

fn list_rows(db: &mut Db, table: &str) -> Result<Vec<String>, PersistenceError> {
    let row = if db.is_sqlite() {
        let quoted = "'quote(\"' || name || '\")'";
        let columns = format!("SELECT {quoted} AS word FROM pragma_table_info('{table}')");
        words(db, &columns)?.join(" || ', ' || ")
    } else {
        "kept::text".to_owned()
    };
    words(db, &format!("SELECT {row} AS word FROM \"{table}\" AS kept ORDER BY 1"))
}

fn words(db: &mut Db, query: &str) -> Result<Vec<String>, PersistenceError> {
    let found: Vec<Word> = diesel::sql_query(query).load(db)?;
    Ok(found.into_iter().map(|found| found.word).collect())
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use crate::{schema::workspace, test_support::on_both};

    #[test]
    fn a_dump_shows_every_row_and_each_change() {
        on_both(|store| {
            let before = store.dump(&[]);
            assert_eq!(before["workspace"], [""; 0]);
            let save = |name: &str| {
                let row = (
                    workspace::id.eq(1),
                    workspace::name.eq(name),
                    workspace::time_zone.eq("Europe/Madrid"),
                    workspace::language.eq("en"),
                    workspace::clock_confirmations.eq(0),
                    workspace::created_at.eq(0_i64),
                );
                store
                    .blocking_write(|db| {
                        diesel::delete(workspace::table).execute(db)?;
                        diesel::insert_into(workspace::table).values(row).execute(db)?;
                        Ok(())
                    })
                    .unwrap();
                store.dump(&[])
            };
            let (ana, rui) = (save("Ana"), save("Rui"));
            assert!(ana["workspace"][0].contains("Ana"), "{ana:?}");
            assert_ne!(ana, rui);
            assert_eq!(save("Ana"), ana);
            assert!(!store.dump(&["workspace"]).contains_key("workspace"));
        });
    }
}
