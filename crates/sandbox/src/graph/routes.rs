//! The paths of the Graph API, with and without a version.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, Subject};
use super::call::Call;
use super::error::GraphError;
use super::{accounts, app, edit, media, messages, numbers, setup, subscriptions, templates};
use crate::core::Core;
use crate::state::State;
use crate::template::field;

pub(super) const JSON: &str = "application/json; charset=UTF-8";
/// The largest body of a call that brings no file.
const BODY_MAX: usize = 1024 * 1024;

/// The object and, below it, the edge a path names.
#[derive(Debug, Deserialize)]
pub(super) struct ObjectPath {
    pub(super) id: String,
    #[serde(default)]
    edge: String,
    /// What comes after the edge.
    #[serde(default)]
    part: String,
}

/// Serves `/v25.0/{id}/...` and `/{id}/...`; must come after every other route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let resource = |path: String| web::resource(path).default_service(web::to(unknown_path));
    config.app_data(web::PayloadConfig::new(BODY_MAX)).service(
        resource("/whatsapp_business/attachments".to_owned())
            .route(web::get().to(media::show_file)),
    );
    for version in [r"/v{version:\d+\.\d+}", ""] {
        let below = |path: &str| format!("{version}{path}");
        config
            .service(resource(below("/oauth/access_token")).route(web::get().to(app::show_token)))
            .service(
                resource(below("/{upload:upload:[^/]+}"))
                    .app_data(web::PayloadConfig::new(media::FORM_MAX))
                    .route(web::get().to(app::show_upload))
                    .route(web::post().to(app::submit_upload)),
            )
            .service(
                resource(below(r"/{id:\d+}/{edge:messages|marketing_messages}"))
                    .route(web::post().to(messages::submit_message)),
            )
            .service(
                resource(below(r"/{id:\d+}/media"))
                    .app_data(web::PayloadConfig::new(media::FORM_MAX))
                    .route(web::post().to(media::submit_media)),
            );
        for path in [r"/{id:\d+}", r"/{id:\d+}/{edge}", r"/{id:\d+}/{edge}/{part}"] {
            config.service(
                resource(below(path))
                    .route(web::get().to(answer_call))
                    .route(web::post().to(answer_call))
                    .route(web::delete().to(answer_call)),
            );
        }
    }
    config.default_service(web::to(unknown_path));
}

/// An answer or an error, both as JSON.
pub(super) fn respond(answer: Result<Value, GraphError>) -> HttpResponse {
    match answer {
        Ok(value) => HttpResponse::Ok().content_type(JSON).body(value.to_string()),
        Err(error) => error.respond(),
    }
}

/// What the platform answers to a change.
pub(super) fn success() -> Value {
    json!({ "success": true })
}

/// The answer of a gateway that is in trouble: no JSON, so the outcome is unknown to the caller.
pub(super) fn not_json(status: u16) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    HttpResponse::build(status).content_type("text/html").body("<html><body>Sorry</body></html>")
}

async fn unknown_path(request: HttpRequest) -> HttpResponse {
    GraphError::unknown_object(request.path().trim_matches('/')).respond()
}

async fn answer_call(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
    body: Bytes,
) -> HttpResponse {
    let call = Call::read(&request, &core.base(), &body);
    respond(match shaken(&core, request.method(), &path, &call).await {
        Some(answer) => answer,
        None => core.act(|state, now_ms| answer(state, request.method(), &path, &call, now_ms)),
    })
}

/// The calls that ask another address for a handshake first; `None` for every other call.
async fn shaken(
    core: &Core,
    method: &Method,
    path: &ObjectPath,
    call: &Call,
) -> Option<Result<Value, GraphError>> {
    if method != Method::POST {
        return None;
    }
    let token = call.token.as_deref().or_else(|| call.query.get("access_token"));
    let subject = core.act(|state, _| access::subject(state, token, &path.id)).ok()?;
    match (subject, path.edge.as_str()) {
        (Subject::App, "subscriptions") => Some(app::subscribe(core, call).await),
        (Subject::Account(id), "subscribed_apps") => {
            Some(subscriptions::submit(core, &id, call).await)
        }
        (Subject::Number(id), "") => {
            let order = call.parameters().ok()?;
            order["webhook_configuration"].is_object().then_some(())?;
            Some(subscriptions::submit_number(core, &id, order).await)
        }
        _ => None,
    }
}

