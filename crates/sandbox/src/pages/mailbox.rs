//! The *Mailbox* page: the mails the desk sent, newest first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use askama::Template;
use serde::Deserialize;

use super::moment::Moment;
use super::visit::Visit;
use super::{Frame, html};
use crate::core::Core;
use crate::locale::Words;
use crate::mailbox::Mail;

/// A mail's HTML may style itself and show pictures it carries, nothing else.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

#[derive(Template)]
#[template(path = "sandbox/mailbox.html")]
struct MailboxPage {
    t: Words,
    frame: Frame,
    mails: Vec<Line>,
    open: Option<Open>,
    /// Whether one was asked for that there is not.
    is_missing: bool,
    /// Whether one was asked for by its address: a narrow page then shows that alone.
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "sandbox/_mails.html")]
struct MailsFragment {
    t: Words,
    mails: Vec<Line>,
}

#[derive(Debug, Default, Deserialize)]
struct MailsQuery {
    /// The open mail.
    selected: Option<u64>,
}

/// A mail in the list.
struct Line {
    id: u64,
    subject: String,
    to: String,
    at: Moment,
    is_open: bool,
}

/// The mail that is read.
struct Open {
    id: u64,
    subject: String,
    from: String,
    to: String,
    at: Moment,
    text: String,
    has_html: bool,
    attachments: usize,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("", web::get().to(show_newest))
        .route("/_list", web::get().to(show_list))
        .route("/{id}", web::get().to(show_mail))
        .route("/{id}/html", web::get().to(show_html));
}

async fn show_newest(core: Data<Core>, visit: Visit) -> HttpResponse {
    let newest = core.act(|state, _| state.mailbox.newest_first().next().map(|mail| mail.id));
    MailboxPage::new(&core, &visit, newest, "/mailbox".to_owned()).respond()
}

async fn show_mail(core: Data<Core>, visit: Visit, id: Path<u64>) -> HttpResponse {
    let mut page = MailboxPage::new(&core, &visit, Some(*id), format!("/mailbox/{id}"));
    page.is_chosen = true;
    page.respond()
}

async fn show_list(core: Data<Core>, visit: Visit, query: Query<MailsQuery>) -> HttpResponse {
    let mails = lines(&core, query.selected, &visit);
    html(StatusCode::OK, &MailsFragment { t: visit.t(), mails })
}

async fn show_html(core: Data<Core>, id: Path<u64>) -> HttpResponse {
    let found = core.act(|state, _| state.mailbox.find(*id).and_then(|mail| mail.html.clone()));
    match found {
        Some(text) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Security-Policy", MAIL_POLICY))
            .body(text),
        None => HttpResponse::NotFound().finish(),
    }
}

impl MailboxPage {
    fn new(core: &Core, visit: &Visit, id: Option<u64>, path: String) -> Self {
        let t = visit.t();
        let found = |id| core.act(|state, _| state.mailbox.find(id).map(|mail| open(mail, visit)));
        let open = id.and_then(found);
        let title = open.as_ref().map_or_else(|| t.sandbox_mailbox(), |mail| mail.subject.clone());
        Self {
            t,
            frame: Frame::new(visit, core, title, path, false),
            mails: lines(core, id, visit),
            is_missing: id.is_some() && open.is_none(),
            is_chosen: false,
            open,
        }
    }

    fn respond(&self) -> HttpResponse {
        html(if self.is_missing { StatusCode::NOT_FOUND } else { StatusCode::OK }, self)
    }
}

fn lines(core: &Core, open: Option<u64>, visit: &Visit) -> Vec<Line> {
    let line = |mail: &Mail| Line {
        id: mail.id,
        subject: subject(mail, visit),
        to: mail.to.join(", "),
        at: visit.clock.brief(mail.at),
        is_open: open == Some(mail.id),
    };
    core.act(|state, _| state.mailbox.newest_first().map(line).collect())
}

fn open(mail: &Mail, visit: &Visit) -> Open {
    Open {
        id: mail.id,
        subject: subject(mail, visit),
        from: mail.from.clone(),
        to: mail.to.join(", "),
        at: visit.clock.full(mail.at),
        text: mail.text.clone(),
        has_html: mail.html.is_some(),
        attachments: mail.attachments,
    }
}

fn subject(mail: &Mail, visit: &Visit) -> String {
    if mail.subject.is_empty() { visit.t().sandbox_no_subject() } else { mail.subject.clone() }
}
