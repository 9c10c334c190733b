//! An agent's presence as their requests and their switch make it (RO-06).

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{AGENT, PATIENCE, TestDesk};
use domain::{clock::Clock, policy::Policy, presence::Presence};
use persistence::{
    presence,
    test_support::{TestStore, postgres_is_wanted},
};

fn stores() -> Vec<TestStore> {
    let mut stores = vec![TestStore::sqlite()];
    stores.extend(postgres_is_wanted().then(TestStore::postgres));
    stores
}

#[actix_web::test]
async fn ro_06_absence_counts_from_the_last_request_however_close_to_the_one_before() {
    for store in stores() {
        let desk = TestDesk::start_on(store, None);
        let browser = desk.signed_in(AGENT).await;
        for _ in 0..3 {
            desk.clock.advance(Duration::from_millis(1_333));
            assert_eq!(browser.fragment("/desk/me").send().await.unwrap().status(), 200);
        }
        let (agent, service) = (desk.agent, Policy::default_profile().service);
        let end = desk.clock.now() + TimeDelta::minutes(5);
        let at = |when| {
            let find = |db: &mut _| presence::find_at(db, agent, &service, when);
            desk.store().blocking_read(find).unwrap()
        };
        // What was held is noted after a moment; here because the process stops.
        desk.desk.stopping.cancel();
        let is_noted = async {
            while at(end - TimeDelta::milliseconds(1)) == Presence::Offline {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, is_noted).await.is_ok(),
            "taken for absent too early"
        );
        assert_eq!(at(end), Presence::Offline);
    }
}

#[actix_web::test]
async fn ro_06_the_request_that_brings_someone_back_shows_them_so() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let (agent, now) = (desk.agent, desk.clock.now());
    desk.store().blocking_write(|db| presence::leave(db, agent, now)).unwrap();
    let shown = browser.fragment("/desk/me").send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("data-presence=\"invisible\""), "{shown}");
}

#[actix_web::test]
async fn ro_06_a_break_shows_its_icon_and_how_long_it_has_lasted() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let token = desk.form_token(&browser);
    let choose = async |presence: &str| {
        let form = [("form_token", token.as_str()), ("presence", presence), ("next", "/desk")];
        let answer = browser.post("/desk/presence").form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        browser.fragment("/desk/me").send().await.unwrap().text().await.unwrap()
    };
    let online = choose("online").await;
    assert!(!online.contains("elapsed-time") && !online.contains("#i-pause\"></use></svg></span>"));
    let began = desk.clock.now();
    choose("on_break").await;
    desk.clock.advance(Duration::from_secs(12 * 60 + 59));
    let on_break = choose("on_break").await;
    let since = began.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert!(on_break.contains(&format!("<elapsed-time datetime=\"{since}\"")), "{on_break}");
    assert_eq!(on_break.matches(">12 min</elapsed-time>").count(), 2, "{on_break}");
    assert!(
        on_break.contains("class=\"me-break\"") && on_break.contains("data-presence=\"on_break\"")
    );
    let back = choose("online").await;
    assert!(!back.contains("elapsed-time") && !back.contains("me-break"), "{back}");
}
