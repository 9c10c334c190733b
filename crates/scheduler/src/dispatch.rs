//! Sends what is due: claims under a lease, calls the channel, records what became of it
//! (LI-09, AD-11; ARCHITECTURE, "How a message goes out").

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{
    channel::{BoxFuture, ChannelAccess, ChannelKind, RetryScope, SendOutcome},
    clock::Clock,
    dispatch::NextStep,
    ids::ChannelId,
};
use persistence::{
    channel,
    db::Db,
    dispatcher,
    error::PersistenceError,
    live::Nudges,
    outbox::{self, Claim, ClaimRequest, Claimed, DispatchPolicy, OpenChannel, Recorded},
    secret::Vault,
    store::Store,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    error::SchedulerError,
    job::Channels,
    pace::{Pace, PairPace},
};

/// Between two looks when nobody nudges.
const TICK: Duration = Duration::from_millis(250);
/// After a failure of the database, before the next look.
const PAUSE: Duration = Duration::from_secs(1);
/// Outcomes recorded in one transaction.
const RECORD_BATCH: usize = 64;

/// How the dispatcher works.
#[derive(Debug, Clone, Copy)]
pub struct DispatchSettings {
    /// Sends of one number under way at once in this process.
    pub in_flight: usize,
    /// How long one request may take; shorter than the lease.
    pub request_deadline: Duration,
    /// What a pair of number and contact may send.
    pub pair_pace: PairPace,
    /// How often this process says that it sends, and asks who else does. Whoever joins others waits as long
    /// before its first message, so that they know by then.
    pub attendance: Duration,
}

impl Default for DispatchSettings {
    fn default() -> Self {
        Self {
            in_flight: 32,
            request_deadline: Duration::from_secs(25),
            pair_pace: PairPace::default(),
            attendance: Duration::from_secs(2),
        }
    }
}

/// The dispatcher of one process.
pub(crate) struct Dispatcher {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub nudges: Arc<Nudges>,
    pub policy: Arc<DispatchPolicy>,
    pub settings: DispatchSettings,
    pub owner: String,
}

/// What the loop, the senders and the recorder share.
struct Shared {
    parts: Dispatcher,
    pace: Mutex<Pace>,
    slots: Slots,
}

/// The places of sends under way. Each number has its own, so that one whose calls hang takes none from another.
struct Slots {
    each: usize,
    of: Mutex<HashMap<ChannelId, Arc<Semaphore>>>,
}

impl Slots {
    fn new(each: usize) -> Self {
        Self { each: each.max(1), of: Mutex::default() }
    }

    fn of(&self, channel: ChannelId) -> Arc<Semaphore> {
        let mut slots = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(channel).or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

/// An outcome on its way into the database; its slot is free again once it is there.
struct Told {
    claim: Claim,
    outcome: SendOutcome,
    throughput: u32,
    _slot: OwnedSemaphorePermit,
}

/// When a lease was taken, by both clocks.
#[derive(Debug, Clone, Copy)]
struct LeasedAt {
    monotonic: Duration,
    wall: DateTime<Utc>,
}

impl LeasedAt {
    /// Reads the monotonic clock first: should the process stand still between the two, our own lease ends
    /// before the one that others see, never after it.
    fn read(clock: &dyn Clock) -> Self {
        let monotonic = clock.monotonic();
        Self { monotonic, wall: clock.now() }
    }

    /// The end of the lease by the monotonic clock, which no one sets.
    fn lease_ends(self, policy: &DispatchPolicy) -> Duration {
        self.monotonic + policy.lease.to_std().unwrap_or_default()
    }
}

type Accesses = HashMap<ChannelId, (ChannelKind, ChannelAccess)>;

impl Dispatcher {
    /// Dispatches until `stop`; then finishes what is under way, records it, and ends.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (tell, told) = mpsc::channel(self.settings.in_flight.max(1));
        let shared = Arc::new(Shared {
            pace: Mutex::new(Pace::new(self.settings.pair_pace)),
            slots: Slots::new(self.settings.in_flight),
            parts: self,
        });
        let recorder = tokio::spawn(Arc::clone(&shared).record_all(told));
        let attendance = tokio::spawn(Arc::clone(&shared).attend(stop.clone()));
        shared.join_others(&stop).await;
        let senders = TaskTracker::new();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = shared.parts.nudges.dispatch.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            shared.send_what_is_due(&senders, &tell, &stop).await;
        }
        senders.close();
        senders.wait().await;
        drop(tell);
        if recorder.await.is_err() {
            tracing::error!("the task that records outcomes panicked");
        }
        if attendance.await.is_err() {
            tracing::error!("the task that says who sends panicked");
        }
    }
}

