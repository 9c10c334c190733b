//! Outgoing messages in the dispatcher's hands: claimed under a lease with a fence, written down before
//! they are sent, and settled by what became of them (LI-04, LI-09, AD-11).

mod claim;
mod outcome;
mod recheck;
mod rescue;

use chrono::TimeDelta;
use domain::{dispatch::BackOff, policy::ActiveMessagePolicy};

pub(crate) use self::recheck::{channel_policy, find_last_inbound};
pub use self::{
    claim::{Claim, ClaimRequest, Claimed, OpenChannel, claim, list_open_channels},
    outcome::{Recorded, record_outcome, record_outcomes},
    rescue::{RescueReport, expire_unsent, rescue, settle_unknown},
};

/// By what the dispatcher goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchPolicy {
    /// How soon a message is tried again.
    pub back_off: BackOff,
    /// How long one worker has a message for itself; longer than the deadline of a request.
    pub lease: TimeDelta,
    /// How long sends are tried, and unknown outcomes waited for.
    pub active_messages: ActiveMessagePolicy,
}
