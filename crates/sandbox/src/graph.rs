//! The Graph API: errors, access, and one module per family of calls.

pub(crate) mod access;
mod accounts;
mod app;
mod call;
mod edit;
pub(crate) mod error;
mod fields;
mod media;
pub(crate) mod messages;
pub(crate) mod numbers;
pub(crate) mod paging;
pub(crate) mod routes;
pub(crate) mod send;
mod setup;
mod spoilt;
pub(crate) mod subscriptions;
pub(crate) mod templates;
