//! The open conversation: its head, its messages by day, and the composer in its state.

use domain::{
    channel::ChannelKind,
    ids::{MessageId, UserId},
    permission::Permission,
    session_window::SessionState,
    ticket::{TicketRefusal, TicketState},
};
use persistence::conversation::{ConversationId, OpenTicketRow, Thread};

use super::{
    answering::{AnsweredView, answered},
    bubble::{self, DayView},
    clock::{ClockView, RiskView},
    list::{Tab, not_online, shown_initials, shown_name},
};
use crate::{
    locale::{Words, isolated},
    moment::Viewer,
    session::Session,
};

/// A conversation, display-ready.
#[derive(Debug, Clone)]
pub struct ThreadView {
    /// The conversation's id, for addresses and elements.
    pub id: String,
    /// Its address.
    pub path: String,
    /// The query of its address: tab and search of the list beside it.
    pub query: String,
    /// Where it is fetched anew.
    pub live_path: String,
    /// The name of the live event after which it is.
    pub live_event: String,
    /// The name of the live event of the reader's own presence.
    pub presence_event: String,
    /// Said once when the contact writes.
    pub arrived: String,
    /// The list it belongs to.
    pub back: &'static str,
    /// That it stands in another tab by now than the list beside it shows.
    pub moved: Option<MovedView>,
    /// The contact.
    pub name: String,
    /// Letters of the name.
    pub initials: String,
    /// Number, channel, chatbot.
    pub subtitle: String,
    /// The session's clock; `None` where there are no windows.
    pub clock: Option<ClockView>,
    /// That the session is about to close.
    pub risk: Option<RiskView>,
    /// The messages, oldest first.
    pub days: Vec<DayView>,
    /// Where older ones are.
    pub earlier: Option<String>,
    /// Where the latest ones are; `None` when they are here.
    pub latest: Option<String>,
    /// What stands under the messages.
    pub composer: ComposerView,
    /// The open ticket's id; empty when there is none.
    pub ticket: String,
    /// The open ticket's number.
    pub protocol: Option<String>,
    /// Whether the reader may take it.
    pub may_take: bool,
    /// Whether the reader may close it.
    pub may_close: bool,
    /// Whether it asks if the ticket is to be closed: for whoever has no script.
    pub asks_to_close: bool,
    /// Whether the reader has messages to look at: then the page says that they were seen.
    pub is_unread: bool,
    /// The latest message, so that each arrival is noted once.
    pub latest_message: String,
}

/// Where a conversation went that was opened from another tab.
#[derive(Debug, Clone)]
pub struct MovedView {
    /// The conversation beside the list it stands in now.
    pub path: String,
    /// What happened.
    pub text: String,
    /// The words of the link.
    pub label: String,
}

/// What stands under the messages: exactly one of these.
#[derive(Debug, Clone, Default)]
pub struct ComposerView {
    /// The reply form.
    pub reply: Option<ReplyView>,
    /// Grey, with what is offered instead (SW-04, SW-05).
    pub expired: Option<ExpiredView>,
    /// Why nothing can be written here.
    pub note: Option<NoteView>,
}

/// Why nothing can be written, and what can be done instead.
#[derive(Debug, Clone)]
pub struct NoteView {
    /// Why not.
    pub text: String,
    /// The template that may be sent.
    pub template: Option<TemplateOffer>,
}

/// *Send a template*, for whoever may send active messages in this chatbot.
#[derive(Debug, Clone)]
pub struct TemplateOffer {
    /// The dialog of active messages for this contact.
    pub path: String,
    /// That the reader must go online first (AM-01); `None` while online.
    pub not_online: Option<String>,
}

/// The reply form.
#[derive(Debug, Clone)]
pub struct ReplyView {
    /// Makes a double click one message.
    pub key: String,
    /// As typed.
    pub text: String,
    /// Why it was not sent.
    pub problem: Option<String>,
    /// The message it answers.
    pub answers: Option<AnsweredView>,
    /// Where it is told that someone types; `None` where nobody is told.
    pub typing_path: Option<String>,
}

