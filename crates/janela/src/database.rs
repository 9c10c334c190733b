//! Opens the store as every command needs it: folder, tables, key.

use std::{
    fs::{self, DirBuilder},
    path::PathBuf,
};

use persistence::{
    error::PersistenceError,
    migrate,
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
    /// The database does not open, migrate or unlock.
    #[error(transparent)]
    Persistence(#[from] PersistenceError),
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Opens the database without changing it; a SQLite file that is missing is made, empty.
///
/// # Errors
/// [`DatabaseError`] says which file or server, and what is wrong with it.
pub fn open(settings: &Settings) -> Result<Store, DatabaseError> {
    make_folder(settings)?;
    Ok(Store::open(&database_settings(settings))?)
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
    match database.missing_file()? {
        Some(file) => Err(DatabaseError::Missing(file)),
        None => Ok(Store::open(&database)?),
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
    let pending = store.blocking_read(migrate::list_pending)?;
    if pending.is_empty() { Ok(()) } else { Err(DatabaseError::Outdated(pending)) }
}

fn database_settings(settings: &Settings) -> DatabaseSettings {
    DatabaseSettings {
        url: settings.database_url.expose_secret().to_owned(),
        data_dir: PathBuf::new(),
        connections: CONNECTIONS,
    }
}

/// Opens the database, brings its tables up to date and unlocks its secrets.
///
/// # Errors
/// As [`open`], and when a migration fails or the key does not fit.
pub fn open_ready(settings: &Settings) -> Result<Store, DatabaseError> {
    let store = open(settings)?;
    store.migrate()?;
    store.unlock(&key::load_or_create(settings)?)?;
    Ok(store)
}
