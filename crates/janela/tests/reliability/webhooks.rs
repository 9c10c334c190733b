//! R6: big and hostile webhooks.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    judge::until_applied,
    platform::message,
    world::{Kind, World, seconds},
};

const LIMIT: usize = 4 * 1024 * 1024;

/// A thousand texts of fifty customers, padded to 3 MB; `broken` of them is none.
fn thousand(world: &World, prefix: &str, broken: Option<usize>) -> Vec<u8> {
    let padding = "x".repeat(2_900);
    let messages: Vec<Value> = (0..1_000)
        .map(|nth| {
            let from = format!("55119555510{:02}", nth % 50);
            let mut message = message(&from, &format!("wamid.{prefix}.{nth}"), "Olá");
            message["padding"] = json!(padding);
            match broken == Some(nth) {
                true => json!({ "from": 7, "id": format!("wamid.{prefix}.{nth}") }),
                false => message,
            }
        })
        .collect();
    world.platform.envelope(0, json!({ "messages": messages })).to_string().into_bytes()
}

async fn hostile_bodies(kind: Kind) {
    let world = World::on(kind).await;
    let mut node = world.serve(0).await;
    let webhook = world.webhook_at(&node.url);
    let kept = || world.count("SELECT count(*) AS n FROM webhook_inbox");
    let texts = || world.count("SELECT count(*) AS n FROM messages WHERE direction = 'in'");

    let body = thousand(&world, "whole", None);
    assert!(2_900_000 < body.len() && body.len() < LIMIT, "{}", body.len());
    let begun = Instant::now();
    assert_eq!(world.platform.post(0, &webhook, body).await, Some(StatusCode::OK));
    let took = begun.elapsed();
    let limit = seconds(12, 1);
    assert!(took <= limit, "3 MB took {took:?}");
    until_applied(&world, Duration::from_secs(60)).await;
    assert_eq!(texts(), 1_000);

    let body = thousand(&world, "one-broken", Some(500));
    assert_eq!(world.platform.post(0, &webhook, body).await, Some(StatusCode::OK));
    until_applied(&world, Duration::from_secs(60)).await;
    assert_eq!(texts(), 1_999, "one broken update drops no other");
    assert_eq!(world.count("SELECT count(*) AS n FROM quarantined_events"), 1);

    let before = kept();
    let mut over = b"{}".to_vec();
    over.resize(LIMIT + 1, b' ');
    assert_eq!(world.platform.post(0, &webhook, over).await, Some(StatusCode::PAYLOAD_TOO_LARGE));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    // Signed JSON as it is, so it is kept; whoever reads it later finds nothing in it.
    assert_eq!(world.platform.post(0, &webhook, deep).await, Some(StatusCode::OK), "C31");
    for number in ["1e400", "\"\\ud800\"", "{\"a\":1,\"a\":2}"] {
        let odd = format!("{{\"object\":\"whatsapp_business_account\",\"entry\":[{number}]}}");
        let status = world.platform.post(0, &webhook, odd.into_bytes()).await;
        let status = status.expect("C31: an answer");
        assert!(!status.is_server_error(), "C31: {number}: {status}");
    }
    let odd = kept();
    let body = world.platform.text("5511955550006", "wamid.forged", "Olá?");
    let forged = world
        .client
        .post(&webhook)
        .header("x-hub-signature-256", world.platform.signature(0, b"another body"))
        .body(body);
    assert_eq!(forged.send().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    assert_eq!(kept(), odd, "nothing is stored of a forged one");
    assert!(before < odd && odd <= before + 4, "nothing is stored of what is too large");
    let counted = node.metric(&world.client, "janela_webhook_rejected_total", "signature").await;
    assert!((counted - 1.0).abs() < f64::EPSILON, "a counter tells of it: {counted}");
    until_applied(&world, Duration::from_secs(30)).await;
    assert!(node.is_running());
    println!(
        "R6 {} ok=1999 lost=0 duplicated=0 recovered=1 (3 MB answered in {took:?})",
        kind.as_str()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_big_and_hostile_bodies_harm_nothing_on_sqlite() {
    hostile_bodies(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_big_and_hostile_bodies_harm_nothing_on_postgres() {
    hostile_bodies(Kind::Postgres).await;
}
