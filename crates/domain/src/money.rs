//! Money: whole millionths of the currency's unit (CR-00).

/// An amount in millionths of the currency's unit; negative for debts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millionths(pub i64);
