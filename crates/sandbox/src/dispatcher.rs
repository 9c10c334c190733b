//! Delivers webhooks: signed, in order within a lane, many lanes at once, again until they are taken.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::SandboxClock;
use crate::clock::instant;

/// How many webhooks are under way at once.
const CONCURRENCY: usize = 48;
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long a webhook is tried again, by the sandbox's clock.
const GIVE_UP_MS: i64 = 7 * 86_400_000;
const FIRST_GAP_MS: i64 = 250;
const LONGEST_GAP_MS: i64 = 3_600_000;
/// So many attempts are remembered.
const REMEMBERED: usize = 2_000;

/// One webhook on its way to one address.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Webhooks of one lane arrive in order.
    pub lane: String,
    pub url: Arc<str>,
    pub body: Bytes,
    pub signature: String,
    /// The right bytes and signature of a forged one, for its repetition.
    pub genuine: Option<(Bytes, String)>,
    pub made_at_ms: i64,
    /// Not sent before, by the sandbox's clock.
    pub not_before_ms: i64,
    /// The customers' messages it brings, whose senders are told once it was taken.
    pub messages: Vec<Arc<str>>,
}

/// What a dispatcher works off, and what it tells.
pub(crate) struct Queues {
    /// Lanes whose first webhook may go.
    pub ready: mpsc::UnboundedReceiver<String>,
    /// Customers' messages that were taken.
    pub taken: mpsc::UnboundedReceiver<Arc<str>>,
}

/// What became of the webhooks so far.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Waiting or under way.
    pub pending: usize,
    pub delivered: u64,
    /// Answers other than 200, and no answer at all.
    pub failed_attempts: u64,
    /// Given up after seven days.
    pub given_up: u64,
    /// Deliveries that took the receiver longer than a second.
    pub slow: u64,
    /// Milliseconds all deliveries took together.
    pub total_ms: u64,
    /// The median of the latest deliveries in milliseconds; the platform asks for 250 at most.
    pub median_ms: Option<u64>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    at: String,
    url: String,
    /// The receiver's status; `None` when it did not answer.
    status: Option<u16>,
    ms: u64,
    bytes: usize,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Arc<Delivery>>,
    failures: u32,
}

#[derive(Default)]
struct Lanes {
    lanes: HashMap<String, Lane>,
    /// Lanes that rest until an instant.
    resting: BinaryHeap<Reverse<(i64, String)>>,
    counts: Counts,
    /// The latest attempts, newest last.
    attempts: VecDeque<Attempt>,
}

/// Hands webhooks to their receivers.
pub(crate) struct Dispatcher {
    lanes: Mutex<Lanes>,
    ready: mpsc::UnboundedSender<String>,
    taken: mpsc::UnboundedSender<Arc<str>>,
    client: reqwest::Client,
    clock: Arc<dyn SandboxClock>,
    /// Rung when a lane begins to rest.
    pub rests: Arc<Notify>,
}

impl Dispatcher {
    /// A dispatcher, the queue its [`Self::run`] works off, and the one it tells by.
    pub(crate) fn new(
        client: reqwest::Client,
        clock: Arc<dyn SandboxClock>,
        rests: Arc<Notify>,
    ) -> (Arc<Self>, Queues) {
        let (ready, ready_queue) = mpsc::unbounded_channel();
        let (taken, taken_queue) = mpsc::unbounded_channel();
        let lanes = Mutex::default();
        let queues = Queues { ready: ready_queue, taken: taken_queue };
        (Arc::new(Self { lanes, ready, taken, client, clock, rests }), queues)
    }

