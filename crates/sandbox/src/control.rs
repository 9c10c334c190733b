//! The control API: what tests, benches and the pages tell the sandbox to do.

mod inject;
mod phones;
mod provider;
mod world;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::guard;
use crate::state::Refusal;

/// Serves `/control/...`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let json = web::JsonConfig::default()
        // Tests post with whatever client is at hand; what counts is the text.
        .content_type_required(false)
        .content_type(|_| true)
        .error_handler(|error, _: &HttpRequest| {
            let response = problem(StatusCode::BAD_REQUEST, &error.to_string());
            actix_web::error::InternalError::from_response(error, response).into()
        });
    config.configure(world::trap).service(
        web::scope("/control")
            .wrap(actix_web::middleware::from_fn(guard::same_site_only))
            .app_data(json)
            .configure(inject::routes)
            .configure(phones::routes)
            .configure(provider::routes)
            .configure(world::routes)
            .default_service(web::to(|| async { problem(StatusCode::NOT_FOUND, "no such call") })),
    );
}

/// An error as `{"error": TEXT}`.
fn problem(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": text }))
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let status = match refusal {
        Refusal::UnknownPhone(_)
        | Refusal::UnknownNumber(_)
        | Refusal::UnknownMessage
        | Refusal::UnknownButton => StatusCode::NOT_FOUND,
        Refusal::NotAReply | Refusal::Blocked => StatusCode::CONFLICT,
        Refusal::Text | Refusal::PhoneId | Refusal::Content(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &refusal.to_string())
}
