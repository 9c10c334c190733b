//! Webhooks that are applied in parts, while the worker that does it is killed: with another one beside it on
//! PostgreSQL, and with one after it on SQLite, which is for one process.

#![allow(clippy::expect_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use std::{
    process::Child,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::janela_at;
use domain::clock::Clock;
use persistence::{
    inbox::{self, WebhookInbox},
    test_desk::{ACCOUNT, EXTERNAL_ID, TestDesk},
    test_support::{TestStore, postgres_is_wanted},
};
use serde_json::{Value, json};

/// Far longer than it takes, as the machine may be busy with other work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Contacts of one webhook; each writes twice, so that it takes three parts.
const CONTACTS: usize = 300;

/// A `janela serve --role worker`; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(store: &TestStore) -> Self {
        let mut command = janela_at(store, &["serve", "--role", "worker"]);
        Self(command.spawn().expect("janela starts"))
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SIGKILL: nothing of it is put in order first.
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// One webhook of the platform: two messages of each contact, and one that nobody can read between them.
fn webhook(round: usize, at: i64) -> Value {
    let message = |contact: usize, nth: usize| {
        json!({
            "from": format!("55119{round:02}{contact:06}"),
            "id": format!("wamid.{round}.{contact}.{nth}"),
            "timestamp": at.to_string(),
            "type": "text",
            "text": {"body": "Olá"},
        })
    };
    let mut messages: Vec<Value> =
        (0..2 * CONTACTS).map(|number| message(number % CONTACTS, number / CONTACTS)).collect();
    messages.insert(10, json!({"from": 7, "id": format!("wamid.{round}.broken")}));
    json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [{
        "field": "messages",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "351210000001", "phone_number_id": EXTERNAL_ID},
            "messages": messages,
        },
    }]}]})
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn nothing_is_lost_and_nothing_twice(store: &TestStore, workers: usize) {
    let desk = TestDesk::new(store);
    let inbox = WebhookInbox::start(store, Arc::default()).expect("an inbox");
    let mut workers: Vec<Worker> = (0..workers).map(|_| Worker::start(store)).collect();
    for round in 0..2 {
        let before = desk.provider_ids().len();
        let body = webhook(round, desk.clock.now().timestamp()).to_string().into_bytes();
        let appended = inbox.append(desk.channel, desk.clock.now(), body).expect("room");
        appended.blocking_durable().expect("durable");
        until("the first part", || before < desk.provider_ids().len());
        // One of them stood in the middle of it: another one goes on.
        drop(workers.remove(0));
        workers.push(Worker::start(store));
        let waits = || store.blocking_read(|db| inbox::list_waiting(db, 1)).expect("the inbox");
        until("the last part", || waits().is_empty());
        assert!(workers.iter_mut().all(Worker::is_running), "a worker ended by itself");

        let kept = desk.provider_ids();
        let mut distinct = kept.clone();
        distinct.dedup();
        assert_eq!(kept, distinct, "no message twice");
        assert_eq!(kept.len(), (round + 1) * 2 * CONTACTS, "every message");
        assert_eq!(desk.tickets().len(), (round + 1) * CONTACTS, "RO-08");
        assert_eq!(desk.count_quarantined(), round as i64 + 1, "put aside once");
    }
    drop(workers);
    inbox.stop();
}

#[test]
fn a_large_webhook_survives_the_death_of_the_worker_on_sqlite() {
    nothing_is_lost_and_nothing_twice(&TestStore::sqlite(), 1);
}

#[test]
fn a_large_webhook_survives_the_death_of_one_of_two_workers_on_postgres() {
    if postgres_is_wanted() {
        nothing_is_lost_and_nothing_twice(&TestStore::postgres(), 2);
    }
}
