//! What the platform decides: ratings, limits, throughput, the status of templates.

use super::{State, Subscription};
use crate::number::{Limit, Rating};
use crate::webhooks::payload;

/// A number's tier before any was told.
const NO_TIER: &str = "TIER_NOT_SET";

impl State {
    /// Reports `rating` from now on; the platform sends no webhook for a colour. False for an unknown number.
    pub(crate) fn set_rating(&mut self, number: &str, rating: Rating) -> bool {
        let Some(number) = self.numbers.get_mut(number) else { return false };
        number.tell_rating(rating);
        true
    }

    /// Reports and enforces `limit` from now on, `None` none at all, and tells it. False for an unknown number.
    pub(crate) fn set_limit(&mut self, id: &str, limit: Option<Limit>, now_ms: i64) -> bool {
        let Some(number) = self.numbers.get_mut(id) else { return false };
        let old = std::mem::replace(&mut number.limit, limit);
        if old == limit {
            return true;
        }
        let word = |limit: Option<Limit>| limit.map_or_else(|| NO_TIER.to_owned(), Limit::tier);
        let rises = match (old, limit) {
            (Some(old), Some(new)) => new.is_above(old),
            (_, new) => new.is_none(),
        };
        let event = if rises { "UPGRADE" } else { "DOWNGRADE" };
        let (old, new) = (word(old), word(limit));
        let update = payload::number_update(number, event, Some(&old), &new, now_ms);
        let capability = limit.map(|_| payload::capability_update(number, &new, now_ms));
        let account = number.seed.waba_id.clone();
        self.tell_number(id, &account_lane(&account), &update, now_ms);
        if let Some(capability) = capability {
            self.tell_account(&account, &account_lane(&account), &capability, now_ms);
        }
        true
    }

    /// Sets the messages per second; a rise to the high level is told. False for an unknown number.
    pub(crate) fn set_throughput(&mut self, id: &str, per_second: u32, now_ms: i64) -> bool {
        let Some(number) = self.numbers.get_mut(id) else { return false };
        let before = number.throughput_level();
        number.set_throughput(per_second, now_ms);
        if before == "STANDARD" && number.throughput_level() == "HIGH" {
            let limit = number.limit.map_or_else(|| NO_TIER.to_owned(), Limit::tier);
            let body = payload::number_update(number, "THROUGHPUT_UPGRADE", None, &limit, now_ms);
            let account = number.seed.waba_id.clone();
            self.tell_number(id, &account_lane(&account), &body, now_ms);
        }
        true
    }

    /// Gives the template `name` the `status`, in one language or all, and tells it; returns how many changed.
    pub(crate) fn set_template_status(
        &mut self,
        name: &str,
        language: Option<&str>,
        status: &str,
        now_ms: i64,
    ) -> usize {
        let mut told = Vec::new();
        for template in &mut self.templates {
            let is_meant = template.seed.name == name
                && language
                    .is_none_or(|wanted| template.seed.language.eq_ignore_ascii_case(wanted));
            if !is_meant {
                continue;
            }
            status.clone_into(&mut template.seed.status);
            template.rejected_reason =
                if status == "REJECTED" { "TAG_CONTENT_MISMATCH" } else { "NONE" };
            let body = payload::template_status(template, now_ms);
            told.push((template.seed.waba_id.clone(), template.id, body));
        }
        for (account, id, body) in &told {
            self.tell_account(account, &format!("template {id}"), body, now_ms);
        }
        told.len()
    }

    /// Remembers where the webhooks of `subject`, a number or an account, go; returns where they went before.
    pub(crate) fn subscribe(&mut self, subject: &str, callback_url: &str) -> Option<String> {
        let subscription = Subscription { callback_url: callback_url.to_owned() };
        let before = self.subscriptions.insert(subject.to_owned(), subscription);
        before.map(|before| before.callback_url)
    }

    /// The word of the handshake for `subject`; `None` when it is neither a number nor an account.
    pub(crate) fn verify_token(&self, subject: &str) -> Option<String> {
        let number = self
            .numbers
            .get(subject)
            .or_else(|| self.numbers.values().find(|number| number.seed.waba_id == subject))?;
        Some(number.seed.verify_token.clone())
    }
}

fn account_lane(account: &str) -> String {
    format!("account {account}")
}
