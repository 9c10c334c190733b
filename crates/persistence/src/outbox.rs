//! Outgoing messages in the dispatcher's hands: claimed under a lease with a fence, written down before
//! they are sent, and settled by what became of them (LI-04, LI-09, AD-11).

mod claim;
mod due;
mod outcome;
mod recheck;
mod rescue;

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    dispatch::BackOff,
    ids::{ChatbotId, ContactId, MessageId},
    policy::ActiveMessagePolicy,
};

use crate::{
    db::Db,
    error::PersistenceError,
    live::{self, LiveEvent, LiveKind},
    schema::messages,
};

pub(crate) use self::recheck::{channel_policy, find_last_inbound};
pub use self::{
    claim::{Claim, ClaimRequest, Claimed, OpenChannel, claim, list_open_channels},
    outcome::{Recorded, record_outcomes},
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

/// Tells the pages of its conversation that `message` waits, and perhaps for another reason than before.
fn tell(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    let (chatbot, contact): (i64, i64) = messages::table
        .find(message.0)
        .select((messages::chatbot_id, messages::contact_id))
        .first(db)?;
    let (chatbot, contact) = (ChatbotId(chatbot), ContactId(contact));
    live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, message.0));
    Ok(())
}
