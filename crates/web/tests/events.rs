//! What an open event stream says of its user (RO-06), and hears of other processes (C12).

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{AGENT, MANAGER, PATIENCE, TestDesk};
use domain::{clock::Clock, policy::Policy, presence::Presence};
use persistence::{
    live::{LiveEvent, LiveKind},
    presence,
    store::Store,
    test_support::{TestStore, postgres_is_wanted},
    user::{self, UserStatus},
};

#[actix_web::test]
async fn ro_06_a_moved_clock_takes_nobody_offline_whose_stream_is_open() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let mut stream = browser.get("/events").send().await.unwrap();
    stream.chunk().await.unwrap();
    let (agent, service) = (desk.agent, Policy::default_profile().service);
    let chosen_at = desk.clock.now();
    let choose = |db: &mut _| presence::choose(db, agent, Presence::Online, chosen_at);
    desk.store().blocking_write(choose).unwrap();

    desk.clock.advance(Duration::from_secs(20 * 60));
    let now = desk.clock.now();
    let judge = |db: &mut _| presence::turn_absent_offline(db, &service, now);
    assert_eq!(desk.store().blocking_write(judge).unwrap(), 0, "within the grace");
    desk.desk.live.publish(LiveEvent::of_all(LiveKind::Clock, 0));

    let later = now + TimeDelta::minutes(10);
    let find = |db: &mut _| presence::find_at(db, agent, &service, later);
    let renewed = async {
        while desk.store().blocking_read(find).unwrap() != Presence::Online {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(60);
    assert!(tokio::time::timeout(patience, renewed).await.is_ok(), "taken for gone");
}

/// Reads `stream` until it says `word`; `false` when it ended before.
async fn says(stream: &mut reqwest::Response, word: &str) -> bool {
    let mut heard = String::new();
    while let Ok(Some(chunk)) = stream.chunk().await {
        heard.push_str(&String::from_utf8_lossy(&chunk));
        if heard.contains(word) {
            return true;
        }
    }
    false
}

#[actix_web::test]
async fn c12_a_user_disabled_by_another_process_loses_their_stream_and_others_hear_of_it() {
    let mut stores = vec![TestStore::sqlite()];
    stores.extend(postgres_is_wanted().then(TestStore::postgres));
    for store in stores {
        let desk = TestDesk::start_on(store, None);
        desk.store().listen().unwrap();
        let (agent, manager) = (desk.signed_in(AGENT).await, desk.signed_in(MANAGER).await);
        let mut of_agent = agent.get("/events").send().await.unwrap();
        let mut of_manager = manager.get("/events").send().await.unwrap();
        assert!(says(&mut of_agent, "retry").await && says(&mut of_manager, "retry").await);

        let (settings, user, now) = (desk.store().settings().clone(), desk.agent, desk.clock.now());
        let command = std::thread::spawn(move || {
            let command = Store::open(&settings).unwrap();
            let disable = |db: &mut _| user::set_status(db, user, UserStatus::Disabled, now);
            command.blocking_write(disable).unwrap();
            command.tell_serving_process().unwrap();
        });
        command.join().unwrap();
        let told = async {
            let hears = if desk.store().is_sqlite() { "event: resync" } else { "event: presence" };
            assert!(says(&mut of_manager, hears).await, "an open page hears of it");
            assert!(!says(&mut of_agent, "never").await, "the disabled user's stream ends");
        };
        assert!(tokio::time::timeout(PATIENCE, told).await.is_ok());
        assert_eq!(agent.get("/desk").send().await.unwrap().status(), 303);
    }
}
