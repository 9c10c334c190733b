//! A row of the list of conversations, in each of the tabs.

use chrono::{DateTime, Utc};
use domain::{ids::UserId, phone::PhoneNumber};
use persistence::conversation::{ConversationId, LastMessage, SentRow, TicketRow};

use super::{
    around::FORM,
    bubble::media_of,
    clock::ClockView,
    list::{shown_initials, shown_name},
    state::StateView,
};
use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
};

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
    /// When the latest message was written; in *Waiting* since when they wait.
    pub at: Moment,
    /// What that is, where it is not the latest message.
    pub at_label: Option<String>,
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
    /// Where the row is fetched anew.
    pub live_path: String,
    /// Said once when the contact writes.
    pub arrived: String,
}

/// What all rows of a list share.
pub(super) struct RowParts<'a> {
    pub open: Option<ConversationId>,
    pub query: &'a str,
    pub live_path: &'a str,
    pub reader: UserId,
    pub viewer: &'a Viewer,
}

impl RowParts<'_> {
    /// A row with what every row says; the rest is empty.
    fn row(
        &self,
        conversation: ConversationId,
        name: &str,
        phone: Option<&PhoneNumber>,
        at: DateTime<Utc>,
    ) -> RowView {
        let t = self.viewer.words();
        let id = conversation.to_string();
        let shown = shown_name(name, phone, t);
        RowView {
            path: format!("/desk/conversations/{id}{}", self.query),
            live_path: format!("{}&row={id}", self.live_path),
            arrived: t.desk_arrived(isolated(&shown)),
            name: shown,
            initials: shown_initials(name),
            is_current: self.open == Some(conversation),
            clock: None,
            at: self.viewer.brief(at),
            at_label: None,
            last: String::new(),
            unread: None,
            holder: None,
            state: None,
            earlier: None,
            id,
        }
    }
}

/// A row whose time is that since which its contact waits: it is what the list is ordered by.
pub(super) fn waiting_row(row: TicketRow, about: &RowParts<'_>) -> RowView {
    let since = about.viewer.brief(row.opened_at);
    let label = about.viewer.words().desk_waiting_since();
    RowView { at: since, at_label: Some(label), ..ticket_row(row, about) }
}

/// A row of a ticket that is served.
pub(super) fn ticket_row(row: TicketRow, about: &RowParts<'_>) -> RowView {
    let RowParts { reader, viewer, .. } = *about;
    let t = viewer.words();
    let holder = match (&row.reserved_for, &row.agent) {
        (Some((agent, _)), _) if *agent == reader => Some(t.desk_reserved_for_you()),
        (Some((_, name)), _) => Some(t.desk_reserved_for(name)),
        (None, Some((agent, name))) if *agent != reader => Some(t.desk_served_by(name)),
        (None, _) => None,
    };
    let shown = about.row(row.conversation, &row.name, row.phone.as_ref(), row.last_message_at);
    RowView {
        clock: ClockView::new(
            &format!("clock-{}", shown.id),
            row.session,
            row.risk_alert_minutes,
            row.window_policy.as_ref(),
            viewer,
        ),
        last: row.last.as_ref().map(|last| last_text(last, reader, t)).unwrap_or_default(),
        unread: (0 < row.unread).then(|| row.unread.to_string()),
        holder,
        ..shown
    }
}

fn last_text(last: &LastMessage, reader: UserId, t: Words) -> String {
    let media = media_of(&last.kind, t).map(|media| media.text);
    let text = match last.kind.as_str() {
        "reaction" if last.body.is_empty() => t.desk_reaction_removed(),
        "reaction" => t.desk_reaction(&last.body),
        // The platform puts the same word below every form.
        FORM => media.unwrap_or_default(),
        _ if last.body.is_empty() => media.unwrap_or_default(),
        _ => last.body.clone(),
    };
    if last.agent == Some(reader) { t.desk_last_ours(&text) } else { text }
}

/// A row of *Sent*: how the latest send stands.
pub(super) fn sent_row(row: SentRow, about: &RowParts<'_>) -> RowView {
    let viewer = about.viewer;
    let t = viewer.words();
    let shown = about.row(row.conversation, &row.name, row.phone.as_ref(), row.latest.at);
    RowView {
        clock: ClockView::new(
            &format!("clock-{}", shown.id),
            row.session,
            row.risk_alert_minutes,
            row.window_policy.as_ref(),
            viewer,
        ),
        state: Some(StateView::of_sent(&row.latest, &row.chatbot, viewer)),
        last: row.latest.body,
        earlier: match row.earlier.len() {
            0 => None,
            count => Some(t.desk_earlier_sends(count.to_string())),
        },
        ..shown
    }
}
