//! Applies the webhooks of the inbox as they come (ARCHITECTURE, "How an event comes in").

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{channel::WebhookRejection, clock::Clock, ids::InboxId};
use persistence::{
    health,
    inbox::{self, ApplyReport, ParsedWebhook, RawWebhook},
    live::Nudges,
    store::Store,
};
use tokio_util::sync::CancellationToken;

use crate::{error::SchedulerError, job::Channels};

/// Between two looks when nobody nudges.
const TICK: Duration = Duration::from_millis(250);
/// Webhooks taken at once.
const SHARE: i64 = 200;
/// Elements in one transaction.
const MOST_ELEMENTS: usize = 250;
/// Elements in one transaction on SQLite, which keeps everyone else from writing, the inbox above all: about ten
/// milliseconds of them.
const MOST_ELEMENTS_SQLITE: usize = 48;
/// After a failure, before the next look.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a webhook may fail while others get through before it is put aside.
const TRIES: u32 = 5;

/// What became of the webhooks that were applied one by one.
#[derive(Debug, Default)]
struct Round {
    passed: Vec<InboxId>,
    failed: Vec<InboxId>,
}

/// How often each waiting webhook failed while another got through.
#[derive(Debug, Default)]
struct Failures(HashMap<InboxId, u32>);

impl Failures {
    /// Counts what failed in `round`. While nothing at all gets through and the database does not even take the
    /// smallest write (`is_well`), it is to blame, not the webhooks.
    fn count(&mut self, round: &Round, is_well: bool) {
        for webhook in &round.passed {
            self.0.remove(webhook);
        }
        if round.failed.is_empty() {
            // Whatever failed before has passed, here or in another process.
            self.0.clear();
        }
        if round.passed.is_empty() && !is_well {
            return;
        }
        for webhook in &round.failed {
            *self.0.entry(*webhook).or_default() += 1;
        }
    }

    /// The webhooks to put aside.
    fn hopeless(&self) -> Vec<InboxId> {
        let failed = self.0.iter().filter(|(_, count)| TRIES <= **count);
        failed.map(|(webhook, _)| *webhook).collect()
    }
}

/// The consumer of one process.
pub(crate) struct Consumer {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub nudges: Arc<Nudges>,
}