    /// Works off `queue` until `stop`.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut queue: mpsc::UnboundedReceiver<String>,
        stop: CancellationToken,
    ) {
        let places = Arc::new(Semaphore::new(CONCURRENCY));
        loop {
            let lane = tokio::select! {
                () = stop.cancelled() => return,
                lane = queue.recv() => lane,
            };
            let (Some(lane), Ok(place)) = (lane, Arc::clone(&places).acquire_owned().await) else {
                return;
            };
            let dispatcher = Arc::clone(&self);
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = dispatcher.deliver_next(lane) => {}
                }
                drop(place);
            });
        }
    }

    /// Takes webhooks over; each goes behind those of its lane.
    pub(crate) fn enqueue(&self, deliveries: Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let mut lanes = self.lock();
        for delivery in deliveries {
            lanes.counts.pending += 1;
            if let Some(lane) = lanes.lanes.get_mut(&delivery.lane) {
                lane.waiting.push_back(Arc::new(delivery));
                continue;
            }
            let name = delivery.lane.clone();
            let not_before_ms = delivery.not_before_ms;
            let waiting = VecDeque::from([Arc::new(delivery)]);
            lanes.lanes.insert(name.clone(), Lane { waiting, failures: 0 });
            if not_before_ms <= now_ms {
                self.wake(name);
            } else {
                lanes.resting.push(Reverse((not_before_ms, name)));
                self.rests.notify_one();
            }
        }
    }

    /// Wakes the lanes whose rest is over at `now_ms`.
    pub(crate) fn wake_rested(&self, now_ms: i64) {
        let mut lanes = self.lock();
        while lanes.resting.peek().is_some_and(|Reverse((until, _))| *until <= now_ms) {
            if let Some(Reverse((_, lane))) = lanes.resting.pop() {
                self.wake(lane);
            }
        }
    }

    /// Sends what waits for `before` to `now` instead, and what failed so far at once: its receiver is back.
    pub(crate) fn follow(&self, before: &str, now: &str) {
        let mut guard = self.lock();
        let Lanes { lanes, resting, .. } = &mut *guard;
        let url: Arc<str> = Arc::from(now);
        for delivery in lanes.values_mut().flat_map(|lane| &mut lane.waiting) {
            if *delivery.url == *before {
                Arc::make_mut(delivery).url = Arc::clone(&url);
            }
        }
        resting.retain(|Reverse((_, name))| {
            let failed = lanes.get(name).is_some_and(|lane| 0 < lane.failures);
            if failed {
                self.wake(name.clone());
            }
            !failed
        });
    }

    /// When the next lane has rested; `None` when none rests.
    pub(crate) fn next_wake_ms(&self) -> Option<i64> {
        self.lock().resting.peek().map(|Reverse((until, _))| *until)
    }

    pub(crate) fn counts(&self) -> Counts {
        let lanes = self.lock();
        let taken = lanes.attempts.iter().filter(|attempt| attempt.status == Some(200));
        let mut took: Vec<u64> = taken.map(|attempt| attempt.ms).collect();
        took.sort_unstable();
        Counts { median_ms: took.get(took.len() / 2).copied(), ..lanes.counts.clone() }
    }

    /// The latest attempts, oldest first.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.iter().cloned().collect()
    }

    /// Tries the first webhook of `lane`, which is nobody else's meanwhile.
    async fn deliver_next(&self, lane: String) {
        let Some(delivery) =
            self.lock().lanes.get(&lane).and_then(|lane| lane.waiting.front().cloned())
        else {
            return;
        };
        let began = Instant::now();
        let status = self.post(&delivery).await;
        self.settle(lane, &delivery, status, began.elapsed());
    }

    /// The receiver's status; `None` when it did not answer.
    async fn post(&self, delivery: &Delivery) -> Option<u16> {
        let answer = self
            .client
            .post(&*delivery.url)
            .header("Content-Type", "application/json")
            .header("User-Agent", "facebookexternalua")
            .header("X-Hub-Signature-256", &delivery.signature)
            .timeout(PATIENCE)
            .body(delivery.body.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Reading the rest lets the connection be used again.
                let rest = answer.bytes().await;
                debug!(status, complete = rest.is_ok(), "webhook answered");
                Some(status)
            }
            Err(error) => {
                debug!(error = %error.without_url(), "webhook not answered");
                None
            }
        }
    }

    fn settle(&self, name: String, delivery: &Delivery, status: Option<u16>, took: Duration) {
        let now_ms = self.clock.now_ms();
        let taken = status == Some(200);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut guard = self.lock();
        let lanes = &mut *guard;
        if lanes.attempts.len() == REMEMBERED {
            lanes.attempts.pop_front();
        }
        lanes.attempts.push_back(Attempt {
            at: instant(now_ms),
            url: delivery.url.to_string(),
            status,
            ms: took_ms,
            bytes: delivery.body.len(),
        });
        let Some(lane) = lanes.lanes.get_mut(&name) else { return };
        let given_up = !taken && GIVE_UP_MS <= now_ms - delivery.made_at_ms;
        if taken {
            lanes.counts.delivered += 1;
            lanes.counts.slow += u64::from(Duration::from_secs(1) < took);
            lanes.counts.total_ms += took_ms;
            self.tell_taken(delivery);
        } else {
            lanes.counts.failed_attempts += 1;
        }
        if given_up {
            warn!("a webhook was not taken for seven days and is given up");
            lanes.counts.given_up += 1;
        }
        if !taken && !given_up {
            let gap_ms = (FIRST_GAP_MS << lane.failures.min(20)).min(LONGEST_GAP_MS);
            lane.failures += 1;
            if let Some(front) = lane.waiting.front_mut()
                && let Some((body, signature)) = Arc::make_mut(front).genuine.take()
            {
                let repeated = Arc::make_mut(front);
                (repeated.body, repeated.signature) = (body, signature);
            }
            // The first repetition comes at once, the others with growing gaps.
            let until = if lane.failures == 1 { now_ms } else { now_ms + gap_ms };
            lanes.resting.push(Reverse((until, name)));
            self.rests.notify_one();
            return;
        }
        lane.failures = 0;
        lane.waiting.pop_front();
        lanes.counts.pending -= 1;
        match lane.waiting.front() {
            None => {
                lanes.lanes.remove(&name);
            }
            Some(next) if now_ms < next.not_before_ms => {
                lanes.resting.push(Reverse((next.not_before_ms, name)));
                self.rests.notify_one();
            }
            Some(_) => self.wake(name),
        }
    }

    fn tell_taken(&self, delivery: &Delivery) {
        for message in &delivery.messages {
            if self.taken.send(Arc::clone(message)).is_err() {
                debug!("a webhook was taken after the stop");
            }
        }
    }

    /// The queue ends with [`Self::run`]; what comes after the stop is not delivered.
    fn wake(&self, lane: String) {
        if self.ready.send(lane).is_err() {
            debug!("a webhook after the stop is not delivered");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
