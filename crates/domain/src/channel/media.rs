//! A media file behind a URL, as an agent types one into a variable (AM-07).

use thiserror::Error;

/// A media file behind a URL, as found by the server (AM-07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// By type and first bytes, not by the name.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// The file's name, from the URL; for documents.
    pub name: String,
    /// The bytes, for images that are shown; `None` for larger kinds.
    pub preview: Option<Vec<u8>>,
}

/// Why a media URL is refused at the field (AM-07).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaProblem {
    /// Not an http or https URL.
    #[error("not a web address")]
    NotAUrl,
    /// It leads into a private, loopback or link-local network.
    #[error("the address leads into an inner network")]
    Forbidden,
    /// Nothing answered, or not in time, or not to the end.
    #[error("the address does not answer")]
    Unreachable,
    /// A server answered that no such file is there.
    #[error("there is no file at the address")]
    Missing,
    /// A server answered with something else than the file.
    #[error("the address answers with status {status}")]
    Refused {
        /// The status: 3xx leads elsewhere, 401 and 403 ask who one is, 5xx is broken.
        status: u16,
    },
    /// What is there is not of the kind the template asks for.
    #[error("the file is of another kind")]
    WrongKind {
        /// What was found, such as `application/pdf`.
        found: String,
    },
    /// Larger than the platform takes.
    #[error("the file is too large")]
    TooLarge {
        /// The most bytes taken.
        limit: u64,
    },
}