impl Consumer {
    /// Applies until `stop`; a batch under way is finished first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failures = Failures::default();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.nudges.inbox.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            while !stop.is_cancelled() {
                match self.apply_share(&mut failures).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        let error = crate::dispatch::with_cause(&error);
                        tracing::error!(error, "cannot apply webhooks");
                        tokio::time::sleep(PAUSE).await;
                        break;
                    }
                }
            }
        }
    }

    /// Applies one share of what waits, in transactions of few elements; one by one where one fails, so that a
    /// webhook that cannot be applied holds up no other. Answers how many webhooks are done with.
    async fn apply_share(&self, failures: &mut Failures) -> Result<usize, SchedulerError> {
        let raw = self.store.read(|db| inbox::list_waiting(db, SHARE)).await?;
        let parsed = raw.into_iter().map(|webhook| self.parse(&webhook)).collect();
        let (mut done, mut round, mut problem) = (0, Round::default(), None);
        for batch in batches(parsed, self.most_elements()) {
            let batch: Arc<[ParsedWebhook]> = batch.into();
            match self.apply_together(Arc::clone(&batch)).await {
                Ok(applied) => {
                    done += applied;
                    round.passed.extend(batch.iter().map(|webhook| webhook.id));
                    continue;
                }
                Err(error) => {
                    let error = crate::dispatch::with_cause(&error);
                    tracing::warn!(error, "a batch of webhooks failed; applying them one by one");
                }
            }
            for webhook in batch.iter() {
                match self.apply_alone(webhook).await {
                    Ok(applied) => {
                        done += applied;
                        round.passed.push(webhook.id);
                    }
                    Err(error) => {
                        let is_its_own = !matches!(&error, SchedulerError::Persistence(it) if it.may_pass_later());
                        if is_its_own {
                            round.failed.push(webhook.id);
                        }
                        problem = Some(error);
                    }
                }
            }
        }
        failures.count(&round, self.is_database_well(&round).await);
        done += self.put_aside(failures).await?;
        match problem {
            Some(error) if done == 0 => Err(error),
            _ => Ok(done),
        }
    }

    /// Whether the database takes a write; asked where nothing but failures was seen.
    async fn is_database_well(&self, round: &Round) -> bool {
        let is_to_be_asked = round.passed.is_empty() && !round.failed.is_empty();
        is_to_be_asked && self.store.write(health::probe_write).await.is_ok()
    }

    async fn put_aside(&self, failures: &mut Failures) -> Result<usize, SchedulerError> {
        let hopeless = failures.hopeless();
        for webhook in &hopeless {
            let (webhook, now) = (*webhook, self.clock.now());
            self.store.write(move |db| inbox::put_aside(db, webhook, now)).await?;
            failures.0.remove(&webhook);
        }
        Ok(hopeless.len())
    }

    /// Applies a batch in one transaction; one webhook that is too large for that, part by part.
    async fn apply_together(&self, batch: Arc<[ParsedWebhook]>) -> Result<usize, SchedulerError> {
        match &*batch {
            [webhook] if self.most_elements() < weight(webhook) => self.apply_alone(webhook).await,
            _ => {
                let now = self.clock.now();
                let report = self.store.write(move |db| inbox::apply(db, &batch, now)).await?;
                Ok(counted(report))
            }
        }
    }

    /// Applies one webhook, many elements in as many transactions as they need: the write lock is nobody's
    /// for long. Only the last of them closes it. Whoever finds it with another process, or closed, leaves
    /// it there: closing it would drop the parts that the other has not come to.
    async fn apply_alone(&self, webhook: &ParsedWebhook) -> Result<usize, SchedulerError> {
        let mut parts = parts(webhook, self.most_elements());
        let last = parts.pop();
        for part in parts {
            let now = self.clock.now();
            let report = self.store.write(move |db| inbox::apply_part(db, &part, now)).await?;
            if report.webhooks == 0 {
                return Ok(0);
            }
            counted(report);
        }
        let now = self.clock.now();
        let last: Vec<ParsedWebhook> = last.into_iter().collect();
        Ok(counted(self.store.write(move |db| inbox::apply(db, &last, now)).await?))
    }

    fn most_elements(&self) -> usize {
        if self.store.is_sqlite() { MOST_ELEMENTS_SQLITE } else { MOST_ELEMENTS }
    }

    fn parse(&self, webhook: &RawWebhook) -> ParsedWebhook {
        let adapter = webhook.kind.and_then(|kind| self.channels.get(&kind));
        let elements = match adapter {
            Some(adapter) => adapter.parse(&webhook.body),
            None => Err(WebhookRejection::Unreadable),
        };
        ParsedWebhook { id: webhook.id, channel: webhook.channel, elements }
    }
}

/// What a webhook counts for in a transaction; one without elements is a row too.
fn weight(webhook: &ParsedWebhook) -> usize {
    webhook.elements.as_ref().map_or(1, |elements| elements.len().max(1))
}