fn answer(
    state: &mut State,
    method: &Method,
    path: &ObjectPath,
    call: &Call,
    now_ms: i64,
) -> Result<Value, GraphError> {
    let subject = access::subject(state, call.token.as_deref(), &path.id)?;
    let edge = path.edge.as_str();
    let found = match *method {
        Method::GET => show(state, subject, edge, call, now_ms),
        Method::POST => submit(state, subject, (edge, &path.part), call, now_ms),
        Method::DELETE => delete(state, subject, edge, call, now_ms),
        _ => None,
    };
    found.unwrap_or_else(|| {
        Err(match edge {
            "" => GraphError::unknown_object(&path.id),
            _ if *method == Method::GET => {
                GraphError::parameter(format!("Tried accessing nonexisting field ({edge})"))
            }
            _ => GraphError::parameter(format!("Unsupported request: {method} {edge}")),
        })
    })
}

/// `None` where there is no such edge.
fn show(
    state: &mut State,
    subject: Subject,
    edge: &str,
    call: &Call,
    now_ms: i64,
) -> Option<Result<Value, GraphError>> {
    let query = &call.query;
    Some(match (subject, edge) {
        (Subject::Number(id), "") => numbers::show(state, &id, query),
        (Subject::Number(id), _) => return setup::show(state, (&id, edge), call),
        (Subject::Account(id), "") => accounts::show(state, &id, query),
        (Subject::Account(id), "phone_numbers") => numbers::list(state, &id, query, &call.address),
        (Subject::Account(id), "message_templates") => {
            templates::list(state, &id, query, &call.address)
        }
        (Subject::Account(id), "subscribed_apps") => Ok(subscriptions::list(state, &id)),
        (Subject::Template(place), "") => templates::show(state, place, query),
        (Subject::Media(id), "") => media::show(state, &id, query, now_ms),
        (Subject::App, "") => {
            query.select(&json!({ "id": crate::world::APP_ID, "name": "Sandbox" }), &["name"])
        }
        (Subject::App, "subscriptions") => Ok(app::list(state, call)),
        _ => return None,
    })
}

fn submit(
    state: &mut State,
    subject: Subject,
    (edge, part): (&str, &str),
    call: &Call,
    now_ms: i64,
) -> Option<Result<Value, GraphError>> {
    let order = match call.parameters() {
        Ok(order) => order,
        Err(error) => return Some(Err(error)),
    };
    Some(match (subject, edge, part) {
        (Subject::Number(id), "", _) => setup::change(state, &id, order),
        (Subject::Number(id), _, "") => return setup::submit(state, (&id, edge), call, now_ms),
        (Subject::Account(id), "", _) => accounts::change(state, &id, order),
        (Subject::Account(id), "message_templates", "") => edit::create(state, &id, order),
        (Subject::Account(id), "message_templates", "archive" | "unarchive") => {
            edit::archive(state, &id, order, part == "archive", now_ms)
        }
        (Subject::Template(place), "", _) => edit::change(state, place, order),
        (Subject::Template(place), "unpause", "") => edit::unpause(state, place, now_ms),
        (Subject::App, "uploads", "") => app::open_upload(state, call),
        _ => return None,
    })
}

fn delete(
    state: &mut State,
    subject: Subject,
    edge: &str,
    call: &Call,
    now_ms: i64,
) -> Option<Result<Value, GraphError>> {
    Some(match (subject, edge) {
        (Subject::Number(id), "block_users") => setup::unblock(state, &id, call),
        (Subject::Account(id), "subscribed_apps") => Ok(subscriptions::delete(state, &id)),
        (Subject::Account(id), "message_templates") => edit::delete(state, &id, call),
        (Subject::Media(id), "") => media::delete(state, &id, &call.query, now_ms),
        (Subject::App, "subscriptions") => {
            let secret = call.token.as_deref().and_then(|token| access::app_secret(state, token));
            if let Some(secret) = secret {
                state.world.app_hooks.remove(secret);
            }
            Ok(success())
        }
        _ => return None,
    })
}

/// A field of `order` that says yes, as a truth or as text.
pub(super) fn says_yes(order: &Value, name: &str) -> bool {
    order[name].as_bool().unwrap_or_else(|| field(order, name).eq_ignore_ascii_case("true"))
}
