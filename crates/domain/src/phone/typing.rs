//! A number while it is typed: which country it is of so far, and what it lacks (AM-04).

use phonenumber::{Type, metadata::DATABASE};

use super::{Country, PhoneNumber, PhoneNumberProblem};

/// The kinds of numbers whose lengths are known.
const KINDS: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// The country of a number that is still being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedCountry {
    /// The one it is, or the main one of those it may be.
    pub country: Country,
    /// Whether other countries share the code and more digits must tell.
    pub is_shared: bool,
}

/// The country of a number that is still being typed, as soon as its first digits tell: `+55 1` is
/// Brazil. Where countries share a code, the main one until more digits are there (AM-04).
#[must_use]
pub fn country_as_typed(text: &str) -> Option<TypedCountry> {
    let digits = typed_digits(text).ok()?;
    let whole = PhoneNumber::from_e164(&digits).ok().and_then(|number| number.country());
    if let Some(country) = whole {
        return Some(TypedCountry { country, is_shared: false });
    }
    let (code, _) = split_country_code(&digits)?;
    let regions = DATABASE.region(&code)?;
    let country = Country::parse(regions.first()?)?;
    Some(TypedCountry { country, is_shared: regions.len() > 1 })
}

/// The digits of a number in international form, without `+` or `00`.
pub(super) fn typed_digits(text: &str) -> Result<String, PhoneNumberProblem> {
    let is_dropped = |c: char| {
        c.is_whitespace()
            || matches!(c, '-' | '.' | '(' | ')' | '[' | ']' | '/')
            || matches!(c, '\u{2010}'..='\u{2015}' | '\u{200e}' | '\u{200f}')
            // Marks of direction that come with a number copied from an address book.
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let typed: String = text.chars().filter(|c| !is_dropped(*c)).collect();
    if typed.is_empty() {
        return Err(PhoneNumberProblem::Empty);
    }
    let international = typed.strip_prefix('+').or_else(|| typed.strip_prefix("00"));
    let digits = international.unwrap_or(&typed);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PhoneNumberProblem::Invalid);
    }
    if international.is_none() {
        return Err(PhoneNumberProblem::NoCountryCode);
    }
    Ok(digits.to_owned())
}

/// What is wrong with `digits`, which are no valid number in international form: what more digits may
/// mend is too short.
pub(super) fn problem_of(digits: &str) -> PhoneNumberProblem {
    let Some((code, national)) = split_country_code(digits) else {
        let unknown = (1..=digits.len().min(3))
            .filter_map(|length| digits.get(..length))
            .find(|prefix| !may_begin_country_code(prefix));
        return match unknown.and_then(|prefix| prefix.parse().ok()) {
            Some(code) => PhoneNumberProblem::UnknownCountry { code },
            None => PhoneNumberProblem::TooShort,
        };
    };
    // Mexico's older form of mobile numbers has a 1 more.
    let national =
        if code == 52 { national.strip_prefix('1').unwrap_or(national) } else { national };
    match longest_number(code) {
        Some(longest) if national.len() < longest => PhoneNumberProblem::TooShort,
        Some(longest) if longest < national.len() => PhoneNumberProblem::TooLong,
        Some(_) | None => PhoneNumberProblem::Invalid,
    }
}

/// The country code at the start of `digits`, and the rest. No code is the beginning of another.
fn split_country_code(digits: &str) -> Option<(u16, &str)> {
    (1..=digits.len().min(3)).find_map(|length| {
        let (prefix, rest) = digits.split_at_checked(length)?;
        Some((known_code(prefix)?, rest))
    })
}

fn known_code(prefix: &str) -> Option<u16> {
    let code = prefix.parse().ok().filter(|_| !prefix.starts_with('0'))?;
    DATABASE.region(&code).map(|_| code)
}

/// Whether there is a country code that begins with `prefix` and is longer.
fn may_begin_country_code(prefix: &str) -> bool {
    let Some(begun) = prefix.parse::<u16>().ok().filter(|begun| 0 < *begun) else { return false };
    let longer_by = |factor: u16| begun * factor..begun * factor + factor;
    let is_known = |code: u16| DATABASE.region(&code).is_some();
    match prefix.len() {
        1 => longer_by(10).chain(longer_by(100)).any(is_known),
        2 => longer_by(10).any(is_known),
        _ => false,
    }
}

/// The digits of the longest number of a country code, the code left out; `None` when not known.
fn longest_number(code: u16) -> Option<usize> {
    let regions = DATABASE.by_code(&code)?;
    let lengths = regions.iter().flat_map(|region| {
        let of_kind = KINDS.into_iter().filter_map(|kind| region.descriptors().get(kind));
        of_kind.flat_map(|kind| kind.possible_length())
    });
    lengths.max().map(|longest| usize::from(*longest))
}
