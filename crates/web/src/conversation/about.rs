//! What stands beside a conversation: *May I write?*, the number, the contact, earlier tickets.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    active_message::ActiveMessageState,
    admission::{Refusal, RefusalCode},
    contact_cap::CapScope,
    delivery::{self, DeliveryEvent, DeliveryEventKind, Happening, HistoryLine},
    ids::MessageId,
    number::quality::Rating,
    opt_out::OptOutScope,
    phone::PhoneNumber,
    session_window::SessionState,
};
use persistence::{
    admission::{NumberOutlook, Outlook},
    conversation::{About, SentMessage, SentRow, Thread},
    delivery::Prices,
    opt_out::may_enter,
};

use super::{
    history,
    list::{shown_initials, shown_name},
    state::StateView,
};
use crate::{
    local_time::LocalTime,
    locale::Words,
    moment::{Moment, Viewer},
    page::json_instant,
    refusal::{RefusalView, Surroundings},
    session::Session,
};

/// The side panel, display-ready.
#[derive(Debug, Clone)]
pub struct AboutView {
    /// The conversation's address.
    pub path: String,
    /// The query of its address.
    pub query: String,
    /// Where it is fetched anew.
    pub live_path: String,
    /// The name of the live event after which it is.
    pub live_event: String,
    /// The name of the live event of the reader's own presence.
    pub presence_event: String,
    /// The contact.
    pub name: String,
    /// Letters of the name.
    pub initials: String,
    /// The place of the contact, and the time there.
    pub local: Option<LocalTime>,
    /// May one write?
    pub gate: GateView,
    /// The number messages go from.
    pub number: Option<NumberView>,
    /// What is known of the contact: name of the line, and what it says.
    pub facts: Vec<(String, String)>,
    /// When and what of each ticket that was closed.
    pub tickets: Vec<(Moment, String)>,
    /// Where what the contact wishes is entered; `None` for whom may not.
    pub wish_path: Option<String>,
    /// When and what happened to the contact other than messages.
    pub history: Vec<(Moment, String)>,
    /// The reader's own sends that are still listed (LI-05).
    pub sends: Vec<SendView>,
}

/// May one write, and if not, why and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateView {
    /// The icon of the headline.
    pub icon: &'static str,
    /// Its tone: `good`, `warn` or `bad`.
    pub tone: &'static str,
    /// The verdict.
    pub headline: String,
    /// One line for each thing that bears on it.
    pub lines: Vec<GateLine>,
}

/// One thing that bears on whether one may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateLine {
    /// Its icon.
    pub icon: &'static str,
    /// `good` or `warn`.
    pub tone: &'static str,
    /// What it is.
    pub text: String,
    /// Until when, in words; empty when nothing is to be said.
    pub aside: String,
    /// The instant behind `aside`, for scripts that count down to it.
    pub counts_to: Option<String>,
    /// Day, time and zone of that instant.
    pub title: String,
}

/// The number messages go from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberView {
    /// *Number +55 11 4000-1000*.
    pub title: String,
    /// The rating in words.
    pub rating: String,
    /// Its symbol, so that the colour is never alone.
    pub symbol: &'static str,
    /// Its tone: `good`, `warn` or `bad`.
    pub tone: &'static str,
    /// Contacts counted in 24 h.
    pub counted: u32,
    /// The limit.
    pub limit: u32,
    /// Both in words.
    pub usage: String,
}

/// One of the reader's own sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendView {
    /// The template and its language.
    pub template: String,
    /// How it stands.
    pub state: StateView,
    /// What happened to it, in that order.
    pub steps: Vec<(String, Moment)>,
    /// What the platform charges for it; `None` when it did not tell.
    pub price: Option<String>,
    /// When it leaves the desk.
    pub listed_until: Moment,
}

