//! The list as a page.

use std::fmt::Display;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use domain::{active_message::ActiveMessageState, ids::MessageId, phone::PhoneNumber};
use persistence::growth::{SendChoices, SendRow, Sender};

use super::{GrowthQuery, ROWS};
use crate::{
    conversation::StateView,
    error::WebError,
    form::{Problems, html},
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
    templates: Vec<FilterChoice>,
    states: Vec<FilterChoice>,
    /// Empty when there is one only.
    chatbots: Vec<FilterChoice>,
    problems: Problems,
    rows: Vec<RowView>,
    /// Where older sends are; `None` at the end.
    older: Option<String>,
    opens_desk: bool,
    status: StatusCode,
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
    /// `rows` may hold one more than a page shows; in their place may stand what is wrong with the filters.
    #[must_use]
    pub fn new(
        visit: &Visit,
        user: &Session,
        query: GrowthQuery,
        rows: Result<Vec<SendRow>, Problems>,
        choices: SendChoices,
    ) -> Self {
        let (t, viewer) = (visit.t(), visit.viewer());
        let page = Page::new(visit, user, t.nav_active_messages(), Place::ActiveMessages);
        let (page, mut rows, problems, status) = match rows {
            Ok(rows) => (page, rows, Problems::default(), StatusCode::OK),
            Err(problems) => {
                (page.with_problems(), Vec::new(), problems, StatusCode::UNPROCESSABLE_ENTITY)
            }
        };
        let has_older = rows.len() > ROWS;
        rows.truncate(ROWS);
        let SendChoices { chatbots, agents, templates } = choices;
        let chatbots = match filter(named(chatbots), &query.chatbot) {
            choices if choices.len() < 2 => Vec::new(),
            choices => choices,
        };
        let states = ActiveMessageState::ALL.into_iter().map(|state| {
            let word = StateView::of_send(state, None, "", &viewer).text;
            (state.as_str().to_owned(), word)
        });
        Self {
            t,
            page,
            problems,
            status,
            is_filtered: query.is_filtered(),
            agents: filter(named(agents), &query.agent),
            templates: filter(
                templates.into_iter().map(|name| (name.clone(), name)),
                &query.template,
            ),
            states: filter(states, &query.state),
            chatbots,
            older: rows.last().filter(|_| has_older).map(|last| query.older(last)),
            rows: rows.iter().map(|row| row_view(row, &query, &viewer)).collect(),
            opens_desk: user.actor.opens_desk(),
            query,
        }
    }

    pub(super) fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}

/// Choices by their ids.
fn named<I: Display>(choices: Vec<(I, String)>) -> impl Iterator<Item = (String, String)> {
    choices.into_iter().map(|(id, name)| (id.to_string(), name))
}

/// The choices of a filter. What was asked for stands among them also when there is no such choice, so that
/// it is seen and can be changed.
fn filter(choices: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<FilterChoice> {
    let mut choices: Vec<FilterChoice> = choices
        .map(|(value, name)| FilterChoice { current: value == chosen, value, name })
        .collect();
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.current) {
        let chosen = chosen.to_owned();
        choices.push(FilterChoice { current: true, value: chosen.clone(), name: chosen });
    }
    choices
}

/// `row` as the viewer sees it in the list of `query`.
pub(super) fn row_view(row: &SendRow, query: &GrowthQuery, viewer: &Viewer) -> RowView {
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
        path: query.of_send(row.message),
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
