//! Replies that a batch keeps: counted together, they cost little more than one.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    delivery::{DeliveryEventKind, EventSource},
    ids::{ContactId, MessageId},
};

use super::{log::NewEvent, telling::Telling};
use crate::{db::Db, error::PersistenceError};

/// What was answered, and not counted yet.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    from: BTreeSet<ContactId>,
    answered: Vec<(MessageId, DateTime<Utc>)>,
}

impl Replies {
    /// Notes that what `contact` wrote at `written_at` answers the active messages `answered`.
    pub(crate) fn note(
        &mut self,
        contact: ContactId,
        answered: impl IntoIterator<Item = MessageId>,
        written_at: DateTime<Utc>,
    ) {
        let before = self.answered.len();
        self.answered.extend(answered.into_iter().map(|message| (message, written_at)));
        if before < self.answered.len() {
            self.from.insert(contact);
        }
    }

    /// Counts them where `contact` is among those who wrote: what their next message answers depends on it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn count_before(
        &mut self,
        db: &mut Db,
        contact: ContactId,
        now: DateTime<Utc>,
    ) -> Result<(), PersistenceError> {
        if self.from.contains(&contact) { self.count(db, now) } else { Ok(()) }
    }

    /// Counts each as the reply to what it answers: never Expired, and out of *Sent* (LI-06, LI-11).
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn count(
        &mut self,
        db: &mut Db,
        now: DateTime<Utc>,
    ) -> Result<(), PersistenceError> {
        self.from.clear();
        let answered = std::mem::take(&mut self.answered);
        if answered.is_empty() {
            return Ok(());
        }
        let mut telling = Telling::begin(db, answered.iter().map(|(message, _)| *message))?;
        for (message, written_at) in answered {
            let event = NewEvent {
                kind: DeliveryEventKind::Replied,
                at: written_at,
                source: EventSource::Platform,
                title: None,
                pricing: None,
                received_at: now,
            };
            telling.tell(message, event, None);
        }
        telling.finish(db, now)
    }
}
