//! What an open event stream says of its user (RO-06).

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{AGENT, TestDesk};
use domain::{clock::Clock, policy::Policy, presence::Presence};
use persistence::{
    live::{LiveEvent, LiveKind},
    presence,
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
