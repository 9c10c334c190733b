//! One snapshot for each state a person can see, rendered without a server.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    channel::{ChannelKind, PausedSends},
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource, Failure, MessageState},
    dispatch::Rest,
    ids::{ChannelId, ChatbotId, MessageId, NumberId, UserId},
    permission::{Role, WorkspacePermission},
    phone::PhoneNumber,
    presence::Presence,
    template::{
        FilledContent, FilledHeader, MediaKind, PlatformTemplate, TemplateCategory,
        TemplateContent, TemplateStatus,
    },
};
use persistence::{
    channel::{self, NewChannel},
    chatbot::{self, Chatbot, GeneralSettings, MissingStep, SettingsRight},
    conversation::{Around, SentTemplate, Side, ThreadMessage},
    growth::{self, SendChoices, SendDetail, SendRow, Sender},
    job::{JobOverview, JobRun, TimetableLine},
    message_template,
    number::{
        history::{NumberEventLine, NumberHistory},
        pause::PausedNumber,
    },
    test_support::TestStore,
    user::{self, NewUser},
};
use serde_json::json;

use super::{
    general_settings::{GeneralSettingsPage, Loaded, SettingsForm},
    growth::{GrowthPage, GrowthQuery, SendPage},
    jobs::JobsPage,
};
use crate::{
    locale::Locale,
    session::Session,
    theme::Theme,
    visit::{Reader, Visit},
};

/// 22 Nov 2026, 17:02 UTC: 14:02 in São Paulo.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_366_920_000).unwrap()
}

fn visit(locale: Locale) -> Visit {
    Visit {
        locale,
        theme: Theme::System,
        zone: Tz::America__Sao_Paulo,
        now: now(),
        path: "/portal".to_owned(),
        reader: Reader::Page,
        correlation_id: String::new(),
    }
}

/// Paula of *Sales Brazil*, and the settings of that chatbot as they begin.
fn given(role: Role) -> (Session, GeneralSettings) {
    let store = TestStore::sqlite();
    let (actor, chatbot) = store
        .blocking_write(|db| {
            let chatbot = chatbot::create(db, "Sales Brazil", "America/Sao_Paulo", now())?;
            let new = NewUser {
                email: "paula@example.com",
                name: "Paula Alves",
                password_hash: "x",
                language: None,
                time_zone: None,
                max_tickets: 5,
            };
            let id = user::create(db, &new, now())?;
            user::save_role(db, id, chatbot, role)?;
            if role == Role::Admin {
                user::save_workspace_permissions(db, id, &WorkspacePermission::ALL)?;
            }
            let actor = user::find_actor(db, id)?.unwrap();
            let chatbot = chatbot::get(db, &actor, chatbot)?;
            Ok((actor, chatbot))
        })
        .unwrap();
    let missing = vec![MissingStep::VerifiedWebhook, MissingStep::ApprovedTemplate];
    let settings = GeneralSettings {
        chatbot,
        changed_by: None,
        missing,
        unverified: vec![ChannelId(7)],
        right: SettingsRight::Edit,
    };
    let session = Session {
        actor,
        form_token: "form-token".to_owned(),
        presence: Presence::Online,
        presence_since: DateTime::UNIX_EPOCH,
    };
    (session, settings)
}

fn loaded(settings: GeneralSettings, chatbots: Vec<Chatbot>) -> Loaded {
    let public_url = "https://desk.example.com/".parse().unwrap();
    Loaded { settings, chatbots, paused: Vec::new(), numbers: Vec::new(), public_url }
}

/// The part that is the page's own; addresses of static files lose the hash of their content.
fn main_of(page: &impl Template) -> String {
    let version = crate::assets::url("");
    let html = page.render().unwrap().replace(&version, "/static/VERSION/");
    let start = html.find("<main").unwrap();
    let end = html.find("</main>").unwrap();
    html[start..end].to_owned()
}

