//! The *Mailbox* page: the mails the desk sent, newest first.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;

use super::{Frame, html};
use crate::clock::instant;
use crate::core::Core;
use crate::mailbox::Mail;

/// A mail's HTML may style itself and show pictures it carries, nothing else.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

#[derive(Template)]
#[template(path = "sandbox/mailbox.html")]
struct MailboxPage {
    frame: Frame,
    mails: Vec<Line>,
    open: Option<Open>,
}

#[derive(Template)]
#[template(path = "sandbox/_mails.html")]
struct MailsFragment {
    mails: Vec<Line>,
}

/// A mail in the list.
struct Line {
    id: u64,
    subject: String,
    to: String,
    at: String,
    is_open: bool,
}

/// The mail that is read.
struct Open {
    id: u64,
    subject: String,
    from: String,
    to: String,
    at: String,
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

async fn show_newest(core: Data<Core>) -> HttpResponse {
    let newest = core.act(|state, _| state.mailbox.newest_first().next().map(|mail| mail.id));
    page(&core, newest, "/mailbox".to_owned())
}

async fn show_mail(core: Data<Core>, id: Path<u64>) -> HttpResponse {
    let path = format!("/mailbox/{id}");
    page(&core, Some(*id), path)
}

async fn show_list(core: Data<Core>) -> HttpResponse {
    html(200, &MailsFragment { mails: lines(&core, None) })
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

fn page(core: &Core, id: Option<u64>, path: String) -> HttpResponse {
    let open = core.act(|state, _| id.and_then(|id| state.mailbox.find(id)).map(open));
    let is_missing = id.is_some() && open.is_none();
    let frame =
        Frame { title: "Mailbox", now: instant(core.clock.now_ms()), path, on_phones: false };
    let page = MailboxPage { frame, mails: lines(core, id), open };
    html(if is_missing { 404 } else { 200 }, &page)
}

fn lines(core: &Core, open: Option<u64>) -> Vec<Line> {
    let line = |mail: &Mail| Line {
        id: mail.id,
        subject: mail.subject.clone(),
        to: mail.to.join(", "),
        at: instant(mail.at),
        is_open: open == Some(mail.id),
    };
    core.act(|state, _| state.mailbox.newest_first().map(line).collect())
}

fn open(mail: &Mail) -> Open {
    Open {
        id: mail.id,
        subject: mail.subject.clone(),
        from: mail.from.clone(),
        to: mail.to.join(", "),
        at: instant(mail.at),
        text: mail.text.clone(),
        has_html: mail.html.is_some(),
        attachments: mail.attachments,
    }
}
