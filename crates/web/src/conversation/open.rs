//! Showing one conversation: the whole page, the thread alone, and what stands beside it alone.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use chrono::{DateTime, Utc};
use domain::{delivery::DeliveryEvent, ids::MessageId};
use persistence::{
    conversation::{self, About, ConversationId, SentRow, Thread},
    db::Db,
    delivery::{self, Prices},
    error::PersistenceError,
    search::SearchId,
    user::Actor,
};

use super::{
    about::{AboutParts, AboutView},
    handler::{AskedList, DeskQuery, load_list},
    list::{Tab, list_query},
    page::{AboutFragment, ConversationsPage, OpenView, ThreadFragment},
    thread::{ThreadParts, ThreadView, Typed},
    unread::with_unread,
};
use crate::{
    desk::Desk,
    error::WebError,
    form::html,
    fragment,
    page::{Page, Place},
    session::{Agent, Session},
    visit::Visit,
};

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
