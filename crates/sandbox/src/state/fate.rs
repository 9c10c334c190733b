//! What a test wants to become of a message that was accepted.

use super::State;
use crate::message::{Failure, Side, Status};
use crate::webhooks::payload;

/// Why a message fails unless told: there is nobody.
const UNDELIVERABLE: u32 = 131_026;

impl State {
    /// Lets a held message go, or fail with `code`; false when there is none.
    pub(crate) fn release_held(&mut self, id: &str, code: Option<u32>, now_ms: i64) -> bool {
        let place = self.places.get(id).cloned();
        let message = place
            .and_then(|(wa_id, at)| self.phones.get_mut(&wa_id)?.messages.get_mut(at))
            .filter(|message| message.held);
        let Some(message) = message else { return false };
        if let Some(code) = code {
            message.failure = Some(Failure::told(code));
        }
        self.set_off(id, now_ms);
        true
    }

    /// What a test wants to happen to a message: another status, or a failure with a code.
    pub(crate) fn push_status(
        &mut self,
        id: &str,
        (status, code): (Status, Option<u32>),
        now_ms: i64,
    ) -> bool {
        let Some((wa_id, place)) = self.places.get(id).cloned() else { return false };
        let style = self.style();
        let Some(phone) = self.phones.get_mut(&wa_id) else { return false };
        let person = phone.person(self.settings.user_ids);
        let Some(message) = phone.messages.get_mut(place) else { return false };
        if message.from != Side::Business {
            return false;
        }
        message.status = status;
        if status == Status::Failed {
            message.failure = Some(Failure::told(code.unwrap_or(UNDELIVERABLE)));
        }
        let Some(number) = self.numbers.get(&message.number) else { return false };
        let body = payload::status(number, message, &person, (status, now_ms), style);
        let number = message.number.clone();
        self.tell_number(&number, id, &body, now_ms);
        self.changed(&wa_id);
        true
    }
}
