//! Showing lists of conversations: whole pages, and the parts of them that are fetched anew.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::{Data, Form, Query},
};
use chrono::{DateTime, Utc};
use domain::ids::{MessageId, TicketId};
use persistence::{
    conversation::{self, ConversationId, SentPage, TabCounts, TicketTab, WaitingPage},
    db::Db,
    error::PersistenceError,
    user::Actor,
};
use serde::Deserialize;

use super::{
    list::{ListParts, ListView, Rows, Tab, Through, list_query, live_path},
    page::{ConversationsPage, ListFragment, RowFragment},
    row::RowView,
    unread::with_unread,
};
use crate::{
    desk::Desk,
    error::WebError,
    flash::Flashed,
    form::{html, see_other},
    fragment,
    page::{Page, Place},
    search,
    session::{Agent, Session},
    visit::{Reader, Visit},
};

/// Puts an answer elsewhere than the request asked for.
const RETARGET: HeaderName = HeaderName::from_static("hx-retarget");

/// What an address of the desk may say besides its path.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DeskQuery {
    /// Which tab the list shows.
    pub(super) tab: Option<String>,
    /// The id of what is searched for.
    #[serde(default)]
    search: String,
    /// The row down to which the list was shown; more follow it.
    through: Option<i64>,
    /// Which conversation is open beside the list.
    open: Option<String>,
    /// Which row of the list is wanted alone.
    row: Option<String>,
    /// Which pane a narrow screen shows.
    pub(super) pane: Option<String>,
    /// The message before which older ones are shown.
    pub(super) before: Option<i64>,
    /// The message with which older ones end, such as one that another answers.
    pub(super) to: Option<i64>,
    /// Asked whether to close the ticket.
    pub(super) close: Option<String>,
    /// The message that the composer answers.
    pub(super) quote: Option<i64>,
}

impl DeskQuery {
    /// The list the address asks for, beside the conversation `open`.
    pub(super) fn list(&self, tab: Tab, open: Option<ConversationId>) -> AskedList {
        let through = self.through.filter(|_| tab != Tab::InProgress).map(Through);
        AskedList { tab, search: self.search.clone(), through, open }
    }
}

/// A list as an address asks for it.
pub(super) struct AskedList {
    tab: Tab,
    /// The id of what is searched for.
    pub(super) search: String,
    pub(super) through: Option<Through>,
    open: Option<ConversationId>,
}

/// The desk opens with what is in progress.
pub async fn show_desk(_: Agent) -> HttpResponse {
    see_other(Tab::InProgress.path())
}

/// The tab *Waiting*.
pub async fn show_waiting(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::Waiting, query.into_inner(), flashed).await
}

/// The tab *In progress*.
pub async fn show_in_progress(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::InProgress, query.into_inner(), flashed).await
}

/// The tab *Sent*.
pub async fn show_sent(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::Sent, query.into_inner(), flashed).await
}

async fn show_tab(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    tab: Tab,
    query: DeskQuery,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    let t = visit.t();
    let list = load_list(desk, visit, agent, query.list(tab, None)).await?;
    let page = Page::new(visit, agent, t.desk_conversations(), Place::Conversations);
    let mut page = with_unread(desk, agent, page).await?;
    page.toast = flashed.toast(desk, agent, t).await?;
    let (pane, status) = ("list", StatusCode::OK);
    flashed.told(ConversationsPage { t, page, pane, list, open: None, status }.respond()?)
}

/// The list alone, or one row of it. A row that has left the tab takes the list with it.
pub async fn show_list(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    let query = query.into_inner();
    let tab = query.tab.as_deref().and_then(Tab::parse).unwrap_or(Tab::InProgress);
    let open = query.open.as_deref().and_then(|open| open.parse().ok());
    let row = query.row.as_deref().and_then(|row| row.parse().ok());
    if let Some(page) = fragment::page_around(&visit, &page_of(tab, open)) {
        return Ok(page);
    }
    if let Some(row) = row
        && let Some(row) = load_row(&desk, &visit, &agent, query.list(tab, open), row).await?
    {
        return html(StatusCode::OK, &RowFragment { t: visit.t(), row });
    }
    let list = load_list(&desk, &visit, &agent, query.list(tab, open)).await?;
    let page = Page::new(&visit, &agent, String::new(), Place::Conversations);
    let mut answer = html(StatusCode::OK, &ListFragment { t: visit.t(), page, list })?;
    if row.is_some() {
        answer.headers_mut().insert(RETARGET, HeaderValue::from_static("#list-pane"));
    }
    Ok(answer)
}

