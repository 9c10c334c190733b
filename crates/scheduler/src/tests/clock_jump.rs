//! What rests while the wall clock is not trusted, and what lets it go on.

use domain::{clock_guard::GuardedClock, presence::Presence};
use persistence::workspace::{self, Workspace};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock_watch;

/// Longer than the bell of the jobs, which rings every second, and than two looks of the dispatcher.
const LONG_SILENCE: Duration = Duration::from_millis(2_500);

/// Asks for a run of a job by hand, which is due at once.
async fn ask_for_a_run(store: &Store, now: chrono::DateTime<chrono::Utc>) {
    store.write(move |db| rows::request_run(db, "tidy", now)).await.unwrap();
}

async fn is_asked_for(store: &Store) -> bool {
    let jobs = store.read(rows::list_jobs).await.unwrap();
    jobs.into_iter().any(|job| job.line.name == "tidy" && job.run_requested)
}

async fn count_runs_begun(store: &Store) -> usize {
    let jobs = store.read(rows::list_jobs).await.unwrap();
    let latest = jobs.into_iter().filter_map(|job| job.last_run.map(|run| run.started_at));
    let mut latest: Vec<_> = latest.collect();
    latest.sort();
    latest.dedup();
    latest.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jo_05_a_jump_stops_sends_and_jobs_until_ten_minutes_agree_or_an_operator_confirms() {
    for store in stores() {
        let desk = Arc::new(TestDesk::new(&store));
        let hands = Arc::clone(&desk.clock);
        let new = Workspace { name: "J".into(), time_zone: "UTC".into(), language: "en".into() };
        let now = hands.now();
        store.write(move |db| workspace::find_or_create(db, &new, now)).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(GuardedClock::new(Arc::clone(&hands)));
        let (channel, nudges) = (Recording::answering(Answer::Accept), Arc::default());
        let adapter: Arc<dyn Channel> = channel.clone();
        let scheduler = Scheduler::start(SchedulerParts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: HashMap::from([(ChannelKind::WhatsApp, adapter)]),
            nudges: Arc::clone(&nudges),
            owner: "test".into(),
            settings: SchedulerSettings::default(),
        })
        .await
        .unwrap();
        let stop = CancellationToken::new();
        let watch = tokio::spawn(clock_watch::watch(store.clone(), clock, stop.clone()));
        let world = World { desk, clock: hands, nudges, channel, scheduler };
        let send = async |phone| {
            let desk = Arc::clone(&world.desk);
            let choose = move || desk.set_presence(desk.agents[0], Presence::Online);
            tokio::task::spawn_blocking(choose).await.unwrap();
            world.send(phone).await
        };
        let first = send("+351912345678").await;
        world.reaches(first, "sent").await;
        until("the first runs", async || 0 < count_runs_begun(&store).await).await;

        world.clock.set_ahead(TimeDelta::hours(1));
        // What began before the jump ends.
        tokio::time::sleep(LONG_SILENCE).await;
        let second = send("+351912345679").await;
        ask_for_a_run(&store, world.clock.now()).await;
        let runs = count_runs_begun(&store).await;
        tokio::time::sleep(LONG_SILENCE).await;
        world.clock.advance(TimeDelta::minutes(10) - TimeDelta::milliseconds(1));
        tokio::time::sleep(LONG_SILENCE).await;
        assert_eq!(world.channel.sent(), [first], "nothing leaves");
        assert!(is_asked_for(&store).await, "no job starts");
        assert_eq!(count_runs_begun(&store).await, runs);
        world.clock.advance(TimeDelta::milliseconds(1));
        world.reaches(second, "sent").await;
        until("jobs go on", async || !is_asked_for(&store).await).await;

        world.clock.set_ahead(TimeDelta::hours(1));
        // What began before the jump ends.
        tokio::time::sleep(LONG_SILENCE).await;
        let third = send("+351912345670").await;
        ask_for_a_run(&store, world.clock.now()).await;
        tokio::time::sleep(LONG_SILENCE).await;
        assert_eq!(world.channel.sent(), [first, second], "the earlier agreement is over");
        assert!(is_asked_for(&store).await);
        // As an operator who says so until it is heard: the first may come before the jump was noticed.
        until("the confirmation", async || {
            store.write(workspace::confirm_clock).await.unwrap();
            world.state(third).await.0 == "sent"
        })
        .await;
        until("jobs go on", async || !is_asked_for(&store).await).await;
        stop.cancel();
        watch.await.unwrap();
        world.scheduler.stop().await;
    }
}
