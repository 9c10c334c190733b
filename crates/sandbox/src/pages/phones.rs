//! The *Phones* page: a list of customers, the chat of one, and what the customer does.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::view::{self, Business, Chat, List};
use super::visit::Visit;
use super::{Frame, html, see_other, wants_outcome};
use crate::core::Core;
use crate::locale::Words;
use crate::phone;
use crate::state::{Refusal, State, Tap};

#[derive(Template)]
#[template(path = "sandbox/phones.html")]
struct PhonesPage {
    t: Words,
    frame: Frame,
    list: List,
    chat: Option<Chat>,
    /// The number of a phone there is not.
    unknown: Option<String>,
    new: NewView,
    /// Why the last act was impossible.
    problem: Option<String>,
}

/// The form by which a new customer writes first.
struct NewView {
    businesses: Vec<Business>,
    is_open: bool,
    phone: String,
    text: String,
    to: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "sandbox/_list.html")]
struct ListFragment {
    t: Words,
    list: List,
}

#[derive(Template)]
#[template(path = "sandbox/_chat.html")]
struct ChatFragment {
    t: Words,
    chat: Chat,
}

#[derive(Template)]
#[template(path = "sandbox/_unknown.html")]
struct UnknownFragment {
    t: Words,
    phone: String,
}

#[derive(Debug, Default, Deserialize)]
struct PhonesQuery {
    #[serde(default)]
    q: String,
    /// The open chat, for the list alone.
    selected: Option<String>,
    /// The business number of the chat.
    with: Option<String>,
    /// The number of a customer who is to write first.
    new: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReplyForm {
    text: String,
    #[serde(default)]
    to: String,
}

#[derive(Debug, Default, Deserialize)]
struct NewForm {
    phone: String,
    text: String,
    #[serde(default)]
    to: String,
}

#[derive(Debug, Deserialize)]
struct TapForm {
    message: String,
    button: usize,
    #[serde(default)]
    with: String,
}

#[derive(Debug, Deserialize)]
struct FileForm {
    /// The kind of message; the file is the sample that goes with it.
    kind: String,
    #[serde(default)]
    to: String,
}

#[derive(Debug, Deserialize)]
struct ActForm {
    #[serde(default)]
    with: String,
}

/// What a customer does with one click.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Read,
    Block,
    Unblock,
    Report,
    Stop,
    Resume,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("", web::get().to(show_phones))
        .route("/_list", web::get().to(show_list))
        .route("/new", web::post().to(submit_new))
        .route("/{id}", web::get().to(show_phone))
        .route("/{id}/_chat", web::get().to(show_chat))
        .route("/{id}/reply", web::post().to(submit_reply))
        .route("/{id}/tap", web::post().to(submit_tap))
        .route("/{id}/file", web::post().to(submit_file))
        .route("/{id}/{act}", web::post().to(submit_act));
}

async fn show_phones(core: Data<Core>, visit: Visit, query: Query<PhonesQuery>) -> HttpResponse {
    let mut page = PhonesPage::new(&core, &visit, &query.q, None);
    if let Some(phone) = &query.new {
        page.new.is_open = true;
        page.new.phone.clone_from(phone);
    }
    html(StatusCode::OK, &page)
}

async fn show_phone(
    core: Data<Core>,
    visit: Visit,
    id: Path<String>,
    query: Query<PhonesQuery>,
) -> HttpResponse {
    let at = (id.as_str(), query.with.as_deref());
    let page = PhonesPage::new(&core, &visit, &query.q, Some(at));
    let status = if page.chat.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    html(status, &page)
}

async fn show_list(core: Data<Core>, visit: Visit, query: Query<PhonesQuery>) -> HttpResponse {
    let list =
        core.act(|state, _| view::list(state, &query.q, query.selected.as_deref(), &visit.clock));
    html(StatusCode::OK, &ListFragment { t: visit.t(), list })
}

async fn show_chat(
    core: Data<Core>,
    visit: Visit,
    id: Path<String>,
    query: Query<PhonesQuery>,
) -> HttpResponse {
    let t = visit.t();
    match core.act(|state, _| view::chat(state, &id, query.with.as_deref(), &visit.clock)) {
        Some(chat) => html(StatusCode::OK, &ChatFragment { t, chat }),
        None => html(StatusCode::NOT_FOUND, &UnknownFragment { t, phone: phone::display(&id) }),
    }
}

async fn submit_reply(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
    form: Form<ReplyForm>,
) -> HttpResponse {
    let to = chosen(&form.to);
    outcome((&core, &visit, &request), (&id, to), |state, now_ms| {
        state.reply(&id, &form.text, (to, None), now_ms).map(drop)
    })
}