/// The composer of a session that is over.
#[derive(Debug, Clone)]
pub struct ExpiredView {
    /// As typed before it was over.
    pub text: String,
    /// Why it was not sent.
    pub problem: Option<String>,
    /// The template that may be sent; `None` where none may.
    pub template: Option<TemplateOffer>,
}

/// What was typed and why it was not sent; empty for a fresh page.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// As typed.
    pub text: String,
    /// Why it was not sent.
    pub problem: Option<String>,
    /// The key of the form; a fresh one is made where it is empty.
    pub key: String,
    /// The message it answers.
    pub quote: Option<MessageId>,
}

/// What a thread is made of, besides the conversation.
pub struct ThreadParts<'a> {
    /// The query of its address.
    pub query: String,
    /// The list it belongs to.
    pub tab: Tab,
    /// Whether it shows older messages.
    pub is_earlier: bool,
    /// Whether it was asked to close the ticket.
    pub asks_to_close: bool,
    /// What was typed.
    pub typed: Typed,
    /// Who reads.
    pub session: &'a Session,
    /// For whom it is built.
    pub viewer: &'a Viewer,
}

impl ThreadView {
    /// The conversation for the one who is signed in.
    #[must_use]
    pub fn new(thread: &Thread, parts: ThreadParts<'_>) -> Self {
        let ThreadParts { query, tab, is_earlier, asks_to_close, typed, session, viewer } = parts;
        let t = viewer.words();
        let reader = session.actor.id();
        let id = thread.conversation.to_string();
        let path = format!("/desk/conversations/{id}");
        let ticket = thread.ticket.as_ref();
        let sees_all = session.actor.may(thread.conversation.chatbot, Permission::SeeAllTickets);
        let serves = session.actor.may(thread.conversation.chatbot, Permission::ServeTickets);
        let latest_message = thread.messages.last().map(|message| message.id.to_string());
        let first = thread.messages.first().filter(|_| thread.has_earlier);
        let name = shown_name(&thread.name, thread.phone.as_ref(), t);
        let may_close = ticket.is_some_and(|ticket| {
            (serves || sees_all) && ticket.holding.refuses_closing(reader, sees_all).is_none()
        });
        let answers = answered(typed.quote, thread, reader, (&path, &query), viewer);
        let quote = answers.as_ref().map(|answers| format!("&quote={}", answers.message));
        let composer = composer(thread, typed, answers, serves, session, t);
        Self {
            live_path: format!("{path}/thread{query}{}", quote.unwrap_or_default()),
            live_event: format!("janela:thread-{id}"),
            presence_event: format!("janela:presence-{reader}"),
            arrived: t.desk_arrived(isolated(&name)),
            back: tab.path(),
            moved: MovedView::new(thread, tab, &path, t),
            name,
            initials: shown_initials(&thread.name),
            subtitle: subtitle(thread, t),
            clock: ClockView::new(
                &format!("window-{id}"),
                thread.session,
                thread.risk_alert_minutes,
                thread.window_policy.as_ref(),
                viewer,
            ),
            risk: ticket.and_then(|_| RiskView::new(thread.session, viewer)),
            days: bubble::days(thread, reader, (&path, &query), composer.reply.is_some(), viewer),
            earlier: first.map(|message| format!("{path}{query}&before={}", message.id)),
            latest: is_earlier.then(|| format!("{path}{query}")),
            composer,
            ticket: ticket.map(|ticket| ticket.id.to_string()).unwrap_or_default(),
            protocol: ticket.map(|ticket| ticket.protocol.clone()),
            may_take: serves && ticket.is_some_and(|ticket| may_take(ticket, reader)),
            may_close,
            asks_to_close: asks_to_close && may_close,
            is_unread: ticket
                .is_some_and(|ticket| 0 < ticket.unread && ticket.holding.agent == Some(reader)),
            latest_message: latest_message.unwrap_or_default(),
            id,
            path,
            query,
        }
    }
}

