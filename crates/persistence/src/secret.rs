//! Secrets at rest: sealed by a data key of the workspace, itself wrapped by a key from outside.
//!
//! A sealed value begins with the id of its data key, so that keys can be rotated while old values stay
//! readable. It is bound to its table, column and row: moved anywhere else it does not open.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{db::Db, error::PersistenceError, instant::Instant, schema::data_keys};

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// The key given at start is not the one the data key was wrapped by.
    #[error(
        "the secret key does not fit this database: its secrets were sealed under key {expected}, \
         the key given is {given}"
    )]
    WrongKey {
        /// The id of the key that fits.
        expected: String,
        /// The id of the key that was given.
        given: String,
    },
    /// The text given as key is not 64 hexadecimal digits.
    #[error("the secret key is not 64 hexadecimal digits")]
    Malformed,
    /// A sealed value was changed, cut, or moved from its row or column.
    #[error("a sealed secret in {table}.{column} does not open")]
    DoesNotOpen {
        /// The table it stands in.
        table: &'static str,
        /// The column it stands in.
        column: &'static str,
    },
    /// Secrets are asked for before the store was unlocked.
    #[error("the store is not unlocked")]
    Locked,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

/// The key from a file or the environment that wraps the data key. Never stored.
#[derive(Clone)]
pub struct KeyEncryptionKey([u8; 32]);

impl KeyEncryptionKey {
    /// Reads 64 hexadecimal digits, with white space around them.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut key = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| SecretError::Malformed)?;
        Ok(Self(key))
    }

    /// A fresh key.
    ///
    /// # Errors
    /// `NoRandomness` when the system gives none.
    pub fn generate() -> Result<Self, SecretError> {
        random_bytes().map(Self)
    }

    /// The key as [`Self::parse`] reads it, to be kept in a file only its owner may read.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Tells keys apart without telling them.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Sha256::new().chain_update(b"janela key id").chain_update(self.0).finalize();
        hex::encode(&digest[..8])
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyEncryptionKey({})", self.id())
    }
}

/// Where a secret stands; a sealed value opens there and nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct SecretPlace {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The id of the row.
    pub row: i64,
}

impl SecretPlace {
    fn associated_data(self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.table, self.column, self.row).into_bytes()
    }

    fn does_not_open(self) -> SecretError {
        SecretError::DoesNotOpen { table: self.table, column: self.column }
    }
}

/// Seals and opens the secrets of the workspace. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    /// By id; the last one seals.
    keys: Arc<BTreeMap<i64, XChaCha20Poly1305>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").field("keys", &self.keys.len()).finish()
    }
}

const KEY_ID_LENGTH: usize = 8;
const NONCE_LENGTH: usize = 24;

impl Vault {
    /// Unwraps the data keys with `key`; the first start makes one.
    ///
    /// # Errors
    /// `WrongKey` when they were wrapped by another key.
    pub fn open(db: &mut Db, key: &KeyEncryptionKey) -> Result<Self, PersistenceError> {
        db.write(|db| {
            if !has_data_keys(db)? {
                make_data_key(db, key)?;
            }
            Self::find(db, key)
        })
    }

    /// Unwraps the data keys there are with `key`; before the first start made one it opens nothing.
    ///
    /// # Errors
    /// `WrongKey` when they were wrapped by another key.
    pub fn find(db: &mut Db, key: &KeyEncryptionKey) -> Result<Self, PersistenceError> {
        let mut keys = BTreeMap::new();
        for (id, key_id, wrapped) in load_wrapped_keys(db)? {
            keys.insert(id, unwrap_data_key(key, &key_id, &wrapped)?);
        }
        Ok(Self { keys: Arc::new(keys) })
    }

