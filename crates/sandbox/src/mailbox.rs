//! The mails that were received, parsed.

use std::collections::VecDeque;

use mail_parser::{Address, MessageParser};
use serde::Serialize;

use crate::clock::instant;

/// So many mails are kept; the oldest go first.
const KEPT: usize = 1_000;

/// A received mail.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mail {
    pub id: u64,
    #[serde(serialize_with = "as_instant")]
    pub at: i64,
    /// The header, with the display name; the envelope's sender where it is missing.
    pub from: String,
    /// The envelope's recipients: who really gets it.
    pub to: Vec<String>,
    /// Empty where it has none.
    pub subject: String,
    /// The plain text; made from the HTML where the mail has none.
    pub text: String,
    pub html: Option<String>,
    pub attachments: usize,
}

/// Every mail kept, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mails: VecDeque<Mail>,
    last_id: u64,
}

impl Mailbox {
    /// Parses and keeps what a mail client handed over.
    pub(crate) fn receive(&mut self, sender: &str, recipients: &[String], raw: &[u8], at_ms: i64) {
        self.last_id += 1;
        let parsed = MessageParser::default().parse(raw);
        let message = parsed.as_ref();
        let text = message.and_then(|m| m.body_text(0)).map_or_else(
            || String::from_utf8_lossy(raw).into_owned(),
            std::borrow::Cow::into_owned,
        );
        // `body_html` also turns plain text into HTML; only a real HTML part counts here.
        let html = message
            .filter(|m| m.html_part(0).is_some_and(mail_parser::MessagePart::is_text_html))
            .and_then(|m| m.body_html(0))
            .map(std::borrow::Cow::into_owned);
        self.mails.push_back(Mail {
            id: self.last_id,
            at: at_ms,
            from: message
                .and_then(|m| m.from())
                .and_then(written)
                .unwrap_or_else(|| sender.to_owned()),
            to: recipients.to_vec(),
            subject: message.and_then(|m| m.subject()).unwrap_or_default().to_owned(),
            text,
            html,
            attachments: message.map_or(0, mail_parser::Message::attachment_count),
        });
        if KEPT < self.mails.len() {
            self.mails.pop_front();
        }
    }

    /// The mails, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Mail> {
        self.mails.iter().rev()
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Mail> {
        self.mails.iter().find(|mail| mail.id == id)
    }

    pub(crate) fn clear(&mut self) {
        self.mails.clear();
    }
}

/// The first address as a person writes it.
fn written(address: &Address<'_>) -> Option<String> {
    let first = address.first()?;
    let mail = first.address()?;
    Some(first.name().map_or_else(|| mail.to_owned(), |name| format!("{name} <{mail}>")))
}

fn as_instant<S: serde::Serializer>(at_ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant(*at_ms))
}
