//! Our messages on the wire of each messaging platform, and the platforms' words in ours.
//!
//! *Lives here*: one module per platform, each an implementation of [`domain::channel::Channel`], and the one HTTP
//! client through which anything leaves for the outside, with its guard against inner networks.
//!
//! *Must not live here*: caps, limits, retries, waiting, storage. An adapter speaks once and tells what came of it.

mod address;
pub mod http;
mod media;
mod usage;
pub mod whatsapp;

#[cfg(test)]
mod test_server;

pub use address::is_public;
