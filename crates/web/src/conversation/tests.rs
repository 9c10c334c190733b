//! One snapshot for each state a person can see, rendered without a server.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    admission::{
        CapFacts, ContactReach, EffectiveLimit, Facts, OpenTicket, Refusal, RefusalCode, TierFacts,
    },
    channel::ChannelKind,
    clock::Clock,
    contact_cap::{CapScope, ContactCap},
    delivery::MessageState,
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
    conversation::{
        About, ConversationId, EarlierTicket, LastMessage, OpenTicketRow, SentMedia, SentMessage,
        SentRow, SentTemplate, Side, TabCounts, Thread, ThreadMessage, TicketRow,
    },
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
    ThreadMessage { id: MessageId(id), side, kind, body, template: None, media: None, at }
}

fn ours(state: MessageState, failure_code: Option<&str>) -> Side {
    let agent = Some((UserId(1), "Marina Costa".to_owned()));
    Side::Ours { agent, state, failure_code: failure_code.map(str::to_owned) }
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
        back: Tab::InProgress.path(),
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
    }
}

fn sent_row(state: ActiveMessageState, failure_code: Option<&str>) -> SentRow {
    let send = |id, state, hours: i64| SentMessage {
        message: MessageId(id),
        body: "Hi Luiza, your order 48213 is ready.".to_owned(),
        state,
        failure_code: failure_code.map(str::to_owned),
        at: now() - TimeDelta::hours(hours),
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

fn about_view(
    thread: &Thread,
    about: About,
    sent: Option<SentRow>,
    session: &Session,
    visit: &Visit,
) -> AboutView {
    let viewer = visit.viewer();
    let query = "?tab=conversations".to_owned();
    AboutView::new(AboutParts { thread, about, sent, query, session, viewer: &viewer })
}

fn render_about(thread: &Thread, about: About, sent: Option<SentRow>) -> String {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let about = about_view(thread, about, sent, &session, &visit);
    stable(&AboutFragment { t: visit.t(), about }.render().unwrap())
}

#[test]
fn the_list_shows_who_who_waits_for_whom_and_how_each_session_stands() {
    let open = SessionState::Open { ends_at: now() + TimeDelta::hours(22) };
    let closed = SessionState::Closed { since: Some(now() - TimeDelta::hours(3)) };
    let rows = vec![
        row(42, "Luiza Prado", closing_soon()),
        TicketRow {
            reserved_for: Some((UserId(1), "Marina Costa".to_owned())),
            ..row(43, "Rafael Torres", open)
        },
        TicketRow { unread: 0, last: None, ..row(44, "", closed) },
    ];
    let shown = render_list(Tab::Waiting, Rows::Tickets(rows), "", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn am_01_whoever_is_invisible_is_offered_to_go_online_instead() {
    let shown = render_list(Tab::InProgress, Rows::Tickets(Vec::new()), "", Presence::Invisible);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_search_without_a_result_says_what_was_searched_for() {
    let shown = render_list(Tab::Sent, Rows::Sent(Vec::new()), "<Rafael>", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn li_05_a_row_of_sent_says_how_the_latest_send_stands_and_why_it_failed() {
    let rows = vec![sent_row(ActiveMessageState::Failed, Some("outcome_unknown"))];
    let shown = render_list(Tab::Sent, Rows::Sent(rows), "", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_thread_shows_template_answer_and_failure_and_says_that_the_session_closes() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    insta::assert_snapshot!(render_thread(&thread, Typed::default()));
}

#[test]
fn sw_04_an_expired_session_keeps_what_was_typed_and_offers_a_template() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    let thread = thread(closed, Some(open_ticket(mine())));
    let typed = Typed {
        text: "Shall I send it?".to_owned(),
        problem: Some("Not sent".to_owned()),
        key: String::new(),
    };
    let shown = render_thread(&thread, typed);
    assert!(shown.contains("Session expired") && shown.contains("Shall I send it?"));
    insta::assert_snapshot!(shown);
}

#[test]
fn sw_05_what_an_expired_session_offers_instead_depends_on_the_channel() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    let cases =
        [(ChannelKind::WhatsApp, true), (ChannelKind::WeChat, false), (ChannelKind::WeCom, false)];
    for (kind, offers_a_template) in cases {
        let mut thread = thread(closed, Some(open_ticket(mine())));
        thread.channel = Some((ChannelId(1), kind));
        let shown = render_thread(&thread, Typed::default());
        assert!(shown.contains("You may write freely again once the customer answers"), "{kind:?}");
        assert_eq!(shown.contains("Send a template"), offers_a_template, "{kind:?}");
        let leads_there = shown.contains("href=\"/desk/active-message?contact=");
        assert_eq!(leads_there, offers_a_template, "{kind:?}");
    }
}

#[test]
fn am_01_whoever_is_invisible_goes_online_before_a_template_is_sent() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    for ticket in [Some(open_ticket(mine())), None] {
        let thread = thread(closed, ticket);
        let shown = render_thread_to(Presence::Invisible, &thread, Typed::default());
        assert!(!shown.contains("href=\"/desk/active-message"), "no way into the dialog");
        assert!(shown.contains("aria-disabled=\"true\""));
        assert!(shown.contains("You are invisible. Go online to send"));
        assert!(shown.contains("name=\"presence\" value=\"online\""), "the switch stands there");
    }
}

#[test]
fn a_conversation_without_a_ticket_offers_a_template_to_its_contact() {
    let thread = thread(SessionState::Closed { since: None }, None);
    insta::assert_snapshot!(render_thread(&thread, Typed::default()));
}

#[test]
fn am_07_a_sent_file_shows_as_its_picture_or_as_a_card() {
    let with = |kind, url: &str, media| {
        let mut thread = thread(closing_soon(), Some(open_ticket(mine())));
        let message = thread.messages.first_mut().unwrap();
        message.media = media;
        let template = message.template.as_mut().unwrap();
        template.content.header = Some(FilledHeader::Media { kind, url: Some(url.to_owned()) });
        render_thread(&thread, Typed::default())
    };
    let kept = |name: &str, has_picture| {
        Some(SentMedia { name: name.to_owned(), size: 7_721, has_picture })
    };
    let url = "https://shop.example/media/pick%20up.jpg?v=2";
    let picture = with(MediaKind::Image, url, kept("pick up.jpg", true));
    assert!(picture.contains(r#"<img src="/media/messages/1" alt="Image, pick up.jpg">"#));
    assert!(!picture.contains("shop.example"), "nothing is loaded from elsewhere");
    let card = with(MediaKind::Image, url, None);
    assert!(card.contains("pick up.jpg") && card.contains("Image · shop.example"));
    assert!(!card.contains("<img"));
    let document = with(MediaKind::Document, url, kept("Fatura.pdf", false));
    assert!(document.contains("Fatura.pdf") && document.contains("Document · shop.example"));
}

#[test]
fn sw_08_the_window_of_a_row_names_the_policy_as_the_thread_does() {
    let policy = window_policy().unwrap();
    let link = format!("href=\"{}\"", policy.policy_url);
    let tickets = Rows::Tickets(vec![row(42, "Luiza Prado", closing_soon())]);
    let sent = Rows::Sent(vec![sent_row(ActiveMessageState::Read, None)]);
    for (tab, rows) in [(Tab::InProgress, tickets), (Tab::Sent, sent)] {
        let shown = render_list(tab, rows, "", Presence::Online);
        assert!(shown.contains(&link) && shown.contains(&policy.policy_name), "{tab:?}");
    }
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    assert!(render_thread(&thread, Typed::default()).contains(&link));
}

#[test]
fn an_arrival_is_announced_by_name_and_without_what_was_written() {
    let rows = Rows::Tickets(vec![row(42, "Luiza Prado", closing_soon())]);
    let shown = render_list(Tab::InProgress, rows, "", Presence::Online);
    let (_, rest) = shown.split_once("data-arrived=\"").unwrap();
    let words = rest.split('"').next().unwrap();
    assert_eq!(words, "New message from \u{2068}Luiza Prado\u{2069}");
}

#[test]
fn only_the_thread_and_the_row_of_a_conversation_are_fetched_anew() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("janela:thread-1-42 from:body") && !shown.contains("janela:message"));
    let rows = Rows::Tickets(vec![row(42, "Luiza Prado", closing_soon())]);
    let list = render_list(Tab::InProgress, rows, "", Presence::Online);
    assert!(list.contains("janela-row:1-42 from:body") && list.contains("&#38;row=1-42\""));
}

#[test]
fn without_script_the_question_to_close_stands_at_the_ticket() {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let viewer = visit.viewer();
    let ask = |thread: &Thread| {
        let parts = ThreadParts {
            query: "?tab=conversations".to_owned(),
            back: Tab::InProgress.path(),
            is_earlier: false,
            asks_to_close: true,
            typed: Typed::default(),
            session: &session,
            viewer: &viewer,
        };
        let thread = ThreadView::new(thread, parts);
        let page = Page::new(&visit, &session, String::new(), Place::Conversations);
        ThreadFragment { t: visit.t(), page, thread }.render().unwrap()
    };
    let shown = ask(&thread(closing_soon(), Some(open_ticket(mine()))));
    let (_, question) = shown.split_once("id=\"close-question\"").unwrap();
    let (question, _) = question.split_once("</form>").unwrap();
    assert!(question.contains("action=\"/desk/conversations/1-42/close\""));
    assert!(question.contains("href=\"/desk/conversations/1-42?tab=conversations\">Keep it open"));
    let of_another = Holding { agent: Some(UserId(9)), ..mine() };
    let shown = ask(&thread(closing_soon(), Some(open_ticket(of_another))));
    assert!(!shown.contains("close-question"), "not the reader's to close");
}

#[test]
fn a_waiting_conversation_is_to_be_taken_first() {
    let waiting = Holding { state: TicketState::Waiting, agent: None, only_agent: None };
    let shown =
        render_thread(&thread(closing_soon(), Some(open_ticket(waiting))), Typed::default());
    assert!(shown.contains("/take") && !shown.contains("/reply\""));
    let for_another = Holding { only_agent: Some(UserId(9)), ..waiting };
    let thread = thread(closing_soon(), Some(open_ticket(for_another)));
    assert!(!render_thread(&thread, Typed::default()).contains("/take"));
}

#[test]
fn what_another_agent_serves_is_only_named() {
    let thread = Thread { is_served_elsewhere: true, ..thread(closing_soon(), None) };
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("Another agent serves this customer now"));
    assert!(!shown.contains("<form"));
}

#[test]
fn may_i_write_names_every_reason_and_when_it_ends() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    insta::assert_snapshot!(render_about(&thread, about(Some(outlook(capped()))), None));
}

#[test]
fn may_i_write_in_all_its_verdicts() {
    let open = || thread(closing_soon(), Some(open_ticket(mine())));
    let closed = SessionState::Closed { since: None };
    let lasting = |code| vec![Refusal { code, until: None }];
    let cases = [
        (open(), capped(), "Reply yes. Active message not yet"),
        (open(), lasting(RefusalCode::ContactOptedOut), "Reply yes. Active message no"),
        (thread(closed, Some(open_ticket(mine()))), Vec::new(), "Reply no. Template yes"),
        (thread(closed, None), Vec::new(), "Active message yes"),
        (thread(closed, None), lasting(RefusalCode::AgentNotOnline), "Not yet"),
        (thread(closed, None), lasting(RefusalCode::NumberNotReady), "No</p>"),
    ];
    for (thread, reasons, expected) in cases {
        let shown = render_about(&thread, about(Some(outlook(reasons))), None);
        assert!(shown.contains(expected), "{expected}");
    }
    let shown = render_about(&open(), about(None), None);
    assert!(shown.contains("Not known yet"));
}

#[test]
fn li_05_own_sends_stand_beside_the_conversation_with_their_history() {
    let thread = thread(SessionState::Closed { since: None }, None);
    let sent = sent_row(ActiveMessageState::Delivered, None);
    let shown = render_about(&thread, about(Some(outlook(Vec::new()))), Some(sent));
    insta::assert_snapshot!(shown);
}

#[test]
fn the_whole_page_in_portuguese() {
    let (session, visit) = (session(Presence::Online), visit(Locale::PtBR));
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    let rows = Rows::Tickets(vec![row(42, "Luiza Prado", closing_soon())]);
    let page = ConversationsPage {
        t: visit.t(),
        page: Page::new(&visit, &session, "Luiza Prado".to_owned(), Place::Conversations),
        pane: "thread",
        list: list(Tab::InProgress, rows, "", &session, &visit),
        open: Some(OpenView {
            about: about_view(&thread, about(Some(outlook(capped()))), None, &session, &visit),
            thread: thread_view(&thread, Typed::default(), &session, &visit),
        }),
        status: actix_web::http::StatusCode::OK,
    };
    let shown = page.render().unwrap();
    assert!(shown.contains("lang=\"pt-BR\""));
    assert!(shown.contains("Esta sessão fecha em"));
    assert!(shown.contains("id=\"close-42\""));
    assert!(shown.contains("612 de 1.000"));
}
