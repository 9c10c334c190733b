//! The fields of step 3 as they are shown, with what is wrong at each.

use std::collections::BTreeMap;

use domain::template::{ValueField, VariableKind, VariableName};

use super::{
    form::{ComposeForm, Step},
    load::Loaded,
    page::Aftermath,
    words,
};
use crate::{
    form::Problems,
    locale::{Words, isolated},
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
    pub is_media: bool,
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
    t: Words,
) -> Vec<VariableField> {
    let Some(template) = loaded.template.as_ref().filter(|_| form.step == Step::Variables) else {
        return Vec::new();
    };
    template
        .content
        .variables()
        .into_iter()
        .map(|variable| {
            let field = format!("v_{}", variable.name.0);
            let told = after.problems.iter().find(|(name, _)| *name == variable.name);
            VariableField {
                label: words::variable(template, &variable, t),
                hint: words::variable_hint(variable.kind, t),
                value: form.values.get(&variable.name).cloned().unwrap_or_default(),
                problem: told.map(|(_, problem)| problem.clone()),
                is_media: matches!(variable.kind, VariableKind::Media(_)),
                slot: variable.name.0,
                field,
            }
        })
        .collect()
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
