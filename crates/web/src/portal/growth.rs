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
use persistence::growth::{self, SendFilter};

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
    let after = query.cursor()?;
    let (actor, now, zone, t) = (user.actor.clone(), visit.now, visit.zone, visit.t());
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| {
            let search = search::find(db, &actor, &query.search)?;
            query.contact = search.map(|search| search.typed).unwrap_or_default();
            let choices = growth::list_choices(db, &actor)?;
            let rows = match query.parse(&choices, zone, t) {
                Ok(filter) => {
                    let filter = SendFilter { after, ..filter };
                    Ok(growth::list_sends(db, &actor, &filter, most, now)?)
                }
                Err(problems) => Err(problems),
            };
            Ok((query, rows, choices))
        })
    };
    let (query, rows, choices) = desk.store.read(read).await?;
    GrowthPage::new(&visit, &user, query, rows, choices).respond()
}

/// Keeps the words, and leads to the list with their id; or shows the filters again with what stands against
/// them.
pub async fn submit_filter(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    Form(form): Form<GrowthForm>,
) -> Result<HttpResponse, WebError> {
    let mut query = GrowthQuery::from(form);
    let actor = user.actor.clone();
    let choices = desk.store.read(move |db| growth::list_choices(db, &actor)).await?;
    if let Err(problems) = query.parse(&choices, visit.zone, visit.t()) {
        return GrowthPage::new(&visit, &user, query, Err(problems), choices).respond();
    }
    let search = search::keep(&desk, &user, &visit, query.contact.clone()).await?;
    query.search = search.map(|search| search.id.to_string()).unwrap_or_default();
    Ok(see_other(&query.address("")))
}

/// One send. Its address may hold the filters and the page of the list that led to it, for the way back.
pub async fn show_active_message(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
    query: Query<GrowthQuery>,
) -> Result<HttpResponse, WebError> {
    let (actor, now, message) = (user.actor.clone(), visit.now, MessageId(*path));
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| growth::get_send(db, &actor, message, now))
    };
    let detail = desk.store.read(read).await?;
    let list = query.into_inner().readable();
    html(StatusCode::OK, &SendPage::new(&visit, &user, detail, &list))
}
