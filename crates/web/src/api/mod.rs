//! The JSON API under `/api/v1`: bearer tokens with scopes, `problem+json` errors, described by OpenAPI.

mod active_message;
mod body;
mod client;
mod json;
mod listing;
mod openapi;
mod page;
mod problem;
mod request;
mod sentence;
#[cfg(test)]
mod tests;
mod wish;

use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use chrono::{DateTime, SecondsFormat, Utc};

pub use self::{
    active_message::LookedAt, client::Callers, openapi::openapi_json, problem::ApiError,
};
use crate::error::WebError;

/// The API. Nothing of it is to be had without a token.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("/api/v1")
            .wrap(from_fn(client::authenticate))
            .service(web::resource("/active-messages").post(active_message::submit))
            .service(web::resource("/active-messages/check").post(active_message::check))
            .service(web::resource("/active-messages/{id}").get(active_message::show))
            .service(web::resource("/contacts").get(listing::list_contacts))
            .service(web::resource("/contacts/{id}/wishes").get(wish::show).post(wish::submit))
            .service(web::resource("/templates").get(listing::list_templates))
            .service(web::resource("/channels").get(listing::list_channels))
            .service(web::resource("/numbers/{id}").get(listing::show_number))
            .service(web::resource("/openapi.json").get(openapi::show))
            .default_service(web::to(show_nothing)),
    );
}

/// Every address that is none.
async fn show_nothing() -> Result<HttpResponse, ApiError> {
    Err(WebError::NotFound.into())
}

/// An instant as JSON carries it: UTC with milliseconds (CL-04).
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
