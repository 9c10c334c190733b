//! One snapshot for each state a person can see, rendered without a server: what the tests share.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    admission::{
        CapFacts, ContactReach, EffectiveLimit, Facts, OpenTicket, Refusal, RefusalCode, TierFacts,
    },
    channel::{ChannelKind, Pricing, PricingCategory, PricingKind, PricingModel},
    clock::Clock,
    contact_cap::{CapScope, ContactCap},
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource, MessageState},
    ids::{ChannelId, ChatbotId, ContactId, MessageId, TicketId, UserId},
    number::quality::Rating,
    permission::Role,
    phone::PhoneNumber,
    policy::{Policy, SessionWindowPolicy},
    presence::Presence,
    session_window::SessionState,
    template::{
        FilledButton, FilledContent, FilledHeader, MediaKind, TemplateCategory, TemplateStatus,
    },
    ticket::{Holding, TicketState},
};
use persistence::{
    admission::{NumberOutlook, Outlook},
    chatbot,
    contact_event::{ContactEvent, ContactNews},
    conversation::{
        About, Around, ConversationId, EarlierTicket, Held, LastMessage, MessageFailure,
        OpenTicketRow, SentMedia, SentMessage, SentPage, SentRow, SentTemplate, Side, TabCounts,
        Thread, ThreadMessage, TicketRow, WaitingPage,
    },
    delivery::Prices,
    reaction::{Reaction, ReactionSide},
    search::{Search, SearchId},
    test_support::TestStore,
    user::{self, NewUser},
};

use super::{
    about::{AboutParts, AboutView},
    list::{ListParts, ListView, Rows, Tab},
    page::{AboutFragment, ConversationsPage, ListFragment, OpenView, ThreadFragment},
    thread::{ThreadParts, ThreadView, Typed},
};
use crate::{
    locale::Locale,
    page::{Page, Place},
    session::Session,
    theme::Theme,
    visit::{Reader, Visit},
};

mod about;
mod files;
mod list;
mod thread;

/// 22 Nov 2026, 17:02 UTC: 14:02 in São Paulo.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_366_920_000).unwrap()
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

fn visit(locale: Locale) -> Visit {
    Visit {
        locale,
        theme: Theme::System,
        zone: Tz::America__Sao_Paulo,
        now: FixedClock.now(),
        path: "/desk/conversations".to_owned(),
        reader: Reader::Page,
        correlation_id: String::new(),
    }
}

/// Marina, an agent of *Sales Brazil*.
fn session(presence: Presence) -> Session {
    let store = TestStore::sqlite();
    let actor = store
        .blocking_write(|db| {
            let chatbot = chatbot::create(db, "Sales Brazil", "America/Sao_Paulo", now())?;
            let new = NewUser {
                email: "marina@example.com",
                name: "Marina Costa",
                password_hash: "x",
                language: None,
                time_zone: None,
                max_tickets: 5,
            };
            let id = user::create(db, &new, now())?;
            user::save_role(db, id, chatbot, Role::Agent)?;
            user::find_actor(db, id)
        })
        .unwrap()
        .unwrap();
    Session { actor, form_token: "form-token".to_owned(), presence, presence_since: now() }
}

fn id() -> ConversationId {
    ConversationId { chatbot: ChatbotId(1), contact: ContactId(42) }
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("+55 11 98765-4321").unwrap()
}

fn closing_soon() -> SessionState {
    SessionState::ClosingSoon { ends_at: now() + minutes(72) }
}

fn window_policy() -> Option<SessionWindowPolicy> {
    Policy::default().session_window(ChannelKind::WhatsApp).cloned()
}

fn row(contact: i64, name: &str, session: SessionState) -> TicketRow {
    TicketRow {
        conversation: ConversationId { contact: ContactId(contact), ..id() },
        ticket: TicketId(contact),
        protocol: "0001A8".to_owned(),
        name: name.to_owned(),
        phone: Some(phone()),
        session,
        risk_alert_minutes: 120,
        window_policy: window_policy(),
        opened_at: now() - minutes(48),
        last: Some(LastMessage {
            is_ours: false,
            agent: None,
            kind: "text".to_owned(),
            body: "Yes, that works for me".to_owned(),
        }),
        last_message_at: now() - minutes(15),
        unread: 2,
        agent: None,
        reserved_for: None,
    }
}

fn list(tab: Tab, rows: Rows, typed: &str, session: &Session, visit: &Visit) -> ListView {
    let parts = ListParts {
        tab,
        search: (!typed.is_empty()).then(|| Search {
            id: SearchId::parse("00000000000000000000000000000042").unwrap(),
            typed: typed.to_owned(),
        }),
        through: None,
        open: Some(id()),
        counts: TabCounts { waiting: 4, in_progress: 3, sent: 1_018 },
        rows,
        here: "/desk/conversations".to_owned(),
    };
    ListView::new(parts, session, &visit.viewer())
}

