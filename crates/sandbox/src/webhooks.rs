//! What the platform tells the desk: the texts, their signature.

pub(crate) mod payload;
pub(crate) mod signature;
