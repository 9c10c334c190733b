//! `/control/phones`: the customers and what they do.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::json;

use super::refused;
use crate::core::Core;
use crate::state::{Refusal, Tap};

#[derive(Debug, Deserialize)]
struct ReplyOrder {
    text: String,
    /// The business number written to; the one that wrote last when absent.
    #[serde(default)]
    to: Option<String>,
    /// The message that is quoted.
    #[serde(default)]
    context: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TapOrder {
    /// The latest message with buttons when absent.
    #[serde(default)]
    message: Option<String>,
    /// The button's place from 0, its text or its payload.
    button: Tap,
}

#[derive(Debug, Deserialize)]
struct ReactOrder {
    message: String,
    #[serde(default)]
    emoji: String,
}

#[derive(Debug, Default, Deserialize)]
struct NumberOrder {
    #[serde(default)]
    to: Option<String>,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/phones", web::get().to(list_phones))
        .route("/phones/{id}", web::get().to(show_phone))
        .route("/phones/{id}/reply", web::post().to(submit_reply))
        .route("/phones/{id}/read", web::post().to(submit_read))
        .route("/phones/{id}/tap", web::post().to(submit_tap))
        .route("/phones/{id}/react", web::post().to(submit_reaction))
        .route("/phones/{id}/block", web::post().to(submit_block))
        .route("/phones/{id}/unblock", web::post().to(submit_unblock))
        .route("/phones/{id}/report", web::post().to(submit_report))
        .route("/phones/{id}/stop", web::post().to(submit_stop))
        .route("/phones/{id}/resume", web::post().to(submit_resume));
}

async fn list_phones(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(core.act(|state, _| state.list_phones()))
}

async fn show_phone(core: Data<Core>, id: Path<String>) -> HttpResponse {
    let phone = core.act(|state, now_ms| {
        let mut detail = state.phones.get(id.as_str())?.detail();
        let typing = state.world.typing.iter();
        let shown: Vec<&String> = typing
            .filter(|((_, wa_id), until)| wa_id == id.as_str() && now_ms < **until)
            .map(|((number, _), _)| number)
            .collect();
        detail["typing"] = json!(shown);
        Some(detail)
    });
    match phone {
        Some(phone) => HttpResponse::Ok().json(phone),
        None => refused(&Refusal::UnknownPhone(id.into_inner())),
    }
}

async fn submit_reply(core: Data<Core>, id: Path<String>, order: Json<ReplyOrder>) -> HttpResponse {
    let ReplyOrder { text, to, context } = order.into_inner();
    with_message_id(
        core.act(|state, now_ms| state.reply(&id, &text, (to.as_deref(), context), now_ms)),
    )
}

async fn submit_tap(core: Data<Core>, id: Path<String>, order: Json<TapOrder>) -> HttpResponse {
    with_message_id(
        core.act(|state, now_ms| state.tap(&id, order.message.as_deref(), &order.button, now_ms)),
    )
}

async fn submit_reaction(
    core: Data<Core>,
    id: Path<String>,
    order: Json<ReactOrder>,
) -> HttpResponse {
    with_message_id(
        core.act(|state, now_ms| state.customer_reacts(&id, &order.message, &order.emoji, now_ms)),
    )
}

async fn submit_read(core: Data<Core>, id: Path<String>) -> HttpResponse {
    match core.act(|state, now_ms| state.read(&id, now_ms)) {
        Ok(count) => HttpResponse::Ok().json(json!({ "read": count })),
        Err(refusal) => refused(&refusal),
    }
}

async fn submit_block(core: Data<Core>, id: Path<String>) -> HttpResponse {
    with_phone(&core, &id, core.act(|state, _| state.block(&id, true)))
}

async fn submit_unblock(core: Data<Core>, id: Path<String>) -> HttpResponse {
    with_phone(&core, &id, core.act(|state, _| state.block(&id, false)))
}

async fn submit_report(core: Data<Core>, id: Path<String>) -> HttpResponse {
    with_phone(&core, &id, core.act(|state, _| state.report(&id)))
}

async fn submit_stop(
    core: Data<Core>,
    id: Path<String>,
    order: Option<Json<NumberOrder>>,
) -> HttpResponse {
    set_marketing(&core, &id, true, order)
}

async fn submit_resume(
    core: Data<Core>,
    id: Path<String>,
    order: Option<Json<NumberOrder>>,
) -> HttpResponse {
    set_marketing(&core, &id, false, order)
}

fn set_marketing(
    core: &Core,
    id: &str,
    stopped: bool,
    order: Option<Json<NumberOrder>>,
) -> HttpResponse {
    let to = order.and_then(|order| order.into_inner().to);
    let done = core.act(|state, now_ms| state.set_marketing(id, stopped, to.as_deref(), now_ms));
    with_phone(core, id, done)
}

fn with_message_id(done: Result<String, Refusal>) -> HttpResponse {
    match done {
        Ok(id) => HttpResponse::Ok().json(json!({ "id": id })),
        Err(refusal) => refused(&refusal),
    }
}

fn with_phone(core: &Core, id: &str, done: Result<(), Refusal>) -> HttpResponse {
    if let Err(refusal) = done {
        return refused(&refusal);
    }
    let summary = core.act(|state, _| state.phones.get(id).map(crate::phone::Phone::summary));
    HttpResponse::Ok().json(summary)
}