/// Addresses of static files carry the hash of their content; here they do not.
fn stable(page: &str) -> String {
    let mut stable = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("/static/") {
        stable.push_str(before);
        stable.push_str("/static/VERSION/");
        rest = after.split_once('/').map_or("", |(_, after)| after);
    }
    stable + rest
}

fn render_list(tab: Tab, rows: Rows, typed: &str, presence: Presence) -> String {
    let (session, visit) = (session(presence), visit(Locale::En));
    let list = list(tab, rows, typed, &session, &visit);
    let page = Page::new(&visit, &session, String::new(), Place::Conversations);
    stable(&ListFragment { t: visit.t(), page, list }.render().unwrap())
}

fn message(id: i64, side: Side, body: &str, at: DateTime<Utc>) -> ThreadMessage {
    let (kind, body) = ("text".to_owned(), body.to_owned());
    ThreadMessage {
        id: MessageId(id),
        side,
        kind,
        body,
        template: None,
        media: None,
        file: None,
        unanswered_for: None,
        around: Around::default(),
        at,
    }
}

fn ours(state: MessageState, failure_code: Option<&str>) -> Side {
    let agent = Some((UserId(1), "Marina Costa".to_owned()));
    let failure = failure_code.map(|code| MessageFailure {
        code: code.to_owned(),
        title: None,
        at: None,
        template_paused_until: None,
    });
    Side::Ours { agent, state, failure, held: None }
}

fn open_ticket(holding: Holding) -> OpenTicketRow {
    OpenTicketRow {
        id: TicketId(42),
        protocol: "0001A8".to_owned(),
        channel: ChannelId(1),
        holding,
        unread: 1,
    }
}

fn mine() -> Holding {
    Holding { state: TicketState::InProgress, agent: Some(UserId(1)), only_agent: None }
}

fn thread(session: SessionState, ticket: Option<OpenTicketRow>) -> Thread {
    let yesterday = now() - TimeDelta::hours(23);
    let content = FilledContent {
        header: Some(FilledHeader::Media { kind: MediaKind::Image, url: None }),
        body: Vec::new(),
        footer: Some("Loja Vila Madalena".to_owned()),
        buttons: vec![FilledButton { text: "Yes, keep it".to_owned(), target: Vec::new() }],
    };
    let template = ThreadMessage {
        kind: "template".to_owned(),
        template: Some(SentTemplate {
            name: "order_ready".to_owned(),
            language: "pt_BR".to_owned(),
            content,
        }),
        ..message(
            1,
            ours(MessageState::Read, None),
            "Hi Luiza, your order 48213 is ready.",
            yesterday,
        )
    };
    Thread {
        conversation: id(),
        name: "Luiza Prado".to_owned(),
        phone: Some(phone()),
        chatbot: "Sales Brazil".to_owned(),
        channel: Some((ChannelId(1), ChannelKind::WhatsApp)),
        session,
        risk_alert_minutes: 120,
        window_policy: window_policy(),
        ticket_agent: ticket.as_ref().map(|_| (UserId(1), "Marina Costa".to_owned())),
        ticket,
        is_served_elsewhere: false,
        messages: vec![
            template,
            message(2, Side::Contact, "Yes, keep it <3", now() - minutes(30)),
            message(3, ours(MessageState::Failed, Some("131026")), "Done.", now() - minutes(2)),
        ],
        has_earlier: false,
    }
}

fn thread_view(thread: &Thread, typed: Typed, session: &Session, visit: &Visit) -> ThreadView {
    let viewer = visit.viewer();
    let parts = ThreadParts {
        query: "?tab=conversations".to_owned(),
        tab: Tab::InProgress,
        is_earlier: false,
        asks_to_close: false,
        typed: Typed { key: "key".to_owned(), ..typed },
        session,
        viewer: &viewer,
    };
    ThreadView::new(thread, parts)
}

fn render_thread(thread: &Thread, typed: Typed) -> String {
    render_thread_to(Presence::Online, thread, typed)
}

fn render_thread_to(presence: Presence, thread: &Thread, typed: Typed) -> String {
    let (session, visit) = (session(presence), visit(Locale::En));
    let page = Page::new(&visit, &session, String::new(), Place::Conversations);
    let thread = thread_view(thread, typed, &session, &visit);
    stable(&ThreadFragment { t: visit.t(), page, thread }.render().unwrap())
}

