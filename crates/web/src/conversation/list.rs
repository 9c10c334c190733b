//! The list of conversations: tabs with counts, search, rows, and what stands there when there are none.

use domain::{ids::UserId, permission::Permission, presence::Presence};
use persistence::conversation::{
    ConversationId, LastMessage, SentMessage, SentRow, TabCounts, TicketRow,
};

use super::{bubble::media_of, clock::ClockView, state::StateView};
use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
    page::initials,
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

/// The list, display-ready.
#[derive(Debug, Clone)]
pub struct ListView {
    /// The word of the open tab.
    pub tab: &'static str,
    /// Where the search form leads without script.
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
    /// The rows.
    pub rows: Vec<RowView>,
    /// Whether there are more than are shown.
    pub has_more: bool,
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

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowView {
    /// The conversation's id, for the element's.
    pub id: String,
    /// Where it leads.
    pub path: String,
    /// The contact.
    pub name: String,
    /// One or two letters of the name.
    pub initials: String,
    /// Whether it is the open one.
    pub is_current: bool,
    /// How the session stands; `None` where there are no windows.
    pub clock: Option<ClockView>,
    /// When the latest message was written.
    pub at: Moment,
    /// The latest message.
    pub last: String,
    /// Messages nobody has looked at; `None` when there are none.
    pub unread: Option<String>,
    /// Who has the ticket, or for whom it waits.
    pub holder: Option<String>,
    /// How the latest send stands.
    pub state: Option<StateView>,
    /// That there were sends before.
    pub earlier: Option<String>,
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
    /// As typed.
    pub typed: String,
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
    /// Tickets.
    Tickets(Vec<TicketRow>),
    /// Sends.
    Sent(Vec<SentRow>),
}

/// What a tab shows at most, as `persistence` limits it.
const MOST_ROWS: usize = 100;

impl ListView {
    /// The list for the one who is signed in.
    #[must_use]
    pub fn new(parts: ListParts, session: &Session, viewer: &Viewer) -> Self {
        let ListParts { tab, typed, open, counts, rows, here } = parts;
        let t = viewer.words();
        let reader = session.actor.id();
        let may_ever_send =
            !session.actor.chatbots_where(Permission::SendActiveMessages).is_empty();
        let may_send = may_ever_send && session.presence.is_online();
        let row_query = row_query(tab, &typed);
        let rows: Vec<RowView> = match rows {
            Rows::Tickets(rows) => rows
                .into_iter()
                .map(|row| ticket_row(row, open, &row_query, reader, viewer))
                .collect(),
            Rows::Sent(rows) => {
                rows.into_iter().map(|row| sent_row(row, open, &row_query, viewer)).collect()
            }
        };
        let open_text = open.map(|id| id.to_string()).unwrap_or_default();
        Self {
            tab: tab.as_str(),
            path: tab.path(),
            tabs: tabs(tab, counts, viewer),
            open: open_text.clone(),
            live_path: live_path(tab, &typed, &open_text),
            presence_event: format!("janela:presence-{reader}"),
            may_send,
            not_online: (may_ever_send && !may_send).then(|| not_online(session.presence, t)),
            here,
            has_more: MOST_ROWS <= rows.len(),
            empty: rows.is_empty().then(|| empty(tab, typed.trim(), t)),
            rows,
            typed,
        }
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn live_path(tab: Tab, typed: &str, open: &str) -> String {
    format!("/desk/list?tab={}&q={}&open={open}", tab.as_str(), encoded(typed.trim()))
}

/// What a row's address carries so that the list stays as it is.
fn row_query(tab: Tab, typed: &str) -> String {
    match typed.trim() {
        "" => format!("?tab={}", tab.as_str()),
        typed => format!("?tab={}&q={}", tab.as_str(), encoded(typed)),
    }
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

fn not_online(presence: Presence, t: Words) -> String {
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
pub(super) fn shown_name(
    name: &str,
    phone: Option<&domain::phone::PhoneNumber>,
    t: Words,
) -> String {
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

fn ticket_row(
    row: TicketRow,
    open: Option<ConversationId>,
    query: &str,
    reader: UserId,
    viewer: &Viewer,
) -> RowView {
    let t = viewer.words();
    let id = row.conversation.to_string();
    let holder = match (&row.reserved_for, &row.agent) {
        (Some((agent, _)), _) if *agent == reader => Some(t.desk_reserved_for_you()),
        (Some((_, name)), _) => Some(t.desk_reserved_for(name)),
        (None, Some((agent, name))) if *agent != reader => Some(t.desk_served_by(name)),
        (None, _) => None,
    };
    RowView {
        path: format!("/desk/conversations/{id}{query}"),
        name: shown_name(&row.name, row.phone.as_ref(), t),
        initials: shown_initials(&row.name),
        is_current: open == Some(row.conversation),
        clock: ClockView::new(
            &format!("clock-{id}"),
            row.session,
            row.risk_alert_minutes,
            None,
            viewer,
        ),
        at: viewer.brief(row.last_message_at),
        last: row.last.as_ref().map(|last| last_text(last, reader, t)).unwrap_or_default(),
        unread: (0 < row.unread).then(|| row.unread.to_string()),
        holder,
        state: None,
        earlier: None,
        id,
    }
}

fn last_text(last: &LastMessage, reader: UserId, t: Words) -> String {
    let media = media_of(&last.kind, t).map(|media| media.text);
    let text = match last.kind.as_str() {
        "reaction" if last.body.is_empty() => t.desk_reaction_removed(),
        "reaction" => t.desk_reaction(&last.body),
        _ if last.body.is_empty() => media.unwrap_or_default(),
        _ => last.body.clone(),
    };
    if last.agent == Some(reader) { t.desk_last_ours(&text) } else { text }
}

fn sent_row(row: SentRow, open: Option<ConversationId>, query: &str, viewer: &Viewer) -> RowView {
    let t = viewer.words();
    let id = row.conversation.to_string();
    let SentMessage { state, failure_code, body, at, .. } = row.latest;
    RowView {
        path: format!("/desk/conversations/{id}{query}"),
        name: shown_name(&row.name, row.phone.as_ref(), t),
        initials: shown_initials(&row.name),
        is_current: open == Some(row.conversation),
        clock: ClockView::new(
            &format!("clock-{id}"),
            row.session,
            row.risk_alert_minutes,
            None,
            viewer,
        ),
        at: viewer.brief(at),
        last: body,
        unread: None,
        holder: None,
        state: Some(StateView::of_send(state, failure_code.as_deref(), &row.chatbot, viewer)),
        earlier: match row.earlier.len() {
            0 => None,
            count => Some(t.desk_earlier_sends(count.to_string())),
        },
        id,
    }
}