impl MovedView {
    fn new(thread: &Thread, shown: Tab, path: &str, t: Words) -> Option<Self> {
        let tab = Tab::of_ticket(thread).filter(|tab| *tab != shown)?;
        let (text, label) = match tab {
            Tab::InProgress if shown == Tab::Sent => {
                (t.desk_moved_answered(), t.desk_moved_open_in_progress())
            }
            Tab::InProgress => (t.desk_moved_in_progress(), t.desk_moved_open_in_progress()),
            Tab::Waiting if shown == Tab::Sent => {
                (t.desk_moved_answered_waiting(), t.desk_moved_open_waiting())
            }
            Tab::Waiting => (t.desk_moved_waiting(), t.desk_moved_open_waiting()),
            Tab::Sent => return None,
        };
        Some(Self { path: format!("{path}?tab={}", tab.as_str()), text, label })
    }
}

fn may_take(ticket: &OpenTicketRow, reader: UserId) -> bool {
    ticket.holding.state == TicketState::Waiting && ticket.holding.refuses_taking(reader).is_none()
}

fn subtitle(thread: &Thread, t: Words) -> String {
    let phone = thread.phone.as_ref().map(domain::phone::PhoneNumber::display);
    let channel = thread.channel.map(|(_, kind)| channel_name(kind, t));
    let parts = [phone, channel, Some(thread.chatbot.clone())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn channel_name(kind: ChannelKind, t: Words) -> String {
    match kind {
        ChannelKind::WhatsApp => t.desk_channel_whatsapp(),
        ChannelKind::WeChat => t.desk_channel_wechat(),
        ChannelKind::WeCom => t.desk_channel_wecom(),
        ChannelKind::Sms => t.desk_channel_sms(),
    }
}

/// *Send a template* to the contact, into the open ticket if there is one.
fn template_offer(thread: &Thread, session: &Session, t: Words) -> Option<TemplateOffer> {
    let ConversationId { chatbot, contact } = thread.conversation;
    let can_initiate = thread.channel.is_some_and(|(_, kind)| kind.can_initiate());
    if !can_initiate || !session.actor.may(chatbot, Permission::SendActiveMessages) {
        return None;
    }
    let ticket = thread.ticket.as_ref().map(|ticket| format!("&ticket={}", ticket.id));
    let ticket = ticket.unwrap_or_default();
    Some(TemplateOffer {
        path: format!("/desk/active-message?contact={contact}&chatbot={chatbot}{ticket}"),
        not_online: (!session.presence.is_online()).then(|| not_online(session.presence, t)),
    })
}

fn composer(
    thread: &Thread,
    typed: Typed,
    answers: Option<AnsweredView>,
    serves: bool,
    session: &Session,
    t: Words,
) -> ComposerView {
    let reader = session.actor.id();
    let plain_note = |text, template| ComposerView {
        note: Some(NoteView { text, template }),
        ..ComposerView::default()
    };
    let note = |text| plain_note(text, None);
    let Some(ticket) = &thread.ticket else {
        if thread.is_served_elsewhere {
            return note(t.desk_served_elsewhere());
        }
        return plain_note(t.desk_no_ticket(), template_offer(thread, session, t));
    };
    let holder = thread.ticket_agent.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
    match ticket.holding.refuses_writing(reader) {
        Some(TicketRefusal::NotTaken) => {
            let waits_for_another = ticket.holding.only_agent.is_some_and(|only| only != reader);
            return note(if waits_for_another {
                t.desk_take_waits_for(holder)
            } else {
                t.desk_take_first()
            });
        }
        Some(TicketRefusal::ServedByAnother | TicketRefusal::WaitsForAnother) => {
            return note(t.desk_served_by_other(holder));
        }
        Some(TicketRefusal::Closed) => return note(t.desk_no_ticket()),
        None if !serves => return note(t.desk_served_by_other(holder)),
        None => {}
    }
    let Typed { text, problem, key, quote: _ } = typed;
    if matches!(thread.session, SessionState::Closed { .. }) {
        let expired = ExpiredView { text, problem, template: template_offer(thread, session, t) };
        return ComposerView { expired: Some(expired), ..ComposerView::default() };
    }
    let is_told = thread.channel.is_some_and(|(_, kind)| kind.capabilities().signals);
    let typing_path =
        is_told.then(|| format!("/desk/conversations/{}/typing", thread.conversation));
    let reply = ReplyView { key, text, problem, answers, typing_path };
    ComposerView { reply: Some(reply), ..ComposerView::default() }
}