/// What a side panel is made of.
pub struct AboutParts<'a> {
    /// The conversation.
    pub thread: &'a Thread,
    /// What stands beside it.
    pub about: About,
    /// The reader's own sends to the contact that are still listed.
    pub sent: Option<SentRow>,
    /// What happened to each of them.
    pub logs: BTreeMap<MessageId, Vec<DeliveryEvent>>,
    /// What each of them costs, as far as it was told.
    pub prices: Prices,
    /// The query of its address.
    pub query: String,
    /// Who reads.
    pub session: &'a Session,
    /// For whom it is built.
    pub viewer: &'a Viewer,
}

impl AboutView {
    /// The side panel for the one who is signed in.
    #[must_use]
    pub fn new(parts: AboutParts<'_>) -> Self {
        let AboutParts { thread, about, sent, logs, prices, query, session, viewer } = parts;
        let t = viewer.words();
        let path = format!("/desk/conversations/{}", thread.conversation);
        let reader = session.actor.id();
        let may_reply = thread
            .ticket
            .as_ref()
            .is_some_and(|ticket| ticket.holding.refuses_writing(reader).is_none());
        Self {
            live_path: format!("{path}/about{query}"),
            live_event: format!("janela:thread-{}", thread.conversation),
            presence_event: format!("janela:presence-{reader}"),
            name: shown_name(&about.name, about.phone.as_ref(), t),
            initials: shown_initials(&about.name),
            local: LocalTime::new(about.zone, about.phone.as_ref(), viewer),
            gate: gate(thread, about.outlook.as_ref(), &about, may_reply, viewer),
            number: about
                .outlook
                .as_ref()
                .and_then(|outlook| outlook.number.as_ref())
                .map(|number| number_view(number, viewer)),
            facts: facts(thread, &about, viewer),
            tickets: about
                .earlier_tickets
                .iter()
                .map(|ticket| {
                    let text = match &ticket.closed_by {
                        Some(name) => t.desk_ticket_closed_by(&ticket.protocol, name),
                        None => t.desk_ticket_closed(&ticket.protocol),
                    };
                    (viewer.day(ticket.closed_at), text)
                })
                .collect(),
            wish_path: may_enter(&session.actor, thread.conversation.chatbot)
                .then(|| format!("{path}/wish")),
            history: history::lines(&about.history, viewer),
            sends: sent.map(|row| sends(&row, &logs, &prices, viewer)).unwrap_or_default(),
            path,
            query,
        }
    }
}

fn sends(
    row: &SentRow,
    logs: &BTreeMap<MessageId, Vec<DeliveryEvent>>,
    prices: &Prices,
    viewer: &Viewer,
) -> Vec<SendView> {
    let t = viewer.words();
    row.sends()
        .map(|sent| SendView {
            template: t.desk_send_template(&sent.template, sent.language.replace('_', "-")),
            state: StateView::of_sent(sent, &row.chatbot, viewer),
            steps: steps(sent, logs.get(&sent.message).map_or(&[], Vec::as_slice), viewer),
            price: prices.get(&sent.message).and_then(|price| history::price(price, t)),
            listed_until: viewer.at(sent.listed_until),
        })
        .collect()
}

/// What happened to a send and when: each thing once, by its first report.
fn steps(sent: &SentMessage, log: &[DeliveryEvent], viewer: &Viewer) -> Vec<(String, Moment)> {
    let is_over = sent.state == ActiveMessageState::Expired;
    let mut steps: Vec<(String, Moment)> = Vec::new();
    for HistoryLine { at, what } in
        delivery::history(log, sent.at, is_over.then_some(sent.expires_at))
    {
        let Some(what) = step(what, viewer.words()) else { continue };
        if steps.iter().all(|(told, _)| *told != what) {
            steps.push((what, viewer.at(at)));
        }
    }
    steps
}

/// `None` for what the panel does not tell: an answer takes the send off it.
fn step(what: Happening<'_>, t: Words) -> Option<String> {
    use DeliveryEventKind as Kind;
    match what {
        Happening::Triggered => Some(t.desk_state_sending()),
        Happening::Expired => Some(t.desk_state_expired()),
        Happening::Told(event) => match event.kind {
            Kind::Accepted | Kind::Sent => Some(t.desk_state_sent()),
            Kind::Delivered => Some(t.desk_state_delivered()),
            Kind::Read => Some(t.desk_state_read()),
            Kind::Played => Some(t.desk_state_played()),
            Kind::Failed(_) => Some(t.desk_state_failed()),
            Kind::Replied | Kind::Unsettled => None,
        },
    }
}

