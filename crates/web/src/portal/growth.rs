//! Growth, Active messages: all sends with search and filters, and each with its history (LI-07).

mod list;
mod query;
mod send;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use domain::ids::MessageId;
use persistence::growth;

pub use self::{
    list::GrowthPage,
    query::{GrowthForm, GrowthQuery},
    send::SendPage,
};
use crate::{
    desk::Desk,
    error::WebError,
    form::{html, see_other},
    search,
    session::PortalUser,
    visit::Visit,
};

const PATH: &str = "/portal/growth/active-messages";

/// How many rows a page has.
const ROWS: usize = 50;

/// The list.
pub async fn show_active_messages(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    query: Query<GrowthQuery>,
) -> Result<HttpResponse, WebError> {
    let mut query = query.into_inner();
    let (actor, now, zone) = (user.actor.clone(), visit.now, visit.zone);
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| {
            let search = search::find(db, &actor, &query.search)?;
            query.contact = search.map(|search| search.typed).unwrap_or_default();
            let rows = growth::list_sends(db, &actor, &query.filter(zone), most, now)?;
            Ok((query, rows, growth::list_choices(db, &actor)?))
        })
    };
    let (query, rows, choices) = desk.store.read(read).await?;
    html(StatusCode::OK, &GrowthPage::new(&visit, &user, query, rows, choices))
}

/// Keeps the words, and leads to the list with their id.
pub async fn submit_filter(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    Form(form): Form<GrowthForm>,
) -> Result<HttpResponse, WebError> {
    let GrowthForm { contact, agent, template, state, chatbot, from, to } = form;
    let search = search::keep(&desk, &user, &visit, contact).await?;
    let search = search.map(|search| search.id.to_string()).unwrap_or_default();
    let query =
        GrowthQuery { search, agent, template, state, chatbot, from, to, ..GrowthQuery::default() };
    Ok(see_other(&query.address("")))
}

/// One send.
pub async fn show_active_message(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
) -> Result<HttpResponse, WebError> {
    let (actor, now, message) = (user.actor.clone(), visit.now, MessageId(*path));
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| growth::get_send(db, &actor, message, now))
    };
    let detail = desk.store.read(read).await?;
    html(StatusCode::OK, &SendPage::new(&visit, &user, detail))
}
