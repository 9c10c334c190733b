//! Fields inside values: `{contact.name}` and its like, filled for each recipient (AM-13).
//!
//! A field is written in single braces, `{contact.name}`, so that it is never taken for a variable of
//! the template, which has two; a field in two, typed by habit, is refused and never half replaced. Braces
//! that do not look like a field are ordinary text.

use super::{VariableName, VariableProblem, VariableProblemCode, VariableValues};

/// What a value may hold besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueField {
    /// `{contact.name}`: the contact's name.
    ContactName,
    /// `{contact.phone}`: the contact's phone number, in international form.
    ContactPhone,
    /// `{contact.protocol}`: the protocol number of the contact's last ticket.
    ContactProtocol,
    /// `{agent.name}`: the name of the agent who sends.
    AgentName,
}

impl ValueField {
    /// Every field.
    pub const ALL: [Self; 4] =
        [Self::ContactName, Self::ContactPhone, Self::ContactProtocol, Self::AgentName];

    /// The field's name, without the braces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactName => "contact.name",
            Self::ContactPhone => "contact.phone",
            Self::ContactProtocol => "contact.protocol",
            Self::AgentName => "agent.name",
        }
    }

    /// The field called `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    /// The field as it is typed into a value, such as `{contact.name}`.
    #[must_use]
    pub fn token(self) -> String {
        format!("{{{}}}", self.as_str())
    }
}

/// What the fields hold for one recipient; a blank text is an empty field.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FieldValues {
    /// The contact's name.
    pub contact_name: Option<String>,
    /// The contact's phone number.
    pub contact_phone: Option<String>,
    /// The protocol number of the contact's last ticket.
    pub contact_protocol: Option<String>,
    /// The name of the agent who sends.
    pub agent_name: Option<String>,
}

impl std::fmt::Debug for FieldValues {
    /// Shows nothing of it, so that no name or number leaks through a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FieldValues").finish_non_exhaustive()
    }
}

impl FieldValues {
    /// What `field` holds; `None` when it is empty.
    #[must_use]
    pub fn get(&self, field: ValueField) -> Option<&str> {
        let held = match field {
            ValueField::ContactName => &self.contact_name,
            ValueField::ContactPhone => &self.contact_phone,
            ValueField::ContactProtocol => &self.contact_protocol,
            ValueField::AgentName => &self.agent_name,
        };
        held.as_deref().filter(|text| !text.trim().is_empty())
    }
}

/// The values for one recipient: every field replaced once by what it holds, which is not read again.
///
/// # Errors
/// Every value with a field that is unknown, or empty for this recipient.
///
/// Rule: AM-13.
pub fn expand_values(
    values: &VariableValues,
    fields: &FieldValues,
) -> Result<VariableValues, Vec<VariableProblem>> {
    let mut expanded = VariableValues::new();
    let mut problems = Vec::new();
    for (name, value) in values {
        match expand(value, fields) {
            Ok(text) => {
                expanded.insert(name.clone(), text);
            }
            Err(code) => problems.push(problem(name, code)),
        }
    }
    if problems.is_empty() { Ok(expanded) } else { Err(problems) }
}

fn problem(name: &VariableName, code: VariableProblemCode) -> VariableProblem {
    VariableProblem { name: name.clone(), code }
}

fn expand(value: &str, fields: &FieldValues) -> Result<String, VariableProblemCode> {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(open) = rest.find('{') {
        expanded.push_str(&rest[..open]);
        let from_brace = &rest[open..];
        if field_name(&from_brace[1..]).is_some() {
            return Err(VariableProblemCode::Placeholder);
        }
        match field_name(from_brace) {
            Some(name) => {
                let field = ValueField::parse(name).ok_or(VariableProblemCode::UnknownField)?;
                expanded.push_str(fields.get(field).ok_or(VariableProblemCode::EmptyField)?);
                rest = &from_brace[name.len() + 2..];
            }
            None => {
                expanded.push('{');
                rest = &from_brace[1..];
            }
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The name in `{word.word}` at the start of `text`; `None` when it does not look like a field.
fn field_name(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let name = &inner[..inner.find('}')?];
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (owner, field) = name.split_once('.')?;
    (is_word(owner) && is_word(field)).then_some(name)
}

/// The longest text in braces that may have been meant as a field.
const LONGEST_MISTAKE: usize = 40;

/// Something in braces that is no field, although it may have been meant as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MistakenField {
    /// As it stands in the value, braces and all.
    pub typed: String,
    /// The field it is but for its spelling; `None` when it is like none.
    pub meant: Option<ValueField>,
}

/// What in `value` was perhaps meant as a field and is none, in order: `{{contact.name}}`,
/// `{ contact.name }`, `{contact.shoe}`, `{name}`. Serves the words at the field; what is refused, and what
/// is sent as it stands, [`expand_values`] and `check_values` decide.
///
/// Rule: AM-13.
#[must_use]
pub fn mistaken_fields(value: &str) -> Vec<MistakenField> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('{') {
        let from_brace = &rest[open..];
        let typed = braced(from_brace);
        found.extend(typed.and_then(mistaken));
        rest = &from_brace[typed.map_or(1, str::len)..];
    }
    found
}

/// The opening braces at the start of `text`, what they hold, and as many that close; `None` when it does
/// not look like a name.
fn braced(text: &str) -> Option<&str> {
    let inner = text.trim_start_matches('{');
    let braces = text.len() - inner.len();
    let (name, after) = inner.split_once('}')?;
    let is_name = name.chars().any(char::is_alphabetic)
        && name.chars().count() <= LONGEST_MISTAKE
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' '));
    let closing = 1 + after.bytes().take(braces - 1).take_while(|byte| *byte == b'}').count();
    is_name.then(|| &text[..braces + name.len() + closing])
}

fn mistaken(typed: &str) -> Option<MistakenField> {
    let name = typed.trim_matches(|c| matches!(c, '{' | '}' | ' ')).to_lowercase();
    let meant = ValueField::parse(&name);
    let is_field = meant.is_some_and(|field| field.token() == typed);
    (!is_field).then(|| MistakenField { typed: typed.to_owned(), meant })
}
