//! R14: what workers that are gone left behind, and what can never be done, holds up nothing else.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use domain::{dispatch::BackOff, policy::Policy};
use persistence::{
    outbox::{self, ClaimRequest, DispatchPolicy},
    test_support::rounds,
};
use reqwest::StatusCode;

use crate::{
    judge::{judge, until_applied, until_settled},
    points,
    world::{Kind, LEASE_SECONDS, World, seconds, until},
};

/// Claims what is due as a worker does that then vanishes. Returns how many.
fn claim_and_vanish(world: &World, most: usize) -> usize {
    let mut active_messages = Policy::default_profile().active_messages;
    active_messages.unknown_outcome_wait = TimeDelta::seconds(crate::world::HORIZON_SECONDS);
    let policy = DispatchPolicy {
        back_off: BackOff::default(),
        lease: TimeDelta::seconds(LEASE_SECONDS),
        active_messages,
    };
    let mut never = |_, _| None;
    let mut request = ClaimRequest {
        shares: &[(world.channels[0], most)],
        token: "a worker that is gone",
        policy: &policy,
        pair_wait: &mut never,
    };
    let now = crate::world::now();
    let claimed = world.store.blocking_write(|db| outbox::claim(db, &mut request, now));
    claimed.expect("claims").claims.len()
}

