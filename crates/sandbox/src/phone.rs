//! A customer's phone: the chat, the windows, what the customer decided.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::instant;
use crate::message::{ChatMessage, Side, Status};
use crate::number::DAY_MS;
use crate::webhooks::payload::Person;

/// A customer with everything on the phone.
#[derive(Debug, Default)]
pub(crate) struct Phone {
    pub wa_id: String,
    pub name: String,
    pub blocked: bool,
    pub reported: bool,
    /// The accounts whose marketing the customer stopped.
    pub stopped: BTreeSet<String>,
    pub messages: Vec<ChatMessage>,
    /// When the customer last wrote to each business number.
    pub wrote_at: BTreeMap<String, i64>,
    /// The business number that wrote last.
    pub last_number: Option<String>,
    pub identity: Identity,
    /// When anything last happened, for the order of the list.
    pub touched_ms: i64,
}

/// Who a customer is to the platform, beside the number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    /// The business-scoped id; made from the number when absent.
    pub user_id: Option<String>,
    pub username: Option<String>,
    /// Whether webhooks leave the number out.
    pub hides: bool,
    /// Whether there is nobody behind the number.
    pub absent: bool,
    /// The hash of the identity key, for messages meant for this very one.
    pub key_hash: Option<String>,
}

/// A phone in the list.
#[derive(Debug, Serialize)]
pub(crate) struct PhoneSummary {
    pub id: String,
    pub name: String,
    pub blocked: bool,
    pub reported: bool,
    pub stopped: bool,
    pub messages: usize,
    pub unread: usize,
    pub last: Option<LastLine>,
}

/// The line under a customer's name.
#[derive(Debug, Serialize)]
pub(crate) struct LastLine {
    pub at: String,
    pub from: Side,
    pub text: String,
    pub status: Status,
}

impl Phone {
    pub(crate) fn new(wa_id: &str, name: &str) -> Self {
        Self { wa_id: wa_id.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// The business-scoped id: the one given, else one made from the number.
    pub(crate) fn user_id(&self) -> String {
        self.identity.user_id.clone().unwrap_or_else(|| {
            let country = country(&self.wa_id).unwrap_or_else(|| "ZZ".to_owned());
            // Nobody reads the number out of it by looking, and it is the same at every start.
            let scoped = self.wa_id.bytes().fold(7_u64, |hash, digit| {
                hash.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(digit))
            });
            format!("{country}.{scoped}")
        })
    }

    /// Whether the customer has no name but the number.
    pub(crate) fn is_nameless(&self) -> bool {
        self.name.starts_with('+')
    }

    /// The name the customer gave the platform; `None` when there is none.
    pub(crate) fn profile_name(&self) -> Option<&str> {
        (!self.is_nameless()).then_some(self.name.as_str())
    }

    /// The customer as webhooks name them, by a business-scoped id too where `user_ids` says so.
    pub(crate) fn person(&self, user_ids: bool) -> Person {
        let hides = self.identity.hides;
        Person {
            wa_id: (!hides).then(|| self.wa_id.clone()),
            user_id: (hides || user_ids).then(|| self.user_id()),
            name: self.profile_name().map(str::to_owned),
            username: self.identity.username.clone(),
        }
    }

    /// The name, else the number as people write it.
    pub(crate) fn shown_name(&self) -> String {
        if self.is_nameless() { display(&self.wa_id) } else { self.name.clone() }
    }

    /// Whether `number` may write freely: the customer wrote to it less than 24 hours ago.
    pub(crate) fn window_open(&self, number: &str, now_ms: i64) -> bool {
        self.wrote_at.get(number).is_some_and(|at| now_ms < at + DAY_MS)
    }

    /// Appends a message and returns its place.
    pub(crate) fn push(&mut self, message: ChatMessage) -> usize {
        self.touched_ms = message.at_ms;
        match message.from {
            Side::Business => self.last_number = Some(message.number.clone()),
            Side::Customer => {
                self.wrote_at.insert(message.number.clone(), message.at_ms);
            }
        }
        self.messages.push(message);
        self.messages.len() - 1
    }

    pub(crate) fn summary(&self) -> PhoneSummary {
        let unread = self
            .messages
            .iter()
            .rev()
            .filter(|m| m.from == Side::Business && m.status == Status::Delivered)
            .count();
        PhoneSummary {
            id: self.wa_id.clone(),
            name: self.name.clone(),
            blocked: self.blocked,
            reported: self.reported,
            stopped: !self.stopped.is_empty(),
            messages: self.messages.len(),
            unread,
            last: self.messages.last().map(|message| LastLine {
                at: instant(message.at_ms),
                from: message.from,
                text: message.content.text.clone(),
                status: message.status,
            }),
        }
    }

    /// The phone with every message, oldest first, for the control API.
    pub(crate) fn detail(&self) -> Value {
        let messages: Vec<Value> = self
            .messages
            .iter()
            .map(|message| {
                json!({
                    "id": message.id,
                    "number": message.number,
                    "from": message.from,
                    "at": instant(message.at_ms),
                    "type": message.kind,
                    "text": message.content.text,
                    "header": message.content.header,
                    "media": message.content.media,
                    "footer": message.content.footer,
                    "buttons": message.content.buttons,
                    "template": message.template,
                    "status": message.status,
                    "failure": message.failure,
                    "callback_data": message.callback_data,
                    "context": message.context,
                    "reaction": message.reaction,
                    "tapped": message.tapped,
                })
            })
            .collect();
        let mut detail = json!(self.summary());
        if let Some(fields) = detail.as_object_mut() {
            let windows: BTreeMap<&String, String> =
                self.wrote_at.iter().map(|(number, at)| (number, instant(at + DAY_MS))).collect();
            fields.insert("windows".to_owned(), json!(windows));
            fields.insert("messages".to_owned(), Value::Array(messages));
        }
        detail
    }
}

/// The country of a phone's id, as two letters.
fn country(wa_id: &str) -> Option<String> {
    let number = phonenumber::parse(None, format!("+{wa_id}")).ok()?;
    Some(number.country().id()?.as_ref().to_owned())
}

/// A phone's id as people write its number: `+55 11 91234-5678`.
pub(crate) fn display(wa_id: &str) -> String {
    let plain = format!("+{wa_id}");
    let Ok(number) = phonenumber::parse(None, &plain) else { return plain };
    let shown = number.format().mode(phonenumber::Mode::International).to_string();
    // A number the library reads otherwise (a dropped trunk digit) is shown as it is.
    let is_same = shown.chars().filter(char::is_ascii_digit).eq(wa_id.chars());
    if is_same { shown } else { plain }
}

#[cfg(test)]
mod tests {
    use super::display;

    #[test]
    fn numbers_are_shown_as_people_write_them_and_never_as_another_number() {
        let cases = [
            ("5511960000782", "+55 11 96000-0782"),
            ("351911001664", "+351 911 001 664"),
            ("447700900123", "+44 7700 900123"),
            ("9990000", "+9990000"),
        ];
        for (wa_id, shown) in cases {
            assert_eq!(display(wa_id), shown);
        }
    }
}
