//! Passwords: hashed by Argon2id, verified in the same time whether or not the user exists.

use std::sync::LazyLock;
#[cfg(any(test, feature = "testing"))]
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};

use crate::secret::SecretError;

/// 19 MiB, two passes, one lane.
fn hasher() -> Argon2<'static> {
    const PARAMS: Params = match Params::new(19_456, 2, 1, None) {
        Ok(params) => params,
        Err(_) => Params::DEFAULT,
    };
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS)
}

/// Verified when there is no such user, so that the answer takes as long.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password").ok());

/// The hash of `password`, with a salt of its own. Slow on purpose: never inside a transaction.
///
/// # Errors
/// `NoRandomness` when the system gives no salt.
pub fn hash(password: &str) -> Result<String, SecretError> {
    let hashed = hasher().hash_password(password.as_bytes());
    Ok(hashed.map_err(|_| SecretError::NoRandomness)?.to_string())
}

/// Whether `password` is the one `stored` was made of. Slow on purpose: never inside a transaction.
///
/// `None`, for a user who does not exist, takes as long and is never right.
#[must_use]
pub fn verify(stored: Option<&str>, password: &str) -> bool {
    let Some(hash) = stored.or(NOBODY.as_deref()) else { return false };
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let fits = hasher().verify_password(password.as_bytes(), &parsed).is_ok();
    #[cfg(any(test, feature = "testing"))]
    VERIFIED.fetch_add(1, Ordering::Relaxed);
    fits && stored.is_some()
}

#[cfg(any(test, feature = "testing"))]
static VERIFIED: AtomicU64 = AtomicU64::new(0);

/// How many passwords this process went through Argon2 for: what a test of equal work can count, where
/// seconds would tell how busy the machine is (C9).
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn count_verified() -> u64 {
    VERIFIED.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_someone_who_exists_fits() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(Some(&stored), "correct horse"));
        assert!(!verify(Some(&stored), "wrong horse"));
        assert!(!verify(None, "correct horse"));
        assert!(!verify(None, "nobody has this password"));
        assert_ne!(stored, hash("correct horse").unwrap(), "each has its own salt");
    }

    #[test]
    fn c9_nobodys_password_costs_what_anybodys_does() {
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        let nobodys = NOBODY.as_deref().unwrap();
        assert_eq!(cost(nobodys), cost(&hash("correct horse").unwrap()));
        assert_eq!(cost(nobodys), "$argon2id$v=19$m=19456,t=2,p=1");
    }
}
