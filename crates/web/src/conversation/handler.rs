//! Showing conversations: whole pages, and the parts of them that are fetched anew.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::{Data, Form, Path, Query},
};
use chrono::{DateTime, Utc};
use domain::{
    delivery::DeliveryEvent,
    ids::{MessageId, TicketId},
};
use persistence::{
    conversation::{
        self, About, ConversationId, SentPage, SentRow, TabCounts, Thread, TicketTab, WaitingPage,
    },
    db::Db,
    delivery::{self, Prices},
    error::PersistenceError,
    search::SearchId,
    user::Actor,
};
use serde::Deserialize;

use super::{
    about::{AboutParts, AboutView},
    list::{ListParts, ListView, RowView, Rows, Tab, Through, list_query, live_path},
    page::{AboutFragment, ConversationsPage, ListFragment, OpenView, RowFragment, ThreadFragment},
    thread::{ThreadParts, ThreadView, Typed},
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
    tab: Option<String>,
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
    pane: Option<String>,
    /// The message before which older ones are shown.
    before: Option<i64>,
    /// The message with which older ones end, such as one that another answers.
    to: Option<i64>,
    /// Asked whether to close the ticket.
    close: Option<String>,
    /// The message that the composer answers.
    quote: Option<i64>,
}

impl DeskQuery {
    /// The list the address asks for, beside the conversation `open`.
    fn list(&self, tab: Tab, open: Option<ConversationId>) -> AskedList {
        let through = self.through.filter(|_| tab != Tab::InProgress).map(Through);
        AskedList { tab, search: self.search.clone(), through, open }
    }
}

