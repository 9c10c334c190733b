//! Webhooks on their way out: who gets them, what the faults do to them, how they are put together.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::State;
use crate::dispatcher::Delivery;
use crate::faults::{Forgery, WebhookFault};
use crate::settings::Settings;
use crate::webhooks::batch::merge;
use crate::webhooks::bend::bend;
use crate::webhooks::signature::{ascii_json, escape_slashes, sign, utf8_json};

/// How long a shuffle waits for the rest of its webhooks, and a batch for its, by the sandbox's clock.
const SHUFFLE_PATIENCE_MS: i64 = 10_000;
const BATCH_PATIENCE_MS: i64 = 1_000;

/// One update for one address, not yet written.
#[derive(Debug, Clone)]
struct Update {
    lane: String,
    url: Arc<str>,
    secret: String,
    body: Value,
    message: Option<Arc<str>>,
}

/// What is to be delivered, and what a shuffle or a batch holds back.
pub(super) struct Outbox {
    ready: Vec<Delivery>,
    held: Vec<Delivery>,
    held_until_ms: Option<i64>,
    gathered: Vec<Update>,
    gathered_until_ms: Option<i64>,
    random: u64,
    lanes: u64,
}

impl Outbox {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            ready: Vec::new(),
            held: Vec::new(),
            held_until_ms: None,
            gathered: Vec::new(),
            gathered_until_ms: None,
            random: seed,
            lanes: 0,
        }
    }

    pub(super) fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.ready)
    }

    /// When what is held back goes out even if the shuffle or the batch is not full.
    pub(super) fn held_until_ms(&self) -> Option<i64> {
        [self.held_until_ms, self.gathered_until_ms].into_iter().flatten().min()
    }

    /// Sends what was held back until `now_ms`.
    pub(super) fn release_due(&mut self, settings: Settings, now_ms: i64) {
        if self.held_until_ms.is_some_and(|until| until <= now_ms) {
            self.release();
        }
        if self.gathered_until_ms.is_some_and(|until| until <= now_ms) {
            self.send_gathered(settings, now_ms);
        }
    }

    /// Puts an update with those gathered for its address, and sends them once they are enough.
    fn gather(&mut self, update: Update, settings: Settings, now_ms: i64) {
        let url = Arc::clone(&update.url);
        self.gathered.push(update);
        self.gathered_until_ms.get_or_insert(now_ms + BATCH_PATIENCE_MS);
        let waiting = self.gathered.iter().filter(|known| known.url == url).count();
        if settings.batch <= waiting {
            self.send_gathered(settings, now_ms);
        }
    }

    /// Sends what is gathered, all of an address and a secret in one webhook.
    fn send_gathered(&mut self, settings: Settings, now_ms: i64) {
        self.gathered_until_ms = None;
        let mut rest = std::mem::take(&mut self.gathered);
        while let Some(first) = rest.first() {
            let (url, secret) = (Arc::clone(&first.url), first.secret.clone());
            let (own, others): (Vec<Update>, Vec<Update>) =
                rest.into_iter().partition(|update| update.url == url && update.secret == secret);
            rest = others;
            let messages = own.iter().filter_map(|update| update.message.clone()).collect();
            let body = merge(own.into_iter().map(|update| update.body).collect());
            let lane = format!("batch {url}");
            let whole = Update { lane, url, secret, body, message: None };
            self.ready.push(Delivery { messages, ..written(whole, None, settings, now_ms) });
        }
    }

    fn send(&mut self, deliveries: Vec<Delivery>, fault: Option<WebhookFault>, now_ms: i64) {
        match fault {
            None | Some(WebhookFault::Forged(_) | WebhookFault::Bent(_)) => {
                self.ready.extend(deliveries);
            }
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

/// An update as bytes with their signature, forged if so.
fn written(update: Update, forgery: Option<Forgery>, settings: Settings, now_ms: i64) -> Delivery {
    let mut body = if settings.utf8 { utf8_json(&update.body) } else { ascii_json(&update.body) };
    if settings.escaped_slashes {
        body = escape_slashes(&body);
    }
    let body = Bytes::from(body);
    let signature = sign(&update.secret, &body);
    let whole = (body.clone(), signature.clone());
    let (body, signature) = match forgery {
        None => (body, signature),
        Some(Forgery::WrongSignature) => (body, format!("sha256={}", "0".repeat(64))),
        Some(Forgery::OtherSecret) => {
            let forged = sign("another secret", &body);
            (body, forged)
        }
        Some(Forgery::Truncated) => {
            let part = body.slice(..body.len() / 2);
            let signature = sign(&update.secret, &part);
            (part, signature)
        }
    };
    Delivery {
        lane: format!("{} {}", update.lane, update.url),
        url: update.url,
        signature,
        body,
        genuine: forgery.map(|_| whole),
        made_at_ms: now_ms,
        not_before_ms: now_ms,
        messages: update.message.into_iter().collect(),
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

    /// The number's own address goes before its account's, that before the app's.
    fn tell(&mut self, number: &str, lane: &str, what: (&Value, Option<Arc<str>>), now_ms: i64) {
        let Some(known) = self.numbers.get(number) else { return };
        let seed = &known.seed;
        if self.world.unsubscribed.contains(&seed.waba_id) {
            return;
        }
        let overriding =
            self.subscriptions.get(number).or_else(|| self.subscriptions.get(&seed.waba_id));
        let url = overriding
            .map(|to| to.callback_url.clone())
            .or_else(|| self.app_address(&seed.app_secret, what.0));
        let targets = url.map(|url| (Arc::from(url), seed.app_secret.clone()));
        self.send(targets.into_iter().collect(), lane, what, now_ms);
    }

    /// Where the app of `secret` takes `body`, if it asked for its field.
    fn app_address(&self, secret: &str, body: &Value) -> Option<String> {
        let hook = self.world.app_hooks.get(secret)?;
        let field = body.pointer("/entry/0/changes/0/field").and_then(Value::as_str)?;
        hook.fields.contains(field).then(|| hook.callback_url.clone())
    }

    /// Sends `body` of an account-level field to the app's address, else to the account's, else to each of its
    /// numbers'.
    pub(super) fn tell_account(&mut self, account: &str, lane: &str, body: &Value, now_ms: i64) {
        if self.world.unsubscribed.contains(account) {
            return;
        }
        let numbers = || self.numbers.values().filter(|number| number.seed.waba_id == account);
        let mut targets: Vec<(Arc<str>, String)> = Vec::new();
        let mut add = |url: &str, secret: &str| {
            if !targets.iter().any(|(known, _)| **known == *url) {
                targets.push((Arc::from(url), secret.to_owned()));
            }
        };
        let first = numbers().next();
        let app = first.and_then(|number| self.app_address(&number.seed.app_secret, body));
        match (app, self.subscriptions.get(account), first) {
            (Some(url), _, Some(number)) => add(&url, &number.seed.app_secret),
            (None, Some(to), Some(number)) => add(&to.callback_url, &number.seed.app_secret),
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
        let fault = self.faults.take_webhook(body);
        self.newly_due |= fault.is_some();
        let mut body = body.clone();
        if let Some(WebhookFault::Bent(how)) = fault {
            bend(&mut body, how);
        }
        let forgery = match fault {
            Some(WebhookFault::Forged(forgery)) => Some(forgery),
            _ => None,
        };
        let settings = self.settings;
        let updates = targets.into_iter().map(|(url, secret)| Update {
            lane: lane.to_owned(),
            url,
            secret,
            body: body.clone(),
            message: message.clone(),
        });
        let gathers = 1 < settings.batch && matches!(fault, None | Some(WebhookFault::Bent(_)));
        if gathers {
            for update in updates {
                self.outbox.gather(update, settings, now_ms);
            }
            self.newly_due = true;
            return;
        }
        let deliveries = updates.map(|update| written(update, forgery, settings, now_ms)).collect();
        self.outbox.send(deliveries, fault, now_ms);
    }

    /// Sends what a batch still gathers.
    pub(crate) fn flush_batches(&mut self, now_ms: i64) {
        self.outbox.send_gathered(self.settings, now_ms);
    }
}
