//! The variables of a template, and what may be wrong with their values (AM-06 to AM-08).

use super::{
    MediaKind, TemplateButton, TemplateContent, TemplateHeader, VariableName, VariableValues,
    placeholder::{Piece, pieces},
};

/// The most characters of a header's text, variables filled.
const HEADER_LENGTH: usize = 60;
/// The most characters of a body, variables filled.
const BODY_LENGTH: usize = 1_024;
/// The most characters of a button's address, variable filled.
const URL_LENGTH: usize = 2_000;
/// The most characters of a code to copy.
const COUPON_LENGTH: usize = 20;
/// The most characters of a place's name or address, and of a media file's address.
const LONG_TEXT_LENGTH: usize = 2_000;
/// The most spaces in a row that the platform takes.
const SPACES_IN_A_ROW: usize = 4;

/// One variable of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// As the API names it.
    pub name: VariableName,
    /// Where it stands.
    pub role: VariableRole,
    /// What its value must be.
    pub kind: VariableKind,
    /// The most characters its value may have, the text around it taken off; variables of the same
    /// text share what is left.
    pub max_length: usize,
}

/// Where in the template a variable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableRole {
    /// In the header.
    Header,
    /// In the body.
    Body,
    /// In a button, by its position from 0.
    Button(usize),
}

/// What a variable's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableKind {
    /// Free text.
    Text,
    /// The URL of a file of this kind (AM-07). What is there is judged by `Channel::inspect_media`.
    Media(MediaKind),
    /// The end of a button's address.
    UrlSuffix,
    /// A code that the button copies.
    CouponCode,
    /// A decimal number from -90 to 90.
    Latitude,
    /// A decimal number from -180 to 180.
    Longitude,
}

/// Something wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableProblem {
    /// The variable it is about.
    pub name: VariableName,
    /// What is wrong.
    pub code: VariableProblemCode,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableProblemCode {
    /// No value, or nothing but space.
    Missing,
    /// The template has no such variable.
    UnknownVariable,
    /// The value alone, or the text it stands in, is too long.
    TooLong {
        /// The most characters the value may have as things stand.
        most: usize,
    },
    /// It holds a line break; the platform refuses it.
    Newline,
    /// It holds a tab; the platform refuses it.
    Tab,
    /// It holds more than four spaces in a row; the platform refuses it.
    TooManySpaces,
    /// It holds another control character, which no phone shows.
    ControlCharacter,
    /// It holds `{{`, as if it were a template itself; values are never expanded again.
    Placeholder,
    /// It names a field that does not exist, such as `{contact.shoe}` (AM-13).
    UnknownField,
    /// It names a field that is empty for this recipient (AM-13).
    EmptyField,
    /// It is not an `http` or `https` address.
    NotAUrl,
    /// What is at the address is not of the kind asked for, or cannot be had (AM-07).
    MediaRefused,
    /// It is not a number within the bounds of a coordinate.
    NotACoordinate,
}

impl VariableProblemCode {
    /// The word it is exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownVariable => "unknown_variable",
            Self::TooLong { .. } => "too_long",
            Self::Newline => "newline",
            Self::Tab => "tab",
            Self::TooManySpaces => "too_many_spaces",
            Self::ControlCharacter => "control_character",
            Self::Placeholder => "placeholder",
            Self::UnknownField => "unknown_field",
            Self::EmptyField => "empty_field",
            Self::NotAUrl => "not_a_url",
            Self::MediaRefused => "media_refused",
            Self::NotACoordinate => "not_a_coordinate",
        }
    }
}

impl TemplateContent {
    /// The variables to fill, each name once: header, body in the order of first appearance, buttons.
    ///
    /// A named body variable called `header` or `button_0` shares its value with the header or button
    /// of that name.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let mut variables = self.header.as_ref().map(header_variables).unwrap_or_default();
        let body_room = BODY_LENGTH.saturating_sub(literal_length(&self.body));
        variables.extend(placeholders(&self.body).map(|name| Variable {
            name: VariableName(name.to_owned()),
            role: VariableRole::Body,
            kind: VariableKind::Text,
            max_length: body_room,
        }));
        let buttons = self.buttons.iter().enumerate();
        variables.extend(buttons.filter_map(|(index, button)| button_variable(index, button)));
        let mut seen = std::collections::BTreeSet::new();
        variables.retain(|variable| seen.insert(variable.name.clone()));
        variables
    }
}

/// The name of the variable of the button at `index`.
pub(super) fn button_name(index: usize) -> VariableName {
    VariableName(format!("button_{index}"))
}

/// The name of the one variable of a text or media header.
pub(super) fn header_name() -> VariableName {
    VariableName("header".to_owned())
}

