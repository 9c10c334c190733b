//! Applies the webhooks of the inbox as they come (ARCHITECTURE, "How an event comes in").

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{channel::WebhookRejection, clock::Clock, ids::InboxId};
use persistence::{
    inbox::{self, ParsedWebhook, RawWebhook},
    live::Nudges,
    store::Store,
};
use tokio_util::sync::CancellationToken;

use crate::{error::SchedulerError, job::Channels};

/// Between two looks when nobody nudges.
const TICK: Duration = Duration::from_millis(250);
/// Webhooks in one transaction.
const BATCH: i64 = 200;
/// After a failure, before the next look.
const PAUSE: Duration = Duration::from_millis(500);
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
    /// Counts what failed in `round`. While nothing at all gets through, the database is to blame, not the
    /// webhooks.
    fn count(&mut self, round: &Round) {
        for webhook in &round.passed {
            self.0.remove(webhook);
        }
        if round.passed.is_empty() {
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
                match self.apply_batch(&mut failures).await {
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

    /// Applies one batch; one by one when it fails as a whole, so that a webhook that cannot be applied
    /// holds up no other. Answers how many webhooks are done with.
    async fn apply_batch(&self, failures: &mut Failures) -> Result<usize, SchedulerError> {
        let raw = self.store.read(|db| inbox::list_waiting(db, BATCH)).await?;
        if raw.is_empty() {
            return Ok(0);
        }
        let batch: Vec<ParsedWebhook> = raw.iter().map(|webhook| self.parse(webhook)).collect();
        let batch = Arc::new(batch);
        match self.apply(Arc::clone(&batch)).await {
            Ok(done) => {
                *failures = Failures::default();
                return Ok(done);
            }
            Err(error) => {
                let error = crate::dispatch::with_cause(&error);
                tracing::warn!(error, "a batch of webhooks failed; applying them one by one");
            }
        }
        self.apply_one_by_one(&batch, failures).await
    }

    async fn apply_one_by_one(
        &self,
        batch: &[ParsedWebhook],
        failures: &mut Failures,
    ) -> Result<usize, SchedulerError> {
        let mut done = 0;
        let mut round = Round::default();
        let mut problem = None;
        for webhook in batch {
            match self.apply(Arc::new(vec![webhook.clone()])).await {
                Ok(applied) => {
                    done += applied;
                    round.passed.push(webhook.id);
                }
                Err(error) => {
                    round.failed.push(webhook.id);
                    problem = Some(error);
                }
            }
        }
        failures.count(&round);
        done += self.put_aside(failures).await?;
        match problem {
            Some(error) if done == 0 => Err(error),
            _ => Ok(done),
        }
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

    async fn apply(&self, batch: Arc<Vec<ParsedWebhook>>) -> Result<usize, SchedulerError> {
        let now = self.clock.now();
        let report = self.store.write(move |db| inbox::apply(db, &batch, now)).await?;
        metrics::counter!("janela_webhook_elements_total", "outcome" => "applied")
            .increment(report.applied as u64);
        metrics::counter!("janela_webhook_elements_total", "outcome" => "copy")
            .increment(report.copies as u64);
        metrics::counter!("janela_webhook_elements_total", "outcome" => "quarantined")
            .increment(report.quarantined as u64);
        Ok(report.webhooks)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn round(passed: &[i64], failed: &[i64]) -> Round {
        let ids = |ids: &[i64]| ids.iter().copied().map(InboxId).collect();
        Round { passed: ids(passed), failed: ids(failed) }
    }

    #[test]
    fn an_outage_however_long_counts_against_no_webhook() {
        let mut failures = Failures::default();
        for _ in 0..100 {
            failures.count(&round(&[], &[1, 2, 3]));
        }
        failures.count(&round(&[1], &[2, 3]));
        assert_eq!(failures.hopeless(), []);
    }

    #[test]
    fn a_webhook_that_always_fails_alone_is_put_aside_and_one_that_passed_starts_anew() {
        let mut failures = Failures::default();
        for other in 0..i64::from(TRIES) - 1 {
            failures.count(&round(&[10 + other], &[1, 2]));
        }
        assert_eq!(failures.hopeless(), []);
        failures.count(&round(&[2], &[1]));
        assert_eq!(failures.hopeless(), [InboxId(1)]);
        failures.count(&round(&[10], &[2]));
        assert_eq!(failures.hopeless(), [InboxId(1)]);
    }
}
