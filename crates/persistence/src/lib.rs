//! The tables and rows behind the desk: queries, transactions, use cases.
//!
//! *Lives here*: the schema of both databases, row structs, one query per function, and every use case
//! that must be atomic. Rights are checked in the use cases, decisions are asked of `domain` inside the
//! transaction that acts on them.
//!
//! *Must not live here*: rules, HTTP, wording for people, clocks (a use case that locks is given one),
//! and anything that reaches the outside.

pub mod admission;
mod among;
pub mod api;
pub mod api_token;
pub mod channel;
pub mod chatbot;
pub mod compose;
pub mod contact;
pub mod contact_event;
mod contact_identity;
pub mod conversation;
pub mod db;
pub mod delivery;
pub mod dispatcher;
pub mod error;
pub mod expiry;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod given;
pub mod growth;
pub mod health;
pub mod idempotency;
pub mod inbox;
pub mod instant;
pub mod job;
mod kept;
pub mod live;
pub mod media;
pub mod message;
pub mod message_template;
pub mod migrate;
pub mod number;
pub mod opt_out;
pub mod outbox;
pub mod password;
#[cfg(test)]
mod pipeline_tests;
pub mod policy;
pub mod presence;
pub mod queue;
mod reach;
pub mod reaction;
mod refusal;
pub mod retention;
mod routing;
mod schema;
pub mod search;
pub mod secret;
pub mod seldom;
mod sender;
pub mod session;
pub mod signal;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod test_desk;
#[cfg(any(test, feature = "testing"))]
pub mod test_support;
pub mod ticket;
pub mod user;
pub mod workspace;
