//! What can go wrong when the sandbox starts, subscribes or stops.

use std::net::SocketAddr;

/// Why the sandbox could not do what its owner asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// An address could not be listened on.
    #[error("could not listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The outgoing HTTP client could not be built.
    #[error("could not build the webhook client")]
    Client(#[source] reqwest::Error),
    /// A setting makes no sense.
    #[error("the sandbox cannot start: {0}")]
    Config(String),
    /// The number or account is not of this sandbox.
    #[error("the sandbox knows no number or account {0}")]
    UnknownSubject(String),
    /// The webhook's address did not answer the handshake.
    #[error("the webhook address did not pass the handshake: {0}")]
    Handshake(String),
    /// A message of a seeded past speaks of what is not there.
    #[error("the past message {id} cannot be remembered: {what} is not known")]
    Past {
        /// The message.
        id: String,
        /// What is missing.
        what: String,
    },
    /// The server ended with an error.
    #[error("the sandbox's server ended badly")]
    Server(#[source] std::io::Error),
}