fn facts(thread: &Thread, about: &About, viewer: &Viewer) -> Vec<(String, String)> {
    let t = viewer.words();
    let mut facts = Vec::new();
    if let Some(ticket) = &thread.ticket {
        facts.push((t.desk_contact_ticket(), ticket.protocol.clone()));
    }
    facts.push((t.desk_contact_first(), viewer.day(about.first_contact_at).text));
    if let Some(agent) = &about.last_agent {
        facts.push((t.desk_contact_last_agent(), agent.clone()));
    }
    let marketing = if !about.opt_outs.is_empty() {
        t.desk_marketing_out()
    } else if about.marketing_opt_in_at.is_some() {
        t.desk_marketing_in()
    } else {
        t.desk_marketing_unknown()
    };
    facts.push((t.desk_contact_marketing(), marketing));
    if !about.tags.is_empty() {
        facts.push((t.desk_contact_tags(), about.tags.join(", ")));
    }
    facts
}

fn number_view(number: &NumberOutlook, viewer: &Viewer) -> NumberView {
    let t = viewer.words();
    let (rating, symbol, tone) = match number.rating {
        Rating::High => (t.desk_rating_high(), "●", "good"),
        Rating::Medium => (t.desk_rating_medium(), "▲", "warn"),
        Rating::Low => (t.desk_rating_low(), "■", "bad"),
    };
    let phone = PhoneNumber::from_e164(&number.phone)
        .map_or_else(|_| number.phone.clone(), |phone| phone.display());
    let grouped = |count: u32| viewer.locale.number(i64::from(count));
    NumberView {
        title: t.desk_number_title(&phone),
        rating,
        symbol,
        tone,
        counted: number.counted,
        limit: number.limit,
        usage: t.desk_number_of(grouped(number.counted), grouped(number.limit)),
    }
}

/// Whether an active message may go: now, later, or not by waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Now,
    Later,
    Never,
}

fn gate(
    thread: &Thread,
    outlook: Option<&Outlook>,
    about: &About,
    may_reply: bool,
    viewer: &Viewer,
) -> GateView {
    let t = viewer.words();
    let session_allows = !matches!(thread.session, SessionState::Closed { .. });
    let mut lines = Vec::new();
    lines.extend(session_line(thread, viewer));
    let Some(outlook) = outlook else {
        lines.push(line("circle-help", "warn", t.desk_gate_unknown_text()));
        let headline = t.desk_gate_unknown();
        return GateView { icon: "circle-help", tone: "warn", headline, lines };
    };
    lines.extend(outlook.reasons.iter().map(|reason| reason_line(*reason, outlook, about, viewer)));
    let is_capped = outlook.reasons.iter().any(|it| it.code == RefusalCode::AgentContactCap);
    if !is_capped {
        lines.extend(free_cap_line(outlook, viewer));
    }
    let refuses_marketing =
        outlook.facts.opt_outs.iter().any(|it| it.scope == OptOutScope::Marketing);
    let said_stop = outlook.reasons.iter().any(|it| it.code == RefusalCode::ContactOptedOut);
    if refuses_marketing && !said_stop {
        lines.push(line("ban", "warn", t.desk_gate_marketing_stop()));
    }
    let message = message(outlook);
    let reply = may_reply && session_allows;
    let (icon, tone, headline) = match (reply, message) {
        (true, Message::Now) => ("check", "good", t.desk_gate_reply_and_message()),
        (true, Message::Later) => ("triangle-alert", "warn", t.desk_gate_reply_message_later()),
        (true, Message::Never) => ("triangle-alert", "warn", t.desk_gate_reply_no_message()),
        (false, Message::Now) if may_reply => {
            ("triangle-alert", "warn", t.desk_gate_template_only())
        }
        (false, Message::Now) => ("check", "good", t.desk_gate_message()),
        (false, Message::Later) => ("triangle-alert", "warn", t.desk_gate_not_yet()),
        (false, Message::Never) => ("ban", "bad", t.desk_gate_no()),
    };
    GateView { icon, tone, headline, lines }
}