/// Cuts what was taken into batches of `most` elements, in order; one that has more is a batch of its own.
fn batches(webhooks: Vec<ParsedWebhook>, most: usize) -> Vec<Vec<ParsedWebhook>> {
    let (mut batches, mut batch, mut elements) = (Vec::new(), Vec::new(), 0);
    for webhook in webhooks {
        let weight = weight(&webhook);
        if most < elements + weight && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            elements = 0;
        }
        elements += weight;
        batch.push(webhook);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// The webhook as webhooks of `most` elements each, in order; at least one.
fn parts(webhook: &ParsedWebhook, most: usize) -> Vec<ParsedWebhook> {
    match &webhook.elements {
        Ok(elements) if most < elements.len() => elements
            .chunks(most)
            .map(|part| ParsedWebhook {
                id: webhook.id,
                channel: webhook.channel,
                elements: Ok(part.to_vec()),
            })
            .collect(),
        _ => vec![webhook.clone()],
    }
}

/// Counts what became of elements; answers how many webhooks they were.
fn counted(report: ApplyReport) -> usize {
    metrics::counter!("janela_webhook_elements_total", "outcome" => "applied")
        .increment(report.applied as u64);
    metrics::counter!("janela_webhook_elements_total", "outcome" => "copy")
        .increment(report.copies as u64);
    metrics::counter!("janela_webhook_elements_total", "outcome" => "quarantined")
        .increment(report.quarantined as u64);
    metrics::counter!("janela_webhook_unknown_total").increment(report.unknown as u64);
    report.webhooks
}

#[cfg(test)]
mod tests {
    use domain::{
        channel::{ChannelEvent, WebhookElement},
        ids::ChannelId,
    };

    use super::*;

    /// A webhook whose elements are numbered from 0.
    fn webhook(id: i64, elements: usize) -> ParsedWebhook {
        let element = |number: usize| WebhookElement {
            account_id: None,
            told_at: None,
            external_id: None,
            raw: number.to_string(),
            event: Ok(ChannelEvent::Other { kind: "test".into() }),
        };
        let elements = Ok((0..elements).map(element).collect());
        ParsedWebhook { id: InboxId(id), channel: ChannelId(1), elements }
    }

    #[test]
    fn a_transaction_holds_few_elements_and_their_order_stays() {
        type Case<'a> = (&'a str, &'a [usize], &'a [&'a [i64]]);
        let cases: [Case<'_>; 5] = [
            ("nothing", &[], &[]),
            ("as many as fit", &[100, 150, 1], &[&[0, 1], &[2]]),
            ("a large one goes alone", &[1, 251, 1], &[&[0], &[1], &[2]]),
            ("one at the limit", &[250, 250], &[&[0], &[1]]),
            ("empty ones count too", &[249, 0, 0], &[&[0, 1], &[2]]),
        ];
        for (case, elements, expected) in cases {
            let webhooks = (0..).zip(elements).map(|(id, elements)| webhook(id, *elements));
            let batches = batches(webhooks.collect(), MOST_ELEMENTS);
            let ids: Vec<Vec<i64>> =
                batches.iter().map(|batch| batch.iter().map(|it| it.id.0).collect()).collect();
            assert_eq!(ids, expected, "{case}");
        }
    }

    #[test]
    fn a_large_webhook_is_applied_in_parts_that_leave_nothing_out() {
        for (elements, expected) in [(0, 1), (1, 1), (250, 1), (251, 2), (1_000, 4)] {
            let parts = parts(&webhook(7, elements), MOST_ELEMENTS);
            assert_eq!(parts.len(), expected, "{elements} elements");
            let numbers: Vec<String> = parts
                .into_iter()
                .flat_map(|part| part.elements.unwrap())
                .map(|element| element.raw)
                .collect();
            let all: Vec<String> = (0..elements).map(|number| number.to_string()).collect();
            assert_eq!(numbers, all);
        }
        let unreadable =
            ParsedWebhook { elements: Err(WebhookRejection::Unreadable), ..webhook(7, 0) };
        assert_eq!(parts(&unreadable, MOST_ELEMENTS).len(), 1);
    }

    fn round(passed: &[i64], failed: &[i64]) -> Round {
        let ids = |ids: &[i64]| ids.iter().copied().map(InboxId).collect();
        Round { passed: ids(passed), failed: ids(failed) }
    }

    #[test]
    fn an_outage_however_long_counts_against_no_webhook() {
        let mut failures = Failures::default();
        for _ in 0..100 {
            failures.count(&round(&[], &[1, 2, 3]), false);
        }
        failures.count(&round(&[1], &[2, 3]), false);
        assert_eq!(failures.hopeless(), []);
    }

    #[test]
    fn a_webhook_that_always_fails_alone_is_put_aside_and_one_that_passed_starts_anew() {
        let mut failures = Failures::default();
        for other in 0..i64::from(TRIES) - 1 {
            failures.count(&round(&[10 + other], &[1, 2]), false);
        }
        assert_eq!(failures.hopeless(), []);
        failures.count(&round(&[2], &[1]), false);
        assert_eq!(failures.hopeless(), [InboxId(1)]);
        failures.count(&round(&[10], &[2]), false);
        assert_eq!(failures.hopeless(), [InboxId(1)]);
    }

    #[test]
    fn r14_what_always_fails_is_put_aside_though_nothing_else_comes_while_the_database_is_well() {
        let mut failures = Failures::default();
        for _ in 1..TRIES {
            failures.count(&round(&[], &[1]), true);
            assert_eq!(failures.hopeless(), []);
        }
        failures.count(&round(&[], &[1]), true);
        assert_eq!(failures.hopeless(), [InboxId(1)]);
    }
}
