//! Showing conversations: whole pages, and the parts of them that are fetched anew.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use chrono::{DateTime, Utc};
use domain::{
    ids::{ContactId, MessageId},
    ticket::TicketState,
};
use persistence::{
    conversation::{self, About, ConversationId, SentRow, TabCounts, Thread, TicketTab},
    db::Db,
    error::PersistenceError,
    user::Actor,
};
use serde::Deserialize;

use super::{
    about::{AboutParts, AboutView},
    list::{ListParts, ListView, Rows, Tab},
    page::{AboutFragment, ConversationsPage, ListFragment, OpenView, ThreadFragment},
    thread::{ThreadParts, ThreadView, Typed},
};
use crate::{
    compose,
    desk::Desk,
    error::WebError,
    form::{html, see_other},
    page::{Page, Place, Toast},
    session::{Agent, Session},
    visit::Visit,
};

/// What an address of the desk may say besides its path.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DeskQuery {
    /// Which tab the list shows.
    tab: Option<String>,
    /// What is searched for.
    #[serde(default)]
    q: String,
    /// Which conversation is open beside the list.
    open: Option<String>,
    /// Which pane a narrow screen shows.
    pane: Option<String>,
    /// The message before which older ones are shown.
    before: Option<i64>,
    /// Asked whether to close the ticket.
    close: Option<String>,
    /// The number of a ticket that was just closed.
    closed: Option<String>,
    /// The contact a message was just sent to.
    sent_to: Option<i64>,
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
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::Waiting, query.into_inner()).await
}

/// The tab *In progress*.
pub async fn show_in_progress(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::InProgress, query.into_inner()).await
}

/// The tab *Sent*.
pub async fn show_sent(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    show_tab(&desk, &visit, &agent, Tab::Sent, query.into_inner()).await
}

