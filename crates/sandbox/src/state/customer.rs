//! What a customer does on the phone: write, read, tap, block, report, stop, resume.

use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use crate::message::{ButtonKind, ChatMessage, Content, Media, MediaKind, Side, Status};
use crate::template::field;
use crate::webhooks::payload::{self, Inbound};

/// The longest text a customer may write.
const TEXT_MAX: usize = 4_096;
/// How long a typing indicator is shown.
const TYPING_MS: i64 = 25_000;

/// Why a customer's act is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no phone {0}")]
    UnknownPhone(String),
    #[error("there is no number {0}")]
    UnknownNumber(String),
    #[error("there is no such message on this phone")]
    UnknownMessage,
    #[error("the message has no such button")]
    UnknownButton,
    #[error("only a quick reply can be answered with a tap")]
    NotAReply,
    #[error("the phone blocked the business; unblock it first")]
    Blocked,
    #[error("a text of 1 to 4,096 characters is needed")]
    Text,
    #[error("a phone's id is 7 to 15 digits")]
    PhoneId,
    #[error("{0}")]
    Content(String),
}

/// Which button was tapped: its place, its text or its payload.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tap {
    Place(usize),
    Name(String),
}

impl State {
    /// The customer writes `text` to `to`, else to the number that wrote last; a new customer appears.
    pub(crate) fn reply(
        &mut self,
        wa_id: &str,
        text: &str,
        (to, context): (Option<&str>, Option<String>),
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let text = text.trim();
        if text.is_empty() || TEXT_MAX < text.chars().count() {
            return Err(Refusal::Text);
        }
        if !is_wa_id(wa_id) {
            return Err(Refusal::PhoneId);
        }
        let number = self.number_for(wa_id, to)?;
        self.phone_of(wa_id);
        self.write(wa_id, &number, (Inbound::new("text", json!({ "body": text })), context), now_ms)
    }

    /// The customer taps `button` of `message`, else of the latest message with buttons.
    pub(crate) fn tap(
        &mut self,
        wa_id: &str,
        message: Option<&str>,
        button: &Tap,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let phone = self.phone_mut(wa_id)?;
        let place = match message {
            Some(id) => phone.messages.iter().position(|message| message.id == id),
            None => phone.messages.iter().rposition(|message| !message.content.buttons.is_empty()),
        };
        let tapped = place
            .and_then(|place| phone.messages.get_mut(place))
            .filter(|message| message.from == Side::Business && message.status != Status::Failed)
            .ok_or(Refusal::UnknownMessage)?;
        let buttons = &tapped.content.buttons;
        let index = match button {
            Tap::Place(index) => Some(*index),
            Tap::Name(name) => {
                buttons.iter().position(|button| button.text == *name || button.value == *name)
            }
        };
        let (index, button) = index
            .and_then(|index| Some((index, buttons.get(index)?)))
            .ok_or(Refusal::UnknownButton)?;
        let (value, text) = (button.value.as_str(), button.text.as_str());
        let inbound = match button.kind {
            ButtonKind::QuickReply => {
                Inbound::new("button", json!({ "payload": value, "text": text }))
            }
            ButtonKind::Reply => {
                let reply = json!({ "id": value, "title": text });
                Inbound::new(
                    "interactive",
                    json!({ "type": "button_reply", "button_reply": reply }),
                )
            }
            ButtonKind::Row => {
                let mut reply = json!({ "id": value, "title": text });
                if let Some(description) = &button.description {
                    reply["description"] = json!(description);
                }
                Inbound::new("interactive", json!({ "type": "list_reply", "list_reply": reply }))
            }
            _ => return Err(Refusal::NotAReply),
        };
        if phone.blocked {
            return Err(Refusal::Blocked);
        }
        tapped.tapped = Some(index);
        let (id, number) = (tapped.id.clone(), tapped.number.clone());
        self.write(wa_id, &number, (inbound, Some(id)), now_ms)
    }

