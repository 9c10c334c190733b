//! Opens the store as every command needs it: folder, tables, key.

use std::{
    fs::{self, DirBuilder},
    path::PathBuf,
};

use persistence::{
    db::Db,
    error::PersistenceError,
    migrate, secret,
    store::{DatabaseSettings, Store},
};
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::{
    key::{self, KeyError},
    settings::Settings,
};

/// Connections to the database per process.
const CONNECTIONS: u32 = 16;

/// Why the store is not usable.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// The data folder cannot be made.
    #[error("the data folder {path} cannot be made")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no such file.
    #[error(
        "there is no file {}; `janela migrate` makes it, and so does `janela serve`",
        .0.display()
    )]
    Missing(PathBuf),
    /// The tables are those of an earlier version, or not there.
    #[error(
        "these migrations have not run: {}; `janela migrate` runs them, and so does `janela serve`",
        .0.join(", ")
    )]
    Outdated(Vec<String>),
    /// The SQLite file is none, or is damaged.
    #[error(
        "{file} is no SQLite database, or is damaged: {reason}; stop Janela, move this file away with those \
         beside it that end in -wal and -shm, and put a copy of it back; without a copy `janela migrate` makes \
         an empty database; `janela doctor` checks it"
    )]
    Damaged {
        /// Which file.
        file: String,
        /// What SQLite says.
        reason: String,
    },
    /// The PostgreSQL server does not take us.
    #[error(
        "the PostgreSQL server at {location} cannot be used: {reason}; start it, or correct database_url \
         (JANELA_DATABASE_URL); `janela doctor` looks again"
    )]
    Unreachable {
        /// Where, without a password.
        location: String,
        /// What it, or the way to it, says.
        reason: String,
    },
    /// The database does not open, migrate or unlock.
    #[error(transparent)]
    Persistence(PersistenceError),
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl DatabaseError {
    /// What is wrong with the database at `location`, with what to do where that is known.
    pub fn at(location: &str, error: PersistenceError) -> Self {
        match error {
            error if error.tells_of_damage() => {
                Self::Damaged { file: location.to_owned(), reason: reason_of(&error) }
            }
            PersistenceError::Open { location, reason } if location.starts_with("postgres") => {
                Self::Unreachable { location, reason: in_one_line(&reason) }
            }
            other => Self::Persistence(other),
        }
    }

    /// The same of what cannot be opened: the error knows where it is.
    fn at_opening(error: PersistenceError) -> Self {
        let location = match &error {
            PersistenceError::Open { location, .. } => location.clone(),
            _ => String::new(),
        };
        Self::at(&location, error)
    }
}

/// What the database itself said.
fn reason_of(error: &PersistenceError) -> String {
    match error {
        PersistenceError::Open { reason, .. } | PersistenceError::Migration(reason) => {
            in_one_line(reason)
        }
        other => crate::chain(other),
    }
}

/// A server's answer has several lines.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Opens the database without changing it; a SQLite file that is missing is made, empty.
///
/// # Errors
/// [`DatabaseError`] says which file or server, and what is wrong with it.
pub fn open(settings: &Settings) -> Result<Store, DatabaseError> {
    make_folder(settings)?;
    Store::open(&database_settings(settings)).map_err(DatabaseError::at_opening)
}

/// Makes the data folder if it is not there: its owner's alone, for customers' texts lie in it.
///
/// # Errors
/// `Folder` when it cannot be made.
pub fn make_folder(settings: &Settings) -> Result<(), DatabaseError> {
    let path = &settings.data_dir;
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    let above = path.parent().map_or(Ok(()), fs::create_dir_all);
    above
        .and_then(|()| folder.create(path))
        .map_err(|source| DatabaseError::Folder { path: path.clone(), source })
}

/// Opens the database if it is there, and makes nothing.
///
/// # Errors
/// As [`open`], and `Missing` for a SQLite file that is not there.
pub fn open_existing(settings: &Settings) -> Result<Store, DatabaseError> {
    let database = database_settings(settings);
    match database.missing_file().map_err(DatabaseError::Persistence)? {
        Some(file) => Err(DatabaseError::Missing(file)),
        None => Store::open(&database).map_err(DatabaseError::at_opening),
    }
}

/// Opens the database if it is there and its tables are up to date, for what needs no secret; makes nothing.
///
/// # Errors
/// As [`open_existing`], and `Outdated` when a migration has not run.
pub fn open_current(settings: &Settings) -> Result<Store, DatabaseError> {
    let store = open_existing(settings)?;
    expect_current(&store)?;
    Ok(store)
}

/// Sees that the tables are up to date.
///
/// # Errors
/// `Outdated` names the migrations that have not run.
pub fn expect_current(store: &Store) -> Result<(), DatabaseError> {
    let pending = store
        .blocking_read(migrate::list_pending)
        .map_err(|error| DatabaseError::at(&store.describe_location(), error))?;
    if pending.is_empty() { Ok(()) } else { Err(DatabaseError::Outdated(pending)) }
}

fn database_settings(settings: &Settings) -> DatabaseSettings {
    DatabaseSettings {
        url: settings.database_url.expose_secret().to_owned(),
        data_dir: PathBuf::new(),
        connections: CONNECTIONS,
    }
}

/// Opens the database, brings its tables up to date and unlocks its secrets. The first start makes the key.
///
/// # Errors
/// As [`open`], and when a migration fails or the key does not fit. A key that was lost is no first start:
/// then nothing is made or changed.
pub fn open_ready(settings: &Settings) -> Result<Store, DatabaseError> {
    let store = open(settings)?;
    if key::find(settings)?.is_none() && is_sealed(&store)? {
        return Err(KeyError::lost(settings).into());
    }
    migrate(&store)?;
    let key = key::load_or_create(settings)?;
    store.unlock(&key).map_err(|error| DatabaseError::at(&store.describe_location(), error))?;
    Ok(store)
}

/// Whether a key is needed to read what is there; none is before the first migration.
fn is_sealed(store: &Store) -> Result<bool, DatabaseError> {
    let look = |db: &mut Db| Ok(migrate::has_run(db)? && secret::has_data_keys(db)?);
    store.blocking_read(look).map_err(|error| DatabaseError::at(&store.describe_location(), error))
}

/// Brings the tables up to date, and answers the versions that ran now.
///
/// # Errors
/// When a migration fails.
pub fn migrate(store: &Store) -> Result<Vec<String>, DatabaseError> {
    store.migrate().map_err(|error| DatabaseError::at(&store.describe_location(), error))
}
