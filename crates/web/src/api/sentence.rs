//! Words for people in a JSON answer.

use serde::Serialize;

use crate::locale::Words;

/// Words for people in a JSON answer.
///
/// Invariant: without the marks by which a page closes off the writing direction of a name (C22). Who reads
/// JSON prints or compares it, and would meet them as characters nobody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sentence(String);

impl Sentence {
    /// Each problem after the field it stands at: `to.phone: Digits are missing. Type the whole number.`
    pub fn of_fields<'a>(
        fields: impl IntoIterator<Item = (&'a String, &'a Self)>,
        t: Words,
    ) -> Self {
        let told = fields.into_iter().map(|(path, Self(problem))| {
            let problem = problem.trim_end_matches('.');
            if path.is_empty() {
                format!("{problem}.")
            } else {
                format!("{}.", t.compose_problem_at(path, problem))
            }
        });
        Self::from(told.collect::<Vec<_>>().join(" "))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sentence {
    fn from(words: String) -> Self {
        let is_mark = |character| matches!(character, '\u{2066}'..='\u{2069}');
        Self(if words.contains(is_mark) { words.replace(is_mark, "") } else { words })
    }
}