async fn show_tab(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    tab: Tab,
    query: DeskQuery,
) -> Result<HttpResponse, WebError> {
    let t = visit.t();
    let list = load_list(desk, visit, agent, tab, query.q, None).await?;
    let mut page = Page::new(visit, agent, t.desk_conversations(), Place::Conversations);
    page.toast = query
        .closed
        .filter(|protocol| protocol.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(|protocol| Toast { kind: "done", text: t.desk_closed_toast(&protocol) });
    if let Some(contact) = query.sent_to {
        page.toast = compose::sent_toast(desk, agent, ContactId(contact), t).await?;
    }
    ConversationsPage {
        t,
        page,
        pane: "list",
        list,
        open: None,
        asks_to_close: false,
        status: StatusCode::OK,
    }
    .respond()
}

/// The list alone.
pub async fn show_list(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    query: Query<DeskQuery>,
) -> Result<HttpResponse, WebError> {
    let query = query.into_inner();
    let tab = query.tab.as_deref().and_then(Tab::parse).unwrap_or(Tab::InProgress);
    let open = query.open.as_deref().and_then(|open| open.parse().ok());
    let list = load_list(&desk, &visit, &agent, tab, query.q, open).await?;
    let page = Page::new(&visit, &agent, String::new(), Place::Conversations);
    html(StatusCode::OK, &ListFragment { t: visit.t(), page, list })
}

async fn load_list(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    tab: Tab,
    typed: String,
    open: Option<ConversationId>,
) -> Result<ListView, WebError> {
    let (actor, now, asked) = (agent.actor.clone(), visit.now, typed.clone());
    let (counts, rows) = desk
        .store
        .read(move |db| db.snapshot(|db| find_list(db, &actor, tab, &asked, now)))
        .await?;
    let here = match open {
        Some(open) => format!("/desk/conversations/{open}"),
        None => tab.path().to_owned(),
    };
    let parts = ListParts { tab, typed, open, counts, rows, here };
    Ok(ListView::new(parts, agent, &visit.viewer()))
}

fn find_list(
    db: &mut Db,
    actor: &Actor,
    tab: Tab,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<(TabCounts, Rows), PersistenceError> {
    let counts = conversation::count_tabs(db, actor, now)?;
    let tickets = |db: &mut Db, tab| {
        conversation::list_tickets(db, actor, tab, typed, now).map(Rows::Tickets)
    };
    let rows = match tab {
        Tab::Waiting => tickets(db, TicketTab::Waiting)?,
        Tab::InProgress => tickets(db, TicketTab::InProgress)?,
        Tab::Sent => Rows::Sent(conversation::list_sent(db, actor, typed, now)?),
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
    thread: Thread,
    about: About,
    sent: Option<SentRow>,
}

fn find_conversation(
    db: &mut Db,
    actor: &Actor,
    id: ConversationId,
    before: Option<MessageId>,
    now: DateTime<Utc>,
) -> Result<Loaded, PersistenceError> {
    let thread = conversation::find_thread(db, actor, id, before, now)?;
    let about = conversation::find_about(db, actor, id, now)?;
    let sent = conversation::list_sent(db, actor, "", now)?;
    let sent = sent.into_iter().find(|row| row.conversation == id);
    Ok(Loaded { thread, about, sent })
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
    let (actor, now, before) = (agent.actor.clone(), visit.now, query.before.map(MessageId));
    let loaded = desk
        .store
        .read(move |db| db.snapshot(|db| find_conversation(db, &actor, id, before, now)))
        .await?;
    let tab = tab_of(&loaded.thread, &query);
    let list = load_list(desk, visit, agent, tab, query.q.clone(), Some(id)).await?;
    let pane = if query.pane.as_deref() == Some("facts") { "facts" } else { "thread" };
    let open =
        open_view(&loaded.thread, loaded.about, loaded.sent, tab, &query, typed, agent, visit)?;
    let title = visit.t().desk_conversation_title(&open.thread.name);
    let page = Page::new(visit, agent, title, Place::Conversations);
    let (t, open) = (visit.t(), Some(open));
    let asks_to_close = query.close.is_some();
    Ok(ConversationsPage { t, page, pane, list, open, asks_to_close, status: StatusCode::OK })
}

/// The tab asked for, else the one the conversation is in.
fn tab_of(thread: &Thread, query: &DeskQuery) -> Tab {
    query.tab.as_deref().and_then(Tab::parse).unwrap_or_else(|| match &thread.ticket {
        Some(ticket) if ticket.holding.state == TicketState::Waiting => Tab::Waiting,
        Some(_) => Tab::InProgress,
        None => Tab::Sent,
    })
}

/// What a conversation's own addresses carry so that the list beside it stays as it is.
fn kept_query(tab: Tab, query: &DeskQuery) -> String {
    let typed = query.q.trim();
    if typed.is_empty() {
        return format!("?tab={}", tab.as_str());
    }
    let typed: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
    format!("?tab={}&q={typed}", tab.as_str())
}

#[expect(clippy::too_many_arguments, reason = "each is another part of the page")]
fn open_view(
    thread: &Thread,
    about: About,
    sent: Option<SentRow>,
    tab: Tab,
    query: &DeskQuery,
    typed: Typed,
    session: &Session,
    visit: &Visit,
) -> Result<OpenView, WebError> {
    let viewer = visit.viewer();
    let kept = kept_query(tab, query);
    let parts = ThreadParts {
        query: kept.clone(),
        back: tab.path(),
        is_earlier: query.before.is_some(),
        typed: with_key(typed)?,
        session,
        viewer: &viewer,
    };
    let about = AboutParts { thread, about, sent, query: kept, session, viewer: &viewer };
    Ok(OpenView { thread: ThreadView::new(thread, parts), about: AboutView::new(about) })
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
        back: tab.path(),
        is_earlier: query.before.is_some(),
        typed: with_key(Typed::default())?,
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
    let (actor, now) = (agent.actor.clone(), visit.now);
    let loaded = desk
        .store
        .read(move |db| db.snapshot(|db| find_conversation(db, &actor, id, None, now)))
        .await?;
    let tab = tab_of(&loaded.thread, &query);
    let viewer = visit.viewer();
    let about = AboutView::new(AboutParts {
        thread: &loaded.thread,
        about: loaded.about,
        sent: loaded.sent,
        query: kept_query(tab, &query),
        session: &agent,
        viewer: &viewer,
    });
    html(StatusCode::OK, &AboutFragment { t: visit.t(), about })
}
