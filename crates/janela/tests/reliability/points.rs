//! R2: the process ends at every fault point, one after the other, and nothing is lost and nothing comes twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use fault::{Moment, SEEN, name};
use persistence::test_support::rounds;
use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    judge::{judge, list_inbound, until_applied, until_settled},
    world::{Kind, World},
};

/// The signal of `abort`.
const SIGABRT: i32 = 6;

/// A place in the source that commits or calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From the top of the repository.
    pub file: String,
    pub line: u32,
    /// The function it stands in.
    pub function: String,
    pub calls: bool,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The source files of `folder`, tests left out.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let is_test = ["tests", "tests.rs", "test_desk", "test_support"].contains(&name.as_str())
            || ["test_", "given", "_tests"].iter().any(|part| name.contains(part));
        match () {
            () if is_test => {}
            () if path.is_dir() => sources(&path, found),
            () if name.ends_with(".rs") => found.push(path),
            () => {}
        }
    }
}

/// The lines of a source file that are no test, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..)
        .zip(text.lines())
        .take_while(|(_, line)| *line != "#[cfg(test)]" || !text.contains("mod tests {"))
}

/// Whether a line hands a function by name to a write, such as `.write(rows::save)`.
fn has_path_argument(code: &str) -> bool {
    let argument = code.split_once(".write(").map(|(_, rest)| rest);
    argument.is_some_and(|rest| rest.split(')').next().is_some_and(|it| it.contains("::")))
}

/// Every place that commits (by [`persistence::store::Store::write`] or [`persistence::db::Db::write`]) or calls the outside.
pub fn list_places() -> Vec<Place> {
    let (top, mut files, mut places) = (top(), Vec::new(), Vec::new());
    for name in ["persistence", "scheduler", "channels", "web"] {
        sources(&top.join("crates").join(name).join("src"), &mut files);
    }
    for path in files {
        let file = path.strip_prefix(&top).expect("below").to_str().expect("UTF-8").to_owned();
        let text = fs::read_to_string(&path).expect("a source file");
        let mut function = String::new();
        for (line, code) in lines(&text) {
            if let Some((_, rest)) = code.split_once("fn ") {
                function =
                    rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
            }
            let is_comment = code.trim_start().starts_with("//");
            let writes =
                [".write(|", ".write(move |", ".write(work", "db.write(", ".blocking_write("];
            let writes = writes.iter().any(|call| code.contains(call))
                || code.trim_end().ends_with(".write(")
                || has_path_argument(code);
            let commits = writes && !code.contains("fn ");
            let calls = file.contains("channels/")
                && ["exchange(", "http::send(", " send(request)"]
                    .iter()
                    .any(|call| code.contains(call))
                && !code.contains("fn ");
            if !is_comment && (commits || calls) {
                let function = function.clone();
                places.push(Place { file: file.clone(), line, function, calls });
            }
        }
    }
    places.sort();
    places
}

/// The point before the first commit of `function` in `file`, named as points are.
pub fn of_commit_in(file: &str, function: &str) -> String {
    let file = format!("crates/{}", file.replacen('/', "/src/", 1));
    let places = list_places();
    let found = places.iter().find(|place| place.file == file && place.function == function);
    let place = found.unwrap_or_else(|| panic!("no commit in {function} of {file}"));
    name(Moment::BeforeCommit, &place.file, place.line)
}