/// Three sends of three within 24 h; the first of them 7 h ago.
fn outlook(reasons: Vec<Refusal>) -> Outlook {
    let sent_at = [7, 5, 2].map(|hours| now() - TimeDelta::hours(hours)).to_vec();
    let facts = Facts {
        permitted: true,
        presence: Some(Presence::Online),
        active_messages_enabled: true,
        channel: ChannelKind::WhatsApp,
        number_troubles: Vec::new(),
        tier: Some(TierFacts {
            window: TimeDelta::hours(24),
            count: 612,
            limit: EffectiveLimit::steady(1_000),
            oldest_counted: Vec::new(),
        }),
        template_status: TemplateStatus::Approved,
        template_category: TemplateCategory::Utility,
        session_open_until: Some(now() + minutes(72)),
        contact: ContactReach::Reachable,
        opt_outs: Vec::new(),
        open_ticket: Some(OpenTicket { id: TicketId(42), holder: Some(UserId(1)) }),
        ticket_reply: None,
        call_back: None,
        cap: Some(CapFacts {
            cap: ContactCap { sends: 3, window: TimeDelta::hours(24) },
            scope: CapScope::EachAgent,
            sent_at,
        }),
        quiet_hours: None,
        variable_problems: Vec::new(),
        credit: None,
        forecast_horizon: TimeDelta::days(14),
    };
    let number = NumberOutlook {
        phone: "+551140001000".to_owned(),
        rating: Rating::High,
        counted: 612,
        limit: 1_000,
    };
    Outlook { facts, reasons, until: None, number: Some(number) }
}

fn capped() -> Vec<Refusal> {
    vec![
        Refusal { code: RefusalCode::ContactHasOpenTicket, until: None },
        Refusal { code: RefusalCode::AgentContactCap, until: Some(now() + TimeDelta::hours(17)) },
    ]
}

fn about(outlook: Option<Outlook>) -> About {
    About {
        name: "Luiza Prado".to_owned(),
        phone: Some(phone()),
        zone: Some(Tz::America__Sao_Paulo),
        outlook,
        chatbot: "Sales Brazil".to_owned(),
        first_contact_at: now() - TimeDelta::days(255),
        last_agent: Some("Marina Costa".to_owned()),
        marketing_opt_in_at: Some(now() - TimeDelta::days(100)),
        opt_outs: Vec::new(),
        tags: vec!["store-sp".to_owned(), "vip".to_owned()],
        earlier_tickets: vec![EarlierTicket {
            protocol: "0000R4".to_owned(),
            closed_at: now() - TimeDelta::days(19),
            closed_by: Some("Marina Costa".to_owned()),
        }],
        history: vec![ContactEvent {
            at: now() - TimeDelta::days(2),
            news: ContactNews::NumberChanged { from: None, to: "+5511987654321".to_owned() },
        }],
    }
}

fn sent(rows: Vec<SentRow>) -> Rows {
    Rows::Sent(SentPage { rows, more_after: None })
}

fn sent_row(state: ActiveMessageState, failure_code: Option<&str>) -> SentRow {
    let send = |id, state, hours: i64| SentMessage {
        message: MessageId(id),
        template: "order_ready".to_owned(),
        language: "pt_BR".to_owned(),
        body: "Hi Luiza, your order 48213 is ready.".to_owned(),
        state,
        reached: MessageState::Read,
        failure_code: failure_code.map(str::to_owned),
        at: now() - TimeDelta::hours(hours),
        awaited_for: TimeDelta::hours(24),
        expires_at: now() + TimeDelta::hours(24 - hours),
        listed_until: now() + TimeDelta::hours(72 - hours),
    };
    SentRow {
        conversation: id(),
        name: String::new(),
        phone: Some(phone()),
        chatbot: "Sales Brazil".to_owned(),
        session: SessionState::Closed { since: None },
        risk_alert_minutes: 120,
        window_policy: window_policy(),
        latest: send(9, state, 1),
        earlier: vec![send(8, ActiveMessageState::Expired, 30)],
    }
}

/// The latest send was read an hour ago, the one before 29 h ago.
fn logs() -> BTreeMap<MessageId, Vec<DeliveryEvent>> {
    use DeliveryEventKind::{Accepted, Delivered, Read, Sent};
    let log = |hours| {
        let kinds = [Accepted, Sent, Delivered, Read].into_iter().zip(0..);
        let event = |(kind, seconds)| DeliveryEvent {
            kind,
            at: now() - TimeDelta::hours(hours) + TimeDelta::minutes(seconds),
            source: EventSource::Platform,
        };
        kinds.map(event).collect()
    };
    BTreeMap::from([(MessageId(9), log(1)), (MessageId(8), log(30))])
}

/// What the latest send costs.
fn prices() -> Prices {
    let pricing = Pricing {
        model: Some(PricingModel::PerMessage),
        kind: Some(PricingKind::Regular),
        category: Some(PricingCategory::Utility),
        told_billable: Some(true),
    };
    Prices::from([(MessageId(9), pricing)])
}

fn about_view(
    thread: &Thread,
    about: About,
    sent: Option<SentRow>,
    session: &Session,
    visit: &Visit,
) -> AboutView {
    let viewer = visit.viewer();
    let query = "?tab=conversations".to_owned();
    AboutView::new(AboutParts {
        thread,
        about,
        sent,
        logs: logs(),
        prices: prices(),
        query,
        session,
        viewer: &viewer,
    })
}

fn render_about(thread: &Thread, about: About, sent: Option<SentRow>) -> String {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let about = about_view(thread, about, sent, &session, &visit);
    stable(&AboutFragment { t: visit.t(), about }.render().unwrap())
}
