//! Phone numbers: read as typed, kept in E.164, compared as one person (AM-04, DE-03).

mod area_codes;
mod countries;
#[cfg(test)]
mod tests;
mod typing;

use std::fmt;

use chrono_tz::Tz;
use thiserror::Error;

pub use self::typing::{TypedCountry, country_as_typed};
use self::typing::{problem_of, typed_digits};

/// A phone number in E.164 form, such as `+34600111222`.
///
/// Invariant: a `+` and 8 to 15 ASCII digits, the first of them not zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// A country by its ISO 3166 code, such as `BR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneNumberProblem {
    /// Nothing was typed.
    #[error("the phone number is empty")]
    Empty,
    /// The country code is missing: a number starts with `+`.
    #[error("the phone number has no country code")]
    NoCountryCode,
    /// No country has the code it begins with.
    #[error("no country has the code +{code}")]
    UnknownCountry {
        /// The first digits, as far as they tell.
        code: u16,
    },
    /// Digits are missing: more of them may make it a number.
    #[error("the phone number is too short")]
    TooShort,
    /// No number of that country has so many digits.
    #[error("the phone number is too long")]
    TooLong,
    /// No such number can exist in that country.
    #[error("the phone number is not valid")]
    Invalid,
}

impl Country {
    /// Reads two letters, in either case; `None` when it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        let are_letters = letters.iter().all(u8::is_ascii_alphabetic);
        are_letters.then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The two letters, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The zones a contact in this country may be in, one for each way its clocks differ; empty when
    /// they are not known. Serves contacts without a number, whose platform id names the country.
    #[must_use]
    pub fn zones(self) -> &'static [Tz] {
        countries::zones_of_country(self.as_str())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl PhoneNumber {
    /// Reads what a person typed: international form with `+` or `00`; spaces, dashes, dots, slashes
    /// and brackets are dropped.
    ///
    /// A mobile number without its newer prefix (Brazil's ninth digit, Argentina's 9) or with its
    /// older one (Mexico's 1) is accepted; one that is only valid in its canonical form becomes that.
    ///
    /// # Errors
    /// The problem to show at the field.
    ///
    /// ```
    /// # use domain::phone::PhoneNumber;
    /// let number = PhoneNumber::parse("+34 600 11-12.22").unwrap();
    /// assert_eq!(number.as_e164(), "+34600111222");
    /// ```
    ///
    /// Rule: AM-04.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberProblem> {
        let digits = typed_digits(text)?;
        let typed = Self::from_e164(&digits).map_err(|_| problem_of(&digits))?;
        if is_valid(&typed) {
            return Ok(typed);
        }
        let canonical = typed.canonical();
        if is_valid(&canonical) { Ok(canonical) } else { Err(problem_of(&digits)) }
    }

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

    /// The one form by which people are told apart; never shown, and not for sending.
    ///
    /// Brazilian mobile numbers have their ninth digit, Argentine numbers a 9 after 54, Mexican numbers
    /// no 1 after 52. All others are themselves. The canonical form of a canonical form is itself.
    ///
    /// Rule: DE-03.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let digits = self.digits();
        let canonical = match (digits.get(..2), digits.len()) {
            // 55, two digits of area, eight of an old mobile number, which began with 6 to 9.
            (Some("55"), 12) if matches!(digits.as_bytes()[4], b'6'..=b'9') => {
                format!("+{}9{}", &digits[..4], &digits[4..])
            }
            // 54 and ten digits; no area code begins with 9.
            (Some("54"), 12) if !digits[2..].starts_with('9') => {
                format!("+549{}", &digits[2..])
            }
            // 52, the old 1 of mobile numbers, and ten digits.
            (Some("52"), 13) if digits[2..].starts_with('1') => {
                format!("+52{}", &digits[3..])
            }
            _ => return self.clone(),
        };
        Self(canonical)
    }

    /// The country it belongs to; `None` for international services and unknown ranges.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        let parsed = phonenumber::parse(None, &self.0).ok()?;
        Country::parse(parsed.country().id()?.as_ref())
    }

    /// The number as people write it, in international form: `+55 11 91234-5678`.
    #[must_use]
    pub fn display(&self) -> String {
        match phonenumber::parse(None, &self.0) {
            Ok(parsed) => {
                let shown = parsed.format().mode(phonenumber::Mode::International).to_string();
                // A number the library reads otherwise (a dropped trunk digit) is shown as it is.
                if digits_of(&shown).eq(self.digits().chars()) { shown } else { self.0.clone() }
            }
            Err(_) => self.0.clone(),
        }
    }

    /// Every zone its owner may be in, by country and, where the country is wide and its numbers name an area,
    /// by area code; empty when nothing is known.
    ///
    /// Rule: AD-10.
    #[must_use]
    pub fn candidate_zones(&self) -> &'static [Tz] {
        let Some(country) = self.country() else { return &[] };
        area_codes::zones(country.as_str(), self.canonical().digits())
            .unwrap_or_else(|| country.zones())
    }

    /// The zone named after the city whose area code the number has; `None` when the number names no such
    /// city, though it may name a zone.
    #[must_use]
    pub fn city(&self) -> Option<Tz> {
        let is_brazilian = self.country().is_some_and(|country| country.as_str() == "BR");
        let area = self.digits().get(2..4).filter(|_| is_brazilian)?;
        area_codes::brazilian_city(area.parse().ok()?)
    }
}

impl fmt::Debug for PhoneNumber {
    /// Shows the last two digits only, so that no number leaks through a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PhoneNumber(…{})", &self.0[self.0.len() - 2..])
    }
}

/// Whether such a number can exist, by the phone metadata.
fn is_valid(number: &PhoneNumber) -> bool {
    phonenumber::parse(None, &number.0).is_ok_and(|parsed| {
        // The library may drop a trunk digit while reading; what is kept must be what was typed.
        let read = format!("+{}{}", parsed.code().value(), parsed.national());
        read == number.0 && parsed.is_valid()
    })
}

fn digits_of(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(char::is_ascii_digit)
}
