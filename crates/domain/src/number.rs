//! A number: its quality rating, the standing that follows, its capacity and its level (NU).

pub mod capacity;
pub mod quality;
pub mod standing;
pub mod tier;

#[cfg(test)]
mod given;
#[cfg(test)]
mod tests;
