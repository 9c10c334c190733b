//! The fields of step 3 as they are shown, with what is wrong at each.

use std::collections::BTreeMap;

use domain::template::{MessageTemplate, ValueField, Variable, VariableKind, VariableName};

use super::{
    form::{ComposeForm, Focus, Step},
    load::Loaded,
    page::Aftermath,
    words,
};
use crate::{
    form::Problems,
    locale::{Words, isolated},
    moment::Viewer,
};

/// A variable's field.
pub struct VariableField {
    /// The id and name of the field.
    pub field: String,
    /// What `preview.js` fills the slots of.
    pub slot: String,
    pub label: String,
    pub hint: Option<String>,
    pub value: String,
    pub problem: Option<String>,
    /// What is sent as it stands although it may have been meant otherwise.
    pub note: Option<String>,
    /// The file that was found at the address: name, kind and size.
    pub found: Option<String>,
    /// The ids of what is said of it.
    pub described_by: String,
    pub is_media: bool,
    /// Whether it is judged while it is typed: once something was said of it.
    pub is_live: bool,
    /// Whether it gets the focus.
    pub focus: bool,
}

/// A field that a value may hold (AM-13).
pub struct ValueFieldView {
    pub token: String,
    pub name: String,
    pub holds: String,
}

/// What is wrong with the variables, on top, each by the name of its field; empty while the agent is not
/// done yet.
pub fn summary(form: &ComposeForm, loaded: &Loaded, after: &Aftermath, t: Words) -> Problems {
    let mut problems = Problems::default();
    if !after.summarise {
        return problems;
    }
    let Some(template) = loaded.template.as_ref().filter(|_| form.step == Step::Variables) else {
        return problems;
    };
    let told: BTreeMap<&VariableName, &String> =
        after.problems.iter().map(|(name, text)| (name, text)).collect();
    for variable in template.content.variables() {
        if let Some(text) = told.get(&variable.name) {
            let label = words::variable(template, &variable, t);
            let text = t.compose_problem_at(isolated(&label), text);
            problems.add(format!("v_{}", variable.name.0), text);
        }
    }
    problems
}

pub fn variable_fields(
    form: &ComposeForm,
    loaded: &Loaded,
    after: &Aftermath,
    viewer: &Viewer,
) -> Vec<VariableField> {
    let Some(template) = loaded.template.as_ref().filter(|_| form.step == Step::Variables) else {
        return Vec::new();
    };
    let variables = template.content.variables().into_iter().enumerate();
    variables
        .map(|(index, variable)| VariableField {
            focus: index == 0 && form.focus(loaded.has_chosen) == Focus::First,
            ..variable_field(template, variable, (form, loaded, after), viewer)
        })
        .collect()
}

fn variable_field(
    template: &MessageTemplate,
    variable: Variable,
    (form, loaded, after): (&ComposeForm, &Loaded, &Aftermath),
    viewer: &Viewer,
) -> VariableField {
    let t = viewer.words();
    let field = format!("v_{}", variable.name.0);
    let value = form.values.get(&variable.name).cloned().unwrap_or_default();
    let told = after.problems.iter().find(|(name, _)| *name == variable.name);
    let problem = told.map(|(_, problem)| problem.clone());
    let is_media = matches!(variable.kind, VariableKind::Media(_));
    let note = words::field_note(&value, t).filter(|_| problem.is_none() && !is_media);
    let found = loaded.media.get(&variable.name).filter(|_| problem.is_none()).map(|found| {
        let facts = words::file_facts(&found.file, viewer.locale);
        format!("{} · {facts}", isolated(&found.file.name))
    });
    let hint = words::variable_hint(variable.kind, t);
    let said = [
        ("hint", hint.is_some()),
        ("problem", problem.is_some()),
        ("note", note.is_some()),
        ("found", found.is_some()),
    ];
    let said = said.iter().filter(|(_, is_said)| *is_said);
    let described_by: Vec<String> = said.map(|(part, _)| format!("{field}-{part}")).collect();
    VariableField {
        label: words::variable(template, &variable, t),
        is_live: problem.is_some() || note.is_some() || found.is_some(),
        described_by: described_by.join(" "),
        slot: variable.name.0,
        focus: false,
        field,
        hint,
        value,
        problem,
        note,
        found,
        is_media,
    }
}

pub fn value_fields(loaded: &Loaded, t: Words) -> Vec<ValueFieldView> {
    ValueField::ALL
        .into_iter()
        .map(|field| ValueFieldView {
            token: field.token(),
            name: words::field(field, t),
            holds: loaded.fields.get(field).map_or_else(|| t.compose_empty(), str::to_owned),
        })
        .collect()
}
