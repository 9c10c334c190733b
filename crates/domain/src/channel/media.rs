//! Files on their way: behind a URL that an agent types (AM-07), from the platform, and to it.

use thiserror::Error;

use super::{BoxFuture, PlatformRefusal};

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

/// A file that the platform hands out.
pub struct MediaDownload {
    /// The platform's word for its type, with parameters; `None` when it says none.
    pub content_type: Option<String>,
    /// In bytes, as announced; `None` when it was not.
    pub size: Option<u64>,
    /// The digest as announced, in hexadecimal or Base64; `None` when it was not.
    pub sha256: Option<String>,
    /// The file itself.
    pub body: Box<dyn MediaBody>,
}

impl std::fmt::Debug for MediaDownload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MediaDownload").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A file piece by piece, so that nobody holds all of it.
pub trait MediaBody: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, MediaFailure>>;
}

/// A file to be handed to the platform.
pub struct MediaUpload {
    /// What it is called.
    pub name: String,
    /// Its type, one that the platform takes.
    pub content_type: String,
    /// In bytes, exactly.
    pub size: u64,
    /// The file itself.
    pub body: Box<dyn MediaBody>,
}

/// Why a file did not get from the platform to us, or from us to it. Never with an address in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaFailure {
    /// No whole answer; it may come another time.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The address, which lives for minutes, is over; the next one may do.
    #[error("the address of the file is over")]
    AddressExpired,
    /// The platform does not have the file, or not any more.
    #[error("the platform does not have the file")]
    Gone,
    /// It has more bytes than were asked for; the rest was not read.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The most bytes asked for.
        limit: u64,
    },
    /// It lies outside the platform, where nothing is fetched.
    #[error("the address leads away from the platform")]
    Elsewhere,
    /// The platform says that the type or size is none it takes.
    #[error("the platform does not take the file: {}", .0.code)]
    NotTaken(PlatformRefusal),
    /// The platform refuses for another reason, which may pass.
    #[error("the platform refused with code {}", .0.code)]
    Refused(PlatformRefusal),
    /// This platform carries no files.
    #[error("this platform carries no files")]
    NoFiles,
}
