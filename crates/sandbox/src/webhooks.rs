//! What the platform tells the desk: the texts, their signature.

pub(crate) mod batch;
pub(crate) mod bend;
pub(crate) mod payload;
pub(crate) mod signature;