#[test]
fn am_14_a_new_chatbot_shows_its_defaults_and_what_active_messages_need() {
    let (session, settings) = given(Role::Admin);
    let chatbots = vec![settings.chatbot.clone()];
    let page = GeneralSettingsPage::new(&visit(Locale::En), &session, loaded(settings, chatbots));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn am_14_each_missing_step_says_what_to_do_and_leads_there() {
    let visit = visit(Locale::En);
    let shown = |missing, unverified| {
        let (session, mut settings) = given(Role::Admin);
        settings.missing = missing;
        settings.unverified = unverified;
        main_of(&GeneralSettingsPage::new(&visit, &session, loaded(settings, Vec::new())))
    };
    let webhook = shown(vec![MissingStep::VerifiedWebhook], vec![ChannelId(7), ChannelId(9)]);
    for channel in [7, 9] {
        let address = format!("<code>https://desk.example.com/webhooks/whatsapp/{channel}</code>");
        assert!(webhook.contains(&address), "{address} in {webhook}");
    }
    assert!(webhook.contains(r#"<a href="https://developers.facebook.com/apps/">"#));
    let template = shown(vec![MissingStep::ApprovedTemplate], Vec::new());
    assert!(
        template
            .contains(r#"<a href="https://business.facebook.com/wa/manage/message-templates/">"#)
    );
    assert!(template.contains(r##"<a href="/portal/jobs#job-sync_templates">"##), "{template}");
    let number = [MissingStep::ConnectedNumber, MissingStep::VerifiedWebhook];
    let number = shown(number.to_vec(), Vec::new());
    assert!(number.contains("has no page to connect one"), "{number}");
    assert!(number.contains("It can be verified once a number is connected."), "{number}");
}

#[test]
fn a_number_that_rests_says_why_until_when_and_who_may_lets_it_go() {
    let rest = Rest { since: now(), until: now() + TimeDelta::minutes(15) };
    let paused = |sends| PausedNumber {
        number: NumberId(3),
        phone: "+5511955501234".to_owned(),
        sends,
        code: "131031".to_owned(),
        rest,
    };
    for (role, may) in [(Role::Admin, true), (Role::Manager, false)] {
        let (session, settings) = given(role);
        let paused = vec![paused(PausedSends::All), paused(PausedSends::Templates)];
        let loaded = Loaded { paused, ..loaded(settings, Vec::new()) };
        let shown = main_of(&GeneralSettingsPage::new(&visit(Locale::En), &session, loaded));
        assert!(shown.contains("sends nothing for now"), "{shown}");
        assert!(shown.contains("sends no templates for now"), "{shown}");
        assert!(shown.contains("WhatsApp has restricted the account."), "{shown}");
        let button = "/numbers/3/resume\"";
        assert_eq!(shown.contains(button), may, "{role:?}: {shown}");
    }
}

/// A number to which each kind of thing happened, and one that was never read.
fn numbers() -> Vec<NumberHistory> {
    let events = [
        ("platform_status", json!({ "before": "FLAGGED", "after": "CONNECTED" })),
        ("quality_update", json!({ "event": "DOWNGRADE", "current_limit": "1000" })),
        ("platform_rating", json!({ "before": "none", "after": "YELLOW" })),
        (
            "account_update",
            json!({
                "event": "ACCOUNT_RESTRICTION", "ban": null, "violation": null,
                "restrictions": [{
                    "kind": "RESTRICTED_BIZ_INITIATED_MESSAGING",
                    "until": (now() + TimeDelta::days(3)).timestamp_millis(),
                }],
            }),
        ),
        (
            "template_category",
            json!({
                "template": "order_update", "language": "pt_BR", "before": "UTILITY",
                "upcoming": "MARKETING", "from": (now() + TimeDelta::days(1)).timestamp_millis(),
            }),
        ),
        ("refusal", json!({ "code": "131031" })),
        ("a_kind_of_tomorrow", json!("<b>as it came</b>")),
    ];
    let line = |(hour, (kind, detail)): (i64, (&str, serde_json::Value))| NumberEventLine {
        at: now() - TimeDelta::hours(hour),
        kind: kind.to_owned(),
        detail,
    };
    let read = NumberHistory {
        number: NumberId(3),
        phone: "+551140001000".to_owned(),
        platform_status: "CONNECTED".to_owned(),
        platform_rating: Some("YELLOW".to_owned()),
        platform_limit: Some(1_000),
        restricted_until: Some(now() + TimeDelta::days(3)),
        name: Some(("Quay & Kiln".to_owned(), Some("APPROVED".to_owned()))),
        events: (0..).zip(events).map(line).collect(),
    };
    let unread = NumberHistory {
        number: NumberId(4),
        phone: "+551140002000".to_owned(),
        platform_status: "UNKNOWN".to_owned(),
        platform_rating: None,
        platform_limit: None,
        restricted_until: None,
        name: None,
        events: Vec::new(),
    };
    vec![read, unread]
}

#[test]
fn each_number_shows_what_the_platform_says_of_it_and_its_history() {
    for locale in [Locale::En, Locale::PtBR, Locale::Es] {
        let (session, settings) = given(Role::Manager);
        let loaded = Loaded { numbers: numbers(), ..loaded(settings, Vec::new()) };
        let shown = main_of(&GeneralSettingsPage::new(&visit(locale), &session, loaded));
        let numbers = &shown[shown.find(r#"<div class="settings numbers">"#).unwrap()..];
        insta::assert_snapshot!(format!("numbers_{locale:?}"), numbers);
    }
}

#[test]
fn ad_08_who_may_only_look_sees_every_value_and_who_may_change_them() {
    let (session, mut settings) = given(Role::Manager);
    settings.chatbot.settings.cap_enabled = true;
    settings.right = SettingsRight::Look(vec!["Eva Sol".to_owned(), "Rui <Dias>".to_owned()]);
    let page = GeneralSettingsPage::new(&visit(Locale::En), &session, loaded(settings, Vec::new()));
    insta::assert_snapshot!(main_of(&page));
    let (session, mut settings) = given(Role::Manager);
    settings.right = SettingsRight::Look(Vec::new());
    let page = GeneralSettingsPage::new(&visit(Locale::Es), &session, loaded(settings, Vec::new()));
    let shown = main_of(&page);
    assert!(shown.contains("Nadie puede cambiarlos por ahora"), "{shown}");
    assert!(!shown.contains("name=\"cap_sends\"") && !shown.contains("portal_cap_sends"));
}

#[test]
fn ad_08_saved_settings_say_who_changed_them_and_when() {
    let (session, mut settings) = given(Role::Admin);
    settings.chatbot.settings.active_messages_enabled = true;
    settings.chatbot.settings.cap_enabled = true;
    settings.chatbot.changed = Some((now() - TimeDelta::days(2), UserId(1)));
    settings.changed_by = Some("Paula Alves".to_owned());
    let mut other = settings.chatbot.clone();
    other.id = ChatbotId(9);
    other.name = "Support".to_owned();
    let chatbots = vec![settings.chatbot.clone(), other];
    let page = GeneralSettingsPage::new(&visit(Locale::Es), &session, loaded(settings, chatbots));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn ad_08_who_is_overtaken_is_told_by_whom_and_keeps_what_was_typed() {
    let (session, mut settings) = given(Role::Admin);
    settings.chatbot.changed = Some((now() - TimeDelta::minutes(3), UserId(1)));
    settings.changed_by = Some("Paula Alves".to_owned());
    let page = GeneralSettingsPage::new(&visit(Locale::En), &session, loaded(settings, Vec::new()))
        .overtaken(SettingsForm::with_cap_sends("7"));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn ad_05_what_is_no_number_from_1_to_100_is_refused_at_the_field_and_kept() {
    let (session, settings) = given(Role::Admin);
    let visit = visit(Locale::En);
    let form = SettingsForm::with_cap_sends("-3 <b>");
    let problems = form.problems(visit.t());
    let page = GeneralSettingsPage::new(&visit, &session, loaded(settings, Vec::new()))
        .corrected(form, problems);
    assert!(page.render().unwrap().contains("<title>Error: General settings"));
    insta::assert_snapshot!(main_of(&page));
    let cases =
        [("", 1), (" ", 1), ("0", 1), ("-1", 1), ("101", 1), ("three", 1), ("1", 0), ("100", 0)];
    for (typed, problems) in cases {
        let found = SettingsForm::with_cap_sends(typed).problems(visit.t());
        assert_eq!(found.into_iter().count(), problems, "{typed:?}");
    }
}

fn row(state: ActiveMessageState, failure_code: Option<&str>) -> SendRow {
    SendRow {
        message: MessageId(42),
        at: now() - TimeDelta::hours(2),
        chatbot: "Sales Brazil".to_owned(),
        contact: "Luiza <Prado>".to_owned(),
        phone: PhoneNumber::parse("+55 11 98765-4321").ok(),
        sender: Sender::Agent("Marina Costa".to_owned()),
        template: "order_ready".to_owned(),
        language: "pt_BR".to_owned(),
        number: "+551140001000".to_owned(),
        state,
        failure_code: failure_code.map(str::to_owned),
    }
}

#[test]
fn li_07_sends_are_listed_with_state_and_reason() {
    let (session, _) = given(Role::Manager);
    let rows = vec![
        row(ActiveMessageState::Read, None),
        row(ActiveMessageState::Failed, Some("131026")),
        SendRow {
            sender: Sender::Token("Orders".to_owned()),
            ..row(ActiveMessageState::Expired, None)
        },
    ];
    let query = GrowthQuery { state: "read".to_owned(), ..GrowthQuery::default() };
    let visit = visit(Locale::En);
    let page = GrowthPage::new(&visit, &session, query, Ok(rows), SendChoices::default());
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn li_07_no_sends_and_nothing_found_are_told_apart() {
    let (session, _) = given(Role::Manager);
    let visit = visit(Locale::PtBR);
    let shown = |query| {
        main_of(&GrowthPage::new(&visit, &session, query, Ok(Vec::new()), SendChoices::default()))
    };
    assert!(shown(GrowthQuery::default()).contains("Ainda não há mensagens ativas"));
    let query = GrowthQuery { contact: "\"><script>".to_owned(), ..GrowthQuery::default() };
    let found = shown(query);
    assert!(found.contains("Nada encontrado") && !found.contains("<script>"));
}

#[test]
fn more_than_a_page_leads_on_to_older_sends_with_the_same_filters() {
    let (session, _) = given(Role::Manager);
    let rows: Vec<SendRow> = (0..51)
        .map(|index| SendRow {
            message: MessageId(100 - index),
            ..row(ActiveMessageState::Sent, None)
        })
        .collect();
    let query = GrowthQuery {
        search: "0042".to_owned(),
        contact: "Ana & Co".to_owned(),
        state: "sent".to_owned(),
        ..GrowthQuery::default()
    };
    let page =
        GrowthPage::new(&visit(Locale::En), &session, query, Ok(rows), SendChoices::default());
    let shown = main_of(&page);
    assert_eq!(shown.matches("<tr id=").count(), 50);
    assert!(shown.contains("?search=0042&#38;state=sent&#38;after=1795359720000-51"), "{shown}");
    assert_eq!(shown.matches("Ana &#38; Co").count(), 1, "in its field, and in no address");
}

/// A picture above a text with one button, as it went out.
fn sent_message() -> ThreadMessage {
    let content = FilledContent {
        header: Some(FilledHeader::Media {
            kind: MediaKind::Document,
            url: Some("https://files.example.com/orders/Order%2048213.pdf".to_owned()),
        }),
        body: Vec::new(),
        footer: Some("Casa Azul".to_owned()),
        buttons: Vec::new(),
    };
    ThreadMessage {
        id: MessageId(42),
        side: Side::Ours { agent: None, state: MessageState::Failed, failure: None, held: None },
        kind: "template".to_owned(),
        body: "Olá Luiza, o seu pedido está pronto.".to_owned(),
        template: Some(SentTemplate {
            name: "order_ready".to_owned(),
            language: "pt_BR".to_owned(),
            content,
        }),
        unanswered_for: None,
        around: Around::default(),
        media: None,
        file: None,
        at: now() - TimeDelta::hours(2),
    }
}

/// What Paula may filter by.
fn choices() -> SendChoices {
    SendChoices {
        chatbots: vec![
            (ChatbotId(1), "Sales Brazil".to_owned()),
            (ChatbotId(2), "Support Europe".to_owned()),
        ],
        agents: vec![(UserId(1), "Paula Alves".to_owned())],
        templates: vec!["come_back".to_owned(), "order_ready".to_owned()],
    }
}

#[test]
fn each_template_is_offered_once_by_its_name() {
    let store = TestStore::sqlite();
    let vault = store.vault().unwrap();
    let template = |id: &str, name: &str, language: &str| PlatformTemplate {
        external_id: id.to_owned(),
        name: name.to_owned(),
        language: language.to_owned(),
        category: TemplateCategory::Utility,
        status: TemplateStatus::Approved,
        named_parameters: true,
        content: TemplateContent {
            header: None,
            body: "Hello!".to_owned(),
            footer: None,
            buttons: Vec::new(),
        },
        quality: None,
        unfillable: None,
    };
    let (actor, choices) = store
        .blocking_write(|db| {
            let chatbot = chatbot::create(db, "Sales Brazil", "America/Sao_Paulo", now())?;
            // Two accounts with a template of the same name, which one of them has in two languages.
            for (account, external_id) in [("2001", "1001"), ("2002", "1002")] {
                let new = NewChannel {
                    chatbot,
                    kind: ChannelKind::WhatsApp,
                    name: "Main",
                    external_id,
                    account_id: account,
                    api_base_url: "http://127.0.0.1:9",
                    access_token: "token",
                    app_secret: "secret",
                    verify_token: "verify-me",
                };
                channel::create(db, &vault, &new, now())?;
            }
            let of_one = [
                template("1", "order_ready", "pt_BR"),
                template("2", "order_ready", "es"),
                template("3", "come_back", "es"),
            ];
            message_template::save_all(db, "2001", &of_one, now())?;
            let of_other = [template("4", "order_ready", "pt_BR")];
            message_template::save_all(db, "2002", &of_other, now())?;
            let new = NewUser {
                email: "paula@example.com",
                name: "Paula Alves",
                password_hash: "x",
                language: None,
                time_zone: None,
                max_tickets: 5,
            };
            let id = user::create(db, &new, now())?;
            user::save_role(db, id, chatbot, Role::Manager)?;
            let actor = user::find_actor(db, id)?.unwrap();
            let choices = growth::list_choices(db, &actor)?;
            Ok((actor, choices))
        })
        .unwrap();
    let session = Session { actor, ..given(Role::Manager).0 };
    let query = GrowthQuery { template: "order_ready".to_owned(), ..GrowthQuery::default() };
    let page = GrowthPage::new(&visit(Locale::Es), &session, query, Ok(Vec::new()), choices);
    let shown = main_of(&page);
    let options = r#"<option value="come_back">come_back</option><option value="order_ready" selected>order_ready</option></select>"#;
    assert!(shown.contains(options), "{shown}");
}

#[test]
fn c20_what_no_filter_offers_is_told_at_its_field_and_kept() {
    let (session, _) = given(Role::Manager);
    let visit = visit(Locale::En);
    let none = GrowthQuery::default;
    let cases = [
        ("agent", GrowthQuery { agent: "7".to_owned(), ..none() }),
        ("agent", GrowthQuery { agent: "1 OR 1=1".to_owned(), ..none() }),
        ("template", GrowthQuery { template: "order".to_owned(), ..none() }),
        ("state", GrowthQuery { state: "Read".to_owned(), ..none() }),
        ("chatbot", GrowthQuery { chatbot: "3".to_owned(), ..none() }),
        ("chatbot", GrowthQuery { chatbot: "01".to_owned(), ..none() }),
        ("from", GrowthQuery { from: "2026-02-30".to_owned(), ..none() }),
        ("to", GrowthQuery { to: "22/11/2026".to_owned(), ..none() }),
        (
            "to",
            GrowthQuery { from: "2026-11-22".to_owned(), to: "2026-11-21".to_owned(), ..none() },
        ),
        ("contact", GrowthQuery { search: "0042".to_owned(), ..none() }),
    ];
    for (field, query) in cases {
        let problems = query.parse(&choices(), visit.zone, visit.t()).unwrap_err();
        let found: Vec<&str> = (&problems).into_iter().map(|one| one.field.as_str()).collect();
        assert_eq!(found, [field], "{query:?}");
    }
    let one_day = GrowthQuery {
        from: "2026-11-22".to_owned(),
        to: "2026-11-22".to_owned(),
        chatbot: "2".to_owned(),
        ..none()
    };
    let filter = one_day.parse(&choices(), visit.zone, visit.t()).unwrap();
    let (since, before) = (filter.since.unwrap(), filter.before.unwrap());
    assert_eq!((before - since, filter.chatbot), (TimeDelta::days(1), Some(ChatbotId(2))));

    let query = GrowthQuery {
        contact: "Ana".to_owned(),
        agent: "7".to_owned(),
        state: "\"><script>".to_owned(),
        from: "2026-11-22".to_owned(),
        to: "2026-11-21".to_owned(),
        ..none()
    };
    let problems = query.parse(&choices(), visit.zone, visit.t()).unwrap_err();
    let page = GrowthPage::new(&visit, &session, query, Err(problems), choices());
    assert!(page.render().unwrap().contains("<title>Error: Active messages"));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn li_07_a_send_shows_its_history_and_who_told_it() {
    let (session, _) = given(Role::Manager);
    let event = |kind, minutes, source| DeliveryEvent {
        kind,
        at: now() - TimeDelta::minutes(minutes),
        source,
    };
    let failure = Failure::Coded("131026".to_owned());
    let detail = SendDetail {
        row: row(ActiveMessageState::Failed, Some("131026")),
        message: sent_message(),
        expires_at: now() + TimeDelta::hours(22),
        events: vec![
            event(DeliveryEventKind::Accepted, 119, EventSource::Dispatcher),
            event(DeliveryEventKind::Failed(failure), 118, EventSource::Platform),
        ],
        decision: None,
    };
    insta::assert_snapshot!(main_of(&SendPage::new(
        &visit(Locale::En),
        &session,
        detail,
        &GrowthQuery::default()
    )));
}

#[test]
fn li_02_the_history_of_a_send_reads_as_a_life_whatever_the_instants_are_cut_to() {
    let (session, _) = given(Role::Manager);
    let row = row(ActiveMessageState::Read, None);
    let receipt = |kind| DeliveryEvent {
        kind,
        at: row.at - TimeDelta::milliseconds(122),
        source: EventSource::Platform,
    };
    let events = [DeliveryEventKind::Read, DeliveryEventKind::Delivered, DeliveryEventKind::Sent];
    let detail = SendDetail {
        events: events.into_iter().map(receipt).collect(),
        row,
        message: sent_message(),
        expires_at: now() + TimeDelta::hours(22),
        decision: None,
    };
    let page =
        main_of(&SendPage::new(&visit(Locale::En), &session, detail, &GrowthQuery::default()));
    let history = page.split_once("History").unwrap().1;
    let places = ["Sending", "Sent", "Delivered", "Read"].map(|word| history.find(word).unwrap());
    assert!(places.is_sorted(), "{history}");
}

#[test]
fn li_07_the_way_from_a_send_leads_back_to_the_list_as_it_was_left() {
    let (session, _) = given(Role::Manager);
    let detail = || SendDetail {
        row: row(ActiveMessageState::Read, None),
        message: sent_message(),
        expires_at: now() + TimeDelta::hours(22),
        events: Vec::new(),
        decision: None,
    };
    let shown = |query: GrowthQuery| {
        main_of(&SendPage::new(&visit(Locale::En), &session, detail(), &query.readable()))
    };
    let left = || GrowthQuery {
        search: "0123456789abcdef0123456789abcdef".to_owned(),
        agent: "7".to_owned(),
        template: "order_ready".to_owned(),
        state: "read".to_owned(),
        from: "2026-11-22".to_owned(),
        after: "1795359720000-51".to_owned(),
        ..GrowthQuery::default()
    };
    let filters = "?search=0123456789abcdef0123456789abcdef&#38;agent=7&#38;template=order_ready&#38;state=read\
                   &#38;from=2026-11-22&#38;after=1795359720000-51\"";
    let back = format!(r#"href="/portal/growth/active-messages{filters}"#);
    assert!(shown(left()).contains(&back), "{}", shown(left()));
    let rows = vec![row(ActiveMessageState::Read, None)];
    let visit = visit(Locale::En);
    let list = GrowthPage::new(&visit, &session, left(), Ok(rows), SendChoices::default());
    let list = main_of(&list);
    let there = format!(r#"href="/portal/growth/active-messages/42{filters}"#);
    assert!(list.contains(&there), "{list}");
    let forged = GrowthQuery {
        search: "//evil.example".to_owned(),
        agent: "1 OR 1=1".to_owned(),
        template: "//evil.example/?a=b&c".to_owned(),
        state: "Read".to_owned(),
        chatbot: "x".to_owned(),
        from: "22/11/2026".to_owned(),
        to: "2026-02-30".to_owned(),
        after: "../..".to_owned(),
        ..GrowthQuery::default()
    };
    let back =
        r#"href="/portal/growth/active-messages?template=%2F%2Fevil.example%2F%3Fa%3Db%26c""#;
    assert!(shown(forged).contains(back), "only what a list says itself, under its own address");
}

fn job(name: &str, last_run: Option<JobRun>) -> JobOverview {
    let line = TimetableLine {
        name: name.to_owned(),
        schedule: "*/15 * * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        next_run_at: Some(now() + TimeDelta::seconds(15)),
    };
    JobOverview { line, last_run, passed_over_at: None, run_requested: false }
}

#[test]
fn jo_03_jobs_tell_schedule_latest_run_and_next() {
    let run = JobRun {
        started_at: now() - TimeDelta::seconds(20),
        finished_at: Some(now() - TimeDelta::milliseconds(18_750)),
        rows_touched: Some(1_204),
        error: None,
    };
    let failed =
        JobRun { rows_touched: None, error: Some("database is busy".to_owned()), ..run.clone() };
    let running = JobRun { finished_at: None, rows_touched: None, ..run.clone() };
    let jobs = || {
        vec![
            job("expire_active_messages", Some(run.clone())),
            job("read_numbers", Some(failed.clone())),
            job("tidy", Some(running.clone())),
            job("of_tomorrow", None),
            JobOverview { passed_over_at: Some(now()), ..job("prove_counters", Some(run.clone())) },
        ]
    };
    let (admin, _) = given(Role::Admin);
    insta::assert_snapshot!(main_of(&JobsPage::new(&visit(Locale::En), &admin, jobs())));
    let (manager, _) = given(Role::Manager);
    let shown = main_of(&JobsPage::new(&visit(Locale::En), &manager, jobs()));
    assert!(!shown.contains("Run now"));
    assert!(
        main_of(&JobsPage::new(&visit(Locale::Es), &admin, Vec::new()))
            .contains("Aún no hay tareas")
    );
}