/// One row of the list; `None` when its tab shows none for that conversation.
async fn load_row(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    asked: AskedList,
    row: ConversationId,
) -> Result<Option<RowView>, WebError> {
    let (actor, now) = (agent.actor.clone(), visit.now);
    let AskedList { tab, search, through, open } = asked;
    let read = move |db: &mut Db| {
        db.snapshot(|db| {
            Ok((search::find(db, &actor, &search)?, find_row(db, &actor, tab, row, now)?))
        })
    };
    let (search, Some(rows)) = desk.store.read(read).await? else { return Ok(None) };
    let (counts, here) = (TabCounts::default(), String::new());
    let parts = ListParts { tab, search, through, open, counts, rows, here };
    Ok(ListView::new(parts, agent, &visit.viewer()).rows.pop())
}

fn find_row(
    db: &mut Db,
    actor: &Actor,
    tab: Tab,
    id: ConversationId,
    now: DateTime<Utc>,
) -> Result<Option<Rows>, PersistenceError> {
    Ok(match tab {
        Tab::Waiting => {
            let row = conversation::find_ticket(db, actor, TicketTab::Waiting, id, now)?;
            row.map(|row| Rows::Waiting(WaitingPage { rows: vec![row], more_after: None }))
        }
        Tab::InProgress => {
            let row = conversation::find_ticket(db, actor, TicketTab::InProgress, id, now)?;
            row.map(|row| Rows::InProgress(vec![row]))
        }
        Tab::Sent => {
            let row = conversation::find_sent(db, actor, id, now)?;
            row.map(|row| Rows::Sent(SentPage { rows: vec![row], more_after: None }))
        }
    })
}

/// The search form of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchForm {
    /// As typed.
    q: String,
    /// Which tab the list shows.
    tab: String,
    /// Which conversation is open beside the list.
    #[serde(default)]
    open: String,
}

/// Keeps what was typed, and leads to the list with its id: the words stand in no address.
pub async fn submit_search(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    Form(form): Form<SearchForm>,
) -> Result<HttpResponse, WebError> {
    let tab = Tab::parse(&form.tab).unwrap_or(Tab::InProgress);
    let search = search::keep(&desk, &agent, &visit, form.q).await?;
    let to = match visit.reader {
        Reader::Fragment => {
            let open: Option<ConversationId> = form.open.parse().ok();
            let open = open.map(|open| open.to_string()).unwrap_or_default();
            live_path(&list_query(tab, search.as_ref().map(|search| &search.id), None), &open)
        }
        Reader::Page | Reader::Api | Reader::Machine => {
            format!(
                "{}{}",
                tab.path(),
                list_query(tab, search.as_ref().map(|search| &search.id), None)
            )
        }
    };
    Ok(see_other(&to))
}

/// Where a list stands: alone, or beside a conversation.
fn page_of(tab: Tab, open: Option<ConversationId>) -> String {
    match open {
        Some(open) => format!("/desk/conversations/{open}"),
        None => tab.path().to_owned(),
    }
}

pub(super) async fn load_list(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    asked: AskedList,
) -> Result<ListView, WebError> {
    let (actor, now) = (agent.actor.clone(), visit.now);
    let AskedList { tab, search, through, open } = asked;
    let read = move |db: &mut Db| {
        db.snapshot(|db| {
            let search = search::find(db, &actor, &search)?;
            let typed = search.as_ref().map_or("", |search| search.typed.as_str());
            let (counts, rows) = find_list(db, &actor, tab, typed, through, now)?;
            Ok((search, counts, rows))
        })
    };
    let (search, counts, rows) = desk.store.read(read).await?;
    let here = page_of(tab, open);
    let parts = ListParts { tab, search, through, open, counts, rows, here };
    Ok(ListView::new(parts, agent, &visit.viewer()))
}

fn find_list(
    db: &mut Db,
    actor: &Actor,
    tab: Tab,
    typed: &str,
    through: Option<Through>,
    now: DateTime<Utc>,
) -> Result<(TabCounts, Rows), PersistenceError> {
    let counts = conversation::count_tabs(db, actor, now)?;
    let rows = match tab {
        Tab::Waiting => {
            let through = through.map(|Through(ticket)| TicketId(ticket));
            Rows::Waiting(conversation::list_waiting(db, actor, typed, through, now)?)
        }
        Tab::InProgress => Rows::InProgress(conversation::list_in_progress(db, actor, typed, now)?),
        Tab::Sent => {
            let through = through.map(|Through(message)| MessageId(message));
            Rows::Sent(conversation::list_sent(db, actor, typed, through, now)?)
        }
    };
    Ok((counts, rows))
}
