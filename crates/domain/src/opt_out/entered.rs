//! What an agent or a program enters of a contact's wishes, and when it takes a reason (AD-09).

use super::OptOutScope;

/// The most characters of a reason.
pub const LONGEST_REASON: usize = 200;

/// What is entered of a contact's wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnteredWish {
    /// The contact opts out.
    OptOut(OptOutScope),
    /// Whatever they opted out of, they want again.
    Lift,
    /// They agree to marketing; whatever they opted out of before, they want again.
    OptIn,
}

/// Why a wish is not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishProblem {
    /// Nobody says how it is known.
    ReasonMissing,
    /// The reason is longer than [`LONGEST_REASON`].
    ReasonTooLong,
}

impl EnteredWish {
    /// Every wish, what asks for less first.
    pub const ALL: [Self; 4] = [
        Self::OptOut(OptOutScope::Marketing),
        Self::OptOut(OptOutScope::All),
        Self::Lift,
        Self::OptIn,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptOut(OptOutScope::Marketing) => "stop_marketing",
            Self::OptOut(OptOutScope::All) => "stop_all",
            Self::Lift => "resume",
            Self::OptIn => "opt_in",
        }
    }

    /// The wish stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.as_str() == word)
    }

    /// Whether somebody must say how it is known: always where the contact is written to again, never where
    /// they are left alone.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        match self {
            Self::OptOut(_) => false,
            Self::Lift | Self::OptIn => true,
        }
    }

    /// The reason as it is kept, without space around; `None` when none was given and none is needed.
    ///
    /// # Errors
    /// When it is missing, or too long.
    pub fn read_reason(self, typed: &str) -> Result<Option<String>, WishProblem> {
        let reason = typed.trim();
        if LONGEST_REASON < reason.chars().count() {
            return Err(WishProblem::ReasonTooLong);
        }
        match reason {
            "" if self.needs_reason() => Err(WishProblem::ReasonMissing),
            "" => Ok(None),
            reason => Ok(Some(reason.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ad_09_to_be_written_to_again_takes_a_reason_and_to_be_left_alone_takes_none() {
        let longest = "é".repeat(LONGEST_REASON);
        let too_long = format!("{longest}é");
        let kept = |reason: &str| Ok(Some(reason.to_owned()));
        let (stop, resume) = (EnteredWish::OptOut(OptOutScope::All), EnteredWish::Lift);
        let cases = [
            (stop, "", Ok(None)),
            (stop, "  said so on the phone ", kept("said so on the phone")),
            (stop, too_long.as_str(), Err(WishProblem::ReasonTooLong)),
            (resume, " \n", Err(WishProblem::ReasonMissing)),
            (resume, "asked in the shop", kept("asked in the shop")),
            (resume, longest.as_str(), kept(&longest)),
            (EnteredWish::OptIn, "", Err(WishProblem::ReasonMissing)),
        ];
        for (wish, typed, expected) in cases {
            assert_eq!(wish.read_reason(typed), expected, "{wish:?} {typed}");
        }
        for wish in EnteredWish::ALL {
            assert_eq!(EnteredWish::parse(wish.as_str()), Some(wish));
        }
    }
}
