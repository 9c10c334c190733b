//! A send of the business, from the platform's checks to the last receipt (protocol, 11.4).

use std::cmp::Reverse;

use super::State;
use crate::graph::error::GraphError;
use crate::graph::send::{Draft, DraftBody};
use crate::message::{ChatMessage, Content, Failure, MediaKind, Side, Status, TemplateUse};
use crate::samples;
use crate::webhooks::payload;

/// How long after the send a message is delivered and read, at speed 1.
const DELIVERED_AFTER_MS: f64 = 1_000.0;
const READ_AFTER_MS: f64 = 3_000.0;

/// Something that happens to a message by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Deliver(String),
    Read(String),
}

/// The answer to a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub id: String,
    pub wa_id: String,
    pub is_template: bool,
}

impl State {
    /// Checks a send and takes it over, or says what stands against it.
    ///
    /// # Errors
    ///
    /// The code of the first check that fails, in the platform's order: pace, pair, itself, template.
    pub(crate) fn send_message(
        &mut self,
        number_id: &str,
        draft: Draft,
        now_ms: i64,
    ) -> Result<Accepted, GraphError> {
        let number =
            self.numbers.get_mut(number_id).ok_or_else(|| GraphError::unknown_object(number_id))?;
        if !number.take_pace(now_ms) {
            return Err(GraphError::throughput());
        }
        if !number.take_pair(&draft.to, now_ms) {
            return Err(GraphError::pair_rate());
        }
        if number.digits() == draft.to {
            return Err(GraphError::to_itself());
        }
        let account = number.seed.waba_id.clone();
        let (content, template) = match draft.body {
            DraftBody::Reaction { message, emoji } => {
                return self.react(
                    number_id,
                    draft.to,
                    draft.callback_data,
                    (message, emoji),
                    now_ms,
                );
            }
            DraftBody::Content(content) => (content, None),
            DraftBody::Template { name, language, components } => {
                let found = self.template_of(&account, &name, &language);
                let template =
                    found.ok_or_else(|| GraphError::template_missing(&name, &language))?;
                template.check_sendable()?;
                let content = template.fill(&components)?;
                let category = template.seed.category.clone();
                (content, Some(TemplateUse { name, language, category }))
            }
        };
        let id = self.next_wamid();
        let in_window = self.phone_of(&draft.to).window_open(number_id, now_ms);
        let failure = self.failure_of(
            (number_id, &account, &draft.to),
            &content,
            template.as_ref(),
            in_window,
            now_ms,
        );
        self.ledger.note(now_ms, number_id, &draft.to, draft.callback_data.as_deref(), &id);
        let is_template = template.is_some();
        let message = ChatMessage {
            id: id.clone(),
            number: number_id.to_owned(),
            from: Side::Business,
            at_ms: now_ms,
            kind: draft.kind,
            content,
            template,
            status: Status::Accepted,
            failure,
            callback_data: draft.callback_data,
            context: draft.context,
            reaction: None,
            tapped: None,
            in_window,
        };
        let place = self.phone_of(&draft.to).push(message);
        self.places.insert(id.clone(), (draft.to.clone(), place));
        if failure.is_some() {
            self.advance_message(&id, Status::Failed, now_ms);
        } else {
            self.advance_message(&id, Status::Sent, now_ms);
            self.schedule(now_ms, DELIVERED_AFTER_MS, Step::Deliver(id.clone()));
            self.schedule(now_ms, READ_AFTER_MS, Step::Read(id.clone()));
        }
        Ok(Accepted { id, wa_id: draft.to, is_template })
    }

    /// Carries out what is due at `now_ms`, each thing at its own instant.
    pub(crate) fn run_due(&mut self, now_ms: i64) {
        while self.schedule.peek().is_some_and(|Reverse((due, ..))| *due <= now_ms) {
            let Some(Reverse((due_ms, _, step))) = self.schedule.pop() else { return };
            match step {
                Step::Deliver(id) if self.settings.delivered => {
                    self.advance_message(&id, Status::Delivered, due_ms);
                }
                Step::Read(id) if self.settings.read => {
                    self.advance_message(&id, Status::Read, due_ms);
                }
                Step::Deliver(_) | Step::Read(_) => {}
            }
        }
        if self.outbox.held_until_ms().is_some_and(|until| until <= now_ms) {
            self.outbox.release();
        }
    }

