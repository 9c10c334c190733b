//! One snapshot per state a person can see.