impl Shared {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this process sends and asks how many do; what is not known stays as it was.
    async fn count_others(&self) -> Option<usize> {
        let (owner, now) = (self.parts.owner.clone(), self.parts.clock.now());
        match self.parts.store.write(move |db| dispatcher::attend(db, &owner, now)).await {
            Ok(sending) => {
                self.pace().share_among(sending);
                Some(sending)
            }
            Err(error) => {
                tracing::warn!(error = %error, "cannot say that this process sends");
                None
            }
        }
    }

    /// Whoever joins others sends nothing until they have had time to notice, so that no number is ever too fast.
    async fn join_others(&self, stop: &CancellationToken) {
        if self.count_others().await == Some(1) {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(self.parts.settings.attendance) => {}
        }
    }

    /// Keeps saying that this process sends, until `stop`; then that it does no more.
    async fn attend(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(self.parts.settings.attendance) => {}
            }
            self.count_others().await;
        }
        let owner = self.parts.owner.clone();
        if let Err(error) = self.parts.store.write(move |db| dispatcher::leave(db, &owner)).await {
            tracing::warn!(error = %error, "cannot say that this process sends no more");
        }
    }

    /// Claims and sends round by round until nothing is due or every slot is taken.
    async fn send_what_is_due(
        self: &Arc<Self>,
        senders: &TaskTracker,
        tell: &mpsc::Sender<Told>,
        stop: &CancellationToken,
    ) {
        while !stop.is_cancelled() {
            match self.round(senders, tell).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(error = %with_cause(&error), "cannot claim what is due");
                    tokio::time::sleep(PAUSE).await;
                    return;
                }
            }
        }
    }

    /// One round; answers how many messages it moved. None while the wall clock is not trusted (JO-05).
    async fn round(
        self: &Arc<Self>,
        senders: &TaskTracker,
        tell: &mpsc::Sender<Told>,
    ) -> Result<usize, SchedulerError> {
        let now = self.parts.clock.now();
        if !self.parts.clock.is_trusted() {
            return Ok(0);
        }
        let open = self.parts.store.read(move |db| outbox::list_open_channels(db, now)).await?;
        let shares = self.shares(&open);
        if shares.is_empty() {
            return Ok(0);
        }
        let (claimed, accesses, leased_at) = self.claim(shares).await?;
        let moved = claimed.claims.len() + claimed.refused + claimed.put_off;
        let lease_ends = leased_at.lease_ends(&self.parts.policy);
        for claim in claimed.claims {
            let throughput = open
                .iter()
                .find(|channel| channel.channel == claim.channel)
                .map_or(1, |channel| channel.throughput);
            self.pace().spend(claim.channel, 1);
            let Ok(slot) = self.slots.of(claim.channel).acquire_owned().await else { break };
            let access = accesses.get(&claim.channel).cloned();
            let (shared, tell) = (Arc::clone(self), tell.clone());
            senders.spawn(async move {
                let outcome = shared.send(&claim, access, lease_ends).await;
                let told = Told { claim, outcome, throughput, _slot: slot };
                if tell.send(told).await.is_err() {
                    tracing::error!("nobody records outcomes any more");
                }
            });
        }
        Ok(moved)
    }

    /// How many each channel may claim: as many as it has free slots, within its throughput.
    fn shares(&self, open: &[OpenChannel]) -> Vec<(ChannelId, usize)> {
        let now = self.parts.clock.monotonic();
        let mut pace = self.pace();
        pace.forget_idle(now);
        let share = |channel: &OpenChannel| {
            let room = pace.room(channel.channel, channel.throughput, now);
            (channel.channel, room.min(self.slots.of(channel.channel).available_permits()))
        };
        open.iter().map(share).filter(|(_, share)| 0 < *share).collect()
    }

    /// Reads what is needed to speak for the channels, then claims. The clocks are read where the claim is
    /// made: waiting for the database before it costs the lease nothing.
    async fn claim(
        self: &Arc<Self>,
        shares: Vec<(ChannelId, usize)>,
    ) -> Result<(Claimed, Accesses, LeasedAt), SchedulerError> {
        let shared = Arc::clone(self);
        let claimed = self
            .parts
            .store
            .write(move |db| {
                let vault = shared.parts.store.vault()?;
                let (accesses, shares) =
                    open_accesses(db, &vault, shares, shared.parts.clock.now())?;
                let leased_at = LeasedAt::read(&*shared.parts.clock);
                if !shared.parts.clock.is_trusted() {
                    return Ok((Claimed::default(), accesses, leased_at));
                }
                let mut pair_wait = |channel, contact| {
                    shared.pace().take_pair(channel, contact, leased_at.monotonic)
                };
                let mut request = ClaimRequest {
                    shares: &shares,
                    token: &shared.parts.owner,
                    policy: &shared.parts.policy,
                    pair_wait: &mut pair_wait,
                };
                let claimed = outbox::claim(db, &mut request, leased_at.wall)?;
                Ok((claimed, accesses, leased_at))
            })
            .await?;
        Ok(claimed)
    }

    /// Calls the channel, once, and only under the lease: whoever stood still for too long must not write
    /// any more.
    async fn send(
        &self,
        claim: &Claim,
        access: Option<(ChannelKind, ChannelAccess)>,
        lease_ends: Duration,
    ) -> SendOutcome {
        let adapter = access.and_then(|(kind, access)| {
            self.parts.channels.get(&kind).map(|adapter| (Arc::clone(adapter), access))
        });
        let Some((adapter, access)) = adapter else {
            return SendOutcome::NotSent { reason: "no adapter for the platform".to_owned() };
        };
        let deadline = self.parts.settings.request_deadline;
        if lease_ends < self.parts.clock.monotonic() + deadline {
            return SendOutcome::NotSent { reason: "the lease is about to end".to_owned() };
        }
        let request = adapter.send(&access, &claim.outgoing);
        let under_lease = while_leased(request, &*self.parts.clock, lease_ends);
        match tokio::time::timeout(deadline, under_lease).await {
            Ok(outcome) => outcome,
            Err(_) => SendOutcome::Unknown { reason: "no answer in time".to_owned() },
        }
    }

    /// Records outcomes as they come, many in one transaction, until the last sender is gone.
    async fn record_all(self: Arc<Self>, mut told: mpsc::Receiver<Told>) {
        let mut batch = Vec::with_capacity(RECORD_BATCH);
        while told.recv_many(&mut batch, RECORD_BATCH).await > 0 {
            let batch = std::mem::replace(&mut batch, Vec::with_capacity(RECORD_BATCH));
            self.record(batch).await;
            self.parts.nudges.dispatch.notify_one();
        }
    }

    /// Records one batch, again and again while the database fails. Should it fail for longer than the
    /// lease, the messages are rescued as unknown, and this record still counts when it gets through.
    async fn record(&self, batch: Vec<Told>) {
        let batch = Arc::new(batch);
        loop {
            let (policy, clock) = (Arc::clone(&self.parts.policy), Arc::clone(&self.parts.clock));
            let outcomes = Arc::clone(&batch);
            let recorded = self
                .parts
                .store
                .write(move |db| {
                    let outcomes = outcomes.iter().map(|told| (&told.claim, &told.outcome));
                    outbox::record_outcomes(db, outcomes, &policy, clock.now())
                })
                .await;
            match recorded {
                Ok(recorded) => {
                    self.draw_consequences(&batch, &recorded);
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %error, "cannot record what became of sends");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Slows a number down when the platform asked for it, and counts.
    fn draw_consequences(&self, batch: &[Told], recorded: &[Recorded]) {
        let now = self.parts.clock.now();
        for (told, recorded) in batch.iter().zip(recorded) {
            let word = match recorded {
                Recorded::Stale => "stale",
                Recorded::Done(NextStep::Accepted { .. }) => "accepted",
                Recorded::Done(NextStep::Retry { at, scope }) => {
                    if *scope == RetryScope::Number {
                        let wait = (*at - now).to_std().unwrap_or_default();
                        self.pace().slow_down(told.claim.channel, told.throughput, wait);
                    }
                    "retry"
                }
                Recorded::Done(NextStep::Hold(_)) => "held",
                Recorded::Done(NextStep::Fail(_)) => "failed",
                Recorded::Done(NextStep::Park) => "unknown",
            };
            metrics::counter!("janela_attempts_total", "outcome" => word).increment(1);
        }
    }
}

/// Goes on with `request` while the lease holds, asking the clock before every step of it: a process that
/// stood still after it connected writes nothing once the message may have been taken from it. A request
/// that was under way by then has an unknown outcome (LI-09), which a receipt settles.
async fn while_leased(
    mut request: BoxFuture<'_, SendOutcome>,
    clock: &dyn Clock,
    lease_ends: Duration,
) -> SendOutcome {
    let mut has_begun = false;
    poll_fn(move |context| {
        if clock.monotonic() < lease_ends {
            has_begun = true;
            return request.as_mut().poll(context);
        }
        let reason = "the lease ended".to_owned();
        Poll::Ready(match has_begun {
            true => SendOutcome::Unknown { reason },
            false => SendOutcome::NotSent { reason },
        })
    })
    .await
}

/// The error with its cause, for the log.
pub(crate) fn with_cause(error: &SchedulerError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What is needed to speak for the channels of `shares`. One whose secrets do not open is marked as failing
/// and left out, so that the others go on.
fn open_accesses(
    db: &mut Db,
    vault: &Vault,
    shares: Vec<(ChannelId, usize)>,
    now: DateTime<Utc>,
) -> Result<(Accesses, Vec<(ChannelId, usize)>), PersistenceError> {
    let mut accesses = Accesses::new();
    let mut opened = Vec::new();
    for (channel, share) in shares {
        match channel::get_access(db, vault, channel) {
            Ok(access) => {
                accesses.insert(channel, access);
                opened.push((channel, share));
            }
            Err(PersistenceError::Secret(error)) => {
                tracing::error!(channel.id = %channel, %error, "a channel's secrets do not open");
                channel::mark_credentials_failing(db, channel, now)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((accesses, opened))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use chrono::TimeDelta;
    use persistence::{
        test_desk::TestDesk,
        test_support::{TestStore, on_both},
    };

    use super::*;

    /// Stands still for as long as it is told at every reading, as a process may between two of them.
    #[derive(Default)]
    struct StumblingClock {
        seconds: AtomicI64,
        stands_still: AtomicI64,
    }

    impl StumblingClock {
        fn read(&self) -> i64 {
            self.seconds.fetch_add(self.stands_still.load(Ordering::SeqCst), Ordering::SeqCst)
        }
    }

    impl Clock for StumblingClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + TimeDelta::seconds(self.read())
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.read().unsigned_abs())
        }
    }

    #[test]
    fn a_channel_whose_secrets_do_not_open_is_left_out_and_marked() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let of_another_desk = TestStore::sqlite();
            let foreign = TestDesk::new(&of_another_desk).store.vault().unwrap();
            let now = desk.clock.now();
            let open = |vault: Vault| {
                let shares = vec![(desk.channel, 3)];
                let opened =
                    store.blocking_write(|db| open_accesses(db, &vault, shares, now)).unwrap();
                let failing = store.blocking_read(channel::list_connected).unwrap();
                (opened.0.len(), opened.1, failing[0].credentials_failing_since)
            };
            assert_eq!(open(store.vault().unwrap()), (1, vec![(desk.channel, 3)], None));
            assert_eq!(open(foreign), (0, vec![], Some(now)));
        });
    }

    #[test]
    fn our_lease_never_ends_after_the_one_that_others_see() {
        let policy = DispatchPolicy {
            back_off: domain::dispatch::BackOff::default(),
            lease: TimeDelta::seconds(60),
            active_messages: domain::policy::Policy::default().active_messages,
        };
        for stands_still in [0, 1, 40, 600] {
            let clock = StumblingClock::default();
            clock.stands_still.store(stands_still, Ordering::SeqCst);
            let leased_at = LeasedAt::read(&clock);
            let others_see = leased_at.wall + policy.lease - DateTime::UNIX_EPOCH;
            assert!(leased_at.lease_ends(&policy) <= others_see.to_std().unwrap());
        }
    }

    /// Connects at the first step and writes at the second; answers how often it wrote, and what came of it.
    async fn send_under_a_lease_of_60_s(
        now: i64,
        stands_still_while_connecting: i64,
    ) -> (usize, SendOutcome) {
        let (clock, written) = (StumblingClock::default(), AtomicUsize::new(0));
        clock.seconds.store(now, Ordering::SeqCst);
        let request = Box::pin(async {
            clock.seconds.fetch_add(stands_still_while_connecting, Ordering::SeqCst);
            tokio::task::yield_now().await;
            written.fetch_add(1, Ordering::SeqCst);
            SendOutcome::Accepted { provider_id: "wamid.1".to_owned() }
        });
        let outcome = while_leased(request, &clock, Duration::from_secs(60)).await;
        (written.load(Ordering::SeqCst), outcome)
    }

    #[tokio::test]
    async fn a_process_that_stood_still_beyond_its_lease_writes_nothing() {
        let (written, outcome) = send_under_a_lease_of_60_s(10, 49).await;
        assert!(matches!((written, outcome), (1, SendOutcome::Accepted { .. })), "in time");
        let (written, outcome) = send_under_a_lease_of_60_s(10, 50).await;
        assert!(matches!((written, outcome), (0, SendOutcome::Unknown { .. })), "LI-09");
        let (written, outcome) = send_under_a_lease_of_60_s(60, 0).await;
        assert!(matches!((written, outcome), (0, SendOutcome::NotSent { .. })), "not begun");
    }
}
