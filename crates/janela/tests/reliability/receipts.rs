//! R4: receipts in any order, in copies, and before our own call was answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use persistence::test_support::rounds;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    judge::{Tally, check_invariants, count_orphans, list_inbound, list_sent, until_applied},
    platform::Entry,
    world::{Dice, Kind, World, phone, seconds_now, until},
};

const STATUSES: [&str; 4] = ["sent", "delivered", "read", "failed"];

/// What a message is that had these receipts, by LI-03.
fn expected(receipts: &[&str]) -> &'static str {
    ["read", "failed", "delivered", "sent"]
        .into_iter()
        .find(|status| receipts.contains(status))
        .unwrap_or("sent")
}

/// Adds texts of customers, each in up to three copies, until there are `events` posts; returns their ids.
fn add_texts(
    world: &World,
    posts: &mut Vec<Vec<u8>>,
    events: usize,
    dice: &mut Dice,
) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    while posts.len() < events {
        let nth = ids.len();
        let id = format!("wamid.mixed.{nth}");
        let text = world.platform.text(&format!("55115{:08}", nth % 200), &id, "Olá");
        for _ in 0..=dice.roll(3) {
            posts.push(text.clone());
        }
        ids.insert(id);
    }
    ids
}

/// Sixteen sets of receipts, each in several orders and numbers of copies, shuffled over eight connections; the first
/// half of them before our call is answered.
async fn confluence(kind: Kind) {
    let (orders, events) = (rounds(3, 125), rounds(400, 100_000));
    let orders = u32::try_from(orders).expect("few");
    let world = World::on(kind).await;
    let node = world.serve(0).await;
    let webhook = world.webhook_at(&node.url);
    let sends = 16 * orders;
    // The message is taken at once and the call answered later, for the first half.
    let slow = json!({ "kind": "delay", "ms": 1_500, "count": sends / 2, "when": "after" });
    world.platform.order("/faults", slow).await;
    let url = node.url.clone();
    stream::iter(0..sends)
        .for_each_concurrent(16, async |nth| {
            world.send(&url, nth).await;
        })
        .await;
    let ledger = until("every send", Duration::from_secs(60 + u64::from(sends) / 20), async || {
        let ledger = world.platform.ledger().await;
        (ledger.len() == sends as usize).then_some(ledger)
    })
    .await;
    let by_customer: BTreeMap<&str, &Entry> =
        ledger.iter().map(|entry| (entry.to.as_str(), entry)).collect();
    let (mut dice, mut posts, mut receipts_of) = (Dice::new(4), Vec::new(), BTreeMap::new());
    let at = seconds_now();
    for nth in 0..sends {
        let set = (nth / orders) as usize;
        let chosen: Vec<&str> =
            (0..4).filter(|bit| set >> bit & 1 == 1).map(|bit| STATUSES[bit]).collect();
        let entry = by_customer[phone(nth).trim_start_matches('+')];
        for status in &chosen {
            for _ in 0..=dice.roll(3) {
                posts.push(world.platform.receipt(entry, status, at));
            }
        }
        receipts_of.insert(entry.callback.clone(), chosen);
    }
    let receipts = posts.len();
    let texts = add_texts(&world, &mut posts, events, &mut dice);
    dice.shuffle(&mut posts);
    let count = posts.len();
    let answers: Vec<Option<StatusCode>> = stream::iter(posts)
        .map(|body| world.platform.post(0, &webhook, body))
        .buffer_unordered(8)
        .collect()
        .await;
    let refused = answers.iter().filter(|status| **status != Some(StatusCode::OK)).count();
    assert_eq!(refused, 0, "of {count}");
    until_applied(&world, Duration::from_secs(300)).await;
    until("every call is answered and on record", Duration::from_secs(60), async || {
        (world.count("SELECT count(*) AS n FROM outbox") == 0).then_some(())
    })
    .await;
    let sent = list_sent(&world.store);
    check_invariants(&world.store, &sent, &ledger);
    let mut tally = Tally::default();
    let mut views: BTreeMap<Vec<&str>, BTreeSet<String>> = BTreeMap::new();
    for it in &sent {
        let receipts = &receipts_of[it.callback.as_deref().expect("a callback")];
        views.entry(receipts.clone()).or_default().insert(it.state.clone());
        match it.state == expected(receipts) {
            true => tally.ok += 1,
            false => tally.lost += 1,
        }
    }
    for (receipts, views) in &views {
        assert_eq!(views.len(), 1, "I9: {receipts:?} gives {views:?}");
    }
    assert_eq!(count_orphans(&world.store), 0, "I10");
    // A text is kept once and told once, however many copies came.
    let kept = list_inbound(&world.store);
    for id in &texts {
        match kept.get(id).copied().unwrap_or_default() {
            0 => tally.lost += 1,
            1 => tally.ok += 1,
            _ => tally.duplicated += 1,
        }
    }
    let told = world.count("SELECT CAST(sum(unread) AS bigint) AS n FROM tickets");
    assert_eq!(usize::try_from(told), Ok(texts.len()), "no agent is told twice");
    let name = format!("R4 {}", kind.as_str());
    println!(
        "{name}: {receipts} receipts for {sends} messages, {} posts of {} texts, shuffled over 8 connections",
        count - receipts,
        texts.len()
    );
    tally.must_be_clean(&name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_receipts_in_any_order_and_number_give_one_view_on_sqlite() {
    confluence(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_receipts_in_any_order_and_number_give_one_view_on_postgres() {
    confluence(Kind::Postgres).await;
}
