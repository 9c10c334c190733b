//! One snapshot for each state a person can see, rendered without a server.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource, Failure},
    ids::{MessageId, UserId},
    permission::{Role, WorkspacePermission},
    phone::PhoneNumber,
    presence::Presence,
};
use persistence::{
    chatbot::{self, GeneralSettings, MissingStep},
    growth::{SendChoices, SendDetail, SendRow, Sender},
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
    other.id = domain::ids::ChatbotId(9);
    other.name = "Support".to_owned();
    let chatbots = vec![settings.chatbot.clone(), other];
    let page = GeneralSettingsPage::new(&visit(Locale::Es), &session, (settings, chatbots));
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
    let query = GrowthQuery { contact: "Ana & Co".to_owned(), ..GrowthQuery::default() };
    let page = GrowthPage::new(&visit(Locale::En), &session, query, rows, SendChoices::default());
    let shown = main_of(&page);
    assert_eq!(shown.matches("<tr id=").count(), 50);
    assert!(shown.contains("contact=Ana+%26+Co") && shown.contains("after=1795359720000-51"));
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
        body: "Olá Luiza, o seu pedido está pronto.".to_owned(),
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
    JobOverview { line, last_run, run_requested: false }
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
