//! The list of conversations: tabs with counts, search, rows, and what stands there when there are none.

use domain::{permission::Permission, phone::PhoneNumber, presence::Presence, ticket::TicketState};
use persistence::{
    conversation::{ConversationId, SentPage, TabCounts, Thread, TicketRow, WaitingPage},
    search::{Search, SearchId},
};

use super::row::{RowParts, RowView, sent_row, ticket_row, waiting_row};
use crate::{
    locale::{Words, isolated},
    moment::Viewer,
    page::initials,
    search::SEARCH,
    session::Session,
};

/// The three tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Tickets nobody serves yet.
    Waiting,
    /// Tickets being served.
    InProgress,
    /// The agent's own sends.
    Sent,
}

impl Tab {
    const ALL: [Self; 3] = [Self::Waiting, Self::InProgress, Self::Sent];

    /// The word it is named by in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "conversations",
            Self::Sent => "sent",
        }
    }

    /// The tab the open ticket of `thread` stands in; `None` when none is open.
    #[must_use]
    pub fn of_ticket(thread: &Thread) -> Option<Self> {
        let ticket = thread.ticket.as_ref()?;
        Some(match ticket.holding.state {
            TicketState::Waiting => Self::Waiting,
            TicketState::InProgress => Self::InProgress,
            TicketState::Closed => return None,
        })
    }

    /// The tab of that name; `None` when there is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.as_str() == word)
    }

    /// Its address.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Waiting => "/desk/waiting",
            Self::InProgress => "/desk/conversations",
            Self::Sent => "/desk/sent",
        }
    }
}

/// The last row of those a list was shown down to: a ticket in *Waiting*, a send in *Sent*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Through(pub i64);

/// The list, display-ready.
#[derive(Debug, Clone)]
pub struct ListView {
    /// The word of the open tab.
    pub tab: &'static str,
    /// Where the list stands without a search.
    pub path: &'static str,
    /// All tabs.
    pub tabs: Vec<TabView>,
    /// As typed.
    pub typed: String,
    /// The conversation that is open, for refetching.
    pub open: String,
    /// Where the list is fetched anew.
    pub live_path: String,
    /// The name of the live event of the reader's own presence.
    pub presence_event: String,
    /// Whether the button *Active message* shows: online, and permitted somewhere (AM-01).
    pub may_send: bool,
    /// What stands in its place; `None` when the button shows or sending is not the reader's to do.
    pub not_online: Option<String>,
    /// Where the reader goes back to after going online.
    pub here: String,
    /// Which row stands first: `latest`, or `longest` for whoever waits longest.
    pub first: &'static str,
    /// The rows.
    pub rows: Vec<RowView>,
    /// Whether there are more than are shown, to be found by search.
    pub has_more: bool,
    /// Where more are shown; `None` when there are none, or only search finds them.
    pub more: Option<MoreView>,
    /// What stands there without rows.
    pub empty: Option<EmptyView>,
}

/// A tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabView {
    /// Its address.
    pub path: &'static str,
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub count: String,
    /// Whether it is the open one.
    pub is_open: bool,
    /// The key that leads there.
    pub hotkey: Option<&'static str>,
}

/// Where more rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreView {
    /// The page with more of them: for whoever has no script.
    pub page: String,
    /// The list with more of them.
    pub list: String,
}

impl MoreView {
    fn new(tab: Tab, query: &str, open: Option<ConversationId>) -> Self {
        let page = match open {
            Some(open) => format!("/desk/conversations/{open}{query}"),
            None => format!("{}{query}", tab.path()),
        };
        let open = open.map(|open| open.to_string()).unwrap_or_default();
        Self { page, list: live_path(query, &open) }
    }
}

/// What stands where rows would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyView {
    /// Its icon.
    pub icon: &'static str,
    /// That there is nothing.
    pub title: String,
    /// What would be here.
    pub text: String,
    /// Whether it was searched for: the way out is to clear the search.
    pub is_search: bool,
}

/// What a list is made of.
pub struct ListParts {
    /// The open tab.
    pub tab: Tab,
    /// What is searched for.
    pub search: Option<Search>,
    /// The row down to which they were asked for.
    pub through: Option<Through>,
    /// The open conversation.
    pub open: Option<ConversationId>,
    /// How many rows each tab has.
    pub counts: TabCounts,
    /// The rows of the open tab.
    pub rows: Rows,
    /// Where the page stands.
    pub here: String,
}

/// The rows of a tab.
#[derive(Debug)]
pub enum Rows {
    /// Tickets being served.
    InProgress(Vec<TicketRow>),
    /// Tickets nobody serves yet.
    Waiting(WaitingPage),
    /// Sends.
    Sent(SentPage),
}

/// What *In progress* shows at most, as `persistence` limits it.
const MOST_ROWS: usize = 100;