    /// Seals `secret` for `place`.
    ///
    /// # Errors
    /// `NoRandomness` when the system gives none.
    pub fn seal(&self, secret: &str, place: SecretPlace) -> Result<Vec<u8>, SecretError> {
        let (id, cipher) = self.keys.last_key_value().ok_or(SecretError::Locked)?;
        let mut sealed = id.to_be_bytes().to_vec();
        sealed.extend(encrypt(cipher, secret.as_bytes(), &place.associated_data())?);
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// `DoesNotOpen` when it was changed, or sealed for another place.
    pub fn open_secret(&self, sealed: &[u8], place: SecretPlace) -> Result<String, SecretError> {
        let (id, rest) =
            sealed.split_first_chunk::<KEY_ID_LENGTH>().ok_or_else(|| place.does_not_open())?;
        let cipher =
            self.keys.get(&i64::from_be_bytes(*id)).ok_or_else(|| place.does_not_open())?;
        let plain =
            decrypt(cipher, rest, &place.associated_data()).ok_or_else(|| place.does_not_open())?;
        String::from_utf8(plain).map_err(|_| place.does_not_open())
    }
}

/// Whether there is a data key yet, so that secrets may be sealed.
///
/// # Errors
/// When the database fails.
pub fn has_data_keys(db: &mut Db) -> Result<bool, PersistenceError> {
    Ok(diesel::select(diesel::dsl::exists(data_keys::table.select(data_keys::id)))
        .get_result(db)?)
}

/// The ids, the wrapping keys' ids and the wrapped data keys, oldest first.
fn load_wrapped_keys(db: &mut Db) -> Result<Vec<(i64, String, Vec<u8>)>, PersistenceError> {
    Ok(data_keys::table
        .order(data_keys::id)
        .select((data_keys::id, data_keys::key_id, data_keys::wrapped))
        .load(db)?)
}

/// Two processes that start at once may both make one; both are kept, and the later one seals.
fn make_data_key(db: &mut Db, key: &KeyEncryptionKey) -> Result<(), PersistenceError> {
    let key_id = key.id();
    let wrapped =
        encrypt(&cipher(&key.0), &random_bytes::<32>()?, wrapping_data(&key_id).as_bytes())?;
    let row = (
        data_keys::key_id.eq(key_id),
        data_keys::wrapped.eq(wrapped),
        data_keys::created_at.eq(Instant::from(DateTime::<Utc>::UNIX_EPOCH)),
    );
    diesel::insert_into(data_keys::table).values(row).execute(db)?;
    Ok(())
}

fn unwrap_data_key(
    key: &KeyEncryptionKey,
    key_id: &str,
    wrapped: &[u8],
) -> Result<XChaCha20Poly1305, SecretError> {
    let wrong_key = || SecretError::WrongKey { expected: key_id.to_owned(), given: key.id() };
    let plain = decrypt(&cipher(&key.0), wrapped, wrapping_data(key_id).as_bytes())
        .ok_or_else(wrong_key)?;
    let data_key: [u8; 32] = plain.try_into().map_err(|_| wrong_key())?;
    Ok(cipher(&data_key))
}

fn wrapping_data(key_id: &str) -> String {
    format!("data_keys\0wrapped\0{key_id}")
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

/// A random nonce, then the sealed bytes.
fn encrypt(
    cipher: &XChaCha20Poly1305,
    plain: &[u8],
    associated_data: &[u8],
) -> Result<Vec<u8>, SecretError> {
    let nonce = random_bytes::<NONCE_LENGTH>()?;
    let payload = Payload { msg: plain, aad: associated_data };
    let sealed =
        cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretError::NoRandomness)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(cipher: &XChaCha20Poly1305, sealed: &[u8], associated_data: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload { msg: sealed, aad: associated_data };
    cipher.decrypt(&XNonce::from(*nonce), payload).ok()
}

/// Random bytes of the operating system.
///
/// # Errors
/// `NoRandomness` when it gives none.
pub fn random_bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], SecretError> {
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::Store,
        test_support::{on_both, test_key},
    };

    const PLACE: SecretPlace = SecretPlace { table: "channels", column: "access_token", row: 1 };

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        on_both(|store| {
            let vault = store.vault().unwrap();
            let sealed = vault.seal("EAAG-token", PLACE).unwrap();
            assert_eq!(vault.open_secret(&sealed, PLACE).unwrap(), "EAAG-token");
            let elsewhere = [
                SecretPlace { row: 2, ..PLACE },
                SecretPlace { column: "app_secret", ..PLACE },
                SecretPlace { table: "numbers", ..PLACE },
            ];
            for place in elsewhere {
                assert!(vault.open_secret(&sealed, place).is_err(), "{place:?}");
            }
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(vault.open_secret(&changed, PLACE).is_err(), "byte {at} changed");
            }
            assert!(vault.open_secret(&sealed[..20], PLACE).is_err());
        });
    }

    #[test]
    fn a_wrong_key_is_refused_at_start_and_the_right_one_reads_on() {
        on_both(|store| {
            let sealed = store.vault().unwrap().seal("EAAG-token", PLACE).unwrap();
            let restarted = Store::open(store.settings()).unwrap();
            let other = KeyEncryptionKey::generate().unwrap();
            let refused = restarted.unlock(&other).unwrap_err();
            assert!(matches!(
                refused,
                PersistenceError::Secret(SecretError::WrongKey { expected, given })
                    if expected == test_key().id() && given == other.id()
            ));
            restarted.unlock(&test_key()).unwrap();
            let vault = restarted.vault().unwrap();
            assert_eq!(vault.open_secret(&sealed, PLACE).unwrap(), "EAAG-token");
        });
    }

    #[test]
    fn debug_shows_no_key() {
        let key = test_key();
        assert!(!format!("{key:?}").contains("5a5a"));
        assert!(KeyEncryptionKey::parse("5a").is_err());
    }
}
