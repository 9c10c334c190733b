//! The *Phones* page: a list of customers, the chat of one, and what the customer does.

use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::view::{self, Chat, List, NumberChoice};
use super::{Frame, html, see_other, wants_outcome};
use crate::clock::instant;
use crate::core::Core;
use crate::state::{Refusal, State, Tap};

#[derive(Template)]
#[template(path = "sandbox/phones.html")]
struct PhonesPage {
    frame: Frame,
    list: List,
    chat: Option<Chat>,
    /// Whom a new customer may write to.
    numbers: Vec<NumberChoice>,
    /// Why the last act was impossible.
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "sandbox/_list.html")]
struct ListFragment {
    list: List,
}

#[derive(Template)]
#[template(path = "sandbox/_chat.html")]
struct ChatFragment {
    chat: Chat,
}

#[derive(Debug, Default, Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: String,
    /// The open chat, for the list alone.
    selected: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReplyForm {
    text: String,
    #[serde(default)]
    to: String,
}

#[derive(Debug, Deserialize)]
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
        .route("/{id}/{act}", web::post().to(submit_act));
}

async fn show_phones(core: Data<Core>, query: Query<ListQuery>) -> HttpResponse {
    page(&core, &query.q, None, None)
}

async fn show_phone(core: Data<Core>, id: Path<String>, query: Query<ListQuery>) -> HttpResponse {
    page(&core, &query.q, Some(&id), None)
}

async fn show_list(core: Data<Core>, query: Query<ListQuery>) -> HttpResponse {
    let list = core.act(|state, _| view::list(state, &query.q, query.selected.as_deref()));
    html(200, &ListFragment { list })
}

async fn show_chat(core: Data<Core>, id: Path<String>) -> HttpResponse {
    match core.act(|state, _| view::chat(state, &id)) {
        Some(chat) => html(200, &ChatFragment { chat }),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn submit_reply(
    core: Data<Core>,
    request: HttpRequest,
    id: Path<String>,
    form: Form<ReplyForm>,
) -> HttpResponse {
    outcome(&core, &request, &id, |state, now_ms| {
        let to = Some(form.to.as_str()).filter(|to| !to.is_empty());
        state.reply(&id, &form.text, (to, None), now_ms).map(drop)
    })
}

async fn submit_new(core: Data<Core>, request: HttpRequest, form: Form<NewForm>) -> HttpResponse {
    let id: String = form.phone.chars().filter(char::is_ascii_digit).collect();
    let to = Some(form.to.as_str()).filter(|to| !to.is_empty());
    let done = core.act(|state, now_ms| state.reply(&id, &form.text, (to, None), now_ms));
    match done {
        // The script follows this header to the new chat.
        Ok(_) if wants_outcome(&request) => HttpResponse::NoContent()
            .insert_header(("X-Location", format!("/phones/{id}")))
            .finish(),
        Ok(_) => see_other(&format!("/phones/{id}")),
        Err(refusal) if wants_outcome(&request) => {
            HttpResponse::UnprocessableEntity().body(sentence(&refusal))
        }
        Err(refusal) => page(&core, "", None, Some(&refusal)),
    }
}

async fn submit_tap(
    core: Data<Core>,
    request: HttpRequest,
    id: Path<String>,
    form: Form<TapForm>,
) -> HttpResponse {
    outcome(&core, &request, &id, |state, now_ms| {
        state.tap(&id, Some(&form.message), &Tap::Place(form.button), now_ms).map(drop)
    })
}

async fn submit_act(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<(String, Act)>,
) -> HttpResponse {
    let (id, act) = path.into_inner();
    outcome(&core, &request, &id, |state, now_ms| match act {
        Act::Read => state.read(&id, now_ms).map(drop),
        Act::Block => state.block(&id, true),
        Act::Unblock => state.block(&id, false),
        Act::Report => state.report(&id),
        Act::Stop => state.set_marketing(&id, true, None, now_ms),
        Act::Resume => state.set_marketing(&id, false, None, now_ms),
    })
}

/// Carries out what the customer does, and shows the chat again or tells the page's script.
fn outcome(
    core: &Core,
    request: &HttpRequest,
    id: &str,
    act: impl FnOnce(&mut State, i64) -> Result<(), Refusal>,
) -> HttpResponse {
    match (core.act(act), wants_outcome(request)) {
        (Ok(()), true) => HttpResponse::NoContent().finish(),
        (Ok(()), false) => see_other(&format!("/phones/{id}")),
        (Err(refusal), true) => HttpResponse::Conflict().body(sentence(&refusal)),
        (Err(refusal), false) => page(core, "", Some(id), Some(&refusal)),
    }
}

fn page(core: &Core, query: &str, id: Option<&str>, refusal: Option<&Refusal>) -> HttpResponse {
    let page = core.act(|state, now_ms| PhonesPage {
        frame: Frame {
            title: "Phones",
            now: instant(now_ms),
            path: id.map_or_else(|| "/phones".to_owned(), |id| format!("/phones/{id}")),
            on_phones: true,
        },
        list: view::list(state, query, id),
        chat: id.and_then(|id| view::chat(state, id)),
        numbers: view::numbers(state, None),
        problem: refusal.map(sentence),
    });
    let status = match (refusal, id, &page.chat) {
        (None, Some(_), None) => 404,
        (Some(_), ..) => 409,
        (None, ..) => 200,
    };
    html(status, &page)
}

/// A refusal as a person reads it.
fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Blocked => "You blocked this business. Unblock it to write again.".to_owned(),
        Refusal::Text => "Write something first, at most 4,096 characters.".to_owned(),
        Refusal::PhoneId => {
            "A phone number needs 7 to 15 digits, with the country code first.".to_owned()
        }
        Refusal::UnknownPhone(_) => "There is no such customer.".to_owned(),
        Refusal::UnknownNumber(_) => "There is no such business number.".to_owned(),
        Refusal::UnknownMessage | Refusal::UnknownButton => "That message is gone.".to_owned(),
        Refusal::NotAReply => "This button sends nothing.".to_owned(),
    }
}
