//! The portal as a person meets it: who may see and change what, and what a press does.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use common::{ADMIN, AGENT, Browser, MANAGER, TestDesk, left_to_say};
use domain::clock::Clock;
use persistence::{channel, chatbot, job, user};
use reqwest::Response;

async fn get(browser: &Browser, path: &str) -> (u16, String) {
    let answer = browser.get(path).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn post(desk: &TestDesk, browser: &Browser, path: &str, form: &[(&str, &str)]) -> Response {
    let token = desk.form_token(browser);
    let mut fields = vec![("form_token", token.as_str())];
    fields.extend_from_slice(form);
    browser.post(path).form(&fields).send().await.unwrap()
}

fn location(answer: &Response) -> &str {
    answer.headers().get("location").unwrap().to_str().unwrap()
}

fn settings(desk: &TestDesk) -> chatbot::Settings {
    let actor = desk.store().blocking_read(|db| user::find_actor(db, desk.agent)).unwrap().unwrap();
    desk.store().blocking_read(|db| chatbot::get(db, &actor, desk.chatbot)).unwrap().settings
}

#[actix_web::test]
async fn ad_08_who_may_not_edit_general_settings_is_refused_by_the_server() {
    let desk = TestDesk::start();
    let path = format!("/portal/chatbots/{}/general-settings", desk.chatbot);
    let before = settings(&desk);
    for email in [AGENT, MANAGER] {
        let browser = desk.signed_in(email).await;
        for typed in ["9", "none"] {
            let form = [("cap", "on"), ("cap_sends", typed)];
            let answer = post(&desk, &browser, &path, &form).await;
            assert_eq!(answer.status(), 403, "{email}, {typed:?}");
        }
    }
    assert_eq!(settings(&desk), before);
    let agent = desk.signed_in(AGENT).await;
    assert_eq!(get(&agent, &path).await.0, 403);
    let admin = desk.signed_in(ADMIN).await;
    assert_eq!(get(&admin, "/portal/chatbots/999/general-settings").await.0, 404);
}

#[actix_web::test]
async fn ad_08_a_manager_looks_at_general_settings_and_is_told_who_may_change_them() {
    let desk = TestDesk::start();
    let manager = desk.signed_in(MANAGER).await;
    let answer = manager.get("/portal").send().await.unwrap();
    assert_eq!(location(&answer), "/portal/general-settings");
    let answer = manager.get("/portal/general-settings").send().await.unwrap();
    let path = format!("/portal/chatbots/{}/general-settings", desk.chatbot);
    assert_eq!(location(&answer), path);
    let (status, page) = get(&manager, &path).await;
    assert_eq!(status, 200);
    assert!(page.contains("You may look at these settings, but not change them"), "{page}");
    assert!(page.contains("Who may change them: \u{2068}Eva Sol\u{2069}."), "{page}");
    let main = page.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    for control in ["<form", "<input", "<button"] {
        assert!(!main.contains(control), "{control} in {main}");
    }
    let (_, list) = get(&manager, "/portal/growth/active-messages").await;
    assert!(list.contains("/portal/general-settings"), "the menu shows what may be seen");
}

#[actix_web::test]
async fn who_only_serves_sees_no_page_of_the_portal() {
    let desk = TestDesk::start();
    let agent = desk.signed_in(AGENT).await;
    for path in ["/portal", "/portal/growth/active-messages", "/portal/jobs"] {
        assert_eq!(get(&agent, path).await.0, 403, "{path}");
    }
}

#[actix_web::test]
async fn ad_05_the_cap_is_saved_or_comes_back_as_it_was_typed() {
    let desk = TestDesk::start();
    let admin = desk.signed_in(ADMIN).await;
    let answer = admin.get("/portal/general-settings").send().await.unwrap();
    let path = location(&answer).to_owned();
    let with = |sends| {
        let scope = ("cap_scope", "all_agents");
        [("cap", "on"), ("cap_sends", sends), scope, ("direct_transfer", "on")]
    };
    for typed in ["", "0", "-1", "three", "101"] {
        let answer = post(&desk, &admin, &path, &with(typed)).await;
        assert_eq!(answer.status(), 422, "{typed:?}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(r##"<a href="#cap_sends">"##), "{typed:?}");
        assert!(page.contains(&format!(r#"value="{typed}""#)), "{typed:?} is kept");
    }
    assert!(!settings(&desk).cap_enabled, "nothing was saved");
    let answer = post(&desk, &admin, &path, &with(" 5 ")).await;
    assert_eq!(answer.status(), 303);
    let (_, said) = left_to_say(&answer).unwrap();
    let page = admin.get(location(&answer)).header("cookie", said).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("<p>Settings saved.") && page.contains("Eva Sol"));
    let (_, again) = get(&admin, &format!("{path}?saved=1")).await;
    assert!(!again.contains("<p>Settings saved."));
    let saved = settings(&desk);
    assert_eq!(
        (saved.cap_enabled, saved.cap_sends, saved.cap_scope.as_str()),
        (true, 5, "all_agents")
    );
    assert!(saved.direct_transfer);
}

#[actix_web::test]
async fn ad_08_what_someone_saved_meanwhile_is_not_overruled_unseen() {
    let desk = TestDesk::start();
    let admin = desk.signed_in(ADMIN).await;
    let path = format!("/portal/chatbots/{}/general-settings", desk.chatbot);
    let with = |seen, sends| [("seen", seen), ("cap_sends", sends)];
    assert_eq!(post(&desk, &admin, &path, &with("", "5")).await.status(), 303);
    let answer = post(&desk, &admin, &path, &with("", "7")).await;
    assert_eq!(answer.status(), 409);
    let page = answer.text().await.unwrap();
    assert!(page.contains("Someone else saved") && page.contains("Eva Sol"), "{page}");
    assert!(page.contains(r#"value="7""#), "what was typed is kept");
    assert_eq!((settings(&desk).cap_sends, settings(&desk).direct_transfer), (5, false));
    let seen = page.split(r#"name="seen" value=""#).nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(post(&desk, &admin, &path, &with(seen, "7")).await.status(), 303);
    assert_eq!(settings(&desk).cap_sends, 7);
}

#[actix_web::test]
async fn am_14_active_messages_do_not_turn_on_before_everything_is_there() {
    let desk = TestDesk::start();
    let admin = desk.signed_in(ADMIN).await;
    let path = format!("/portal/chatbots/{}/general-settings", desk.chatbot);
    let now = desk.clock.now();
    desk.store()
        .blocking_write(|db| channel::mark_webhook_verified(db, desk.channel, now))
        .unwrap();
    let form = [("active_messages", "on"), ("cap_sends", "3")];
    let answer = post(&desk, &admin, &path, &form).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("cannot be turned on yet") && page.contains("No template is approved"));
    assert!(!page.contains("No webhook is verified"));
    assert!(!settings(&desk).active_messages_enabled);
}

#[actix_web::test]
async fn c20_a_filter_that_is_none_is_refused_and_nothing_typed_is_lost() {
    let desk = TestDesk::start();
    let manager = desk.signed_in(MANAGER).await;
    let path = "/portal/growth/active-messages";
    let cases = [
        ("agent=999999", "agent"),
        ("template=order%27--", "template"),
        ("state=sent%20OR%201%3D1", "state"),
        ("chatbot=999999", "chatbot"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("search=gone", "contact"),
    ];
    for (query, field) in cases {
        let (status, page) = get(&manager, &format!("{path}?from=2026-11-01&{query}")).await;
        if field == "from" {
            assert_eq!(status, 400, "a field given twice");
            continue;
        }
        assert_eq!(status, 422, "{query}");
        assert!(page.contains(&format!(r##"<a href="#{field}">"##)), "{query}: {page}");
        assert!(page.contains(&format!(r#"id="{field}-problem""#)), "{query}: {page}");
        assert!(
            page.contains(r#"name="from" value="2026-11-01""#),
            "{query}: what is good is kept"
        );
    }
    assert_eq!(get(&manager, &format!("{path}?from=yesterday")).await.0, 422);
    assert_eq!(get(&manager, &format!("{path}?after=1")).await.0, 422);
    let form = [("contact", "Ana"), ("state", "lost"), ("to", "2026-11-01")];
    let answer = post(&desk, &manager, path, &form).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains(r##"<a href="#state">"##), "{page}");
    for kept in [r#"name="contact" value="Ana""#, r#"name="to" value="2026-11-01""#] {
        assert!(page.contains(kept), "{kept}");
    }
}

#[actix_web::test]
async fn jo_03_an_admin_asks_for_a_run_and_nobody_else() {
    let desk = TestDesk::start();
    let line = job::TimetableLine {
        name: "tidy".to_owned(),
        schedule: "50 7 * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        next_run_at: None,
    };
    desk.store().blocking_write(|db| job::save_timetable(db, &[line])).unwrap();
    let requests = || desk.store().blocking_read(job::list_run_requests).unwrap();
    let manager = desk.signed_in(MANAGER).await;
    assert_eq!(get(&manager, "/portal/jobs").await.0, 200);
    assert_eq!(post(&desk, &manager, "/portal/jobs/tidy/run", &[]).await.status(), 403);
    assert!(requests().is_empty());
    let admin = desk.signed_in(ADMIN).await;
    assert_eq!(post(&desk, &admin, "/portal/jobs/none/run", &[]).await.status(), 404);
    let answer = post(&desk, &admin, "/portal/jobs/tidy/run", &[]).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/portal/jobs"));
    let (_, said) = left_to_say(&answer).unwrap();
    assert_eq!(requests(), ["tidy"]);
    let (_, page) = get(&admin, "/portal/jobs?asked=1").await;
    assert!(page.contains("Starts shortly") && !page.contains("It runs within seconds"));
    let page = admin.get("/portal/jobs").header("cookie", said).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("It runs within seconds"));
}