/// A list as an address asks for it.
struct AskedList {
    tab: Tab,
    /// The id of what is searched for.
    search: String,
    through: Option<Through>,
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

async fn load_list(
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

/// A conversation, with the list and what stands beside it.
pub async fn show_conversation(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let page = load_page(&desk, &visit, &agent, id, query.into_inner(), Typed::default()).await?;
    page.respond()
}

/// The conversation of an address; what is none is not found.
pub fn parse_id(text: &str) -> Result<ConversationId, WebError> {
    text.parse().map_err(|_| WebError::NotFound)
}

/// All that one conversation's page shows.
struct Loaded {
    /// Whether it shows older messages than the latest.
    is_earlier: bool,
    thread: Thread,
    about: About,
    sent: Option<SentRow>,
    logs: BTreeMap<MessageId, Vec<DeliveryEvent>>,
    prices: Prices,
}

/// Where the messages shown end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// With the latest.
    Latest,
    /// Before this one.
    Before(MessageId),
    /// With this one.
    With(MessageId),
}

impl DeskQuery {
    fn end(&self) -> End {
        match (self.before, self.to) {
            (Some(before), _) => End::Before(MessageId(before)),
            (None, Some(to)) => End::With(MessageId(to)),
            (None, None) => End::Latest,
        }
    }
}

fn find_conversation(
    db: &mut Db,
    actor: &Actor,
    id: ConversationId,
    end: End,
    now: DateTime<Utc>,
) -> Result<Loaded, PersistenceError> {
    let before = match end {
        End::Latest => None,
        End::Before(message) => Some(message),
        End::With(message) => conversation::find_message_after(db, id, message)?,
    };
    let thread = conversation::find_thread(db, actor, id, before, now)?;
    let about = conversation::find_about(db, actor, id, now)?;
    let sent = conversation::find_sent(db, actor, id, now)?;
    let sends = sent.iter().flat_map(SentRow::sends).map(|send| send.message).collect::<Vec<_>>();
    let logs = delivery::list_events_of(db, &sends)?;
    let prices = delivery::list_prices_of(db, &sends)?;
    Ok(Loaded { is_earlier: before.is_some(), thread, about, sent, logs, prices })
}

/// The page of a conversation with what was typed into it.
pub async fn load_page(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    id: ConversationId,
    query: DeskQuery,
    typed: Typed,
) -> Result<ConversationsPage, WebError> {
    let (actor, now, end) = (agent.actor.clone(), visit.now, query.end());
    let loaded = desk
        .store
        .read(move |db| db.snapshot(|db| find_conversation(db, &actor, id, end, now)))
        .await?;
    let tab = tab_of(&loaded.thread, &query);
    let list = load_list(desk, visit, agent, query.list(tab, Some(id))).await?;
    let pane = if query.pane.as_deref() == Some("facts") { "facts" } else { "thread" };
    let open = open_view(loaded, tab, &query, typed, agent, visit)?;
    let title = visit.t().desk_conversation_title(&open.thread.name);
    let page = Page::new(visit, agent, title, Place::Conversations);
    let page = with_unread(desk, agent, page).await?;
    let (t, open) = (visit.t(), Some(open));
    Ok(ConversationsPage { t, page, pane, list, open, status: StatusCode::OK })
}

/// The tab asked for, else the one the conversation is in.
fn tab_of(thread: &Thread, query: &DeskQuery) -> Tab {
    let asked = query.tab.as_deref().and_then(Tab::parse);
    asked.or_else(|| Tab::of_ticket(thread)).unwrap_or(Tab::Sent)
}

/// What a conversation's own addresses carry so that the list beside it stays as it is.
fn kept_query(tab: Tab, query: &DeskQuery) -> String {
    let AskedList { search, through, .. } = query.list(tab, None);
    list_query(tab, SearchId::parse(&search).as_ref(), through)
}

fn open_view(
    loaded: Loaded,
    tab: Tab,
    query: &DeskQuery,
    typed: Typed,
    session: &Session,
    visit: &Visit,
) -> Result<OpenView, WebError> {
    let Loaded { is_earlier, thread, about, sent, logs, prices } = loaded;
    let viewer = visit.viewer();
    let kept = kept_query(tab, query);
    let parts = ThreadParts {
        query: kept.clone(),
        tab,
        is_earlier,
        asks_to_close: query.close.is_some(),
        typed: with_key(Typed { quote: typed.quote.or(query.quote.map(MessageId)), ..typed })?,
        session,
        viewer: &viewer,
    };
    let about = AboutParts {
        thread: &thread,
        about,
        sent,
        logs,
        prices,
        query: kept,
        session,
        viewer: &viewer,
    };
    Ok(OpenView { thread: ThreadView::new(&thread, parts), about: AboutView::new(about) })
}

/// A form has a key of its own from when it is shown (AM-11).
fn with_key(typed: Typed) -> Result<Typed, WebError> {
    if !typed.key.is_empty() {
        return Ok(typed);
    }
    let mut key = [0_u8; 16];
    getrandom::fill(&mut key).map_err(|_| WebError::Unavailable)?;
    Ok(Typed { key: hex::encode(key), ..typed })
}

/// The thread alone.
pub async fn show_thread(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    let (id, query) = (parse_id(&path)?, query.into_inner());
    if let Some(page) = fragment::page_around(&visit, &format!("/desk/conversations/{id}")) {
        return Ok(page);
    }
    let (actor, now) = (agent.actor.clone(), visit.now);
    let before = query.before.map(MessageId);
    let thread = desk
        .store
        .read(move |db| db.snapshot(|db| conversation::find_thread(db, &actor, id, before, now)))
        .await?;
    let tab = tab_of(&thread, &query);
    let viewer = visit.viewer();
    let parts = ThreadParts {
        query: kept_query(tab, &query),
        tab,
        is_earlier: query.before.is_some(),
        asks_to_close: false,
        typed: with_key(Typed { quote: query.quote.map(MessageId), ..Typed::default() })?,
        session: &agent,
        viewer: &viewer,
    };
    let thread = ThreadView::new(&thread, parts);
    let page = Page::new(&visit, &agent, String::new(), Place::Conversations);
    html(StatusCode::OK, &ThreadFragment { t: visit.t(), page, thread })
}

/// The side panel alone.
pub async fn show_about(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    let (id, query) = (parse_id(&path)?, query.into_inner());
    let around = format!("/desk/conversations/{id}?pane=facts");
    if let Some(page) = fragment::page_around(&visit, &around) {
        return Ok(page);
    }
    let (actor, now) = (agent.actor.clone(), visit.now);
    let loaded = desk
        .store
        .read(move |db| db.snapshot(|db| find_conversation(db, &actor, id, End::Latest, now)))
        .await?;
    let tab = tab_of(&loaded.thread, &query);
    let viewer = visit.viewer();
    let about = AboutView::new(AboutParts {
        thread: &loaded.thread,
        about: loaded.about,
        sent: loaded.sent,
        logs: loaded.logs,
        prices: loaded.prices,
        query: kept_query(tab, &query),
        session: &agent,
        viewer: &viewer,
    });
    html(StatusCode::OK, &AboutFragment { t: visit.t(), about })
}
