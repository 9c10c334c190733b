//! What the platform tells of a message of ours.

use chrono::{DateTime, Utc};

use super::{PlatformRefusal, RefusalClass};

/// What the platform tells of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The platform's id of the message.
    pub provider_id: String,
    /// Our own id, echoed; `None` when the platform left it out.
    pub callback_id: Option<String>,
    /// What happened.
    pub status: ReceiptStatus,
    /// When, by the platform.
    pub at: DateTime<Utc>,
}

/// What happened to a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// The platform took it.
    Sent,
    /// It is on the phone.
    Delivered,
    /// It was read.
    Read,
    /// It did not arrive.
    Failed {
        /// What the platform said.
        refusal: PlatformRefusal,
        /// What that means.
        class: RefusalClass,
    },
}
