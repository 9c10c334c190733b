//! Phone numbers: read as typed, kept in E.164, compared as one person (AM-04, DE-03).

use std::fmt;

use thiserror::Error;

/// A phone number in E.164 form, such as `+34600111222`.
///
/// Invariant: a `+` and 8 to 15 ASCII digits, the first of them not zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneNumberProblem {
    /// Nothing was typed.
    #[error("the phone number is empty")]
    Empty,
    /// The country code is missing: a number starts with `+`.
    #[error("the phone number has no country code")]
    NoCountryCode,
    /// No such number can exist in that country.
    #[error("the phone number is not valid")]
    Invalid,
}

impl PhoneNumber {
    /// Reads a number already in E.164 form, as stored or as a platform gives it, with or without `+`.
    ///
    /// # Errors
    /// [`PhoneNumberProblem::Invalid`] when it is not 8 to 15 digits that start with 1 to 9.
    pub fn from_e164(text: &str) -> Result<Self, PhoneNumberProblem> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self(format!("+{digits}"))) } else { Err(PhoneNumberProblem::Invalid) }
    }

    /// The number in full, with `+`.
    #[must_use]
    pub fn as_e164(&self) -> &str {
        &self.0
    }

    /// The number without `+`, as WhatsApp writes it.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Debug for PhoneNumber {
    /// Shows the last two digits only, so that no number leaks through a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PhoneNumber(…{})", &self.0[self.0.len() - 2..])
    }
}
