//! The tables and rows behind the desk: queries, transactions, use cases.
//!
//! *Lives here*: the schema of both databases, row structs, one query per function, and every use case
//! that must be atomic. Rights are checked in the use cases, decisions are asked of `domain` inside the
//! transaction that acts on them.
//!
//! *Must not live here*: rules, HTTP, wording for people, clocks (a use case that locks is given one),
//! and anything that reaches the outside.

pub mod db;
pub mod error;
pub mod instant;
pub mod live;
pub mod migrate;
mod schema;
pub mod secret;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod test_support;