impl ListView {
    /// The list for the one who is signed in.
    #[must_use]
    pub fn new(parts: ListParts, session: &Session, viewer: &Viewer) -> Self {
        let ListParts { tab, search, through, open, counts, rows, here } = parts;
        let t = viewer.words();
        let reader = session.actor.id();
        let may_ever_send =
            !session.actor.chatbots_where(Permission::SendActiveMessages).is_empty();
        let may_send = may_ever_send && session.presence.is_online();
        let open_text = open.map(|id| id.to_string()).unwrap_or_default();
        let search_id = search.as_ref().map(|search| &search.id);
        let row_query = list_query(tab, search_id, through);
        let live_path = live_path(&row_query, &open_text);
        let more = match &rows {
            Rows::InProgress(_) => None,
            Rows::Waiting(page) => page.more_after.map(|ticket| Through(ticket.0)),
            Rows::Sent(page) => page.more_after.map(|message| Through(message.0)),
        };
        let more = more.map(|after| list_query(tab, search_id, Some(after)));
        let has_more = matches!(&rows, Rows::InProgress(rows) if MOST_ROWS <= rows.len());
        let about = RowParts { open, query: &row_query, live_path: &live_path, reader, viewer };
        let rows: Vec<RowView> = match rows {
            Rows::InProgress(rows) => rows.into_iter().map(|row| ticket_row(row, &about)).collect(),
            Rows::Waiting(page) => {
                page.rows.into_iter().map(|row| waiting_row(row, &about)).collect()
            }
            Rows::Sent(page) => page.rows.into_iter().map(|row| sent_row(row, &about)).collect(),
        };
        let typed = search.map(|search| search.typed).unwrap_or_default();
        Self {
            tab: tab.as_str(),
            path: tab.path(),
            tabs: tabs(tab, counts, viewer),
            open: open_text,
            live_path,
            presence_event: format!("janela:presence-{reader}"),
            may_send,
            not_online: (may_ever_send && !may_send).then(|| not_online(session.presence, t)),
            here,
            first: if tab == Tab::Waiting { "longest" } else { "latest" },
            has_more,
            more: more.map(|query| MoreView::new(tab, &query, open)),
            empty: rows.is_empty().then(|| empty(tab, &typed, t)),
            rows,
            typed,
        }
    }
}

/// Where the list is fetched anew.
pub(super) fn live_path(query: &str, open: &str) -> String {
    format!("/desk/list{query}&open={open}")
}

/// What an address carries so that the list beside it stays as it is: the tab, what is searched for, and
/// down to which row it was shown.
pub(super) fn list_query(tab: Tab, search: Option<&SearchId>, through: Option<Through>) -> String {
    let search = search.map(|id| format!("&{SEARCH}={id}"));
    let through = through.map(|Through(row)| format!("&through={row}"));
    format!("?tab={}{}{}", tab.as_str(), search.unwrap_or_default(), through.unwrap_or_default())
}

fn tabs(open: Tab, counts: TabCounts, viewer: &Viewer) -> Vec<TabView> {
    let t = viewer.words();
    let view = |tab: Tab, name, count: u32, hotkey| TabView {
        path: tab.path(),
        name,
        count: viewer.locale.number(i64::from(count)),
        is_open: tab == open,
        hotkey,
    };
    vec![
        view(Tab::Waiting, t.desk_tab_waiting(), counts.waiting, None),
        view(Tab::InProgress, t.desk_tab_in_progress(), counts.in_progress, None),
        view(Tab::Sent, t.desk_tab_sent(), counts.sent, Some("g s")),
    ]
}

/// Why the reader cannot send now, and what to do about it (AM-01).
pub(super) fn not_online(presence: Presence, t: Words) -> String {
    match presence {
        Presence::OnBreak => t.desk_not_online_on_break(),
        Presence::Online | Presence::Invisible => t.desk_not_online_invisible(),
        Presence::Offline => t.desk_not_online_offline(),
    }
}

fn empty(tab: Tab, typed: &str, t: Words) -> EmptyView {
    let (icon, title, text) = match tab {
        _ if !typed.is_empty() => {
            ("search", t.desk_empty_search(), t.desk_empty_search_text(isolated(typed)))
        }
        Tab::Waiting => ("inbox", t.desk_empty_waiting(), t.desk_empty_waiting_text()),
        Tab::InProgress => {
            ("message-circle", t.desk_empty_in_progress(), t.desk_empty_in_progress_text())
        }
        Tab::Sent => ("send", t.desk_empty_sent(), t.desk_empty_sent_text()),
    };
    EmptyView { icon, title, text, is_search: !typed.is_empty() }
}

/// A contact's name, else the number, else that there is none.
pub(super) fn shown_name(name: &str, phone: Option<&PhoneNumber>, t: Words) -> String {
    match (name, phone) {
        ("", Some(phone)) => phone.display(),
        ("", None) => t.desk_no_name(),
        (name, _) => name.to_owned(),
    }
}

/// Letters for an avatar; of a person without a name none.
pub(super) fn shown_initials(name: &str) -> String {
    if name.is_empty() { String::from("#") } else { initials(name) }
}