/// The `nth` process as it was built with fault points, whatever binary is tested otherwise.
pub fn armed(world: &World, nth: usize) -> Command {
    let plain = world.command(nth, &["serve"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_janela"));
    command.args(plain.get_args()).env_clear();
    for (name, value) in std::env::vars_os() {
        if !name.to_string_lossy().starts_with("JANELA_") {
            command.env(name, value);
        }
    }
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

#[test]
fn r2_every_commit_and_every_call_has_its_points() {
    let places = list_places();
    let of = |calls: bool| places.iter().filter(|place| place.calls == calls).count();
    assert!(of(false) >= 60 && of(true) >= 3, "{} commits, {} calls", of(false), of(true));
    // Whatever commits does it where the points are, and whatever calls goes by the one place that calls.
    let allowed = BTreeMap::from([
        ("begin_transaction", vec!["persistence/src/db.rs"]),
        ("commit_transaction", vec!["persistence/src/db.rs"]),
        (".transaction(", vec![]),
        ("\"COMMIT", vec![]),
        (".commit()", vec!["persistence/src/db.rs", "persistence/src/store/group_commit.rs"]),
        (".send().await", vec!["channels/src/http.rs", "janela/src/command/healthcheck.rs"]),
        ("Client::builder()", vec!["channels/src/http.rs", "janela/src/command/healthcheck.rs"]),
    ]);
    let (top, mut files) = (top(), Vec::new());
    for name in ["domain", "persistence", "scheduler", "channels", "web", "janela"] {
        sources(&top.join("crates").join(name).join("src"), &mut files);
    }
    for path in files {
        let file = path.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, code) in lines(&text).filter(|(_, code)| !code.trim_start().starts_with("//")) {
            for (what, places) in &allowed {
                let slips =
                    code.contains(what) && !places.iter().any(|place| file.ends_with(place));
                assert!(!slips, "{file}:{line} has no fault point: {code}");
            }
        }
    }
}

/// What is asked of the desk beside each crash: a send, and a customer who writes. Both go on until they are taken.
struct Asked {
    sends: Vec<JoinHandle<i64>>,
    texts: Vec<JoinHandle<String>>,
}

impl Asked {
    fn ask(&mut self, world: &Arc<World>, nth: u32) {
        let (sender, writer) = (Arc::clone(world), Arc::clone(world));
        self.sends.push(tokio::spawn(async move { sender.send(&sender.url_of(0), nth).await }));
        self.texts.push(tokio::spawn(async move {
            let (id, webhook) =
                (format!("wamid.point.{nth}"), writer.webhook_at(&writer.url_of(0)));
            loop {
                let body = writer.platform.text(&format!("55116{nth:08}"), &id, "Olá");
                if writer.platform.post(0, &webhook, body).await == Some(StatusCode::OK) {
                    return id;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }));
    }
}

/// Everything that has jobs to do is to be done now, by whoever comes next.
fn hurry_jobs(world: &World) {
    world.run("UPDATE job_leases SET expires_at = 0");
    world.run("UPDATE jobs SET run_requested_at = 1");
}

/// What the sandbox does to the `nth` send.
async fn trouble_send(world: &World, nth: u32) {
    world.platform.clear_faults().await;
    let fault = match nth % 4 {
        0 => json!({ "kind": "reset_after" }),
        1 => json!({ "kind": "error", "status": 429, "code": 130_429, "retry_after": 1 }),
        2 => json!({ "kind": "delay", "ms": 200, "when": "after" }),
        _ => return,
    };
    world.platform.order("/faults", fault).await;
}

/// The points that a run without a crash comes by.
async fn list_visited(world: &Arc<World>, asked: &mut Asked) -> Vec<String> {
    let list = world.folder().join("seen");
    let mut command = armed(world, 0);
    command.env("FAILPOINTS", "nowhere=off").env(SEEN, &list);
    let mut node = world.launch_command(0, "all", command);
    node.until_ready(&world.client).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    for nth in 0..4 {
        trouble_send(world, nth).await;
        asked.ask(world, nth);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
    hurry_jobs(world);
    tokio::time::sleep(Duration::from_secs(6)).await;
    node.kill();
    let seen = fs::read_to_string(list).expect("the visited points");
    seen.lines().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Lets the process end at `point`; whether it did.
async fn crash_at(world: &Arc<World>, point: &str, nth: u32, asked: &mut Asked) -> bool {
    hurry_jobs(world);
    trouble_send(world, nth).await;
    let mut command = armed(world, 0);
    command.env("FAILPOINTS", format!("{point}=return"));
    let mut node = world.launch_command(0, "all", command);
    asked.ask(world, nth);
    let ended = node.ended(Duration::from_secs(12)).await;
    ended.is_some_and(|status| status.signal() == Some(SIGABRT))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_a_crash_at_any_point_loses_nothing_and_repeats_nothing() {
    let world = Arc::new(World::on(Kind::Sqlite).await);
    let mut asked = Asked { sends: Vec::new(), texts: Vec::new() };
    let visited = list_visited(&world, &mut asked).await;
    // The short form takes what sends, receives and records, the long one all that was visited.
    let hot = [
        "outbox/",
        "inbox/",
        "channels/",
        "scheduler/dispatch",
        "scheduler/consume",
        "admission",
        "api/",
    ];
    let is_chosen =
        |point: &&String| rounds(0, 1) == 1 || hot.iter().any(|part| point.contains(part));
    let chosen: Vec<&String> = visited.iter().filter(is_chosen).collect();
    assert!(chosen.len() >= 12, "{visited:?}");
    let (begun, mut missed) = (Instant::now(), Vec::new());
    for (nth, point) in (4..).zip(&chosen) {
        if !crash_at(&world, point, nth, &mut asked).await {
            missed.push((*point).clone());
        }
    }
    world.platform.clear_faults().await;
    let node = world.serve(0).await;
    hurry_jobs(&world);
    let mut ids = Vec::new();
    for send in asked.sends {
        ids.push(send.await.expect("a send"));
    }
    let mut texts = Vec::new();
    for text in asked.texts {
        texts.push(text.await.expect("a webhook"));
    }
    until_settled(&world, Duration::from_secs(120)).await;
    until_applied(&world, Duration::from_secs(60)).await;
    // The second pass: every command once more.
    for (nth, id) in (0..).zip(&ids) {
        assert_eq!(world.send(&node.url, nth).await, *id, "the same answer");
    }
    let webhook = world.webhook_at(&node.url);
    for (nth, id) in (0..).zip(&texts) {
        let body = world.platform.text(&format!("55116{nth:08}"), id, "Olá");
        assert_eq!(world.platform.post(0, &webhook, body).await, Some(StatusCode::OK));
    }
    for _ in 0..2 {
        hurry_jobs(&world);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    until_applied(&world, Duration::from_secs(60)).await;
    until_settled(&world, Duration::from_secs(60)).await;
    let mut tally = judge(&world, &ids).await;
    let kept = list_inbound(&world.store);
    for id in &texts {
        match kept.get(id).copied().unwrap_or_default() {
            0 => tally.lost += 1,
            1 => tally.ok += 1,
            _ => tally.duplicated += 1,
        }
    }
    tally.recovered = chosen.len() - missed.len();
    println!(
        "R2 sqlite: {} of {} points, of {} in the source, in {:?}; not come by again: {missed:?}",
        tally.recovered,
        chosen.len(),
        2 * list_places().len(),
        begun.elapsed()
    );
    tally.must_be_clean("R2 sqlite");
    assert_eq!(missed, [""; 0], "every listed point is visited");
}
