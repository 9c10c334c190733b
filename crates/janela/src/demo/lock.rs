//! One demo at a time in a folder: a second would point the first one's channels at its own sandbox.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why the folder is not this demo's.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another demo runs in it.
    #[error(
        "a demo runs in {} already; stop it first, or choose another folder with --data-dir",
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

/// Keeps every other demo out of `folder`, which is there, until the file is dropped or the process ends in
/// whatever way.
///
/// # Errors
/// `Taken` while another demo runs in it.
pub fn take(folder: &Path) -> Result<File, LockError> {
    let path = folder.join("demo.lock");
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(source) => return Err(LockError::File { path, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::Taken(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(LockError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_demos_until_it_stops() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path()).unwrap();
        assert!(matches!(take(folder.path()), Err(LockError::Taken(_))));
        drop(first);
        take(folder.path()).expect("free again");
    }
}
