//! Puts a seeded history into the phones.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::State;
use crate::SandboxError;
use crate::message::{ChatMessage, Content, Failure, Media, MediaKind, Side, Status, TemplateUse};
use crate::past::{PastContent, PastFate, PastMessage};
use crate::samples;
use crate::template::{Template, field, variables};

impl State {
    /// Adds messages from before the start, oldest first; no webhook is sent, and the ledger counts none.
    ///
    /// # Errors
    ///
    /// When a number, a template or a button of it is not known, or a template cannot be filled so.
    pub(crate) fn remember(&mut self, messages: Vec<PastMessage>) -> Result<(), SandboxError> {
        for message in messages {
            self.remember_one(message)?;
        }
        self.knows_past = true;
        Ok(())
    }

    fn remember_one(&mut self, past: PastMessage) -> Result<(), SandboxError> {
        let PastMessage { wa_id, phone_number_id: number, id, at_ms, content } = past;
        let problem = |what: &str| SandboxError::Past { id: id.clone(), what: what.to_owned() };
        let account =
            self.numbers.get(&number).ok_or_else(|| problem("its number"))?.seed.waba_id.clone();
        let in_window = self.phone_of(&wa_id).window_open(&number, at_ms);
        let mut message = ChatMessage {
            id: id.clone(),
            number: number.clone(),
            from: Side::Business,
            at_ms,
            kind: "text".to_owned(),
            content: Content::default(),
            template: None,
            status: Status::Delivered,
            failure: None,
            callback_data: None,
            context: None,
            reaction: None,
            held: false,
            tapped: None,
            in_window,
        };
        match content {
            PastContent::Written(text) => {
                message.from = Side::Customer;
                message.content = Content::text(text);
            }
            PastContent::Sent { sample, caption } => {
                let link = format!("http://sandbox.invalid/samples/{sample}");
                let kind = samples::kind_behind(&link).flatten();
                let kind = kind.ok_or_else(|| problem("its file"))?;
                message.from = Side::Customer;
                kind.as_str().clone_into(&mut message.kind);
                let filename = (kind == MediaKind::Document).then_some(sample);
                let media = Some(Media { kind, link, id: None, filename });
                message.content = Content { media, ..Content::text(caption) };
            }
            PastContent::Tapped(text) => {
                let tapped = self.tap_of_past(&wa_id, &number, &text);
                message.context = Some(tapped.ok_or_else(|| problem("its button"))?);
                message.from = Side::Customer;
                "button".clone_into(&mut message.kind);
                message.content = Content::text(text);
            }
            PastContent::Answered(text, fate) => {
                message.content = Content::text(text);
                (message.status, message.failure) =
                    ended(fate).ok_or_else(|| problem("its end"))?;
                let before = self.phone_of(&wa_id).messages.iter_mut();
                before
                    .filter(|known| known.from == Side::Customer && known.number == number)
                    .for_each(|known| known.status = Status::Read);
            }
            PastContent::Template { name, language, values, fate } => {
                let template = self.template_of(&account, &name, &language);
                let template = template.ok_or_else(|| problem("its template"))?;
                message.content = template
                    .fill(&components(template, &values))
                    .map_err(|_| problem("a value of its template"))?;
                let category = template.seed.category.clone();
                message.template = Some(TemplateUse { name, language, category });
                "template".clone_into(&mut message.kind);
                (message.status, message.failure) =
                    ended(fate).ok_or_else(|| problem("its end"))?;
            }
        }
        let place = self.phone_of(&wa_id).push(message);
        self.places.insert(id, (wa_id, place));
        Ok(())
    }

    /// Marks the button `text` of the latest template that has it as tapped, and says which template that is.
    fn tap_of_past(&mut self, wa_id: &str, number: &str, text: &str) -> Option<String> {
        let messages = self.phone_of(wa_id).messages.iter_mut().rev();
        let of_number = messages.filter(|message| message.number == number);
        of_number.into_iter().find_map(|message| {
            let place = message.content.buttons.iter().position(|button| button.text == text)?;
            message.tapped = Some(place);
            Some(message.id.clone())
        })
    }
}

fn ended(fate: PastFate) -> Option<(Status, Option<Failure>)> {
    Some(match fate {
        PastFate::Sent => (Status::Sent, None),
        PastFate::Delivered => (Status::Delivered, None),
        PastFate::Read => (Status::Read, None),
        PastFate::Failed(code) => (Status::Failed, Some(Failure::of_code(code)?)),
    })
}

/// The components of a send that fills `template` with `values`.
fn components(template: &Template, values: &BTreeMap<String, String>) -> Value {
    let parts = template.seed.components.as_array().map_or(&[][..], Vec::as_slice);
    let text_of = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    let texts = |text: &str| -> Vec<Value> {
        let names = variables(text).into_iter();
        names
            .map(|name| json!({ "type": "text", "parameter_name": name, "text": text_of(&name) }))
            .collect()
    };
    let mut sent = Vec::new();
    for part in parts {
        let format = field(part, "format").to_ascii_lowercase();
        match field(part, "type").to_ascii_uppercase().as_str() {
            "HEADER" if matches!(format.as_str(), "image" | "video" | "document") => {
                let mut parameter = json!({ "type": format });
                parameter[&format] = json!({ "link": text_of("header") });
                sent.push(json!({ "type": "header", "parameters": [parameter] }));
            }
            "HEADER" => {
                sent.push(json!({ "type": "header", "parameters": texts(field(part, "text")) }));
            }
            "BODY" => {
                sent.push(json!({ "type": "body", "parameters": texts(field(part, "text")) }));
            }
            "BUTTONS" => {
                let buttons = part["buttons"].as_array().map_or(&[][..], Vec::as_slice);
                for (index, button) in buttons.iter().enumerate() {
                    let Some(value) = values.get(&format!("button_{index}")) else { continue };
                    let parameter = match field(button, "type").to_ascii_uppercase().as_str() {
                        "COPY_CODE" => json!({ "type": "coupon_code", "coupon_code": value }),
                        _ => json!({ "type": "text", "text": value }),
                    };
                    let parameters = [parameter];
                    sent.push(
                        json!({ "type": "button", "index": index, "parameters": parameters }),
                    );
                }
            }
            _ => {}
        }
    }
    Value::Array(sent)
}