async fn submit_new(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    form: Form<NewForm>,
) -> HttpResponse {
    let id: String = form.phone.chars().filter(char::is_ascii_digit).collect();
    let to = chosen(&form.to);
    let done = core.act(|state, now_ms| state.reply(&id, &form.text, (to, None), now_ms));
    let sentence = match done {
        Ok(_) => {
            let chat = path_of(&id, to);
            if !wants_outcome(&request) {
                return see_other(&chat);
            }
            // The script follows this header to the new chat.
            return HttpResponse::NoContent().insert_header(("X-Location", chat)).finish();
        }
        Err(refusal) => sentence(&refusal, visit.t()),
    };
    if wants_outcome(&request) {
        return HttpResponse::UnprocessableEntity().body(sentence);
    }
    let mut page = PhonesPage::new(&core, &visit, "", None);
    let NewForm { phone, text, to } = form.into_inner();
    page.new = NewView { is_open: true, phone, text, to, problem: Some(sentence), ..page.new };
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn submit_tap(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
    form: Form<TapForm>,
) -> HttpResponse {
    outcome((&core, &visit, &request), (&id, chosen(&form.with)), |state, now_ms| {
        state.tap(&id, Some(&form.message), &Tap::Place(form.button), now_ms).map(drop)
    })
}

async fn submit_file(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
    form: Form<FileForm>,
) -> HttpResponse {
    let to = chosen(&form.to);
    outcome((&core, &visit, &request), (&id, to), |state, now_ms| {
        state.customer_sends_sample(&id, &form.kind, to, now_ms).map(drop)
    })
}

async fn submit_act(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    path: Path<(String, Act)>,
    form: Form<ActForm>,
) -> HttpResponse {
    let (id, act) = path.into_inner();
    let with = chosen(&form.with);
    outcome((&core, &visit, &request), (&id, with), |state, now_ms| match act {
        Act::Read => state.read(&id, now_ms).map(drop),
        Act::Block => state.block(&id, true),
        Act::Unblock => state.block(&id, false),
        Act::Report => state.report(&id),
        Act::Stop => state.set_marketing(&id, true, with, now_ms),
        Act::Resume => state.set_marketing(&id, false, with, now_ms),
    })
}

/// Carries out what the customer does, and shows the chat again or tells the page's script.
fn outcome(
    (core, visit, request): (&Core, &Visit, &HttpRequest),
    (id, with): (&str, Option<&str>),
    act: impl FnOnce(&mut State, i64) -> Result<(), Refusal>,
) -> HttpResponse {
    let refusal = match core.act(act) {
        Ok(()) if wants_outcome(request) => return HttpResponse::NoContent().finish(),
        Ok(()) => return see_other(&path_of(id, with)),
        Err(refusal) => refusal,
    };
    let sentence = sentence(&refusal, visit.t());
    if wants_outcome(request) {
        return HttpResponse::Conflict().body(sentence);
    }
    let mut page = PhonesPage::new(core, visit, "", Some((id, with)));
    page.problem = Some(sentence);
    html(StatusCode::CONFLICT, &page)
}

impl PhonesPage {
    /// The list with `query`, and the chat `at` a phone and perhaps a business number.
    fn new(core: &Core, visit: &Visit, query: &str, at: Option<(&str, Option<&str>)>) -> Self {
        let (t, clock) = (visit.t(), &visit.clock);
        let id = at.map(|(id, _)| id);
        let path = at.map_or_else(|| "/phones".to_owned(), |(id, with)| path_of(id, with));
        let (list, chat, businesses) = core.act(|state, _| {
            let chat = at.and_then(|(id, with)| view::chat(state, id, with, clock));
            (view::list(state, query, id, clock), chat, view::businesses(state, None))
        });
        let title = chat.as_ref().map_or_else(|| t.sandbox_phones(), |chat| chat.name.clone());
        Self {
            t,
            frame: Frame::new(visit, core, title, path, true),
            list,
            unknown: id.filter(|_| chat.is_none()).map(phone::display),
            chat,
            new: NewView {
                businesses,
                is_open: false,
                phone: String::new(),
                text: String::new(),
                to: String::new(),
                problem: None,
            },
            problem: None,
        }
    }
}

/// The page of a chat; `with` the business it is with.
fn path_of(id: &str, with: Option<&str>) -> String {
    let Some(with) = with else { return format!("/phones/{id}") };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/phones/{id}?{}", query.append_pair("with", with).finish())
}

/// A field that was left empty chooses nothing.
fn chosen(field: &str) -> Option<&str> {
    Some(field).filter(|field| !field.is_empty())
}

/// A refusal as a person reads it.
fn sentence(refusal: &Refusal, t: Words) -> String {
    match refusal {
        Refusal::Blocked => t.sandbox_refused_blocked(),
        Refusal::Text | Refusal::Content(_) => t.sandbox_refused_text(),
        Refusal::PhoneId => t.sandbox_refused_phone(),
        Refusal::UnknownPhone(_) => t.sandbox_refused_unknown_phone(),
        Refusal::UnknownNumber(_) => t.sandbox_refused_unknown_number(),
        Refusal::UnknownMessage | Refusal::UnknownButton => t.sandbox_refused_message(),
        Refusal::NotAReply => t.sandbox_refused_button(),
    }
}
