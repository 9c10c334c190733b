//! ISO 8601 durations such as `PT24H`, for the clock of the control API.

use std::time::Duration;

/// The longest step the clock takes at once: ten years.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

/// Why a text is no duration the clock could move by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationProblem {
    /// It does not follow the form `P1W`, `P1DT2H3M4.5S`.
    #[error("not an ISO 8601 duration such as PT24H, P1D or P1W")]
    Malformed,
    /// Years and months have no fixed length.
    #[error("years and months have no fixed length; use weeks, days, hours, minutes or seconds")]
    Calendar,
    /// It is longer than ten years.
    #[error("longer than ten years")]
    TooLong,
}

/// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds; only the last part may have a fraction.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(sandbox::parse_iso_duration("PT24H"), Ok(Duration::from_secs(86_400)));
/// ```
///
/// # Errors
///
/// When the text is malformed, names years or months, or is longer than ten years.
pub fn parse_iso_duration(text: &str) -> Result<Duration, DurationProblem> {
    let rest = text.strip_prefix('P').ok_or(DurationProblem::Malformed)?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return Err(DurationProblem::Malformed),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(DurationProblem::Malformed);
    }
    if date.contains(['Y', 'M']) {
        return Err(DurationProblem::Calendar);
    }
    if date.contains('.') && !time.is_empty() {
        return Err(DurationProblem::Malformed);
    }
    let days = parts(date, &[('W', 604_800), ('D', 86_400)])?;
    let hours = parts(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    let total = days + hours;
    if LONGEST.as_secs_f64() < total {
        return Err(DurationProblem::TooLong);
    }
    Ok(Duration::from_millis((total * 1_000.0).round() as u64))
}

/// The seconds that `text` says in `units`, each at most once and in their order.
fn parts(text: &str, units: &[(char, u32)]) -> Result<f64, DurationProblem> {
    let mut rest = text;
    let mut units = units.iter();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or(DurationProblem::Malformed)?;
        let (digits, tail) = rest.split_at(end);
        let letter = tail.chars().next().ok_or(DurationProblem::Malformed)?;
        let unit = units.find(|(name, _)| *name == letter).ok_or(DurationProblem::Malformed)?;
        rest = tail.get(1..).unwrap_or_default();
        seconds += amount(digits, rest.is_empty())? * f64::from(unit.1);
    }
    Ok(seconds)
}

/// Reads digits with, where `fraction` allows it, a fraction.
fn amount(text: &str, fraction: bool) -> Result<f64, DurationProblem> {
    let whole_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let well_formed = match text.split_once(['.', ',']) {
        None => whole_only(text),
        Some((whole, part)) => fraction && whole_only(whole) && whole_only(part),
    };
    if !well_formed {
        return Err(DurationProblem::Malformed);
    }
    text.replace(',', ".").parse().map_err(|_| DurationProblem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_iso_8601_allows_and_refuses_the_rest() {
        let seconds = |s| Ok(Duration::from_secs(s));
        let cases = [
            ("PT24H", seconds(86_400)),
            ("P1D", seconds(86_400)),
            ("P1W", seconds(604_800)),
            ("P1DT1H1M1S", seconds(90_061)),
            ("PT0S", seconds(0)),
            ("PT0.001S", Ok(Duration::from_millis(1))),
            ("PT1,5H", seconds(5_400)),
            ("P3660D", seconds(3660 * 86_400)),
            ("P3661D", Err(DurationProblem::TooLong)),
            ("P1M", Err(DurationProblem::Calendar)),
            ("P1Y", Err(DurationProblem::Calendar)),
            ("P", Err(DurationProblem::Malformed)),
            ("PT", Err(DurationProblem::Malformed)),
            ("P1DT", Err(DurationProblem::Malformed)),
            ("24H", Err(DurationProblem::Malformed)),
            ("PT-1H", Err(DurationProblem::Malformed)),
            ("-PT1H", Err(DurationProblem::Malformed)),
            ("PT1M1H", Err(DurationProblem::Malformed)),
            ("PT1H1H", Err(DurationProblem::Malformed)),
            ("PT1.5H1M", Err(DurationProblem::Malformed)),
            ("PT5", Err(DurationProblem::Malformed)),
            ("PTé", Err(DurationProblem::Malformed)),
            ("", Err(DurationProblem::Malformed)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_iso_duration(text), expected, "{text}");
        }
    }
}
