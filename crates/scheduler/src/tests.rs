//! Tests of dispatcher, consumer and jobs with a recording channel, on both databases.

mod clock_jump;

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use domain::{
    channel::{
        BoxFuture, Channel, ChannelAccess, ChannelError, ChannelKind, MediaFile, MediaProblem,
        NumberReading, OutgoingMessage, Pause, PlatformRefusal, RefusalClass, SendOutcome,
        WebhookElement, WebhookRejection,
    },
    clock::Clock,
    ids::MessageId,
    template::{MediaKind, PlatformTemplate, TemplateStatus},
};
use persistence::{
    job::{self as rows, JobOverview},
    live::Nudges,
    message_template, number,
    store::Store,
    test_desk::{ACCOUNT, TestClock, TestDesk},
    test_support::{TestStore, postgres_is_wanted},
};

use crate::{
    Scheduler, SchedulerHandle, SchedulerParts, SchedulerSettings, dispatch::DispatchSettings,
    job::JobName,
};

/// What the recording channel answers to each send.
#[derive(Debug, Clone)]
enum Answer {
    Accept,
    Refuse(RefusalClass),
    NotSent,
    /// Never, as when the process dies between the attempt's row and its outcome.
    Never,
}

#[derive(Debug)]
struct Recording {
    answer: Mutex<Answer>,
    sent: Mutex<Vec<MessageId>>,
    under_way: AtomicUsize,
    slow: Duration,
    throughput: u32,
    /// What the platform lists; `None` where a page of it fails.
    listed: Mutex<Listed>,
    /// How often it was asked for a list.
    lists: AtomicUsize,
}

/// What becomes of reading a list.
#[derive(Debug, Clone, Default)]
enum Listed {
    #[default]
    Fails,
    Whole(Vec<&'static str>),
    Busy(Duration),
}

impl Recording {
    fn answering(answer: Answer) -> Arc<Self> {
        Self::slowly(answer, Duration::ZERO)
    }

    /// A number that may send so many messages a second.
    fn with_throughput(throughput: u32) -> Arc<Self> {
        Arc::new(Self {
            answer: Mutex::new(Answer::Accept),
            sent: Mutex::default(),
            under_way: AtomicUsize::new(0),
            slow: Duration::ZERO,
            throughput,
            listed: Mutex::default(),
            lists: AtomicUsize::new(0),
        })
    }

    fn slowly(answer: Answer, slow: Duration) -> Arc<Self> {
        Arc::new(Self {
            answer: Mutex::new(answer),
            sent: Mutex::default(),
            under_way: AtomicUsize::new(0),
            slow,
            throughput: 80,
            listed: Mutex::default(),
            lists: AtomicUsize::new(0),
        })
    }

    fn sent(&self) -> Vec<MessageId> {
        self.sent.lock().unwrap().clone()
    }
}

impl Channel for Recording {
    fn verify(&self, _: &ChannelAccess, _: Option<&str>, _: &[u8]) -> Result<(), WebhookRejection> {
        Ok(())
    }

    fn parse(&self, _: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection> {
        Ok(Vec::new())
    }

    fn send<'a>(
        &'a self,
        _: &'a ChannelAccess,
        message: &'a OutgoingMessage,
    ) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(message.id);
            self.under_way.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(self.slow).await;
            let answer = self.answer.lock().unwrap().clone();
            let outcome = match answer {
                Answer::Accept => {
                    SendOutcome::Accepted { provider_id: format!("wamid.{}", message.id) }
                }
                Answer::Refuse(class) => SendOutcome::Refused {
                    refusal: PlatformRefusal { code: "1".into(), title: "no".into() },
                    class,
                },
                Answer::NotSent => SendOutcome::NotSent { reason: "no route".into() },
                Answer::Never => pending().await,
            };
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            outcome
        })
    }

    fn list_templates<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<Vec<PlatformTemplate>, ChannelError>> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        let listed = self.listed.lock().unwrap().clone();
        Box::pin(async move {
            match listed {
                Listed::Whole(names) => {
                    let names = names.into_iter();
                    Ok(names.map(|name| PlatformTemplate::of_text(name, "en", "Hello")).collect())
                }
                Listed::Busy(rest) => Err(ChannelError::Busy(rest)),
                Listed::Fails => Err(ChannelError::Unreachable("page 2 of 3".into())),
            }
        })
    }

    fn read_number<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<NumberReading, ChannelError>> {
        Box::pin(async move {
            Ok(NumberReading {
                display_phone: "+351 21 000 0001".into(),
                quality_rating: "GREEN".into(),
                status: "CONNECTED".into(),
                limit: None,
                throughput: self.throughput,
            })
        })
    }

    fn inspect_media<'a>(
        &'a self,
        _: &'a str,
        _: MediaKind,
    ) -> BoxFuture<'a, Result<MediaFile, MediaProblem>> {
        Box::pin(async { Err(MediaProblem::Unreachable) })
    }
}