    /// The customer puts an emoji on a message of the business; an empty one takes it away.
    pub(crate) fn customer_reacts(
        &mut self,
        wa_id: &str,
        message: &str,
        emoji: &str,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let phone = self.phone_mut(wa_id)?;
        if phone.blocked {
            return Err(Refusal::Blocked);
        }
        let target = phone
            .messages
            .iter_mut()
            .find(|known| known.id == message && known.from == Side::Business)
            .ok_or(Refusal::UnknownMessage)?;
        target.reaction = (!emoji.is_empty()).then(|| emoji.to_owned());
        let number = target.number.clone();
        let inbound = Inbound::new("reaction", json!({ "message_id": message, "emoji": emoji }));
        self.write(wa_id, &number, (inbound, None), now_ms)
    }

    /// The customer opens the chat: everything delivered is read. Returns how many messages that were.
    pub(crate) fn read(&mut self, wa_id: &str, now_ms: i64) -> Result<usize, Refusal> {
        let phone = self.phone_mut(wa_id)?;
        let unread: Vec<String> = phone
            .messages
            .iter()
            .filter(|m| m.from == Side::Business && m.status == Status::Delivered)
            .map(|message| message.id.clone())
            .collect();
        for id in &unread {
            self.advance_message(id, Status::Read, now_ms);
        }
        Ok(unread.len())
    }

    /// The customer blocks or unblocks the business; blocking is a complaint to each number that wrote.
    pub(crate) fn block(&mut self, wa_id: &str, blocked: bool) -> Result<(), Refusal> {
        let phone = self.phone_mut(wa_id)?;
        let is_new = blocked && !phone.blocked;
        phone.blocked = blocked;
        if is_new {
            self.complain(wa_id, 1);
        }
        self.changed(wa_id);
        Ok(())
    }

    /// The customer reports the business, which weighs as two blocks.
    pub(crate) fn report(&mut self, wa_id: &str) -> Result<(), Refusal> {
        let phone = self.phone_mut(wa_id)?;
        let is_new = !phone.reported;
        phone.reported = true;
        if is_new {
            self.complain(wa_id, 2);
        }
        self.changed(wa_id);
        Ok(())
    }

    /// The customer stops or resumes the marketing of the number's account (protocol, 5.7).
    pub(crate) fn set_marketing(
        &mut self,
        wa_id: &str,
        stopped: bool,
        to: Option<&str>,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        self.phone_mut(wa_id)?;
        let number_id = self.number_for(wa_id, to)?;
        let number = self
            .numbers
            .get(&number_id)
            .ok_or_else(|| Refusal::UnknownNumber(number_id.clone()))?;
        let account = number.seed.waba_id.clone();
        let phone =
            self.phones.get_mut(wa_id).ok_or_else(|| Refusal::UnknownPhone(wa_id.to_owned()))?;
        if stopped {
            phone.stopped.insert(account);
        } else {
            phone.stopped.remove(&account);
        }
        let person = phone.person(self.settings.user_ids);
        let body = payload::preference(number, &person, stopped, now_ms);
        self.tell_number(&number_id, &inbound_lane(wa_id), &body, now_ms);
        self.changed(wa_id);
        Ok(())
    }

    /// Puts a customer's message into the chat and tells it; who answers has read what came before.
    pub(super) fn write(
        &mut self,
        wa_id: &str,
        number: &str,
        (inbound, context): (Inbound, Option<String>),
        now_ms: i64,
    ) -> Result<String, Refusal> {
        if self.phone_mut(wa_id)?.blocked {
            return Err(Refusal::Blocked);
        }
        if self.settings.read {
            self.read(wa_id, now_ms)?;
        }
        let id = self.next_wamid();
        let content = bubble(&inbound);
        let message = ChatMessage {
            id: id.clone(),
            number: number.to_owned(),
            from: Side::Customer,
            at_ms: now_ms,
            kind: inbound.kind.clone(),
            content,
            template: None,
            status: Status::Sent,
            failure: None,
            callback_data: None,
            context,
            reaction: None,
            held: false,
            tapped: None,
            in_window: true,
        };
        let user_ids = self.settings.user_ids;
        let phone = self.phone_mut(wa_id)?;
        let person = phone.person(user_ids);
        if matches!(inbound.kind.as_str(), "reaction" | "edit" | "revoke" | "system") {
            // It is no bubble of its own, but opens the window as any message does.
            if inbound.kind != "system" {
                phone.wrote_at.insert(number.to_owned(), now_ms);
            }
            phone.touched_ms = now_ms;
        } else {
            let place = phone.push(message.clone());
            self.places.insert(id.clone(), (wa_id.to_owned(), place));
        }
        let known =
            self.numbers.get(number).ok_or_else(|| Refusal::UnknownNumber(number.to_owned()))?;
        let body = payload::inbound(known, &person, &message, &inbound);
        self.bring(number, &inbound_lane(wa_id), (&body, &id), now_ms);
        self.changed(wa_id);
        Ok(id)
    }

