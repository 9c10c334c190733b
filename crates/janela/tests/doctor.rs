//! `janela doctor` at channels whose secrets do not open.

#![allow(clippy::unwrap_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use common::janela_at;
use domain::clock::Clock;
use persistence::{
    channel::{self, NewChannel},
    test_desk::{TestDesk, new_channel},
    test_support::{TestStore, on_both},
};

/// The finding on secrets, and whether the doctor was content.
fn secrets_of(store: &TestStore) -> (String, bool) {
    let ran = janela_at(store, &["doctor"]).output().unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    let finding = told.lines().find(|line| line.contains(" secrets ")).unwrap();
    (finding.to_owned(), ran.status.success())
}

#[test]
fn every_channel_whose_secrets_do_not_open_is_named_also_a_disconnected_one() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (finding, is_content) = secrets_of(store);
        assert!(is_content && finding.contains("1 channels"), "{finding}");
        store.blocking_write(|db| channel::set_connected(db, desk.channel, false)).unwrap();
        let (finding, is_content) = secrets_of(store);
        assert!(is_content && finding.contains("1 disconnected"), "{finding}");

        // Sealed by another installation, as after a restored database without its key.
        let elsewhere = TestStore::sqlite();
        let foreign = TestDesk::new(&elsewhere).store.vault().unwrap();
        let now = desk.clock.now();
        for (name, external_id, connected) in [("Shop", "1", true), ("Old shop", "2", false)] {
            let new = NewChannel { name, external_id, ..new_channel(desk.chatbot) };
            store
                .blocking_write(|db| {
                    let channel = channel::create(db, &foreign, &new, now)?;
                    channel::set_connected(db, channel, connected)
                })
                .unwrap();
        }
        let (finding, is_content) = secrets_of(store);
        assert!(!is_content && finding.starts_with("FAIL"), "{finding}");
        assert!(finding.contains("\"Shop\" (1)"), "{finding}");
        assert!(finding.contains("\"Old shop\" (2, disconnected)"), "{finding}");
        assert!(!finding.contains("Main"), "what opens is not named: {finding}");
    });
}
