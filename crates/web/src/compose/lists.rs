//! What step 1 offers: chatbots, numbers, languages and templates.

use std::collections::BTreeSet;

use domain::{phone::PhoneNumber, template::MessageTemplate};

use super::{form::ComposeForm, load::Loaded, words};
use crate::{locale::Words, moment::Viewer};

/// One line of a select.
pub struct Choice {
    pub value: String,
    pub name: String,
    pub chosen: bool,
}

/// A template of step 1.
pub struct TemplateLine {
    pub id: i64,
    pub name: String,
    pub facts: String,
    pub excerpt: String,
    pub chosen: bool,
    /// Why it cannot be picked; `None` for one that can.
    pub why_not: Option<String>,
    pub status: String,
}

pub fn chatbot_choices(loaded: &Loaded) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    loaded
        .numbers
        .iter()
        .filter(|number| seen.insert(number.chatbot.0))
        .map(|number| Choice {
            value: number.chatbot.to_string(),
            name: number.chatbot_name.clone(),
            chosen: loaded.from.as_ref().is_some_and(|from| from.chatbot == number.chatbot),
        })
        .collect()
}

/// The numbers of the chosen chatbot.
pub fn number_choices(loaded: &Loaded) -> Vec<Choice> {
    let Some(from) = &loaded.from else { return Vec::new() };
    loaded
        .numbers
        .iter()
        .filter(|number| number.chatbot == from.chatbot)
        .map(|number| Choice {
            value: number.channel.to_string(),
            name: shown_number(&number.phone),
            chosen: number.channel == from.channel,
        })
        .collect()
}

/// A number as people write it; as the platform gave it when it is none of ours to read.
pub fn shown_number(phone: &str) -> String {
    PhoneNumber::parse(phone).map_or_else(|_| phone.to_owned(), |phone| phone.display())
}

pub fn language_choices(form: &ComposeForm, loaded: &Loaded, t: Words) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        name: t.compose_language_all(),
        chosen: form.language.is_empty(),
    };
    let each = loaded.languages.iter().map(|language| Choice {
        value: language.clone(),
        name: t.template_language(language),
        chosen: form.language == *language,
    });
    std::iter::once(all).chain(each).collect()
}

pub fn template_lines(loaded: &Loaded, viewer: &Viewer) -> Vec<TemplateLine> {
    let t = viewer.words();
    let chosen = loaded.template.as_ref().map(|template| template.id);
    loaded
        .templates
        .iter()
        .map(|template| TemplateLine {
            id: template.id.0,
            name: template.name.clone(),
            facts: template_facts(template, t),
            excerpt: template.content.body.clone(),
            chosen: Some(template.id) == chosen,
            why_not: words::not_approved(template.status, viewer),
            status: words::status(template.status, t),
        })
        .collect()
}

fn template_facts(template: &MessageTemplate, t: Words) -> String {
    let language = t.template_language(&template.language);
    format!("{language} · {}", words::category(template.category, t))
}
