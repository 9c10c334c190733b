//! The key-encryption key: from the settings, else from `secret.key` in the data folder, made on the first start.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::PathBuf,
};

use persistence::secret::{KeyEncryptionKey, SecretError};
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::settings::Settings;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The key given or found is not readable.
    #[error("the secret key cannot be used")]
    Malformed(#[from] SecretError),
    /// The key's file cannot be read or written.
    #[error("the key file {path} cannot be used")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database holds sealed secrets, and nothing that opens them was given or found.
    #[error(
        "there is no secret key, and without it nothing that is sealed in this database can be read; put \
         the file {path} back, or set JANELA_SECRET_KEY or JANELA_SECRET_KEY_FILE to the same key; no other \
         key was made"
    )]
    Lost {
        /// Where the key's file was looked for.
        path: PathBuf,
    },
}

impl KeyError {
    /// What to say where `settings` lead to no key and the database is sealed.
    pub fn lost(settings: &Settings) -> Self {
        Self::Lost { path: key_file(settings) }
    }
}

/// Reads the key, or makes one that only its owner may read.
///
/// # Errors
/// [`KeyError`] when it is malformed or its file cannot be used.
pub fn load_or_create(settings: &Settings) -> Result<KeyEncryptionKey, KeyError> {
    match find(settings)? {
        Some(key) => Ok(key),
        None => create(key_file(settings)),
    }
}

/// Reads the key; `None` when neither the settings nor the data folder has one.
///
/// # Errors
/// As [`load_or_create`].
pub fn find(settings: &Settings) -> Result<Option<KeyEncryptionKey>, KeyError> {
    if let Some(key) = &settings.secret_key {
        return Ok(Some(KeyEncryptionKey::parse(key.expose_secret())?));
    }
    let path = key_file(settings);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(KeyEncryptionKey::parse(&text)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::File { path, source }),
    }
}

fn key_file(settings: &Settings) -> PathBuf {
    settings.data_dir.join("secret.key")
}

fn create(path: PathBuf) -> Result<KeyEncryptionKey, KeyError> {
    let key = KeyEncryptionKey::generate()?;
    let written = private_file().open(&path).and_then(|mut file| {
        file.write_all(key.to_hex().as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(key),
        Err(source) => Err(KeyError::File { path, source }),
    }
}

/// How a file is made that must not be there yet and only its owner may read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::SettingsArgs, settings};

    #[test]
    fn the_first_start_makes_a_private_key_and_the_next_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let args =
            SettingsArgs { data_dir: Some(folder.path().to_owned()), ..SettingsArgs::default() };
        let settings = settings::load(&args, None, []).unwrap().settings;
        let first = load_or_create(&settings).unwrap();
        let second = load_or_create(&settings).unwrap();
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("secret.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_broken_key_file_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "not a key").unwrap();
        let args =
            SettingsArgs { data_dir: Some(folder.path().to_owned()), ..SettingsArgs::default() };
        let settings = settings::load(&args, None, []).unwrap().settings;
        assert!(matches!(load_or_create(&settings), Err(KeyError::Malformed(_))));
        assert_eq!(fs::read_to_string(path).unwrap(), "not a key");
    }
}
