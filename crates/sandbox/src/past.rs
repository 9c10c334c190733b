//! What customers' phones remember from before the sandbox started: for a seeded history that the desk has too.

use std::collections::BTreeMap;

/// A message from before the start. Nothing is told of it: whoever seeds the desk knows it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMessage {
    /// The customer; one that is not known appears.
    pub wa_id: String,
    /// The business number it was written from or to.
    pub phone_number_id: String,
    /// The platform's id, by which both sides speak of it from now on.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub content: PastContent,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastContent {
    /// The customer wrote this text.
    Written(String),
    /// The customer sent a file: the sample of this name, with this text below it.
    Sent {
        /// The sample.
        sample: String,
        /// Below it; empty for none.
        caption: String,
    },
    /// The customer tapped the button of this text under the latest template that has it.
    Tapped(String),
    /// The business wrote this text, having looked at all that came before.
    Answered(String, PastFate),
    /// The business sent a template.
    Template {
        /// Its name.
        name: String,
        /// Its language code.
        language: String,
        /// What fills it: variables by their names, a file's address by `header`, buttons by `button_0` and so on.
        values: BTreeMap<String, String>,
        /// What became of it.
        fate: PastFate,
    },
}

/// What became of a message of the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastFate {
    /// It did not arrive yet, and will not by itself.
    Sent,
    /// It is on the phone.
    Delivered,
    /// The customer read it.
    Read,
    /// It failed with this code of the platform.
    Failed(u32),
}
