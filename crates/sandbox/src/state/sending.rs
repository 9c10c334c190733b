//! A send of the business, from the platform's checks to the last receipt (protocol, 11.4).

use std::cmp::Reverse;

use super::State;
use crate::faults::Fate;
use crate::graph::error::GraphError;
use crate::graph::send::{Draft, DraftBody, Recipient};
use crate::message::{ChatMessage, Content, Failure, MediaKind, Side, Status, TemplateUse};
use crate::webhooks::payload::{self, Style};
use crate::{media, samples};

/// How long after the send a message is delivered and read, at speed 1.
const DELIVERED_AFTER_MS: f64 = 1_000.0;
const READ_AFTER_MS: f64 = 3_000.0;
/// How old a message may be that gets a reaction.
const REACTION_WITHIN_MS: i64 = 30 * 86_400_000;

/// Something that happens to a message by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Deliver(String),
    Read(String),
    /// What was held goes out, or fails with the code.
    Release(String, Option<u32>),
}

/// The answer to a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub id: String,
    /// The recipient, where the call named a number.
    pub wa_id: Option<String>,
    /// The recipient's business-scoped id, where the call named one.
    pub user_id: Option<String>,
    /// The word for a template.
    pub status: Option<&'static str>,
}

impl State {
    /// Checks a send and takes it over, or says what stands against it.
    ///
    /// # Errors
    ///
    /// The code of the first check that fails, in the platform's order: the number's and account's standing, pace,
    /// pair, itself, the lists, template.
    pub(crate) fn send_message(
        &mut self,
        number_id: &str,
        draft: Draft,
        fate: Option<Fate>,
        now_ms: i64,
    ) -> Result<Accepted, GraphError> {
        let (to, user_id) = match &draft.to {
            Recipient::Number(number) => (number.clone(), None),
            Recipient::User(id) => {
                let person = self.person_named(id).ok_or_else(GraphError::business_scoped)?;
                (person, Some(id.clone()))
            }
        };
        self.check_number(number_id, &to, now_ms)?;
        let account = self
            .numbers
            .get(number_id)
            .map(|number| number.seed.waba_id.clone())
            .unwrap_or_default();
        let (mut content, template) = match draft.body {
            DraftBody::Reaction { message, emoji } => {
                let reaction = (message, emoji);
                return self.react(number_id, (to, user_id), draft.callback_data, reaction, now_ms);
            }
            DraftBody::Content(content) => (content, None),
            DraftBody::Template { name, language, components } => {
                let found = self.template_of(&account, &name, &language);
                let template =
                    found.ok_or_else(|| GraphError::template_missing(&name, &language))?;
                template.check_sendable()?;
                let content = template.fill(&components)?;
                let category = template.seed.category.clone();
                check_category(&category, user_id.as_ref(), draft.by_marketing_api)?;
                if category == "MARKETING"
                    && !draft.by_marketing_api
                    && self.world.marketing_elsewhere.contains(&account)
                {
                    let details = "Marketing templates of this account go by another call.";
                    return Err(GraphError::of(131_063, details));
                }
                (content, Some(TemplateUse { name, language, category }))
            }
        };
        self.find_media(number_id, &mut content, now_ms)?;
        let id = self.next_wamid();
        let in_window = self.phone_of(&to).window_open(number_id, now_ms);
        let held = match fate {
            Some(Fate::Held { ms, code }) if template.is_some() => Some((ms, code)),
            _ => None,
        };
        let failure = match fate {
            Some(Fate::Fails { code }) => Some(Failure::told(code)),
            _ => self.failure_of(
                (number_id, &account, &to),
                (&content, draft.identity_hash.as_deref()),
                template.as_ref(),
                in_window,
                now_ms,
            ),
        };
        self.ledger.note(now_ms, number_id, &to, draft.callback_data.as_deref(), &id);
        let status = match (&template, held) {
            (None, _) => None,
            (Some(_), None) => Some("accepted"),
            (Some(_), Some(_)) => Some("held_for_quality_assessment"),
        };
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
            held: held.is_some(),
            tapped: None,
            in_window,
        };
        let place = self.phone_of(&to).push(message);
        self.places.insert(id.clone(), (to.clone(), place));
        self.world.typing.remove(&(number_id.to_owned(), to.clone()));
        match held {
            Some((ms, code)) => self.schedule_in(now_ms, ms, Step::Release(id.clone(), code)),
            None => self.set_off(&id, now_ms),
        }
        let wa_id = user_id.is_none().then_some(to);
        Ok(Accepted { id, wa_id, user_id, status })
    }

    /// What stands against any send of the number to `to`, before its content is looked at.
    fn check_number(&mut self, number_id: &str, to: &str, now_ms: i64) -> Result<(), GraphError> {
        let number =
            self.numbers.get_mut(number_id).ok_or_else(|| GraphError::unknown_object(number_id))?;
        if !number.setup.registered {
            return Err(GraphError::not_registered());
        }
        if let Some(code) = self.world.refusal(number_id, &number.seed.waba_id) {
            return Err(GraphError::of(code, "The sandbox was told to refuse so."));
        }
        if !number.take_pace(now_ms) {
            return Err(GraphError::throughput());
        }
        if !number.take_pair(to, now_ms) {
            return Err(GraphError::pair_rate());
        }
        if number.digits() == to {
            return Err(GraphError::to_itself());
        }
        let listed = number.setup.test_recipients.as_ref();
        if listed.is_some_and(|list| !list.iter().any(|known| known == to)) {
            return Err(GraphError::not_in_test_list());
        }
        if number.setup.blocked.contains_key(to) {
            return Err(GraphError::blocked_user());
        }
        Ok(())
    }

    /// Puts the address of an uploaded file into the message that names its id.
    fn find_media(
        &self,
        number_id: &str,
        content: &mut Content,
        now_ms: i64,
    ) -> Result<(), GraphError> {
        let Some(media) = content.media.as_mut() else { return Ok(()) };
        let Some(id) = &media.id else { return Ok(()) };
        let file = self.shelf.find(id, now_ms).filter(|file| file.number == number_id);
        let Some(file) = file else {
            return Err(GraphError::value(format!("{}: unknown media id", media.kind.as_str())));
        };
        media.link = format!("/files/{id}");
        if media.filename.is_none() {
            media.filename.clone_from(&file.filename);
        }
        Ok(())
    }

    /// An accepted message goes on its way, or fails.
    pub(super) fn set_off(&mut self, id: &str, now_ms: i64) {
        let Some((wa_id, place)) = self.places.get(id) else { return };
        let message = self.phones.get_mut(wa_id).and_then(|phone| phone.messages.get_mut(*place));
        let Some(message) = message else { return };
        message.held = false;
        if message.failure.is_some() {
            self.advance_message(id, Status::Failed, now_ms);
        } else {
            self.advance_message(id, Status::Sent, now_ms);
            self.schedule(now_ms, DELIVERED_AFTER_MS, Step::Deliver(id.to_owned()));
            self.schedule(now_ms, READ_AFTER_MS, Step::Read(id.to_owned()));
        }
    }

    /// How webhooks are written now.
    pub(super) fn style(&self) -> Style {
        Style { version: self.settings.webhook_version }
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
                Step::Release(id, code) => {
                    self.release_held(&id, code, due_ms);
                }
            }
        }
        self.outbox.release_due(self.settings, now_ms);
    }

    /// Moves a message of the business one step on and tells it; any other step is ignored.
    ///
    /// A phone that blocked the business receives nothing: the message stays sent.
    pub(super) fn advance_message(&mut self, id: &str, to: Status, at_ms: i64) {
        let Some((wa_id, place)) = self.places.get(id).cloned() else { return };
        let Some(phone) = self.phones.get_mut(&wa_id) else { return };
        let blocked = phone.blocked;
        let person = phone.person(self.settings.user_ids);
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
        let style = Style { version: self.settings.webhook_version };
        let body = payload::status(number, message, &person, (to, at_ms), style);
        let number = message.number.clone();
        self.tell_number(&number, id, &body, at_ms);
        self.changed(&wa_id);
    }

    /// What the platform tells by webhook although it accepted the call.
    fn failure_of(
        &mut self,
        (number_id, account, to): (&str, &str, &str),
        (content, identity): (&Content, Option<&str>),
        template: Option<&TemplateUse>,
        in_window: bool,
        now_ms: i64,
    ) -> Option<Failure> {
        let phone = self.phones.get(to);
        if phone.is_some_and(|phone| phone.identity.absent) {
            return Some(Failure::UNDELIVERABLE);
        }
        let own_hash = phone.and_then(|phone| phone.identity.key_hash.as_deref());
        if identity.is_some_and(|meant| Some(meant) != own_hash) {
            return Some(Failure::IDENTITY);
        }
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
        let real = match &media.id {
            Some(id) => self.shelf.find(id, now_ms).map(|file| media::kind_of(&file.mime)),
            None => samples::kind_behind(&media.link),
        }?;
        let fits = real == Some(media.kind) || media.kind == MediaKind::Document;
        (!fits).then_some(Failure::BAD_MEDIA)
    }

    /// The business puts an emoji on a customer's message; only `sent` follows (protocol, 2.3).
    fn react(
        &mut self,
        number_id: &str,
        (to, user_id): (String, Option<String>),
        callback_data: Option<String>,
        (message, emoji): (String, String),
        now_ms: i64,
    ) -> Result<Accepted, GraphError> {
        let place = self.places.get(&message).filter(|(wa_id, _)| *wa_id == to).cloned();
        let target = place
            .and_then(|(wa_id, at)| self.phones.get_mut(&wa_id)?.messages.get_mut(at))
            .ok_or_else(|| GraphError::value("reaction: there is no such message"))?;
        if target.kind == "reaction" || target.at_ms + REACTION_WITHIN_MS < now_ms {
            return Err(GraphError::value("reaction: the message is too old or a reaction"));
        }
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
            held: false,
            tapped: None,
            in_window,
        };
        let user_ids = self.settings.user_ids;
        let person = self.phone_of(&to).person(user_ids);
        if let Some(number) = self.numbers.get(number_id) {
            let at = (Status::Sent, now_ms);
            let body = payload::status(number, &reaction, &person, at, self.style());
            self.tell_number(number_id, &id, &body, now_ms);
        }
        self.changed(&to);
        let wa_id = user_id.is_none().then_some(to);
        Ok(Accepted { id, wa_id, user_id, status: None })
    }

    fn schedule(&mut self, now_ms: i64, after_ms: f64, step: Step) {
        self.schedule_in(now_ms, (after_ms / self.speed).round() as i64, step);
    }

    fn schedule_in(&mut self, now_ms: i64, after_ms: i64, step: Step) {
        let due_ms = now_ms.saturating_add(after_ms);
        self.last_id += 1;
        self.schedule.push(Reverse((due_ms, self.last_id, step)));
        self.newly_due = true;
    }
}

/// Whether a template of `category` may go by this call to this kind of recipient.
fn check_category(
    category: &str,
    user_id: Option<&String>,
    by_marketing_api: bool,
) -> Result<(), GraphError> {
    match category {
        "AUTHENTICATION" if user_id.is_some() => Err(GraphError::business_scoped()),
        "MARKETING" => Ok(()),
        _ if by_marketing_api => {
            Err(GraphError::of(134_100, "Only marketing templates go by this call."))
        }
        _ => Ok(()),
    }
}
