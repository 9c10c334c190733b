//! The paths of the Graph API, with and without a version.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;

use super::access::{self, Subject};
use super::error::GraphError;
use super::paging::ListQuery;
use super::{messages, numbers, subscriptions, templates};
use crate::core::Core;

pub(super) const JSON: &str = "application/json; charset=UTF-8";
/// The largest body of a call.
const BODY_MAX: usize = 1024 * 1024;

/// The object and, below it, the edge a path names.
#[derive(Debug, Deserialize)]
pub(super) struct ObjectPath {
    pub(super) id: String,
    #[serde(default)]
    edge: String,
}

/// Serves `/v25.0/{id}/...` and `/{id}/...`; must come after every other route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.app_data(web::PayloadConfig::new(BODY_MAX));
    for version in [r"/v{version:\d+\.\d+}", ""] {
        config
            .service(
                web::resource(format!(r"{version}/{{id:\d+}}/messages"))
                    .route(web::post().to(messages::submit_message)),
            )
            .service(
                web::resource(format!(r"{version}/{{id:\d+}}/subscribed_apps"))
                    .route(web::post().to(submit_subscription))
                    .route(web::delete().to(delete_subscription))
                    .route(web::get().to(show_edge)),
            )
            .service(
                web::resource(format!(r"{version}/{{id:\d+}}/{{edge}}"))
                    .route(web::get().to(show_edge)),
            )
            .service(
                web::resource(format!(r"{version}/{{id:\d+}}"))
                    .route(web::get().to(show_object))
                    .route(web::post().to(submit_object)),
            );
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

/// The answer of a gateway that is in trouble: no JSON, so the outcome is unknown to the caller.
pub(super) fn not_json(status: u16) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    HttpResponse::build(status).content_type("text/html").body("<html><body>Sorry</body></html>")
}

async fn show_object(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
) -> HttpResponse {
    let token = access::token(&request);
    let query = ListQuery::read(request.query_string());
    respond(core.act(|state, _| match access::subject(state, token.as_deref(), &path.id)? {
        Subject::Number(id) => numbers::show(state, &id, &query),
        Subject::Account(id) => {
            query.select(&serde_json::json!({ "id": id, "name": "Sandbox" }), &["id", "name"])
        }
        Subject::Template(place) => templates::show(state, place, &query),
    }))
}

async fn show_edge(core: Data<Core>, request: HttpRequest, path: Path<ObjectPath>) -> HttpResponse {
    let token = access::token(&request);
    let query = ListQuery::read(request.query_string());
    let address = format!("http://{}{}", core.address, request.path());
    // The route without a named edge is the one of the subscriptions.
    let edge = if path.edge.is_empty() { "subscribed_apps" } else { path.edge.as_str() };
    respond(core.act(|state, _| {
        let subject = access::subject(state, token.as_deref(), &path.id)?;
        match (subject, edge) {
            (Subject::Account(id), "phone_numbers") => numbers::list(state, &id, &query, &address),
            (Subject::Account(id), "message_templates") => {
                templates::list(state, &id, &query, &address)
            }
            (Subject::Account(id), "subscribed_apps") => Ok(subscriptions::list(state, &id)),
            _ => {
                let details = format!("Tried accessing nonexisting field ({edge})");
                Err(GraphError::parameter(details))
            }
        }
    }))
}

async fn submit_subscription(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
    body: Bytes,
) -> HttpResponse {
    respond(match account(&core, &request, &path.id) {
        Ok(account) => subscriptions::submit(&core, &account, &body).await,
        Err(error) => Err(error),
    })
}

/// A number's settings: its own webhook address, and the PIN, which is taken and means nothing here.
async fn submit_object(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
    body: Bytes,
) -> HttpResponse {
    let token = access::token(&request);
    respond(match core.act(|state, _| access::subject(state, token.as_deref(), &path.id)) {
        Ok(Subject::Number(number)) => subscriptions::submit_number(&core, &number, &body).await,
        Ok(_) => Err(GraphError::unknown_object(&path.id)),
        Err(error) => Err(error),
    })
}

async fn delete_subscription(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
) -> HttpResponse {
    respond(
        account(&core, &request, &path.id)
            .map(|account| core.act(|state, _| subscriptions::delete(state, &account))),
    )
}

async fn unknown_path(request: HttpRequest) -> HttpResponse {
    GraphError::unknown_object(request.path().trim_matches('/')).respond()
}

fn account(core: &Core, request: &HttpRequest, id: &str) -> Result<String, GraphError> {
    let token = access::token(request);
    match core.act(|state, _| access::subject(state, token.as_deref(), id))? {
        Subject::Account(id) => Ok(id),
        _ => Err(GraphError::unknown_object(id)),
    }
}