/// How long anything may take before a test fails: far longer than it does, as the machine may be busy with
/// other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing happens before it counts as what will not happen: two looks of the dispatcher and more.
const SILENCE: Duration = Duration::from_millis(600);

struct World {
    desk: Arc<TestDesk>,
    clock: Arc<TestClock>,
    nudges: Arc<Nudges>,
    channel: Arc<Recording>,
    scheduler: SchedulerHandle,
}

async fn world(store: &Store, channel: Arc<Recording>) -> World {
    let desk = Arc::new(TestDesk::new(store));
    let clock = Arc::clone(&desk.clock);
    let nudges = Arc::new(Nudges::default());
    let adapter: Arc<dyn Channel> = channel.clone();
    let scheduler = Scheduler::start(SchedulerParts {
        store: store.clone(),
        clock: clock.clone(),
        channels: HashMap::from([(ChannelKind::WhatsApp, adapter)]),
        nudges: Arc::clone(&nudges),
        owner: "test".into(),
        settings: SchedulerSettings::default(),
    })
    .await
    .unwrap();
    World { desk, clock, nudges, channel, scheduler }
}

impl World {
    async fn send(&self, phone: &'static str) -> MessageId {
        let desk = Arc::clone(&self.desk);
        let message =
            tokio::task::spawn_blocking(move || desk.send(desk.agents[0], phone)).await.unwrap();
        self.nudges.dispatch.notify_one();
        message
    }

    async fn state(&self, message: MessageId) -> (String, Option<String>) {
        let desk = Arc::clone(&self.desk);
        tokio::task::spawn_blocking(move || desk.state_of(message)).await.unwrap()
    }

    /// Waits until the message is in `state`.
    async fn reaches(&self, message: MessageId, state: &str) {
        until(&format!("{message} is {state}"), async || self.state(message).await.0 == state)
            .await;
    }

    /// Waits until the channel was called `times`; what comes of the last call may not be known yet.
    async fn has_tried(&self, times: usize) {
        let tried = async || times <= self.channel.sent().len();
        until(&format!("{times} tries"), tried).await;
    }

    /// Waits until an attempt to send the message has its outcome on record, with what follows from it.
    async fn knows_the_outcome_for(&self, message: MessageId) {
        until(&format!("an outcome for {message}"), async || {
            let desk = Arc::clone(&self.desk);
            let ended = tokio::task::spawn_blocking(move || desk.count_ended_attempts(message));
            1 <= ended.await.unwrap()
        })
        .await;
    }
}