fn header_variables(header: &TemplateHeader) -> Vec<Variable> {
    let variable = |name: VariableName, kind, max_length| Variable {
        name,
        role: VariableRole::Header,
        kind,
        max_length,
    };
    match header {
        TemplateHeader::Text(text) => {
            let room = HEADER_LENGTH.saturating_sub(literal_length(text));
            let has_placeholder = placeholders(text).next().is_some();
            has_placeholder
                .then(|| variable(header_name(), VariableKind::Text, room))
                .into_iter()
                .collect()
        }
        TemplateHeader::Media(kind) => {
            vec![variable(header_name(), VariableKind::Media(*kind), LONG_TEXT_LENGTH)]
        }
        TemplateHeader::Location => [
            ("header_latitude", VariableKind::Latitude),
            ("header_longitude", VariableKind::Longitude),
            ("header_name", VariableKind::Text),
            ("header_address", VariableKind::Text),
        ]
        .into_iter()
        .map(|(name, kind)| variable(VariableName(name.to_owned()), kind, LONG_TEXT_LENGTH))
        .collect(),
    }
}

fn button_variable(index: usize, button: &TemplateButton) -> Option<Variable> {
    let (kind, max_length) = match button {
        TemplateButton::Url { url, .. } => {
            placeholders(url).next()?;
            (VariableKind::UrlSuffix, URL_LENGTH.saturating_sub(literal_length(url)))
        }
        TemplateButton::CopyCode { .. } => (VariableKind::CouponCode, COUPON_LENGTH),
        TemplateButton::QuickReply { .. }
        | TemplateButton::Phone { .. }
        | TemplateButton::Other { .. } => return None,
    };
    Some(Variable { name: button_name(index), role: VariableRole::Button(index), kind, max_length })
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Placeholder(name) => Some(name),
        Piece::Literal(_) => None,
    })
}

fn literal_length(text: &str) -> usize {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => literal.chars().count(),
            Piece::Placeholder(_) => 0,
        })
        .sum()
}

/// Every problem of `values`, fields already expanded, in the order of the template's variables; values
/// for variables it does not have come last.
///
/// Media are judged by form alone; what is at the address is the channel's to say.
///
/// Rules: AM-06 to AM-08.
#[must_use]
pub fn check_values(content: &TemplateContent, values: &VariableValues) -> Vec<VariableProblem> {
    let variables = content.variables();
    let mut problems: Vec<VariableProblem> = variables
        .iter()
        .filter_map(|variable| {
            let value = values.get(&variable.name).map_or("", String::as_str);
            let code = check_value(variable, value)?;
            Some(VariableProblem { name: variable.name.clone(), code })
        })
        .collect();
    if problems.is_empty() {
        problems.extend(overlong_body(content, values));
    }
    let is_known = |name: &VariableName| variables.iter().any(|variable| variable.name == *name);
    problems.extend(values.keys().filter(|name| !is_known(name)).map(|name| VariableProblem {
        name: name.clone(),
        code: VariableProblemCode::UnknownVariable,
    }));
    problems
}

/// What is wrong with one value on its own; the first that applies.
fn check_value(variable: &Variable, value: &str) -> Option<VariableProblemCode> {
    if value.trim().is_empty() {
        return Some(VariableProblemCode::Missing);
    }
    if let Some(code) = refused_characters(value) {
        return Some(code);
    }
    if variable.max_length < value.chars().count() {
        return Some(VariableProblemCode::TooLong { most: variable.max_length });
    }
    let within = |bound: f64| {
        value.trim().parse::<f64>().is_ok_and(|number| -bound <= number && number <= bound)
    };
    match variable.kind {
        VariableKind::Text | VariableKind::UrlSuffix | VariableKind::CouponCode => None,
        VariableKind::Media(_) => (!is_web_address(value)).then_some(VariableProblemCode::NotAUrl),
        VariableKind::Latitude => (!within(90.0)).then_some(VariableProblemCode::NotACoordinate),
        VariableKind::Longitude => (!within(180.0)).then_some(VariableProblemCode::NotACoordinate),
    }
}

fn refused_characters(value: &str) -> Option<VariableProblemCode> {
    let is_newline =
        |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    if value.contains("{{") {
        return Some(VariableProblemCode::Placeholder);
    }
    if value.contains(is_newline) {
        return Some(VariableProblemCode::Newline);
    }
    if value.contains('\t') {
        return Some(VariableProblemCode::Tab);
    }
    if value.contains(char::is_control) {
        return Some(VariableProblemCode::ControlCharacter);
    }
    let too_many = " ".repeat(SPACES_IN_A_ROW + 1);
    value.contains(&too_many).then_some(VariableProblemCode::TooManySpaces)
}

fn is_web_address(value: &str) -> bool {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !value.contains(char::is_whitespace)
}

/// The longest value of a body that is too long with all of them filled.
fn overlong_body(content: &TemplateContent, values: &VariableValues) -> Option<VariableProblem> {
    let value_of = |name: &str| {
        let name = VariableName(name.to_owned());
        values.get(&name).map_or(0, |value| value.chars().count())
    };
    let filled: usize =
        literal_length(&content.body) + placeholders(&content.body).map(value_of).sum::<usize>();
    let surplus = filled.checked_sub(BODY_LENGTH).filter(|surplus| 0 < *surplus)?;
    let longest = placeholders(&content.body).max_by_key(|name| value_of(name))?;
    let uses = placeholders(&content.body).filter(|name| *name == longest).count();
    let most = value_of(longest).saturating_sub(surplus.div_ceil(uses));
    Some(VariableProblem {
        name: VariableName(longest.to_owned()),
        code: VariableProblemCode::TooLong { most },
    })
}