async fn rescue_orphans(kind: Kind) {
    let sends = rounds(100, 500);
    let world = World::on(kind).await;
    let pages = world.serve_as(0, "web").await;
    let numbers = 0..u32::try_from(sends).expect("few");
    let ids = futures_util::future::join_all(numbers.map(|nth| world.send(&pages.url, nth))).await;
    let claimed = claim_and_vanish(&world, sends);
    let begun = Instant::now();
    assert_eq!(claimed, sends);
    pages.kill();
    let node = world.serve(0).await;
    until("every lease is taken away", Duration::from_secs(60), async || {
        let leased = world.count("SELECT count(*) AS n FROM outbox WHERE state = 'leased'");
        (leased == 0).then_some(())
    })
    .await;
    let took = begun.elapsed();
    let limit = Duration::from_secs(LEASE_SECONDS.unsigned_abs()) + seconds(25, 10);
    assert!(took <= limit, "rescued after {took:?}, not within {limit:?}");
    until_settled(&world, Duration::from_secs(60)).await;
    let name = format!("R14 {}", kind.as_str());
    println!("{name}: {sends} leases of a worker that is gone were taken away after {took:?}");
    judge(&world, &ids).await.must_be_clean(&name);
    drop(node);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_leases_of_a_worker_that_is_gone_are_rescued_on_sqlite() {
    rescue_orphans(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_leases_of_a_worker_that_is_gone_are_rescued_on_postgres() {
    rescue_orphans(Kind::Postgres).await;
}

/// A message that the database itself refuses, among others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_webhook_that_can_never_be_applied_is_put_aside_and_holds_up_no_other() {
    let world = World::on(Kind::Sqlite).await;
    world.run(
        "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.body = 'poison'
         BEGIN SELECT RAISE(ABORT, 'poison'); END",
    );
    let node = world.serve(0).await;
    let webhook = world.webhook_at(&node.url);
    for nth in 0..60 {
        let text = if nth % 20 == 7 { "poison" } else { "Olá" };
        let body = world.platform.text(&format!("55119{nth:08}"), &format!("wamid.{nth}"), text);
        assert_eq!(world.platform.post(0, &webhook, body).await, Some(StatusCode::OK));
    }
    until_applied(&world, Duration::from_secs(60)).await;
    let applied = world.count("SELECT count(*) AS n FROM messages WHERE body = 'Olá'");
    let aside = world.count("SELECT count(*) AS n FROM quarantined_events");
    println!(
        "R14 poison ok={applied} lost={} duplicated=0 recovered={aside}",
        60 - applied - aside
    );
    assert_eq!((applied, aside), (57, 3));
}

/// How often each job but `but` was run to its end.
fn runs_but(world: &World, but: &str) -> i64 {
    world.count(&format!(
        "SELECT count(*) AS n FROM job_runs WHERE job <> '{but}' AND finished_at IS NOT NULL AND error IS NULL"
    ))
}

/// A job that panics at each of its runs, while messages are sent. On SQLite whoever writes at the same moment shares
/// its transaction, and is undone with it: a program is told to ask again, a job runs at its next look.
async fn panic_always(kind: Kind) {
    let mut world = World::on(kind).await;
    let point = points::of_commit_in("scheduler/presence.rs", "go_offline");
    world.set("FAILPOINTS", &format!("{point}=panic"));
    let mut node = world.launch_command(0, "all", points::armed(&world, 0));
    node.until_ready(&world.client).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let over = AtomicBool::new(false);
    let send_all = async {
        let mut ids = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let nth = u32::try_from(4 * ids.len()).expect("few");
            let sends = (nth..nth + 4).map(|nth| world.send(&node.url, nth));
            ids.push(futures_util::future::join_all(sends).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        ids.concat()
    };
    // Due every 10 s, and it runs again at its next time; each of the others runs at the start, one of them every 5 s.
    let watch = until("two runs that failed", Duration::from_secs(60), async || {
        let failed = world.count(
            "SELECT count(*) AS n FROM job_runs WHERE job = 'take_agents_offline' AND error IS NOT NULL",
        );
        let others = runs_but(&world, "take_agents_offline");
        over.store(2 <= failed && 10 <= others, Ordering::SeqCst);
        over.load(Ordering::SeqCst).then_some((failed, others))
    });
    let (ids, (failed, others)) = tokio::join!(send_all, watch);
    let sick = world.count(
        // Those that call the platform may fail by themselves on a busy machine.
        "SELECT count(*) AS n FROM job_runs WHERE error IS NOT NULL
         AND job NOT IN ('take_agents_offline', 'read_numbers', 'sync_templates')",
    );
    let name = format!("R14 {} panic", kind.as_str());
    println!("{name}: {failed} runs failed, {others} of other jobs did not, {sick} did");
    until_settled(&world, Duration::from_secs(60)).await;
    let mut tally = judge(&world, &ids).await;
    tally.recovered = usize::try_from(failed).expect("few");
    tally.must_be_clean(&name);
    if kind == Kind::Postgres {
        assert_eq!(sick, 0, "of {others} other runs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_job_that_always_panics_is_told_and_costs_the_others_nothing_on_sqlite() {
    panic_always(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_job_that_always_panics_is_told_and_costs_the_others_nothing_on_postgres() {
    panic_always(Kind::Postgres).await;
}

#[derive(QueryableByName)]
struct Took {
    #[diesel(sql_type = BigInt)]
    started_at: i64,
    #[diesel(sql_type = BigInt)]
    finished_at: i64,
}

/// A job of which each batch takes 3 s has more to do than its 20 s allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_job_over_its_time_leaves_the_rest_and_holds_up_no_other() {
    let mut world = World::on(Kind::Postgres).await;
    let point = points::of_last_commit_in("scheduler/tidy.rs", "tidy");
    world.set("FAILPOINTS", &format!("{point}=sleep(3000)"));
    let mut node = world.launch_command(0, "all", points::armed(&world, 0));
    node.until_ready(&world.client).await;
    let done = until("a long run", Duration::from_secs(90), async || {
        let query = "SELECT started_at, finished_at FROM job_runs
            WHERE job = 'tidy' AND finished_at - started_at > 5000 AND error IS NULL";
        let runs: Vec<Took> =
            world.store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("runs");
        runs.into_iter().next()
    })
    .await;
    let took = Duration::from_millis((done.finished_at - done.started_at).unsigned_abs());
    // A batch that was begun in time is ended.
    assert!(Duration::from_secs(20) <= took && took <= seconds(40, 24), "{took:?}");
    let others = world.count(&format!(
        "SELECT count(*) AS n FROM job_runs WHERE job = 'settle_ambiguous_sends' AND error IS NULL
         AND {} <= started_at AND started_at <= {}",
        done.started_at, done.finished_at
    ));
    let due = i64::try_from(took.as_secs() / 5).expect("few");
    println!("R14 budget ok={others} lost=0 duplicated=0 recovered=1 (left off after {took:?})");
    let least = due - i64::try_from(rounds(2, 1)).expect("few");
    assert!(least <= others, "{others} runs of another job, of {due} that were due");
    let id = world.send(&node.url, 1).await;
    until_settled(&world, Duration::from_secs(60)).await;
    assert_eq!(judge(&world, &[id]).await.ok, 1);
}