/// Waits until `condition` holds, for as long as the [`PATIENCE`] lasts.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn stores() -> Vec<TestStore> {
    let mut stores = vec![TestStore::sqlite()];
    if postgres_is_wanted() {
        stores.push(TestStore::postgres());
    }
    stores
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queued_message_is_sent_once() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Accept)).await;
        let message = world.send("+351912345678").await;
        world.reaches(message, "sent").await;
        world.scheduler.stop().await;
        assert_eq!(world.channel.sent(), [message]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_certainly_did_not_leave_is_tried_again_later() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::NotSent)).await;
        let message = world.send("+351912345678").await;
        world.knows_the_outcome_for(message).await;
        tokio::time::sleep(SILENCE).await;
        assert_eq!(world.channel.sent().len(), 1, "the wait is by the desk's clock");
        *world.channel.answer.lock().unwrap() = Answer::Accept;
        world.clock.advance(TimeDelta::seconds(3));
        world.reaches(message, "sent").await;
        assert_eq!(world.channel.sent(), [message, message]);
        world.scheduler.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_without_outcome_is_parked_never_repeated_and_called_unknown_in_the_end() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Never)).await;
        let message = world.send("+351912345678").await;
        world.has_tried(1).await;
        world.clock.advance(TimeDelta::seconds(61));
        world.scheduler.run_now(JobName::Settle).await.unwrap();
        world.clock.advance(TimeDelta::minutes(9));
        world.scheduler.run_now(JobName::Settle).await.unwrap();
        let expected = ("failed".to_owned(), Some("outcome_unknown".to_owned()));
        assert_eq!(world.state(message).await, expected, "LI-09");
        assert_eq!(world.channel.sent(), [message], "never repeated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_number_keeps_its_messages_until_its_rest_is_over() {
    for store in stores() {
        let refusing = Recording::answering(Answer::Refuse(RefusalClass::Pause(Pause::ALL[0])));
        let world = world(&store, refusing).await;
        let first = world.send("+351912345678").await;
        world.knows_the_outcome_for(first).await;
        let second = world.send("+351912345679").await;
        tokio::time::sleep(SILENCE).await;
        assert_eq!(world.channel.sent(), [first], "nothing more leaves");
        *world.channel.answer.lock().unwrap() = Answer::Accept;
        world.clock.advance(TimeDelta::minutes(16));
        world.reaches(first, "sent").await;
        world.reaches(second, "sent").await;
        world.scheduler.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_finishes_what_is_under_way_and_leaves_no_unknown() {
    for store in stores() {
        let slow = Recording::slowly(Answer::Accept, Duration::from_millis(400));
        let world = world(&store, slow).await;
        let message = world.send("+351912345678").await;
        world.has_tried(1).await;
        let World { desk, scheduler, channel, .. } = world;
        scheduler.stop().await;
        assert_eq!(channel.under_way.load(Ordering::SeqCst), 0);
        let state = tokio::task::spawn_blocking(move || desk.state_of(message)).await.unwrap();
        assert_eq!(state.0, "sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_by_themselves_catch_up_after_a_day_and_on_request() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Accept)).await;
        let message = world.send("+351912345678").await;
        world.reaches(message, "sent").await;
        world.clock.advance(TimeDelta::hours(24));
        world.reaches(message, "expired").await;
        store
            .write(|db| rows::request_run(db, "tidy", chrono::DateTime::UNIX_EPOCH))
            .await
            .unwrap();
        until("JO-03: the run asked for", async || {
            let jobs = store.read(rows::list_jobs).await.unwrap();
            assert_eq!(jobs.len(), JobName::ALL.len());
            let tidy = jobs.into_iter().find(|job| job.line.name == "tidy").unwrap();
            !tidy.run_requested && tidy.last_run.is_some_and(|run| run.finished_at.is_some())
        })
        .await;
        world.scheduler.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jo_03_a_job_for_which_nobody_was_there_is_passed_over_and_not_failed() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Accept)).await;
        let read = async |name: &str| {
            let jobs = store.read(rows::list_jobs).await.unwrap();
            jobs.into_iter().find(|job| job.line.name == name).unwrap()
        };
        let has_ended = |job: &JobOverview| {
            !job.run_requested && job.last_run.as_ref().is_some_and(|run| run.finished_at.is_some())
        };
        // A new desk at ten in the morning: the jobs of every minute run, that of the night was never due.
        until("the first runs", async || has_ended(&read("expire_active_messages").await)).await;
        let nightly = read("prove_counters").await;
        assert_eq!((nightly.last_run, nightly.passed_over_at), (None, None));

        let now = world.clock.now();
        store.write(move |db| rows::request_run(db, "prove_counters", now)).await.unwrap();
        until("the run asked for", async || has_ended(&read("prove_counters").await)).await;
        world.clock.advance(TimeDelta::hours(24));
        until("a record", async || read("prove_counters").await.passed_over_at.is_some()).await;
        let nightly = read("prove_counters").await;
        let run = nightly.last_run.unwrap();
        assert_eq!((run.started_at, run.error), (now, None), "the latest run is still the latest");
        assert!(now < nightly.passed_over_at.unwrap());
        assert!(world.clock.now() < nightly.line.next_run_at.unwrap());
        world.scheduler.stop().await;
    }
}

/// Starts one process more, beside whoever sends from `desk` already.
async fn process(
    store: &Store,
    desk: &TestDesk,
    channel: &Arc<Recording>,
    owner: &str,
) -> SchedulerHandle {
    let adapter: Arc<dyn Channel> = channel.clone();
    let attendance = Duration::from_millis(100);
    Scheduler::start(SchedulerParts {
        store: store.clone(),
        clock: desk.clock.clone(),
        channels: HashMap::from([(ChannelKind::WhatsApp, adapter)]),
        nudges: Arc::new(Nudges::default()),
        owner: owner.into(),
        settings: SchedulerSettings {
            dispatch: DispatchSettings { attendance, ..DispatchSettings::default() },
            ..SchedulerSettings::default()
        },
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_send_together_no_faster_than_a_numbers_throughput() {
    // An SQLite file has one process.
    for store in stores().into_iter().filter(|store| !store.is_sqlite()) {
        let channel = Recording::with_throughput(10);
        let desk = Arc::new(TestDesk::new(&store));
        let (of, now) = (desk.channel, desk.clock.now());
        let reading = channel.read_number(&access()).await.unwrap();
        store.write(move |db| number::save_reading(db, of, &reading, now)).await.unwrap();
        let first = process(&store, &desk, &channel, "first").await;
        let second = process(&store, &desk, &channel, "second").await;
        // Both know of each other once each has said so twice.
        tokio::time::sleep(SILENCE).await;
        let queueing = Arc::clone(&desk);
        tokio::task::spawn_blocking(move || {
            for number in 0..40 {
                queueing.send(queueing.agents[0], &format!("+35191234{number:04}"));
            }
        })
        .await
        .unwrap();
        for (second, sent) in [(0, 10), (1, 20), (1, 30)] {
            desk.clock.advance(TimeDelta::seconds(second));
            until("a second's worth", async || sent <= channel.sent().len()).await;
            tokio::time::sleep(SILENCE).await;
            assert_eq!(channel.sent().len(), sent, "and not one more");
        }
        let mut distinct = channel.sent();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 30, "each once");
        second.stop().await;
        tokio::time::sleep(SILENCE).await;
        desk.clock.advance(TimeDelta::seconds(1));
        until("whoever is left has all of it", async || channel.sent().len() == 40).await;
        first.stop().await;
    }
}

fn access() -> ChannelAccess {
    ChannelAccess {
        channel: domain::ids::ChannelId(1),
        api_base_url: String::new(),
        external_id: String::new(),
        account_id: String::new(),
        access_token: String::new(),
        app_secret: String::new(),
        verify_token: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jo_01_a_list_of_templates_that_fails_midway_replaces_nothing() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Accept)).await;
        let set = |listed| *world.channel.listed.lock().unwrap() = listed;
        let kept = async || {
            let mut kept =
                store.read(|db| message_template::list_of_account(db, ACCOUNT)).await.unwrap();
            kept.retain(|template| template.status != TemplateStatus::Gone);
            kept.into_iter().map(|template| template.name).collect::<Vec<_>>()
        };
        let run = async || {
            world.clock.advance(TimeDelta::seconds(2));
            world.scheduler.run_now(JobName::Templates).await
        };
        set(Listed::Whole(vec!["a", "b", "c"]));
        run().await.unwrap();
        assert_eq!(kept().await, ["a", "b", "c"], "what was there before is gone");
        set(Listed::Fails);
        run().await.unwrap_err();
        assert_eq!(kept().await, ["a", "b", "c"], "half a list is no list");
        set(Listed::Whole(vec!["a", "c"]));
        run().await.unwrap();
        assert_eq!(kept().await, ["a", "c"], "gone after a whole list alone");
        world.scheduler.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_asked_too_much_is_left_alone_until_it_may_ask_again() {
    for store in stores() {
        let world = world(&store, Recording::answering(Answer::Accept)).await;
        let asked = || world.channel.lists.load(Ordering::SeqCst);
        until("the first look at start", async || 0 < asked()).await;
        *world.channel.listed.lock().unwrap() = Listed::Busy(Duration::from_secs(17 * 60));
        world.scheduler.run_now(JobName::Templates).await.unwrap_err();
        let before = asked();
        world.clock.advance(TimeDelta::seconds(17 * 60 - 1));
        world.scheduler.run_now(JobName::Templates).await.unwrap();
        world.scheduler.run_now(JobName::Numbers).await.unwrap();
        assert_eq!(asked(), before, "it rests, in every process");
        *world.channel.listed.lock().unwrap() = Listed::Whole(vec!["a"]);
        world.clock.advance(TimeDelta::seconds(1));
        world.scheduler.run_now(JobName::Templates).await.unwrap();
        assert!(before < asked());
        world.scheduler.stop().await;
    }
}
