//! The reader's own presence in the frame of the desk: kept true while a page stands open.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use askama::Template;

use crate::{
    error::WebError,
    form::html,
    fragment,
    locale::Words,
    page::{Page, Place},
    session::Agent,
    visit::Visit,
};

/// The fragment that the account button fetches.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/desk/me").get(show_me));
}

/// The account button and the presence switch of its menu.
#[derive(Template)]
#[template(path = "desk/me.html")]
struct MeFragment {
    t: Words,
    page: Page,
}

async fn show_me(agent: Agent, visit: Visit) -> Result<HttpResponse, WebError> {
    if let Some(page) = fragment::page_around(&visit, "/desk") {
        return Ok(page);
    }
    let page = Page::new(&visit, &agent, String::new(), Place::None);
    html(StatusCode::OK, &MeFragment { t: visit.t(), page })
}