    /// The business has the customer's message `id`: the phone shows a second tick.
    pub(crate) fn arrived(&mut self, id: &str) {
        let Some((wa_id, place)) = self.places.get(id).cloned() else { return };
        let message = self.phones.get_mut(&wa_id).and_then(|phone| phone.messages.get_mut(place));
        let Some(message) = message else { return };
        if message.from == Side::Customer && message.status < Status::Delivered {
            message.status = Status::Delivered;
            self.changed(&wa_id);
        }
    }

    /// The business looked at the customer's message `id`, and with it at all it was sent before.
    ///
    /// Who is `typing` shows it until the next message, at most 25 seconds.
    pub(crate) fn looked_at(&mut self, id: &str, number: &str, typing: bool, now_ms: i64) {
        let Some((wa_id, place)) = self.places.get(id).cloned() else { return };
        if typing {
            let pair = (number.to_owned(), wa_id.clone());
            self.world.typing.insert(pair, now_ms + TYPING_MS);
        }
        let Some(phone) = self.phones.get_mut(&wa_id) else { return };
        for message in phone.messages.iter_mut().take(place + 1) {
            if message.from == Side::Customer && message.number == number {
                message.status = Status::Read;
            }
        }
        self.changed(&wa_id);
    }

    pub(super) fn phone_mut(&mut self, wa_id: &str) -> Result<&mut crate::phone::Phone, Refusal> {
        self.phones.get_mut(wa_id).ok_or_else(|| Refusal::UnknownPhone(wa_id.to_owned()))
    }

    /// The number a customer means: the one named, else the one that wrote last, else the first.
    pub(super) fn number_for(&self, wa_id: &str, named: Option<&str>) -> Result<String, Refusal> {
        if let Some(named) = named {
            let known = self.numbers.contains_key(named);
            return known
                .then(|| named.to_owned())
                .ok_or_else(|| Refusal::UnknownNumber(named.to_owned()));
        }
        let last = self.phones.get(wa_id).and_then(|phone| phone.last_number.clone());
        last.or_else(|| self.numbers.keys().next().cloned())
            .ok_or_else(|| Refusal::UnknownNumber(String::new()))
    }

    /// Each number that wrote to the customer hears the complaint.
    fn complain(&mut self, wa_id: &str, weight: u32) {
        let Some(phone) = self.phones.get(wa_id) else { return };
        let mut wrote: Vec<&String> =
            phone.messages.iter().filter(|m| m.from == Side::Business).map(|m| &m.number).collect();
        wrote.sort_unstable();
        wrote.dedup();
        for id in wrote {
            if let Some(number) = self.numbers.get_mut(id) {
                number.complain(weight);
            }
        }
    }
}

/// What the phone shows of a message.
fn bubble(inbound: &Inbound) -> Content {
    let content = inbound.content.as_ref().unwrap_or(&Value::Null);
    let kind = inbound.kind.as_str();
    let text = match kind {
        "text" => field(content, "body"),
        "button" | "order" => field(content, "text"),
        "location" => field(content, "name"),
        "contacts" => field(&content[0]["name"], "formatted_name"),
        "interactive" => ["button_reply", "list_reply"]
            .into_iter()
            .map(|reply| field(&content[reply], "title"))
            .find(|title| !title.is_empty())
            .unwrap_or_default(),
        "reaction" => "",
        _ => field(content, "caption"),
    };
    let media = MediaKind::parse(kind).map(|kind| Media {
        kind,
        link: format!("/files/{}", field(content, "id")),
        id: Some(field(content, "id").to_owned()),
        filename: content["filename"].as_str().map(str::to_owned),
    });
    Content { media, ..Content::text(text) }
}

/// A customer's messages arrive in their order.
fn inbound_lane(wa_id: &str) -> String {
    format!("from {wa_id}")
}

pub(super) fn is_wa_id(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