    /// Moves a message of the business one step on and tells it; any other step is ignored.
    ///
    /// A phone that blocked the business receives nothing: the message stays sent.
    pub(super) fn advance_message(&mut self, id: &str, to: Status, at_ms: i64) {
        let Some((wa_id, place)) = self.places.get(id).cloned() else { return };
        let Some(phone) = self.phones.get_mut(&wa_id) else { return };
        let blocked = phone.blocked;
        let Some(message) = phone.messages.get_mut(place) else { return };
        let follows = match to {
            Status::Sent | Status::Failed => message.status == Status::Accepted,
            Status::Delivered => message.status == Status::Sent && !blocked,
            Status::Read => message.status == Status::Delivered && !blocked,
            Status::Accepted => false,
        };
        if !follows {
            return;
        }
        message.status = to;
        let Some(number) = self.numbers.get(&message.number) else { return };
        let body = payload::status(number, message, &wa_id, to, at_ms);
        let number = message.number.clone();
        self.tell_number(&number, id, &body, at_ms);
        self.changed(&wa_id);
    }

    /// What the platform tells by webhook although it accepted the call.
    fn failure_of(
        &mut self,
        (number_id, account, to): (&str, &str, &str),
        content: &Content,
        template: Option<&TemplateUse>,
        in_window: bool,
        now_ms: i64,
    ) -> Option<Failure> {
        let stopped = self.phones.get(to).is_some_and(|phone| phone.stopped.contains(account));
        match template {
            None if !in_window => return Some(Failure::WINDOW_CLOSED),
            None => {}
            Some(template) => {
                if stopped && template.category.eq_ignore_ascii_case("MARKETING") {
                    return Some(Failure::UNDELIVERED_MARKETING);
                }
                let number = self.numbers.get_mut(number_id)?;
                if !in_window && !number.take_limit(to, now_ms) {
                    return Some(Failure::LIMIT_REACHED);
                }
            }
        }
        let media = content.media.as_ref()?;
        let real = samples::kind_behind(&media.link)?;
        let fits = real == Some(media.kind) || media.kind == MediaKind::Document;
        (!fits).then_some(Failure::BAD_MEDIA)
    }

    /// The business puts an emoji on a customer's message; only `sent` follows (protocol, 2.3).
    fn react(
        &mut self,
        number_id: &str,
        to: String,
        callback_data: Option<String>,
        (message, emoji): (String, String),
        now_ms: i64,
    ) -> Result<Accepted, GraphError> {
        let place = self.places.get(&message).filter(|(wa_id, _)| *wa_id == to).cloned();
        let target = place
            .and_then(|(wa_id, at)| self.phones.get_mut(&wa_id)?.messages.get_mut(at))
            .ok_or_else(|| GraphError::value("reaction: there is no such message"))?;
        target.reaction = (!emoji.is_empty()).then_some(emoji);
        let id = self.next_wamid();
        self.ledger.note(now_ms, number_id, &to, callback_data.as_deref(), &id);
        let in_window = self.phone_of(&to).window_open(number_id, now_ms);
        let reaction = ChatMessage {
            id: id.clone(),
            number: number_id.to_owned(),
            from: Side::Business,
            at_ms: now_ms,
            kind: "reaction".to_owned(),
            content: Content::default(),
            template: None,
            status: Status::Sent,
            failure: None,
            callback_data,
            context: Some(message),
            reaction: None,
            tapped: None,
            in_window,
        };
        if let Some(number) = self.numbers.get(number_id) {
            let body = payload::status(number, &reaction, &to, Status::Sent, now_ms);
            self.tell_number(number_id, &id, &body, now_ms);
        }
        self.changed(&to);
        Ok(Accepted { id, wa_id: to, is_template: false })
    }

    fn schedule(&mut self, now_ms: i64, after_ms: f64, step: Step) {
        let due_ms = now_ms + (after_ms / self.speed).round() as i64;
        self.last_id += 1;
        self.schedule.push(Reverse((due_ms, self.last_id, step)));
        self.newly_due = true;
    }
}