fn message(outlook: &Outlook) -> Message {
    // These the agent lifts: by closing the ticket, by going online.
    let in_hand = |reason: &Refusal| {
        matches!(reason.code, RefusalCode::ContactHasOpenTicket | RefusalCode::AgentNotOnline)
    };
    if outlook.reasons.is_empty() {
        Message::Now
    } else if outlook.reasons.iter().all(|reason| in_hand(reason) || reason.until.is_some()) {
        Message::Later
    } else {
        Message::Never
    }
}

fn line(icon: &'static str, tone: &'static str, text: String) -> GateLine {
    GateLine { icon, tone, text, aside: String::new(), counts_to: None, title: String::new() }
}

fn counting(line: GateLine, until: DateTime<Utc>, viewer: &Viewer) -> GateLine {
    GateLine {
        aside: viewer.words().desk_gate_in(viewer.remaining(until)),
        counts_to: Some(json_instant(until)),
        title: viewer.from_when(until).title,
        ..line
    }
}

fn session_line(thread: &Thread, viewer: &Viewer) -> Option<GateLine> {
    let t = viewer.words();
    match thread.session {
        SessionState::NotNeeded => None,
        SessionState::Open { ends_at } | SessionState::ClosingSoon { ends_at } => Some(GateLine {
            aside: t.desk_gate_until(&viewer.at(ends_at).text),
            title: viewer.at(ends_at).title,
            ..line("check", "good", t.desk_gate_session_open())
        }),
        SessionState::Closed { .. } => Some(GateLine {
            aside: t.desk_gate_until_answer(),
            ..line("ban", "warn", t.desk_gate_session_closed())
        }),
    }
}

fn reason_line(reason: Refusal, outlook: &Outlook, about: &About, viewer: &Viewer) -> GateLine {
    let t = viewer.words();
    let cap = outlook.facts.cap.as_ref();
    let cap_sends = cap.map_or(0, |cap| cap.cap.sends);
    let view =
        RefusalView::new(reason, Surroundings { chatbot: &about.chatbot, cap_sends }, viewer);
    let found = match reason.code {
        RefusalCode::ContactHasOpenTicket => GateLine {
            aside: t.desk_gate_after_closing(),
            ..line("ban", "warn", t.desk_gate_ticket())
        },
        RefusalCode::AgentNotOnline => GateLine {
            aside: t.desk_gate_go_online(),
            ..line("ban", "warn", t.desk_gate_not_online())
        },
        RefusalCode::AgentContactCap => line("ban", "warn", cap_text(outlook, viewer)),
        _ => line("ban", "warn", view.headline),
    };
    match reason.until {
        Some(until) => counting(found, until, viewer),
        None => found,
    }
}

fn cap_text(outlook: &Outlook, viewer: &Viewer) -> String {
    let t = viewer.words();
    let Some(cap) = &outlook.facts.cap else { return String::new() };
    let counted = cap.sent_at.iter().filter(|at| viewer.now - **at < cap.cap.window).count();
    let (used, limit) = (counted.to_string(), cap.cap.sends.to_string());
    match cap.scope {
        CapScope::EachAgent => t.desk_gate_your_limit(&used, &limit),
        CapScope::AllAgents => t.desk_gate_team_limit(&used, &limit),
    }
}

fn free_cap_line(outlook: &Outlook, viewer: &Viewer) -> Option<GateLine> {
    outlook.facts.cap.as_ref()?;
    let text = cap_text(outlook, viewer);
    Some(GateLine { aside: viewer.words().desk_gate_free(), ..line("check", "good", text) })
}
