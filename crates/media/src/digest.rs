//! The digest of a file, and whether it is the one that was announced.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest as _, Sha256};

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a file from its beginning to its end.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Reads on.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of what was read.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// The SHA-256 of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Whether `told` says the same, in hexadecimal or in Base64: the platform writes it either way. A text that is
    /// neither says nothing, and so stands against nothing.
    #[must_use]
    pub fn agrees_with(&self, told: &str) -> bool {
        let told = told.trim();
        let bytes = hex::decode(told).ok().filter(|bytes| bytes.len() == self.0.len());
        let bytes = bytes.or_else(|| BASE64.decode(told).ok());
        bytes.is_none_or(|bytes| bytes.len() != self.0.len() || bytes == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_compared_in_either_writing() {
        let mut hasher = Hasher::default();
        hasher.update(b"gla");
        hasher.update(b"ze");
        let digest = hasher.finish();
        let whole = Digest(Sha256::digest(b"glaze").into());
        assert_eq!(digest, whole, "in pieces as in one");
        let other = Digest(Sha256::digest(b"other").into());
        let cases = [
            (hex::encode(whole.0), true),
            (hex::encode(whole.0).to_uppercase(), true),
            (BASE64.encode(whole.0), true),
            (BASE64.encode(whole.0).trim_end_matches('=').to_owned(), true),
            (hex::encode(other.0), false),
            (BASE64.encode(other.0), false),
            (String::new(), true),
            ("no digest".to_owned(), true),
        ];
        for (told, expected) in cases {
            assert_eq!(digest.agrees_with(&told), expected, "{told}");
        }
    }
}
