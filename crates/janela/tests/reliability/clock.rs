//! JO-05: the wall clock of a process is set by an hour, ahead and back, while the monotonic one goes on.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    judge::{judge, until_applied, until_settled},
    world::{Kind, Node, World, tail_of, until},
};

/// A second at most passes between a change of the file and the readings of the clock.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// The library that stands between a process and its clock.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("/usr/lib").filter_map(Result::ok);
    let mut found = folders.map(|it| it.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.is_file()).expect("libfaketime is installed")
}

/// A desk whose processes read the clock that a file says.
struct Moved {
    world: World,
    file: PathBuf,
}

impl Moved {
    async fn on(kind: Kind) -> Self {
        let mut world = World::on(kind).await;
        let file = world.folder().join("clock");
        for (name, value) in [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ] {
            world.set(name, &value);
        }
        let moved = Self { world, file };
        moved.set_to("+0");
        moved
    }

    /// Sets it off from the machine's clock.
    fn set_to(&self, offset: &str) {
        fs::write(&self.file, offset).expect("a file");
    }

    async fn until_trusted(&self, node: &Node, is_trusted: bool) {
        until("the clock is noticed", NOTICED_WITHIN, async || {
            let gauge = node.metric(&self.world.client, "janela_clock_trusted", "").await;
            ((gauge > 0.5) == is_trusted).then_some(())
        })
        .await;
    }

    fn confirm(&self) {
        let mut command = self.world.command(0, &["clock", "confirm"]);
        let status = command.stderr(Stdio::null()).status().expect("it runs");
        assert!(status.success(), "{status}");
    }

    /// Asks for a send that waits to be tried again, and waits until it does.
    async fn send_to_wait(&self, node: &Node, nth: u32) -> i64 {
        let busy = json!({ "kind": "error", "status": 429, "code": 130_429, "retry_after": 5 });
        self.world.platform.order("/faults", busy).await;
        let id = self.world.send(&node.url, nth).await;
        until("the first try", Duration::from_secs(30), async || {
            let tried = self.world.count(&format!(
                "SELECT count(*) AS n FROM attempts WHERE message_id = {id} AND outcome IS NOT NULL"
            ));
            (tried == 1).then_some(())
        })
        .await;
        id
    }
}

async fn survive_jumps(kind: Kind) {
    let moved = Moved::on(kind).await;
    let world = &moved.world;
    let node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let mut ids = vec![world.send(&node.url, 0).await];
    until_settled(world, Duration::from_secs(60)).await;
    moved.until_trusted(&node, true).await;

    for (nth, (offset, hours)) in (1..).zip([("+3600", 1), ("+0", -1)]) {
        if hours > 0 {
            ids.push(moved.send_to_wait(&node, 10 * nth).await);
        }
        moved.set_to(offset);
        moved.until_trusted(&node, false).await;
        let said = tail_of(&world.log_of(0));
        assert!(said.contains("the wall clock jumped by"), "{said}");
        // What comes in is kept and applied; nothing is admitted, and nothing goes out.
        let text = world.platform.text("5511955550012", &format!("wamid.jump.{nth}"), "Olá");
        let kept = world.platform.post(0, &world.webhook_at(&node.url), text).await;
        assert_eq!(kept, Some(StatusCode::OK));
        let (key, order) = (format!("jump-{nth}"), world.order(0, 10 * nth + 1));
        let refused = world.ask(&node.url, world.first_token(), &key, &order).await;
        let refused = refused.expect("an answer");
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
        assert_eq!(refused.body["code"], "clock_jumped");
        let before = world.platform.ledger().await.len();
        tokio::time::sleep(Duration::from_secs(7)).await;
        let after = world.platform.ledger().await.len();
        assert_eq!(after, before, "{hours} h: nothing is sent while the clock is in doubt");
        moved.confirm();
        moved.until_trusted(&node, true).await;
        let taken = world.ask(&node.url, world.first_token(), &key, &order).await;
        let taken = taken.expect("an answer");
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.body);
        let id = taken.body["id"].as_str().and_then(|id| id.parse().ok());
        ids.push(id.expect("an id"));
        until("what was taken after it is sent", Duration::from_secs(60), async || {
            (before < world.platform.ledger().await.len()).then_some(())
        })
        .await;
        until_settled(world, Duration::from_secs(60)).await;
    }
    until_applied(world, Duration::from_secs(60)).await;
    let mut tally = judge(world, &ids).await;
    tally.recovered = 2;
    tally.must_be_clean(&format!("JO-05 {}", kind.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jo_05_a_clock_set_by_an_hour_pauses_sends_until_it_is_confirmed_on_sqlite() {
    survive_jumps(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jo_05_a_clock_set_by_an_hour_pauses_sends_until_it_is_confirmed_on_postgres() {
    survive_jumps(Kind::Postgres).await;
}
