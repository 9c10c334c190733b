//! Everything else a customer may send: files, places, edits, deletions, what is not supported (protocol, 4.9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::State;
use super::customer::{Refusal, is_wa_id};
use crate::message::{MediaKind, Side};
use crate::samples;
use crate::template::field;
use crate::webhooks::payload::{self, Inbound};

/// A message of a customer as a test describes it; what it leaves out is invented.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SendOrder {
    #[serde(rename = "type")]
    pub kind: String,
    /// The business number written to; the one that wrote last when absent.
    #[serde(default)]
    pub to: Option<String>,
    /// The message that is quoted: its id, or the whole object.
    #[serde(default)]
    pub context: Option<Value>,
    #[serde(default)]
    pub referral: Option<Value>,
    #[serde(default)]
    pub errors: Option<Value>,
    /// The file of a medium: one of the samples, or bytes in base64 with their type.
    #[serde(default)]
    pub sample: Option<String>,
    #[serde(default)]
    pub data: Option<String>,
    #[serde(default)]
    pub mime_type: Option<String>,
    #[serde(default)]
    pub caption: Option<String>,
    #[serde(default)]
    pub filename: Option<String>,
    /// The object that the type names, exactly as the webhook shall have it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl State {
    /// The customer sends a message of any type; a new customer appears.
    pub(crate) fn customer_sends(
        &mut self,
        wa_id: &str,
        order: &SendOrder,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        if !is_wa_id(wa_id) {
            return Err(Refusal::PhoneId);
        }
        let number = self.number_for(wa_id, order.to.as_deref())?;
        self.phone_of(wa_id);
        let content = self.content_of(&number, order, now_ms)?;
        let mut beside = Map::new();
        let mut quoted = None;
        match &order.context {
            Some(Value::String(id)) => quoted = Some(id.clone()),
            Some(whole) => {
                beside.insert("context".to_owned(), whole.clone());
            }
            None => {}
        }
        if let Some(referral) = &order.referral {
            beside.insert("referral".to_owned(), referral.clone());
        }
        let errors = order.errors.clone().or_else(|| {
            (order.kind == "unsupported").then(|| {
                json!([{
                    "code": 131_051,
                    "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": { "details": "This kind of message can't be shown here." },
                }])
            })
        });
        if let Some(errors) = errors {
            beside.insert("errors".to_owned(), errors);
        }
        let inbound = Inbound { kind: order.kind.clone(), content, beside };
        self.write(wa_id, &number, (inbound, quoted), now_ms)
    }

    /// The customer sends the sample file that goes with `kind`: a picture, a recording, a video or a document.
    pub(crate) fn customer_sends_sample(
        &mut self,
        wa_id: &str,
        kind: &str,
        to: Option<&str>,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let kind = MediaKind::parse(kind).filter(|kind| *kind != MediaKind::Sticker);
        let kind = kind.ok_or_else(|| Refusal::Content("no such file".to_owned()))?;
        let order = SendOrder {
            kind: kind.as_str().to_owned(),
            to: to.map(str::to_owned),
            context: None,
            referral: None,
            errors: None,
            sample: (kind == MediaKind::Document).then(|| "quote.pdf".to_owned()),
            data: None,
            mime_type: None,
            caption: None,
            filename: None,
            rest: Map::new(),
        };
        self.customer_sends(wa_id, &order, now_ms)
    }

    /// The object beside the type: what the order says, else an invented one.
    fn content_of(
        &mut self,
        number: &str,
        order: &SendOrder,
        now_ms: i64,
    ) -> Result<Option<Value>, Refusal> {
        if let Some(content) = order.rest.get(&order.kind) {
            return Ok(Some(content.clone()));
        }
        if let Some(kind) = MediaKind::parse(&order.kind) {
            return self.file_of(number, kind, order, now_ms).map(Some);
        }
        Ok(match order.kind.as_str() {
            "text" => Some(json!({ "body": order.caption.as_deref().unwrap_or("Hello") })),
            "location" => Some(json!({
                "latitude": 51.0731, "longitude": -4.0572, "name": "Quay car park",
                "address": "Marine Parade, Instow", "url": "https://maps.example/quay",
            })),
            "contacts" => Some(json!([{
                "name": { "formatted_name": "Noor Castell", "first_name": "Noor", "last_name": "Castell" },
                "phones": [{ "phone": "+44 7700 900333", "wa_id": "447700900333", "type": "CELL" }],
            }])),
            "order" => Some(json!({
                "catalog_id": "615500248890013", "text": "Gift wrap please",
                "product_items": [{
                    "product_retailer_id": "BOWL-BLUE", "quantity": 2, "item_price": 24.5,
                    "currency": "GBP",
                }],
            })),
            "button" => Some(json!({ "payload": "YES", "text": "Yes" })),
            "system" => Some(json!({
                "body": "The identity of this contact changed",
                "type": "customer_identity_changed",
                "identity": {
                    "acknowledged": "false", "created_timestamp": now_ms.div_euclid(1_000),
                    "hash": "aWRlbnRpdHktaGFzaA==",
                },
            })),
            _ => None,
        })
    }

    /// Keeps the file of a medium, and says of it what a webhook says.
    fn file_of(
        &mut self,
        number: &str,
        kind: MediaKind,
        order: &SendOrder,
        now_ms: i64,
    ) -> Result<Value, Refusal> {
        let wrong = |why: &str| Refusal::Content(why.to_owned());
        let (bytes, usual) = match (&order.data, &order.sample) {
            (Some(data), _) => {
                let bytes = STANDARD.decode(data).map_err(|_| wrong("data is no base64"))?;
                (bytes, "application/octet-stream")
            }
            (None, sample) => {
                let name = sample.as_deref().unwrap_or(match kind {
                    MediaKind::Image | MediaKind::Sticker => "studio.jpg",
                    MediaKind::Video => "kiln.mp4",
                    MediaKind::Audio => "voice.ogg",
                    MediaKind::Document => "quote.pdf",
                });
                samples::file(name).ok_or_else(|| wrong("there is no such sample"))?
            }
        };
        let mime = order.mime_type.as_deref().unwrap_or(match (kind, &order.sample) {
            (MediaKind::Audio, None) => "audio/ogg; codecs=opus",
            (MediaKind::Sticker, None) => "image/webp",
            _ => usual,
        });
        let filename = order.filename.clone().or_else(|| {
            (kind == MediaKind::Document)
                .then(|| order.sample.clone().unwrap_or_else(|| "file".to_owned()))
        });
        let id = self.shelf.receive(number, mime, filename.clone(), bytes.into(), now_ms);
        let base = self.world.base.clone();
        let mut content = self.shelf.in_webhook(&id, &base, now_ms);
        if let Some(caption) = &order.caption {
            content["caption"] = json!(caption);
        }
        if let Some(filename) = filename.filter(|_| kind == MediaKind::Document) {
            content["filename"] = json!(filename);
        }
        match kind {
            MediaKind::Audio => content["voice"] = json!(true),
            MediaKind::Sticker => content["animated"] = json!(false),
            MediaKind::Image | MediaKind::Video | MediaKind::Document => {}
        }
        Ok(content)
    }

    /// The customer changes the text of an own message (protocol, 4.9).
    pub(crate) fn customer_edits(
        &mut self,
        wa_id: &str,
        message: &str,
        text: &str,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::Text);
        }
        let number = self.change_own(wa_id, message, Some(text))?;
        let edited = json!({
            "original_message_id": message,
            "message": { "context": { "id": "M0" }, "type": "text", "text": { "body": text } },
        });
        self.write(wa_id, &number, (Inbound::new("edit", edited), None), now_ms)
    }

    /// The customer takes an own message back for everyone.
    pub(crate) fn customer_revokes(
        &mut self,
        wa_id: &str,
        message: &str,
        now_ms: i64,
    ) -> Result<String, Refusal> {
        let number = self.change_own(wa_id, message, None)?;
        let revoked = json!({ "original_message_id": message });
        self.write(wa_id, &number, (Inbound::new("revoke", revoked), None), now_ms)
    }

    /// Puts `text`, or nothing, in place of what the customer wrote; returns the number it was written to.
    fn change_own(
        &mut self,
        wa_id: &str,
        message: &str,
        text: Option<&str>,
    ) -> Result<String, Refusal> {
        let phone = self.phone_mut(wa_id)?;
        let own = phone
            .messages
            .iter_mut()
            .find(|known| known.id == message && known.from == Side::Customer);
        let own = own.ok_or(Refusal::UnknownMessage)?;
        own.content.media = own.content.media.take().filter(|_| text.is_some());
        text.unwrap_or_default().clone_into(&mut own.content.text);
        Ok(own.number.clone())
    }

    /// Tells `value` as a change of `field` of an account or, by its id, a number (protocol, section 5).
    ///
    /// False when the subject is unknown.
    pub(crate) fn tell_change(
        &mut self,
        subject: &str,
        field_name: &str,
        value: &Value,
        now_ms: i64,
    ) -> bool {
        let account = match self.numbers.get(subject) {
            Some(number) => number.seed.waba_id.clone(),
            None if self.has_account(subject) => subject.to_owned(),
            None => return false,
        };
        let of_messages = matches!(field_name, "messages" | "smb_message_echoes");
        let time_ms = (!of_messages).then_some(now_ms);
        let body = payload::envelope(&account, field_name, value.clone(), time_ms);
        let lane = format!("account {account}");
        if self.numbers.contains_key(subject) {
            self.tell_number(subject, &lane, &body, now_ms);
        } else {
            self.tell_account(&account, &lane, &body, now_ms);
        }
        true
    }

    /// Follows what the platform did to an account: a restriction refuses sends until it expires by another call.
    pub(crate) fn follow_event(&mut self, subject: &str, field_name: &str, value: &Value) {
        if field_name != "account_update" {
            return;
        }
        let code = match (field(value, "event"), field(&value["ban_info"], "waba_ban_state")) {
            ("DISABLED_UPDATE", "DISABLE") => Some(131_031),
            ("DISABLED_UPDATE", "REINSTATE") => None,
            ("ACCOUNT_RESTRICTION", _) => Some(368),
            _ => return,
        };
        match code {
            Some(code) => self.world.refusals.insert(subject.to_owned(), code),
            None => self.world.refusals.remove(subject),
        };
    }
}
