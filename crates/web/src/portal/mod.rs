//! The portal: general settings of a chatbot, all active messages, and the jobs.

mod general_settings;
mod growth;
mod jobs;
#[cfg(test)]
mod tests;

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};

use crate::{error::WebError, form::see_other, page::PortalPlaces, session::PortalUser};

/// The portal's pages, under `/portal`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/portal", web::get().to(show_portal))
        .route("/portal/general-settings", web::get().to(general_settings::show_first))
        .service(
            web::resource("/portal/chatbots/{chatbot}/general-settings")
                .get(general_settings::show_general_settings)
                .post(general_settings::submit_general_settings),
        )
        .route(
            "/portal/chatbots/{chatbot}/numbers/{number}/resume",
            web::post().to(general_settings::submit_resume),
        )
        .service(
            web::resource("/portal/growth/active-messages")
                .get(growth::show_active_messages)
                .post(growth::submit_filter),
        )
        .route(
            "/portal/growth/active-messages/{message}",
            web::get().to(growth::show_active_message),
        )
        .route("/portal/jobs", web::get().to(jobs::show_jobs))
        .route("/portal/jobs/{job}/run", web::post().to(jobs::submit_run));
}

/// The portal opens with the first page its user may see.
async fn show_portal(user: PortalUser) -> Result<HttpResponse, WebError> {
    let places = PortalPlaces::of(&user.actor);
    if places.general_settings {
        return Ok(see_other("/portal/general-settings"));
    }
    if places.active_messages {
        return Ok(see_other("/portal/growth/active-messages"));
    }
    Ok(see_other("/portal/jobs"))
}
