//! The page of conversations and the parts of it that are fetched anew by themselves.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use super::{about::AboutView, list::ListView, row::RowView, thread::ThreadView};
use crate::{error::WebError, form::html, locale::Words, page::Page};

/// The four panes.
#[derive(Template)]
#[template(path = "desk/conversations.html")]
pub struct ConversationsPage {
    /// The words.
    pub t: Words,
    /// The frame.
    pub page: Page,
    /// Which pane a narrow screen shows: `list`, `thread` or `facts`.
    pub pane: &'static str,
    /// The list.
    pub list: ListView,
    /// The open conversation.
    pub open: Option<OpenView>,
    /// What it answers with: 200, or 409 and 422 when a reply was not sent.
    pub status: StatusCode,
}

/// The open conversation with what stands beside it.
pub struct OpenView {
    /// Messages and composer.
    pub thread: ThreadView,
    /// The side panel.
    pub about: AboutView,
}

/// The list, fetched anew.
#[derive(Template)]
#[template(path = "desk/_list.html")]
pub struct ListFragment {
    /// The words.
    pub t: Words,
    /// The frame, for its form token.
    pub page: Page,
    /// The list.
    pub list: ListView,
}

/// One row of the list, fetched anew.
#[derive(Template)]
#[template(path = "desk/_row.html")]
pub struct RowFragment {
    /// The words.
    pub t: Words,
    /// The row.
    pub row: RowView,
}

/// The thread, fetched anew.
#[derive(Template)]
#[template(path = "desk/_thread.html")]
pub struct ThreadFragment {
    /// The words.
    pub t: Words,
    /// The frame, for its form token.
    pub page: Page,
    /// The conversation.
    pub thread: ThreadView,
}

/// The side panel, fetched anew.
#[derive(Template)]
#[template(path = "desk/_about.html")]
pub struct AboutFragment {
    /// The words.
    pub t: Words,
    /// What stands beside the conversation.
    pub about: AboutView,
}

impl ConversationsPage {
    /// Answers with the page.
    pub fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}
