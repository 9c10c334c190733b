//! The list as a page.

use std::collections::BTreeMap;

use askama::Template;
use domain::{active_message::ActiveMessageState, ids::MessageId, phone::PhoneNumber};
use persistence::growth::{SendChoices, SendRow, Sender, TemplateChoice};

use super::{GrowthQuery, PATH, ROWS};
use crate::{
    conversation::StateView,
    locale::{Words, isolated},
    moment::{Moment, Viewer},
    page::{Page, Place},
    session::Session,
    visit::Visit,
};

/// The list as a page.
#[derive(Template)]
#[template(path = "portal/active_messages.html")]
pub struct GrowthPage {
    t: Words,
    page: Page,
    query: GrowthQuery,
    is_filtered: bool,
    agents: Vec<FilterChoice>,
    templates: Vec<TemplateGroup>,
    states: Vec<FilterChoice>,
    /// Empty when there is one only.
    chatbots: Vec<FilterChoice>,
    rows: Vec<RowView>,
    /// Where older sends are; `None` at the end.
    older: Option<String>,
    opens_desk: bool,
}

/// The templates of one chatbot, or of several that share an account.
#[derive(Debug, Clone)]
struct TemplateGroup {
    /// Empty when there is one chatbot only.
    chatbot: String,
    templates: Vec<FilterChoice>,
}

/// One choice of a filter.
#[derive(Debug, Clone)]
struct FilterChoice {
    value: String,
    name: String,
    current: bool,
}

/// One send, display-ready.
#[derive(Debug, Clone)]
pub(super) struct RowView {
    pub path: String,
    pub id: MessageId,
    pub at: Moment,
    pub contact: String,
    pub phone: String,
    pub sender: String,
    pub template: String,
    pub language: String,
    pub number: String,
    pub chatbot: String,
    pub state: StateView,
    /// The class of the state's pill.
    pub pill: &'static str,
}

impl GrowthPage {
    /// `rows` may hold one more than a page shows.
    #[must_use]
    pub fn new(
        visit: &Visit,
        user: &Session,
        query: GrowthQuery,
        mut rows: Vec<SendRow>,
        choices: SendChoices,
    ) -> Self {
        let (t, viewer) = (visit.t(), visit.viewer());
        let has_older = rows.len() > ROWS;
        rows.truncate(ROWS);
        let choice = |value: String, name: String, chosen: &str| FilterChoice {
            current: value == chosen,
            value,
            name,
        };
        let SendChoices { chatbots, agents, templates } = choices;
        let chatbots = if chatbots.len() < 2 { Vec::new() } else { chatbots };
        Self {
            t,
            page: Page::new(visit, user, t.nav_active_messages(), Place::ActiveMessages),
            is_filtered: query.is_filtered(),
            agents: agents
                .into_iter()
                .map(|(id, name)| choice(id.to_string(), name, &query.agent))
                .collect(),
            templates: template_groups(templates, &query.template, !chatbots.is_empty(), t),
            states: ActiveMessageState::ALL
                .into_iter()
                .map(|state| {
                    let word = StateView::of_send(state, None, "", &viewer).text;
                    choice(state.as_str().to_owned(), word, &query.state)
                })
                .collect(),
            chatbots: chatbots
                .into_iter()
                .map(|(id, name)| choice(id.to_string(), name, &query.chatbot))
                .collect(),
            older: rows.last().filter(|_| has_older).map(|last| query.older(last)),
            rows: rows.iter().map(|row| row_view(row, &viewer)).collect(),
            opens_desk: user.actor.opens_desk(),
            query,
        }
    }
}

/// The templates by chatbot, each by its name and its language in the reader's words.
fn template_groups(
    templates: Vec<TemplateChoice>,
    chosen: &str,
    are_several: bool,
    t: Words,
) -> Vec<TemplateGroup> {
    let mut groups: BTreeMap<String, Vec<FilterChoice>> = BTreeMap::new();
    for TemplateChoice { id, name, language, chatbots } in templates {
        let chatbot = if are_several { chatbots.join(", ") } else { String::new() };
        let value = id.to_string();
        groups.entry(chatbot).or_default().push(FilterChoice {
            current: value == chosen,
            value,
            name: format!("{name} ({})", t.template_language(language)),
        });
    }
    groups.into_iter().map(|(chatbot, templates)| TemplateGroup { chatbot, templates }).collect()
}

pub(super) fn row_view(row: &SendRow, viewer: &Viewer) -> RowView {
    let t = viewer.words();
    let state = StateView::of_send(row.state, row.failure_code.as_deref(), &row.chatbot, viewer);
    let pill = match row.state {
        ActiveMessageState::Replied | ActiveMessageState::Read => "good",
        ActiveMessageState::Failed => "bad",
        ActiveMessageState::Expired => "warn",
        ActiveMessageState::Scheduled | ActiveMessageState::Sending => "accent",
        ActiveMessageState::Sent
        | ActiveMessageState::Delivered
        | ActiveMessageState::Cancelled => "",
    };
    let phone = row.phone.as_ref().map(PhoneNumber::display).unwrap_or_default();
    let named = if row.contact.is_empty() { t.desk_no_name() } else { row.contact.clone() };
    RowView {
        path: format!("{PATH}/{}", row.message),
        id: row.message,
        at: viewer.at(row.at),
        contact: named,
        phone,
        sender: match &row.sender {
            Sender::Agent(name) => name.clone(),
            Sender::Token(name) => t.portal_by_token(isolated(name)),
            Sender::Unknown => String::new(),
        },
        template: row.template.clone(),
        language: t.template_language(&row.language),
        number: PhoneNumber::from_e164(&row.number)
            .map_or_else(|_| row.number.clone(), |number| number.display()),
        chatbot: row.chatbot.clone(),
        state,
        pill,
    }
}
