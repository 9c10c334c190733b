//! One snapshot for each state a person can see, rendered without a server.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource, Failure, MessageState},
    ids::{ChatbotId, MessageId, TemplateId, UserId},
    permission::{Role, WorkspacePermission},
    phone::PhoneNumber,
    presence::Presence,
    template::{FilledContent, FilledHeader, MediaKind},
};
use persistence::{
    chatbot::{self, GeneralSettings, MissingStep},
    conversation::{SentTemplate, Side, ThreadMessage},
    growth::{SendChoices, SendDetail, SendRow, Sender, TemplateChoice},
    job::{JobOverview, JobRun, TimetableLine},
    test_support::TestStore,
    user::{self, NewUser},
};

use super::{
    general_settings::{GeneralSettingsPage, SettingsForm},
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
    let settings = GeneralSettings { chatbot, changed_by: None, missing };
    let session =
        Session { actor, form_token: "form-token".to_owned(), presence: Presence::Online };
    (session, settings)
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
    let page = GeneralSettingsPage::new(&visit(Locale::En), &session, (settings, chatbots));
    insta::assert_snapshot!(main_of(&page));
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
    let page = GeneralSettingsPage::new(&visit(Locale::Es), &session, (settings, chatbots));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn ad_08_who_is_overtaken_is_told_by_whom_and_keeps_what_was_typed() {
    let (session, mut settings) = given(Role::Admin);
    settings.chatbot.changed = Some((now() - TimeDelta::minutes(3), UserId(1)));
    settings.changed_by = Some("Paula Alves".to_owned());
    let page = GeneralSettingsPage::new(&visit(Locale::En), &session, (settings, Vec::new()))
        .overtaken(SettingsForm::with_cap_sends("7"));
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn ad_05_what_is_no_number_from_1_to_100_is_refused_at_the_field_and_kept() {
    let (session, settings) = given(Role::Admin);
    let visit = visit(Locale::En);
    let form = SettingsForm::with_cap_sends("-3 <b>");
    let problems = form.problems(visit.t());
    let page = GeneralSettingsPage::new(&visit, &session, (settings, Vec::new()))
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
    let page = GrowthPage::new(&visit, &session, query, rows, SendChoices::default());
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn li_07_no_sends_and_nothing_found_are_told_apart() {
    let (session, _) = given(Role::Manager);
    let visit = visit(Locale::PtBR);
    let shown = |query| {
        main_of(&GrowthPage::new(&visit, &session, query, Vec::new(), SendChoices::default()))
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
    let page = GrowthPage::new(&visit(Locale::En), &session, query, rows, SendChoices::default());
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
        side: Side::Ours { agent: None, state: MessageState::Failed, failure_code: None },
        kind: "template".to_owned(),
        body: "Olá Luiza, o seu pedido está pronto.".to_owned(),
        template: Some(SentTemplate {
            name: "order_ready".to_owned(),
            language: "pt_BR".to_owned(),
            content,
        }),
        media: None,
        at: now() - TimeDelta::hours(2),
    }
}

#[test]
fn templates_of_several_chatbots_are_offered_under_the_chatbots_name() {
    let (session, _) = given(Role::Manager);
    let choice = |id, language: &str, chatbot: &str| TemplateChoice {
        id: TemplateId(id),
        name: "order_ready".to_owned(),
        language: language.to_owned(),
        chatbots: vec![chatbot.to_owned()],
    };
    let choices = |chatbots: &[(i64, &str)]| SendChoices {
        chatbots: chatbots.iter().map(|(id, name)| (ChatbotId(*id), (*name).to_owned())).collect(),
        agents: Vec::new(),
        templates: vec![choice(1, "pt_BR", "Sales Brazil"), choice(2, "pt_BR", "Support Europe")],
    };
    let shown = |locale, choices| {
        let query = GrowthQuery { template: "2".to_owned(), ..GrowthQuery::default() };
        main_of(&GrowthPage::new(&visit(locale), &session, query, Vec::new(), choices))
    };
    let both = shown(Locale::Es, choices(&[(1, "Sales Brazil"), (2, "Support Europe")]));
    for (chatbot, option) in [
        ("Sales Brazil", r#"<option value="1">order_ready (Portugués (Brasil))</option>"#),
        (
            "Support Europe",
            r#"<option value="2" selected>order_ready (Portugués (Brasil))</option>"#,
        ),
    ] {
        let group = format!(r#"<optgroup label="{chatbot}">{option}</optgroup>"#);
        assert!(both.contains(&group), "{group} in {both}");
    }
    let one = shown(Locale::En, choices(&[(1, "Sales Brazil")]));
    assert!(!one.contains("<optgroup"), "one chatbot needs no name: {one}");
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
    insta::assert_snapshot!(main_of(&SendPage::new(&visit(Locale::En), &session, detail)));
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
