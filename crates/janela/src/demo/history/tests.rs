//! The company's past on both databases: whole, exact, and nothing left to be sent.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use channels::{
    http::{OutgoingHttp, OutgoingSettings},
    whatsapp::WhatsApp,
};
use domain::{
    active_message::ActiveMessageState, channel::Channel as _, template::PlatformTemplate,
};
use persistence::{
    channel,
    conversation::{self, ConversationId, Side},
    growth::{self, SendFilter},
    number,
    store::Store,
    test_support::on_both,
};
use sandbox::{PastContent, PastFate, RealClock, Sandbox, SandboxConfig};

use super::*;
use crate::{
    clock::DemoClock,
    demo::{self, phones, seed::SeedPlan, stand_in},
};

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_348_800, 0).unwrap()
}

async fn start_sandbox() -> Sandbox {
    let loopback = (std::net::Ipv4Addr::LOCALHOST, 0).into();
    Sandbox::start(SandboxConfig {
        bind: loopback,
        smtp_bind: loopback,
        speed: 1.0,
        seed: 1,
        numbers: stand_in::numbers(),
        templates: stand_in::templates(),
        phones: Vec::new(),
        time_zone: chrono_tz::Tz::UTC,
        clock: Arc::new(RealClock::default()),
    })
    .await
    .unwrap()
}

/// Where a sandbox was, and its templates as the adapter reads them.
fn templates() -> (std::net::SocketAddr, Vec<PlatformTemplate>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = start_sandbox().await;
        let allow = vec![sandbox.http_addr().to_string().parse().unwrap()];
        let http = OutgoingHttp::new(OutgoingSettings { allow, ..OutgoingSettings::default() });
        let known = &stand_in::numbers()[0];
        let access = domain::channel::ChannelAccess {
            channel: ChannelId(1),
            api_base_url: format!("http://{}/v25.0", sandbox.http_addr()),
            external_id: known.phone_number_id.clone(),
            account_id: known.waba_id.clone(),
            access_token: known.access_token.clone(),
            app_secret: known.app_secret.clone(),
            verify_token: known.verify_token.clone(),
        };
        let listed = WhatsApp::new(http.unwrap()).list_templates(&access).await.unwrap();
        let address = sandbox.http_addr();
        sandbox.stop().await.unwrap();
        (address, listed)
    })
}

/// A company without a past, ready to send.
fn open_company(store: &Store, templates: &(std::net::SocketAddr, Vec<PlatformTemplate>)) {
    let plan = SeedPlan { sandbox: templates.0, seed: 1, scale: 1 };
    let vault = store.vault().unwrap();
    store
        .blocking_write(|db| {
            seed::fill(db, &vault, &plan, start())?;
            for known in channel::list_connected(db)? {
                channel::mark_webhook_verified(db, known.id, start())?;
                message_template::save_all(db, &known.account_id, &templates.1, start())?;
            }
            Ok(())
        })
        .unwrap();
    let clock = DemoClock::ahead_by(Duration::ZERO);
    store.blocking_write(|db| Ok(demo::switch_on(db, &clock))).unwrap().unwrap();
}

fn actor(db: &mut Db, position: usize) -> Actor {
    let email = company::USERS[position].email;
    let id = user::find_credentials(db, email).unwrap().unwrap().user;
    user::find_actor(db, id).unwrap().unwrap()
}

#[test]
fn the_past_is_whole_and_leaves_nothing_to_be_sent() {
    let templates = templates();
    on_both(|store| {
        open_company(store, &templates);
        let contacts = company::contacts(company::contact_count(1), 1);
        let scenes = script::write(&contacts, 1);
        let channels: Vec<ChannelId> = store
            .blocking_read(channel::list_connected)
            .unwrap()
            .into_iter()
            .map(|known| known.id)
            .collect();
        store.blocking_write(|db| play(db, &channels, &contacts, &scenes, start())).unwrap();
        store
            .blocking_write(|db| {
                let later = start() + TimeDelta::days(365);
                assert_eq!(outbox::list_open_channels(db, later)?, []);
                let admin = actor(db, 0);
                for number in number::list(db, &admin)? {
                    let drift = admission::check_counters(db, number.id)?;
                    assert!(drift.is_none(), "{drift:?}");
                }
                let newest = growth::list_sends(db, &admin, &SendFilter::default(), 1, start())?;
                let newest = newest.first().unwrap();
                let decided = growth::get_send(db, &admin, newest.message, start())?.decision;
                let seen = decided.unwrap().decision.facts.tier.unwrap().count;
                let sender = number::list(db, &admin)?;
                let sender = sender.iter().find(|number| number.phone == newest.number).unwrap();
                let policy = number::get_policy(db, sender.id)?;
                let (day, _) = admission::count_recipients(db, sender.id, &policy, newest.at)?;
                // With itself, unless its contact had been written to that day.
                assert!(seen == day || seen + 1 == day, "AD-01: it saw {seen} of {day}");
                let first_agent = actor(db, seed::first_agent());
                assert_eq!(first_agent.user.language, None, "pages are in the browser's language");
                let now = start();
                let counts = conversation::count_tabs(db, &first_agent, now)?;
                assert_eq!((counts.waiting, counts.in_progress, counts.sent), (0, 3, 12));
                let manager = actor(db, 1);
                let waiting = conversation::list_waiting(db, &manager, "", None, now)?.rows;
                let alone = waiting.iter().filter_map(|row| row.reserved_for.as_ref());
                let alone: Vec<&str> = alone.map(|(_, name)| name.as_str()).collect();
                assert_eq!((waiting.len(), alone), (4, vec!["João Ferraz", "João Ferraz"]));
                let admin = actor(db, 0);
                let standings: Vec<&str> = number::list(db, &admin)?
                    .iter()
                    .map(|it| it.clock.standing().as_str())
                    .collect();
                assert_eq!(standings, ["connected", "flagged", "connected", "restricted"]);
                let states: BTreeSet<&str> =
                    conversation::list_sent(db, &first_agent, "", None, now)?
                        .rows
                        .iter()
                        .map(|row| row.latest.state.as_str())
                        .collect();
                let wanted = [
                    ActiveMessageState::Sent,
                    ActiveMessageState::Delivered,
                    ActiveMessageState::Read,
                    ActiveMessageState::Failed,
                    ActiveMessageState::Expired,
                ];
                assert_eq!(states, wanted.map(ActiveMessageState::as_str).into());
                assert_eq!(presence::find(db, first_agent.id())?, Presence::Online);
                Ok(())
            })
            .unwrap();
    });
}

