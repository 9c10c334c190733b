//! Opens the store as every command needs it: folder, tables, key.

use std::path::PathBuf;

use persistence::{
    error::PersistenceError,
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
    std::fs::create_dir_all(&settings.data_dir)
        .map_err(|source| DatabaseError::Folder { path: settings.data_dir.clone(), source })?;
    Ok(Store::open(&database_settings(settings))?)
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
