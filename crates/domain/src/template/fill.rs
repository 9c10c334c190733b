//! A template with its values in place, in segments, so that a page can mark what was filled.

use super::{
    MediaKind, TemplateButton, TemplateContent, TemplateHeader, VariableName, VariableValues,
    placeholder::{Piece, pieces},
    variables::{button_name, header_name},
};

/// A piece of a filled text. Values stand as they are and are never read as a template again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text of the template itself.
    Literal(String),
    /// Where a variable stands.
    Slot {
        /// The variable.
        name: VariableName,
        /// Its value; `None` while there is none.
        value: Option<String>,
    },
}

/// A template with its values in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledContent {
    /// Above the body; `None` when the template has no header.
    pub header: Option<FilledHeader>,
    /// The text.
    pub body: Vec<Segment>,
    /// Below the body; `None` when there is none. It has no variables.
    pub footer: Option<String>,
    /// In the order shown.
    pub buttons: Vec<FilledButton>,
}

/// A header with its values in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilledHeader {
    /// A text.
    Text(Vec<Segment>),
    /// A media file.
    Media {
        /// Its kind.
        kind: MediaKind,
        /// Its URL; `None` while there is none.
        url: Option<String>,
    },
    /// A place; each part `None` while there is no value.
    Location {
        /// Degrees, as typed.
        latitude: Option<String>,
        /// Degrees, as typed.
        longitude: Option<String>,
        /// What it is called.
        name: Option<String>,
        /// Where it is.
        address: Option<String>,
    },
}

/// A button with its value in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledButton {
    /// The text on it.
    pub text: String,
    /// The address it opens, the code it copies or the number it calls; empty for a quick reply.
    pub target: Vec<Segment>,
}

impl TemplateContent {
    /// The template with `values` in place, as far as there are any: a blank value leaves its slot
    /// empty. One pass: what a value holds is never expanded.
    #[must_use]
    pub fn fill(&self, values: &VariableValues) -> FilledContent {
        FilledContent {
            header: self.header.as_ref().map(|header| fill_header(header, values)),
            body: fill_text(&self.body, values, |name| VariableName(name.to_owned())),
            footer: self.footer.clone(),
            buttons: self
                .buttons
                .iter()
                .enumerate()
                .map(|(index, button)| fill_button(index, button, values))
                .collect(),
        }
    }
}

impl FilledContent {
    /// The body as plain text, as it is kept in the conversation; an empty slot shows as `{{name}}`.
    #[must_use]
    pub fn body_text(&self) -> String {
        plain_text(&self.body)
    }

    /// The text header as plain text; `None` when the header is no text.
    #[must_use]
    pub fn header_text(&self) -> Option<String> {
        match &self.header {
            Some(FilledHeader::Text(segments)) => Some(plain_text(segments)),
            Some(FilledHeader::Media { .. } | FilledHeader::Location { .. }) | None => None,
        }
    }
}

fn plain_text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(literal) => text.push_str(literal),
            Segment::Slot { value: Some(value), .. } => text.push_str(value),
            Segment::Slot { name, value: None } => {
                text.push_str("{{");
                text.push_str(&name.0);
                text.push_str("}}");
            }
        }
    }
    text
}

fn value_of(values: &VariableValues, name: &VariableName) -> Option<String> {
    values.get(name).filter(|value| !value.trim().is_empty()).cloned()
}

fn fill_text(
    text: &str,
    values: &VariableValues,
    named: impl Fn(&str) -> VariableName,
) -> Vec<Segment> {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => Segment::Literal(literal.to_owned()),
            Piece::Placeholder(placeholder) => {
                let name = named(placeholder);
                let value = value_of(values, &name);
                Segment::Slot { name, value }
            }
        })
        .collect()
}

fn fill_header(header: &TemplateHeader, values: &VariableValues) -> FilledHeader {
    let part = |name: &str| value_of(values, &VariableName(name.to_owned()));
    match header {
        TemplateHeader::Text(text) => {
            FilledHeader::Text(fill_text(text, values, |_| header_name()))
        }
        TemplateHeader::Media(kind) => {
            FilledHeader::Media { kind: *kind, url: value_of(values, &header_name()) }
        }
        TemplateHeader::Location => FilledHeader::Location {
            latitude: part("header_latitude"),
            longitude: part("header_longitude"),
            name: part("header_name"),
            address: part("header_address"),
        },
    }
}

fn fill_button(index: usize, button: &TemplateButton, values: &VariableValues) -> FilledButton {
    let name = button_name(index);
    let (text, target) = match button {
        TemplateButton::Url { text, url } => (text, fill_text(url, values, |_| name.clone())),
        TemplateButton::CopyCode { text } => {
            let value = value_of(values, &name);
            (text, vec![Segment::Slot { name, value }])
        }
        TemplateButton::Phone { text, phone } => (text, vec![Segment::Literal(phone.clone())]),
        TemplateButton::QuickReply { text } | TemplateButton::Other { text } => (text, Vec::new()),
    };
    FilledButton { text: text.clone(), target }
}
