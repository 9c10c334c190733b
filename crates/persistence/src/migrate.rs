//! Brings the tables up to date, also when several processes start at once.

use std::collections::BTreeSet;

use diesel::{
    QueryableByName, RunQueryDsl,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sql_types::{BigInt, Bool, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{db::Db, error::PersistenceError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The advisory lock that only a migrating process holds ("janela").
const MIGRATION_LOCK: i64 = 0x6a61_6e65_6c61;

/// Runs what has not run yet, and tells the versions that ran now, oldest first.
///
/// Processes that start together take turns; all but the first find nothing to do.
///
/// # Errors
/// `Migration` with the version's own error; nothing of that version is kept.
pub fn run(db: &mut Db) -> Result<Vec<String>, PersistenceError> {
    if db.is_sqlite() {
        // The write lock keeps every other process of the file waiting.
        return db.write(run_pending);
    }
    // PostgreSQL would let two processes create the same table at once and fail one of them; the advisory
    // lock makes them take turns. It lasts only as long as this call: the connection is pooled.
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(MIGRATION_LOCK)
        .execute(db)?;
    let ran = db.write(run_pending);
    diesel::sql_query("SELECT pg_advisory_unlock($1)")
        .bind::<BigInt, _>(MIGRATION_LOCK)
        .execute(db)?;
    ran
}

fn run_pending(db: &mut Db) -> Result<Vec<String>, PersistenceError> {
    let ran = match db {
        Db::Sqlite(sqlite) => sqlite.run_pending_migrations(SQLITE),
        Db::Postgres(postgres) => postgres.run_pending_migrations(POSTGRES),
    };
    let ran = ran.map_err(|error| PersistenceError::Migration(error.to_string()))?;
    Ok(ran.into_iter().map(|version| version.to_string()).collect())
}

/// The versions that have not run yet, oldest first. Changes nothing.
///
/// # Errors
/// `Migration` when the migrations of this program cannot be listed.
pub fn list_pending(db: &mut Db) -> Result<Vec<String>, PersistenceError> {
    let known = match db {
        Db::Sqlite(_) => versions(MigrationSource::<Sqlite>::migrations(&SQLITE)),
        Db::Postgres(_) => versions(MigrationSource::<Pg>::migrations(&POSTGRES)),
    }?;
    let ran = list_ran(db)?;
    Ok(known.into_iter().filter(|version| !ran.contains(version)).collect())
}

/// Whether any migration ran: an empty database has no table to look into.
///
/// # Errors
/// When the database fails.
pub fn has_run(db: &mut Db) -> Result<bool, PersistenceError> {
    Ok(!list_ran(db)?.is_empty())
}

fn versions<D: diesel::backend::Backend>(
    migrations: diesel::migration::Result<Vec<Box<dyn Migration<D>>>>,
) -> Result<Vec<String>, PersistenceError> {
    let migrations = migrations.map_err(|error| PersistenceError::Migration(error.to_string()))?;
    let versions = migrations.iter().map(|migration| migration.name().version().to_string());
    let versions: BTreeSet<String> = versions.collect();
    Ok(versions.into_iter().collect())
}

#[derive(QueryableByName)]
struct Ran {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Present {
    #[diesel(sql_type = Bool)]
    present: bool,
}

/// The versions that ran; none before the first did, when their table is not there.
fn list_ran(db: &mut Db) -> Result<BTreeSet<String>, PersistenceError> {
    let look = if db.is_sqlite() {
        "SELECT count(*) > 0 AS present FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
    } else {
        "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS present"
    };
    let found: Present = diesel::sql_query(look).get_result(db)?;
    if !found.present {
        return Ok(BTreeSet::new());
    }
    let ran: Vec<Ran> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(db)?;
    Ok(ran.into_iter().map(|ran| ran.version).collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Barrier, thread};

    use super::*;
    use crate::{
        store::Store,
        test_support::{on_both, on_both_empty},
    };

    #[test]
    fn eight_processes_that_start_at_once_migrate_once() {
        on_both_empty(|test| {
            let pending = test.blocking_read(list_pending).unwrap();
            let barrier = Barrier::new(8);
            let ran: usize = thread::scope(|scope| {
                let start = || {
                    let store = Store::open(test.settings()).unwrap();
                    barrier.wait();
                    store.migrate().unwrap().len()
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            let versions = std::fs::read_dir("../../migrations/sqlite").unwrap().count();
            assert_eq!(ran, versions, "each version ran exactly once");
            assert_eq!(pending.len(), versions, "looking at what was to do did none of it");
            assert!(pending.is_sorted() && pending[0] == "00000000000001", "{pending:?}");
            assert_eq!(test.blocking_read(list_pending).unwrap(), [""; 0]);
        });
    }

    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        column_name: String,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        nullable: String,
    }

    /// The columns of each table by name, as `Type` or `Nullable<Type>`.
    type Tables = BTreeMap<String, BTreeMap<String, String>>;

    fn tables_of(db: &mut Db) -> Tables {
        let query = if db.is_sqlite() {
            "SELECT m.name AS table_name, c.name AS column_name, lower(c.type) AS kind,
                    CASE WHEN c.\"notnull\" = 1 THEN 'NO' ELSE 'YES' END AS nullable
             FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        } else {
            "SELECT table_name::text, column_name::text, data_type::text AS kind, is_nullable::text AS nullable
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        };
        let columns: Vec<Column> = diesel::sql_query(query).load(db).unwrap();
        let mut tables = Tables::new();
        for column in columns {
            let kind = match column.kind.as_str() {
                "bigint" | "integer" => "BigInt",
                "text" => "Text",
                "boolean" => "Bool",
                "blob" | "bytea" => "Binary",
                "real" | "double precision" => "Double",
                other => panic!("{other} in {}.{}", column.table_name, column.column_name),
            };
            let kind = match column.nullable.as_str() {
                "YES" => format!("Nullable<{kind}>"),
                _ => kind.to_owned(),
            };
            tables.entry(column.table_name).or_default().insert(column.column_name, kind);
        }
        tables
    }

    fn tables_of_schema() -> Tables {
        let mut tables = Tables::new();
        for block in include_str!("schema.rs").split("diesel::table! {").skip(1) {
            let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
            let head = lines.next().unwrap();
            let columns = tables.entry(head.split(' ').next().unwrap().to_owned()).or_default();
            for line in lines.take_while(|line| *line != "}") {
                let (name, kind) = line.trim_end_matches(',').split_once(" -> ").unwrap();
                columns.insert(name.to_owned(), kind.to_owned());
            }
        }
        tables
    }

    #[test]
    fn both_databases_hold_the_tables_of_the_schema() {
        on_both(|store| {
            let found = store.blocking_read(|db| Ok(tables_of(db))).unwrap();
            assert_eq!(found, tables_of_schema());
        });
    }
}
