//! The sandbox's world in memory; every change is a function of the state and an instant.

mod customer;
mod fate;
mod inbound;
mod outbox;
mod past;
mod provider;
mod sending;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::calls::CallLog;
use crate::config::{NumberSeed, PhoneSeed, TemplateSeed};
use crate::core::Change;
use crate::dispatcher::Delivery;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::mailbox::Mailbox;
use crate::media::Shelf;
use crate::number::Number;
use crate::phone::{Phone, PhoneSummary};
use crate::settings::Settings;
use crate::template::Template;
use crate::world::World;

pub(crate) use customer::{Refusal, Tap};
pub(crate) use inbound::SendOrder;
use outbox::Outbox;
use sending::Step;

/// The first template's id; the others follow.
const FIRST_TEMPLATE_ID: u64 = 1_540_088_120_390_000;

/// Where the webhooks of a number or an account go.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub callback_url: String,
}

/// Everything the provider knows.
pub(crate) struct State {
    pub numbers: BTreeMap<String, Number>,
    pub templates: Vec<Template>,
    pub phones: HashMap<String, Phone>,
    pub ledger: Ledger,
    pub faults: Faults,
    pub mailbox: Mailbox,
    pub settings: Settings,
    pub shelf: Shelf,
    pub world: World,
    pub calls: CallLog,
    /// By phone-number id or account id.
    pub subscriptions: BTreeMap<String, Subscription>,
    speed: f64,
    started_ms: i64,
    /// Whether the phones know of what was before.
    knows_past: bool,
    seed: u64,
    last_id: u64,
    /// Where each message stands: the customer and the place in the chat.
    places: HashMap<String, (String, usize)>,
    schedule: BinaryHeap<Reverse<(i64, u64, Step)>>,
    newly_due: bool,
    outbox: Outbox,
    changes: Vec<Change>,
}

impl State {
    /// The seeded world at `now_ms`.
    pub(crate) fn new(
        numbers: Vec<NumberSeed>,
        templates: Vec<TemplateSeed>,
        phones: Vec<PhoneSeed>,
        (speed, seed): (f64, u64),
        now_ms: i64,
    ) -> Self {
        let numbers = numbers
            .into_iter()
            .map(|seed| (seed.phone_number_id.clone(), Number::new(seed, now_ms)))
            .collect();
        let templates = (FIRST_TEMPLATE_ID..)
            .zip(templates)
            .map(|(id, seed)| Template::new(id, seed))
            .collect();
        let phones = phones
            .into_iter()
            .map(|seed| (seed.wa_id.clone(), Phone::new(&seed.wa_id, &seed.name)))
            .collect();
        Self {
            numbers,
            templates,
            phones,
            ledger: Ledger::default(),
            faults: Faults::default(),
            mailbox: Mailbox::default(),
            settings: Settings::default(),
            shelf: Shelf::default(),
            world: World::default(),
            calls: CallLog::default(),
            subscriptions: BTreeMap::new(),
            speed,
            started_ms: now_ms,
            knows_past: false,
            seed,
            last_id: 0,
            places: HashMap::new(),
            schedule: BinaryHeap::new(),
            newly_due: false,
            outbox: Outbox::new(seed),
            changes: Vec::new(),
        }
    }

    /// The phones, latest event first, then by name.
    pub(crate) fn list_phones(&self) -> Vec<PhoneSummary> {
        let mut phones: Vec<&Phone> = self.phones.values().collect();
        phones.sort_by(|a, b| {
            (b.touched_ms, &a.name, &a.wa_id).cmp(&(a.touched_ms, &b.name, &b.wa_id))
        });
        phones.into_iter().map(Phone::summary).collect()
    }

    /// When the sandbox started: what it remembers is younger, but for a seeded past.
    pub(crate) fn started_ms(&self) -> i64 {
        self.started_ms
    }

    /// Whether the phones know of a seeded past.
    pub(crate) fn knows_past(&self) -> bool {
        self.knows_past
    }

    /// The template of an account by name and language.
    fn template_of(&self, account: &str, name: &str, language: &str) -> Option<&Template> {
        self.templates.iter().find(|template| {
            template.seed.waba_id == account
                && template.seed.name == name
                && template.seed.language.eq_ignore_ascii_case(language)
        })
    }

    /// The customer `wa_id`, who appears if new.
    pub(crate) fn phone_of(&mut self, wa_id: &str) -> &mut Phone {
        self.phones
            .entry(wa_id.to_owned())
            .or_insert_with(|| Phone::new(wa_id, &format!("+{wa_id}")))
    }

    /// The id of the next template.
    pub(crate) fn next_template_id(&self) -> u64 {
        self.templates.iter().map(|template| template.id + 1).max().unwrap_or(FIRST_TEMPLATE_ID)
    }

    /// The customer whom a business-scoped id names.
    pub(crate) fn person_named(&self, user_id: &str) -> Option<String> {
        let named = self.phones.values().find(|phone| phone.user_id() == user_id);
        named.map(|phone| phone.wa_id.clone())
    }

    /// The number a ledger's reader means: a phone-number id, or the last part of its webhook's address.
    pub(crate) fn channel_named(&self, name: &str) -> String {
        let ends_so = |subscription: &&Subscription| {
            subscription.callback_url.rsplit('/').next().is_some_and(|last| last == name)
        };
        let by_address = || {
            self.subscriptions
                .iter()
                .find(|(subject, subscription)| {
                    self.numbers.contains_key(*subject) && ends_so(subscription)
                })
                .map(|(subject, _)| subject.clone())
        };
        if self.numbers.contains_key(name) {
            name.to_owned()
        } else {
            by_address().unwrap_or_else(|| name.to_owned())
        }
    }

    /// Whether `id` is an account of this sandbox.
    pub(crate) fn has_account(&self, id: &str) -> bool {
        self.numbers.values().any(|number| number.seed.waba_id == id)
    }

    /// Forgets the faults still to come; what a shuffle holds back goes out.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.outbox.release();
    }

    /// When the next thing happens by itself; `None` when nothing will.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        let scheduled = self.schedule.peek().map(|Reverse((due, ..))| *due);
        [scheduled, self.outbox.held_until_ms()].into_iter().flatten().min()
    }

    /// Webhooks that are to be sent now.
    pub(crate) fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.outbox.take()
    }

    /// What the pages should look at again.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.dedup();
        changes
    }

    /// Whether something was scheduled since the last look.
    pub(crate) fn take_newly_due(&mut self) -> bool {
        std::mem::take(&mut self.newly_due)
    }

    /// A new message id; ids of an earlier run of the same seed never come again.
    fn next_wamid(&mut self) -> String {
        self.last_id += 1;
        let text = format!("SBX{:x}-{:x}-{:08x}", self.seed, self.started_ms, self.last_id);
        format!("wamid.{}", STANDARD.encode(text))
    }

    fn changed(&mut self, wa_id: &str) {
        self.changes.push(Change::Phone(wa_id.to_owned()));
    }
}
