//! The Graph API: errors, access, and one module per family of calls.

pub(crate) mod access;
pub(crate) mod error;
pub(crate) mod messages;
pub(crate) mod numbers;
pub(crate) mod paging;
pub(crate) mod routes;
pub(crate) mod send;
pub(crate) mod subscriptions;
pub(crate) mod templates;
