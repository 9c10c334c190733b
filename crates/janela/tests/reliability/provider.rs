//! R3: the platform misbehaves in every way of the matrix, and each ends where the documentation says.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Nullable, Text},
};
use persistence::test_support::rounds;
use serde_json::{Value, json};

use crate::{
    judge::{Tally, count_duplicates, until_settled},
    world::{Kind, World, free_address, phone, until},
};

/// Where a cell of the matrix ends.
#[derive(Debug, Clone, Copy)]
enum Ends {
    /// The outcome is unknown, and a receipt settles it: it was taken.
    SettledByReceipt,
    /// The outcome stays unknown, and is called so.
    CalledUnknown,
    /// It ends with this code, and is not tried again.
    Failed(&'static str),
    /// It is tried again, this much later at least, and arrives.
    Retried { not_before: Duration },
    /// It waits until whoever looks after the number lets it go on.
    Held,
}

/// What is asked of the sandbox before a send, and where that send ends.
struct Cell {
    name: &'static str,
    fault: Value,
    ends: Ends,
}

fn cell(name: &'static str, fault: Value, ends: Ends) -> Cell {
    Cell { name, fault, ends }
}

fn error(status: u16, code: Option<u32>, retry_after: Option<u32>) -> Value {
    let mut fault = json!({ "kind": "error", "status": status });
    for (name, value) in [("code", code), ("retry_after", retry_after)] {
        if let Some(value) = value {
            fault[name] = json!(value);
        }
    }
    fault
}

/// What is never tried again: one call for each, over the first number.
fn tried_once() -> Vec<Cell> {
    use Ends::{CalledUnknown, Failed, SettledByReceipt};
    let delay = |when: &str| json!({ "kind": "delay", "ms": 6_000, "when": when });
    vec![
        cell("500", error(500, None, None), CalledUnknown),
        cell("502", error(502, None, None), CalledUnknown),
        cell("503", error(503, None, None), CalledUnknown),
        cell("reset before the body", json!({ "kind": "reset_before" }), CalledUnknown),
        cell("reset after it was taken", json!({ "kind": "reset_after" }), SettledByReceipt),
        cell("reset amid the answer", json!({ "kind": "reset_during" }), SettledByReceipt),
        cell("reset behind the answer", json!({ "kind": "reset_end" }), SettledByReceipt),
        // The stand-in goes on with what it was asked, as a platform does: it takes the message after we gave up.
        cell("no answer before it was taken", delay("before"), SettledByReceipt),
        cell("no answer after it was taken", delay("after"), SettledByReceipt),
        cell("a byte a second", json!({ "kind": "slow" }), SettledByReceipt),
        cell("an answer cut off", json!({ "kind": "broken_json" }), SettledByReceipt),
        cell("an answer of 50 MB", json!({ "kind": "huge" }), SettledByReceipt),
        cell("302 to another host", json!({ "kind": "redirect" }), CalledUnknown),
        cell("200 with an error", error(200, Some(131_026), None), Failed("131026")),
        cell("131049", error(400, Some(131_049), None), Failed("131049")),
        cell(
            "held, and then dropped",
            json!({ "kind": "held", "ms": 2_000, "code": 132_015 }),
            Failed("132015"),
        ),
    ]
}

/// What is tried again: one after the other, over the third number.
fn tried_again() -> Vec<Cell> {
    let retried = |seconds| Ends::Retried { not_before: Duration::from_secs(seconds) };
    vec![
        cell("429 with Retry-After", error(429, None, Some(4)), retried(4)),
        cell("429 without", error(429, None, None), retried(1)),
        cell("130429", error(429, Some(130_429), None), retried(1)),
        cell("131056", error(400, Some(131_056), None), retried(1)),
        cell("131000 with 500", error(500, Some(131_000), None), retried(1)),
    ]
}

#[derive(Debug, QueryableByName)]
struct Stands {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    outbox: Option<String>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    /// From the end of the first attempt to the start of the second.
    #[diesel(sql_type = Nullable<BigInt>)]
    waited: Option<i64>,
    /// How long the longest attempt took.
    #[diesel(sql_type = Nullable<BigInt>)]
    longest: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    first: Option<String>,
}

fn look(world: &World, id: i64) -> Stands {
    let query = format!(
        "SELECT a.state AS state, m.failure_code AS code, o.state AS outbox,
            (SELECT count(*) FROM attempts t WHERE t.message_id = m.id) AS attempts,
            (SELECT CAST(min(t.started_at) - (SELECT min(f.finished_at) FROM attempts f WHERE f.message_id = m.id)
                AS bigint) FROM attempts t WHERE t.message_id = m.id
                AND t.fence > (SELECT min(f.fence) FROM attempts f WHERE f.message_id = m.id)) AS waited,
            (SELECT CAST(max(t.finished_at - t.started_at) AS bigint) FROM attempts t WHERE t.message_id = m.id) AS longest,
            (SELECT t.outcome FROM attempts t WHERE t.message_id = m.id ORDER BY t.fence LIMIT 1) AS first
         FROM messages m JOIN active_messages a ON a.message_id = m.id LEFT JOIN outbox o ON o.message_id = m.id
         WHERE m.id = {id}"
    );
    world
        .store
        .blocking_read(|db| Ok(diesel::sql_query(&query).get_result(db)?))
        .expect("a message")
}

fn number_of(world: &World, channel: usize) -> &str {
    world.platform.word(channel, "phone_number_id")
}

/// Asks for the fault, sends, and waits until it hit.
async fn send_into(world: &World, url: &str, channel: usize, cell: &Cell, nth: u32) -> i64 {
    let mut fault = cell.fault.clone();
    fault["number"] = json!(number_of(world, channel));
    world.platform.order("/faults", fault).await;
    let id = world.send_over(channel, url, nth).await;
    until(cell.name, Duration::from_secs(60), async || {
        let left = world.platform.look("/faults").await;
        left.as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;
    id
}

fn check(cell: &Cell, stands: &Stands) {
    let Cell { name, ends, .. } = cell;
    let Stands { state, code, outbox, attempts, waited, longest, first } = stands;
    let (code, first) = (code.as_deref(), first.as_deref());
    let took = Duration::from_millis(longest.unwrap_or_default().unsigned_abs());
    assert!(took <= Duration::from_secs(30), "{name}: a worker was held for {took:?}");
    match ends {
        Ends::SettledByReceipt => {
            assert!(["sent", "delivered", "read"].contains(&state.as_str()), "{name}: {stands:?}");
            assert_eq!((first, *attempts), (Some("unknown"), 1), "{name}: {stands:?}");
        }
        Ends::CalledUnknown => {
            assert_eq!(
                (state.as_str(), code),
                ("failed", Some("outcome_unknown")),
                "{name}: {stands:?}"
            );
            assert_eq!(*attempts, 1, "{name}: {stands:?}");
        }
        Ends::Failed(expected) => {
            assert_eq!((state.as_str(), code), ("failed", Some(*expected)), "{name}: {stands:?}");
            assert_eq!(*attempts, 1, "{name}: {stands:?}");
        }
        Ends::Retried { not_before } => {
            assert!(["sent", "delivered", "read"].contains(&state.as_str()), "{name}: {stands:?}");
            let waited = Duration::from_millis(waited.unwrap_or_default().unsigned_abs());
            assert!(*attempts == 2 && *not_before <= waited, "{name}: {stands:?}");
        }
        Ends::Held => {
            assert_eq!(
                (state.as_str(), outbox.as_deref()),
                ("sending", Some("held")),
                "{name}: {stands:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_every_misbehaviour_of_the_platform_lands_in_its_class() {
    let mut world = World::on(Kind::Sqlite).await;
    let (closed, expired) = (free_address(), ExpiredServer::start());
    let allow = format!("{},{closed},{}", world.platform.host_and_port(), expired.host_and_port());
    world.set("JANELA_OUTGOING_ALLOW", &allow);
    let node = world.serve(0).await;
    for channel in [0, 2] {
        let webhook = format!("{}/webhooks/whatsapp/{}", node.url, world.channels[channel]);
        world.platform.subscribe(channel, &webhook).await;
    }
    let before = node.resident_mebibytes();
    let mut sent = Vec::new();
    for (nth, cell) in (0..).zip(tried_once()) {
        sent.push((send_into(&world, &node.url, 0, &cell, nth).await, cell));
    }
    for (nth, cell) in (100..).zip(tried_again()) {
        let id = send_into(&world, &node.url, 2, &cell, nth).await;
        until(cell.name, Duration::from_secs(60), async || {
            look(&world, id).outbox.is_none().then_some(())
        })
        .await;
        sent.push((id, cell));
    }
    // Nothing left this machine: it is tried again, and arrives once the way is free.
    let ways = [
        ("connection refused", format!("http://{closed}")),
        ("an expired certificate", format!("https://{}", expired.host_and_port())),
    ];
    for (nth, (name, way)) in (200..).zip(ways) {
        let own = format!("{}/v25.0", world.platform.url());
        let go_by = |way: &str| {
            world.run(&format!(
                "UPDATE channels SET api_base_url = '{way}' WHERE id = {}",
                world.channels[2]
            ));
        };
        go_by(&way);
        let id = world.send_over(2, &node.url, nth).await;
        until(name, Duration::from_secs(60), async || {
            (look(&world, id).first.as_deref() == Some("not_sent")).then_some(())
        })
        .await;
        go_by(&own);
        until(name, Duration::from_secs(60), async || {
            look(&world, id).outbox.is_none().then_some(())
        })
        .await;
        let stands = look(&world, id);
        assert!(
            ["sent", "delivered", "read"].contains(&stands.state.as_str()),
            "{name}: {stands:?}"
        );
    }
    // What stops more than one message comes last: the number's templates, and the template.
    let number = cell("131048", error(400, Some(131_048), None), Ends::Held);
    let held = send_into(&world, &node.url, 2, &number, 301).await;
    until("131048", Duration::from_secs(60), async || {
        (look(&world, held).outbox.as_deref() == Some("held")).then_some(())
    })
    .await;
    check(&number, &look(&world, held));
    let template = cell("132015", error(400, Some(132_015), None), Ends::Failed("132015"));
    sent.push((send_into(&world, &node.url, 3, &template, 300).await, template));
    let grown = node.resident_mebibytes() - before;
    assert!(grown <= 60.0, "an answer of 50 MB is not read: {grown} MiB more");
    world.run("UPDATE numbers SET paused_until = NULL");
    world.run(&format!("DELETE FROM outbox WHERE message_id = {held}"));
    until_settled(&world, Duration::from_secs(60)).await;
    let mut tally = Tally::default();
    for (id, cell) in &sent {
        check(cell, &look(&world, *id));
        tally.ok += 1;
        tally.recovered +=
            usize::from(matches!(cell.ends, Ends::SettledByReceipt | Ends::Retried { .. }));
    }
    let calls = world.platform.look("/calls").await.to_string();
    assert!(!calls.contains("/redirected"), "no redirect is followed");
    let ledger = world.platform.ledger().await;
    tally.duplicated = count_duplicates(&ledger);
    let paused = world.ask(&node.url, world.token(), "paused", &world.order(3, 400)).await;
    assert_eq!(paused.expect("an answer").status, 409, "the template is paused");
    tally.must_be_clean("R3 sqlite");
}

/// One number's calls hang; the other number sends as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_a_number_whose_calls_hang_costs_the_others_nothing() {
    let sends = u32::try_from(rounds(60, 600)).expect("few");
    let world = World::on(Kind::Sqlite).await;
    let node = world.serve(0).await;
    let arrived = async |from: u32| {
        let numbers: BTreeMap<String, ()> =
            (from..from + sends).map(|nth| (phone(nth)[1..].to_owned(), ())).collect();
        world.platform.ledger().await.iter().filter(|entry| numbers.contains_key(&entry.to)).count()
    };
    // How long it takes for as many to arrive as are sent at 20 a second.
    let send_all = async |from: u32| {
        let begun = Instant::now();
        for nth in from..from + sends {
            let due = begun + Duration::from_millis(50) * (nth - from);
            tokio::time::sleep_until(due.into()).await;
            world.send_over(1, &node.url, nth).await;
        }
        let enough = sends as usize * 95 / 100;
        until("95 of 100", Duration::from_secs(60), async || {
            (enough <= arrived(from).await).then_some(())
        })
        .await;
        begun.elapsed()
    };
    let calm = send_all(10_000).await;
    let hang =
        json!({ "kind": "delay", "ms": 3_500, "count": 10_000, "number": number_of(&world, 0) });
    world.platform.order("/faults", hang).await;
    for nth in 0..100 {
        world.send_over(0, &node.url, nth).await;
    }
    let beside = send_all(20_000).await;
    println!(
        "R3 sqlite healthy: {sends} sends took {calm:?} alone and {beside:?} beside a number whose calls hang"
    );
    Tally { ok: 2 * sends as usize, ..Tally::default() }.print("R3 sqlite healthy");
    assert!(
        // A number that took the others' places would cost them 20 s.
        beside <= calm * 100 / 95 + Duration::from_millis(rounds(6_000, 500) as u64),
        "{beside:?} instead of {calm:?}"
    );
}

/// A server of TLS whose certificate ended long ago; killed when dropped.
struct ExpiredServer(Child, u16, tempfile::TempDir);

impl ExpiredServer {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\n\
                        default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n";
        for (name, text) in [("ca.cnf", settings), ("index.txt", ""), ("serial", "01\n")] {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let openssl = |arguments: &str| {
            let mut openssl = Command::new("openssl");
            openssl.args(arguments.split(' ')).current_dir(folder.path());
            openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            openssl
        };
        for step in [
            "req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
            "ca -batch -selfsign -config ca.cnf -keyfile key.pem -in request.pem -out cert.pem \
             -startdate 20200101000000Z -enddate 20200102000000Z",
        ] {
            assert!(openssl(step).status().expect("openssl runs").success(), "{step}");
        }
        let port = free_address().port();
        let serve = format!("s_server -quiet -accept {port} -key key.pem -cert cert.pem -www");
        let process = openssl(&serve).spawn().expect("openssl runs");
        Self(process, port, folder)
    }

    fn host_and_port(&self) -> String {
        format!("localhost:{}", self.1)
    }
}

impl Drop for ExpiredServer {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
        assert!(self.2.path().exists(), "its folder outlives it");
    }
}
