//! The agent cap per contact: how many active messages a contact may be sent in a rolling window.

use chrono::TimeDelta;
use thiserror::Error;

use crate::policy::CapBounds;

/// How many sends a contact may be sent in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactCap {
    /// X: the send after this many is refused. At least 1.
    pub sends: u32,
    /// How long a send counts: `(now - window, now]`.
    pub window: TimeDelta,
}

/// Whose sends the cap counts together (AD-06). Both count the sends of one chatbot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapScope {
    /// Each agent separately.
    EachAgent,
    /// All agents together.
    AllAgents,
}

impl CapScope {
    /// Every scope, the default first.
    pub const ALL: [Self; 2] = [Self::EachAgent, Self::AllAgents];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EachAgent => "each_agent",
            Self::AllAgents => "all_agents",
        }
    }

    /// The scope stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Why a text typed for X is refused at the field (AD-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CapSendsProblem {
    /// Nothing was typed.
    #[error("the number of active messages is blank")]
    Blank,
    /// Not a whole number: a word, a fraction, an exponent.
    #[error("the number of active messages is not a whole number")]
    NotWhole,
    /// A whole number, but too small or too large.
    #[error("the number of active messages is not between {} and {}", .0.least, .0.most)]
    OutOfBounds(CapBounds),
}

/// Reads X as typed: a whole number within `bounds`, spaces around it dropped.
///
/// # Errors
/// The problem to show at the field.
///
/// Rule: AD-05.
pub fn parse_cap_sends(text: &str, bounds: CapBounds) -> Result<u32, CapSendsProblem> {
    let typed = text.trim();
    if typed.is_empty() {
        return Err(CapSendsProblem::Blank);
    }
    let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole {
        return Err(CapSendsProblem::NotWhole);
    }
    match typed.parse::<u32>() {
        Ok(sends) if bounds.least <= sends && sends <= bounds.most => Ok(sends),
        // Too large for the type, negative or beyond the bounds: a whole number all the same.
        Ok(_) | Err(_) => Err(CapSendsProblem::OutOfBounds(bounds)),
    }
}

#[cfg(test)]
mod tests {
    use super::{CapScope, CapSendsProblem, parse_cap_sends};
    use crate::policy::{CapBounds, Policy};

    #[test]
    fn ad_05_x_is_a_whole_number_from_1_to_100() {
        let bounds = Policy::default_profile().contact_cap.bounds;
        assert_eq!(bounds, CapBounds { least: 1, most: 100 });
        let beyond = Err(CapSendsProblem::OutOfBounds(bounds));
        let cases = [
            ("the least", "1", Ok(1)),
            ("the most", "100", Ok(100)),
            ("spaces around", " 3 ", Ok(3)),
            ("a leading zero", "03", Ok(3)),
            ("blank", "", Err(CapSendsProblem::Blank)),
            ("spaces alone", "  ", Err(CapSendsProblem::Blank)),
            ("zero", "0", beyond),
            ("negative", "-1", beyond),
            ("one too many", "101", beyond),
            ("larger than any type", "99999999999999999999999", beyond),
            ("text", "three", Err(CapSendsProblem::NotWhole)),
            ("a fraction", "2.5", Err(CapSendsProblem::NotWhole)),
            ("a whole fraction", "3,0", Err(CapSendsProblem::NotWhole)),
            ("an exponent", "1e1", Err(CapSendsProblem::NotWhole)),
            ("a sign alone", "-", Err(CapSendsProblem::NotWhole)),
            ("two signs", "+-1", Err(CapSendsProblem::NotWhole)),
            ("digits of another script", "٣", Err(CapSendsProblem::NotWhole)),
        ];
        for (case, typed, expected) in cases {
            assert_eq!(parse_cap_sends(typed, bounds), expected, "{case}");
        }
    }

    #[test]
    fn scopes_round_trip_through_their_words() {
        for scope in CapScope::ALL {
            assert_eq!(CapScope::parse(scope.as_str()), Some(scope));
        }
    }
}
