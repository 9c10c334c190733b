//! The form by which a file is sent, fresh or with what was typed.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use domain::ids::MessageId;
use persistence::{conversation::Thread, media::UnsentFile};

use crate::{
    compose::new_key,
    conversation::{
        answering::{AnsweredView, answered},
        list::shown_name,
        with_unread,
    },
    desk::Desk,
    error::WebError,
    form::{Problems, html},
    locale::{Words, isolated},
    media::size_words,
    page::{Page, Place},
    session::Session,
    visit::Visit,
};

/// What may be chosen, for the browser's own dialog; the server judges by the bytes.
const ACCEPTS: &str = ".jpg,.jpeg,.png,.webp,.mp4,.3gp,.mp3,.m4a,.aac,.amr,.ogg,.opus,.pdf,.doc,.docx,.xls,.xlsx,.ppt,.pptx,.txt,.csv";

/// What was typed and chosen; empty for a fresh form.
#[derive(Clone, Default)]
pub(super) struct Attached {
    /// Makes a double click one message; a fresh one is made where it is empty.
    pub key: String,
    /// As typed.
    pub caption: String,
    /// As typed.
    pub link: String,
    /// A file that is here already.
    pub kept: Option<UnsentFile>,
    /// The message it answers.
    pub quote: Option<MessageId>,
}

/// The form.
#[derive(Template)]
#[template(path = "desk/attach.html")]
pub(super) struct AttachPage {
    t: Words,
    page: Page,
    /// The conversation's address.
    path: String,
    title: String,
    ticket: String,
    key: String,
    caption: String,
    link: String,
    kept: Option<KeptView>,
    /// The message it answers.
    answers: Option<AnsweredView>,
    accepts: &'static str,
    problems: Problems,
    status: StatusCode,
}

/// A file that is here already.
struct KeptView {
    id: String,
    /// Its name and size, and that another one would replace it.
    text: String,
}

impl AttachPage {
    pub(super) async fn new(
        desk: &Desk,
        visit: &Visit,
        agent: &Session,
        thread: &Thread,
        attached: Attached,
    ) -> Result<Self, WebError> {
        let t = visit.t();
        let name = shown_name(&thread.name, thread.phone.as_ref(), t);
        let title = t.file_title(isolated(&name));
        let page = Page::new(visit, agent, title.clone(), Place::Conversations);
        let page = with_unread(desk, agent, page).await?;
        let Attached { key, caption, link, kept, quote } = attached;
        let path = format!("/desk/conversations/{}", thread.conversation);
        let reader = agent.actor.id();
        let answers = answered(quote, thread, reader, (&path, ""), &visit.viewer());
        let ticket = thread.ticket.as_ref().map(|ticket| ticket.id.to_string());
        Ok(Self {
            t,
            page,
            path,
            title,
            ticket: ticket.unwrap_or_default(),
            key: if key.is_empty() { new_key()? } else { key },
            caption,
            link,
            kept: kept.map(|file| KeptView {
                id: file.id.to_string(),
                text: t.file_kept(isolated(&file.name), size_words(file.size, t)),
            }),
            answers,
            accepts: ACCEPTS,
            problems: Problems::default(),
            status: StatusCode::OK,
        })
    }

    /// The same form with what stands against it.
    pub(super) fn correct(&mut self, status: StatusCode, (field, text): (&'static str, String)) {
        self.status = status;
        self.problems.add(field, text);
        self.page.has_problems = true;
    }

    pub(super) fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}
