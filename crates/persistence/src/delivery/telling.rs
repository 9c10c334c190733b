//! What becomes known of messages within one transaction: kept once, carried out, then folded together.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    channel::RefusalClass,
    delivery::{DeliveryEvent, DeliveryEventKind},
    ids::MessageId,
};

use super::{
    log::{Logs, NewEvent, list_events_of, save_new_events},
    view,
};
use crate::{db::Db, error::PersistenceError, instant::Instant, refusal};

/// What a refusal means beyond its message.
struct Effect {
    message: MessageId,
    class: RefusalClass,
    code: String,
    at: DateTime<Utc>,
}

/// The messages spoken of are locked from its beginning to the end of the transaction.
pub(super) struct Telling<'a> {
    logs: Logs,
    new: Vec<(MessageId, NewEvent<'a>)>,
    effects: Vec<Effect>,
}

impl<'a> Telling<'a> {
    /// Begins to speak of `messages`.
    pub(super) fn begin(
        db: &mut Db,
        messages: impl IntoIterator<Item = MessageId>,
    ) -> Result<Self, PersistenceError> {
        let messages: Vec<MessageId> = messages.into_iter().collect();
        view::lock(db, &messages)?;
        Ok(Self { logs: list_events_of(db, &messages)?, new: Vec::new(), effects: Vec::new() })
    }

    /// Adds `event` to what is known of `message`, with what its refusal means beyond the message; `false` when it
    /// was known already: the same at the same instant, by the same source and, where it failed, with the same code.
    pub(super) fn tell(
        &mut self,
        message: MessageId,
        event: NewEvent<'a>,
        class: Option<RefusalClass>,
    ) -> bool {
        let log = self.logs.entry(message).or_default();
        let as_kept = DeliveryEvent {
            kind: event.kind.clone(),
            at: Instant::from(event.at).into(),
            source: event.source,
        };
        if log.contains(&as_kept) {
            return false;
        }
        log.push(as_kept);
        if let (Some(class), DeliveryEventKind::Failed(failure)) = (class, &event.kind) {
            let code = failure.code().to_owned();
            self.effects.push(Effect { message, class, code, at: event.at });
        }
        self.new.push((message, event));
        true
    }

    /// Keeps what was told, carries out what it means, and stores what it amounts to at `now`.
    pub(super) fn finish(
        mut self,
        db: &mut Db,
        now: DateTime<Utc>,
    ) -> Result<(), PersistenceError> {
        save_new_events(db, &self.new)?;
        for Effect { message, class, code, at } in self.effects {
            refusal::take_effect(db, message, class, &code, at, now)?;
        }
        let told: BTreeSet<MessageId> = self.new.iter().map(|(message, _)| *message).collect();
        self.logs.retain(|message, _| told.contains(message));
        view::store_lives(db, &self.logs, now)
    }
}