/// What a phone or a thread shows of a message: when, whether it is the business's, and its text.
type Shown = (i64, bool, String);

/// The messages on the phone of a contact, as the sandbox tells them.
async fn on_phone(sandbox: &Sandbox, seed: &ContactSeed) -> Vec<Shown> {
    let wa_id = seed.phone.trim_start_matches('+');
    let address = format!("http://{}/control/phones/{wa_id}", sandbox.http_addr());
    let text = reqwest::get(address).await.unwrap().text().await.unwrap();
    let phone: serde_json::Value = serde_json::from_str(&text).unwrap();
    // Who was never written to has no phone here yet.
    let messages = phone["messages"].as_array().into_iter().flatten();
    messages
        .map(|message| {
            let at: DateTime<Utc> = message["at"].as_str().unwrap().parse().unwrap();
            let is_ours = message["from"] == "business";
            (at.timestamp_millis(), is_ours, message["text"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// The messages of a contact in every chatbot, as the desk shows them.
fn on_desk(db: &mut Db, admin: &Actor, seed: &ContactSeed) -> Vec<Shown> {
    let phone = phone_of(seed).unwrap();
    let contact = contact::find_by_identity(db, contact::Identity::Phone(&phone)).unwrap().unwrap();
    let mut messages = Vec::new();
    for chatbot in admin.chatbots() {
        let id = ConversationId { chatbot, contact };
        match conversation::find_thread(db, admin, id, None, start()) {
            Ok(thread) => messages.extend(thread.messages),
            Err(PersistenceError::NotFound) => {}
            Err(error) => panic!("{error}"),
        }
    }
    messages.sort_by_key(|message| (message.at, message.id));
    let shown = messages.into_iter();
    shown
        .map(|message| {
            let is_ours = matches!(message.side, Side::Ours { .. });
            (message.at.timestamp_millis(), is_ours, message.body)
        })
        .collect()
}

#[test]
fn every_phone_remembers_what_the_desk_shows_by_the_same_ids() {
    let templates = templates();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    on_both(|store| {
        open_company(store, &templates);
        let contacts = company::contacts(company::contact_count(1), 1);
        let scenes = script::write(&contacts, 1);
        let channels: Vec<ChannelId> = store
            .blocking_read(channel::list_connected)
            .unwrap()
            .into_iter()
            .map(|known| known.id)
            .collect();
        store.blocking_write(|db| play(db, &channels, &contacts, &scenes, start())).unwrap();
        let past = phones::past(&contacts, &scenes, start());
        let sandbox = runtime.block_on(start_sandbox());
        sandbox.remember(past.clone()).unwrap();
        let mut messages = 0;
        for seed in &contacts {
            let shown = runtime.block_on(on_phone(&sandbox, seed));
            messages += shown.len();
            let kept = store.blocking_read(|db| {
                let admin = actor(db, 0);
                Ok(on_desk(db, &admin, seed))
            });
            let kept = kept.unwrap();
            assert_eq!(shown, kept, "{}", seed.name);
        }
        assert_eq!(messages, past.len());
        runtime.block_on(sandbox.stop()).unwrap();

        let unread = past.iter().rev().find(|message| {
            matches!(message.content, PastContent::Template { fate: PastFate::Delivered, .. })
        });
        let unread = unread.unwrap();
        let number =
            company::NUMBERS.iter().position(|it| it.phone_number_id == unread.phone_number_id);
        let receipt = Receipt::new(&unread.id, ReceiptStatus::Read, start());
        let receipt = element(ChannelEvent::Receipt(receipt));
        store
            .blocking_write(|db| {
                inbox::apply_unkept(db, channels[number.unwrap()], &[receipt], start())?;
                let admin = actor(db, 0);
                let filter =
                    SendFilter { state: Some(ActiveMessageState::Read), ..SendFilter::default() };
                let read = growth::list_sends(db, &admin, &filter, 500, start())?;
                let at = unread.at_ms;
                assert!(read.iter().any(|row| row.at.timestamp_millis() == at), "{unread:?}");
                Ok(())
            })
            .unwrap();
    });
}
