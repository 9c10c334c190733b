//! Webhooks on their way out: who gets them, and what the faults do to them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::State;
use crate::dispatcher::Delivery;
use crate::faults::WebhookFault;
use crate::webhooks::signature::{ascii_json, sign};

/// How long a shuffle waits for the rest of its webhooks, by the sandbox's clock.
const SHUFFLE_PATIENCE_MS: i64 = 10_000;

/// What is to be delivered, and what a shuffle holds back.
pub(super) struct Outbox {
    ready: Vec<Delivery>,
    held: Vec<Delivery>,
    held_until_ms: Option<i64>,
    random: u64,
    lanes: u64,
}

impl Outbox {
    pub(super) fn new(seed: u64) -> Self {
        Self { ready: Vec::new(), held: Vec::new(), held_until_ms: None, random: seed, lanes: 0 }
    }

    pub(super) fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.ready)
    }

    /// When what is held back goes out even if the shuffle is not full.
    pub(super) fn held_until_ms(&self) -> Option<i64> {
        self.held_until_ms
    }

    fn send(&mut self, deliveries: Vec<Delivery>, fault: Option<WebhookFault>, now_ms: i64) {
        match fault {
            None => self.ready.extend(deliveries),
            Some(WebhookFault::Lost) => {}
            Some(WebhookFault::Doubled) => {
                self.ready.extend(deliveries.iter().cloned());
                self.ready.extend(deliveries);
            }
            Some(WebhookFault::Late { ms }) => {
                let lane = self.own_lane("late");
                self.ready.extend(deliveries.into_iter().map(|delivery| Delivery {
                    lane: format!("{lane} {}", delivery.url),
                    not_before_ms: now_ms.saturating_add(ms),
                    ..delivery
                }));
            }
            Some(WebhookFault::Shuffled { left }) => {
                self.held.extend(deliveries);
                self.held_until_ms.get_or_insert(now_ms + SHUFFLE_PATIENCE_MS);
                if left == 0 {
                    self.release();
                }
            }
        }
    }

    /// Sends what is held back, in one lane and in an order that is never the one it came in.
    pub(super) fn release(&mut self) {
        self.held_until_ms = None;
        let mut held = std::mem::take(&mut self.held);
        for last in (1..held.len()).rev() {
            // Sattolo's walk leaves nothing at its place.
            let other = self.next_random() % last as u64;
            held.swap(last, usize::try_from(other).unwrap_or(0));
        }
        let lane = self.own_lane("shuffled");
        self.ready
            .extend(held.into_iter().map(|delivery| Delivery { lane: lane.clone(), ..delivery }));
    }

    fn own_lane(&mut self, why: &str) -> String {
        self.lanes += 1;
        format!("{why} {}", self.lanes)
    }

    /// The next number of the splitmix64 sequence.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl State {
    /// Sends `body` of the `messages` field to whoever listens for `number`.
    pub(super) fn tell_number(&mut self, number: &str, lane: &str, body: &Value, now_ms: i64) {
        self.tell(number, lane, (body, None), now_ms);
    }

    /// As [`Self::tell_number`], for a customer's message, which hears that it was taken.
    pub(super) fn bring(
        &mut self,
        number: &str,
        lane: &str,
        (body, message): (&Value, &str),
        now_ms: i64,
    ) {
        self.tell(number, lane, (body, Some(Arc::from(message))), now_ms);
    }

    fn tell(&mut self, number: &str, lane: &str, what: (&Value, Option<Arc<str>>), now_ms: i64) {
        let Some(known) = self.numbers.get(number) else { return };
        let subscription =
            self.subscriptions.get(number).or_else(|| self.subscriptions.get(&known.seed.waba_id));
        let targets: Vec<(Arc<str>, String)> = subscription
            .map(|to| (Arc::from(to.callback_url.as_str()), known.seed.app_secret.clone()))
            .into_iter()
            .collect();
        self.send(targets, lane, what, now_ms);
    }

    /// Sends `body` of an account-level field to the account's address, else to each of its numbers' addresses.
    pub(super) fn tell_account(&mut self, account: &str, lane: &str, body: &Value, now_ms: i64) {
        let numbers = || self.numbers.values().filter(|number| number.seed.waba_id == account);
        let mut targets: Vec<(Arc<str>, String)> = Vec::new();
        let mut add = |url: &str, secret: &str| {
            if !targets.iter().any(|(known, _)| **known == *url) {
                targets.push((Arc::from(url), secret.to_owned()));
            }
        };
        match (self.subscriptions.get(account), numbers().next()) {
            (Some(to), Some(number)) => add(&to.callback_url, &number.seed.app_secret),
            _ => {
                for number in numbers() {
                    if let Some(to) = self.subscriptions.get(&number.seed.phone_number_id) {
                        add(&to.callback_url, &number.seed.app_secret);
                    }
                }
            }
        }
        self.send(targets, lane, (body, None), now_ms);
    }

    fn send(
        &mut self,
        targets: Vec<(Arc<str>, String)>,
        lane: &str,
        (body, message): (&Value, Option<Arc<str>>),
        now_ms: i64,
    ) {
        if targets.is_empty() {
            return;
        }
        let body = Bytes::from(ascii_json(body));
        let deliveries = targets
            .into_iter()
            .map(|(url, secret)| Delivery {
                lane: format!("{lane} {url}"),
                url,
                signature: sign(&secret, &body),
                body: body.clone(),
                made_at_ms: now_ms,
                not_before_ms: now_ms,
                message: message.clone(),
            })
            .collect();
        let fault = self.faults.take_webhook();
        self.newly_due |= fault.is_some();
        self.outbox.send(deliveries, fault, now_ms);
    }
}
