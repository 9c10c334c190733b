//! One serving process at a time on a SQLite file: a second would send and apply beside it, unheard by its pages.

use std::{
    fs::{File, TryLockError},
    io,
    path::PathBuf,
};

use persistence::store::Store;
use thiserror::Error;

/// Why this process must not serve.
#[derive(Debug, Error)]
pub enum AloneError {
    /// Another one does.
    #[error(
        "another Janela serves {} already, and SQLite is for one process: stop the other one first, or keep the \
         data in PostgreSQL, which any number of processes may serve",
        .0.display()
    )]
    Taken(PathBuf),
    /// The file that is locked cannot be made or locked.
    #[error("{} cannot be locked", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Keeps every other process from serving the file of `store` until what is returned is dropped or this process
/// ends in whatever way; `None` for a PostgreSQL server.
///
/// # Errors
/// `Taken` while another process serves.
pub fn take(store: &Store) -> Result<Option<File>, AloneError> {
    if !store.is_sqlite() {
        return Ok(None);
    }
    let database = PathBuf::from(store.describe_location());
    // Never the database itself: closing it would let go of SQLite's own locks.
    let mut path = database.clone().into_os_string();
    path.push("-serving");
    let path = PathBuf::from(path);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(source) => return Err(AloneError::File { path, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(AloneError::Taken(database)),
        Err(TryLockError::Error(source)) => Err(AloneError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use persistence::test_support::TestStore;

    use super::*;

    #[test]
    fn a_file_is_one_processes_until_it_ends() {
        let store = TestStore::sqlite();
        let first = take(&store).unwrap();
        assert!(first.is_some());
        let told = take(&store).unwrap_err();
        assert!(matches!(told, AloneError::Taken(_)) && told.to_string().contains("PostgreSQL"));
        drop(first);
        assert!(take(&store).unwrap().is_some(), "free again");
    }
}
