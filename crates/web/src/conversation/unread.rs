//! The badge on the rail: how many conversations hold messages that wait to be looked at.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use askama::Template;
use persistence::conversation;

use crate::{
    desk::Desk,
    error::WebError,
    form::html,
    fragment,
    locale::Words,
    page::{Page, Place},
    session::{Agent, Session},
    visit::Visit,
};

/// The badge, fetched anew.
#[derive(Template)]
#[template(path = "desk/_unread.html")]
struct UnreadFragment {
    t: Words,
    page: Page,
}

/// `page` with the badge on its rail.
///
/// # Errors
/// When the database fails.
pub async fn with_unread(desk: &Desk, agent: &Session, page: Page) -> Result<Page, WebError> {
    let actor = agent.actor.clone();
    let unread = desk.store.read(move |db| conversation::count_unread(db, &actor)).await?;
    Ok(Page { unread, ..page })
}

/// The badge alone.
pub async fn show_unread(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
) -> Result<HttpResponse, WebError> {
    if let Some(page) = fragment::page_around(&visit, "/desk") {
        return Ok(page);
    }
    let page = Page::new(&visit, &agent, String::new(), Place::Conversations);
    let page = with_unread(&desk, &agent, page).await?;
    html(StatusCode::OK, &UnreadFragment { t: visit.t(), page })
}
