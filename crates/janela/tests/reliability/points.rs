//! R2: the fault points there are, by the places in the source that commit or call.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fault::{Moment, name};

use crate::world::World;

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
        // What makes the demo's past is no part of the desk.
        let is_test = ["tests", "tests.rs", "test_desk", "test_support", "demo"]
            .contains(&name.as_str())
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

/// Whether a line hands work to one of the writes: not a lock, a file or a method of its own that is called so.
fn writes(code: &str) -> bool {
    let by_name = [".write(", ".blocking_write(", ".hasty_write("];
    let other = [".write(true)", ".write()", "fn "];
    by_name.iter().any(|call| code.contains(call)) && !other.iter().any(|it| code.contains(it))
}

/// Every place that commits (by [`persistence::store::Store::write`] or [`persistence::db::Db::write`]) or calls the outside.
pub fn list_places() -> Vec<Place> {
    let (top, mut files, mut places) = (top(), Vec::new(), Vec::new());
    for name in ["persistence", "scheduler", "channels", "web", "janela"] {
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
            let commits = writes(code);
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

/// The names of the points of all places.
pub fn list_points() -> Vec<String> {
    let names = |place: Place| {
        let moments = match place.calls {
            true => [Moment::BeforeCall, Moment::AfterCall],
            false => [Moment::BeforeCommit, Moment::AfterCommit],
        };
        moments.map(|moment| name(moment, &place.file, place.line))
    };
    list_places().into_iter().flat_map(names).collect()
}

/// The point before the first commit of `function` in `file`, named as points are.
pub fn of_commit_in(file: &str, function: &str) -> String {
    let file = format!("crates/{}", file.replacen('/', "/src/", 1));
    let places = list_places();
    let found = places.iter().find(|place| place.file == file && place.function == function);
    let place = found.unwrap_or_else(|| panic!("no commit in {function} of {file}"));
    name(Moment::BeforeCommit, &place.file, place.line)
}

/// The point before the last commit of `function` in `file`.
pub fn of_last_commit_in(file: &str, function: &str) -> String {
    let file = format!("crates/{}", file.replacen('/', "/src/", 1));
    let places = list_places();
    let found = places.iter().rfind(|place| place.file == file && place.function == function);
    let place = found.unwrap_or_else(|| panic!("no commit in {function} of {file}"));
    name(Moment::BeforeCommit, &place.file, place.line)
}

/// The `nth` process as it was built with fault points, whatever binary is tested otherwise: the one that
/// `JANELA_TEST_ARMED_BINARY` names, else the one that was built with this test.
pub fn armed(world: &World, nth: usize) -> Command {
    armed_command(world, nth, &["serve"])
}

/// [`armed`] for any command of the `nth` process.
pub fn armed_command(world: &World, nth: usize, arguments: &[&str]) -> Command {
    let plain = world.command(nth, arguments);
    let own = || env!("CARGO_BIN_EXE_janela").into();
    let program = std::env::var_os("JANELA_TEST_ARMED_BINARY").unwrap_or_else(own);
    let mut command = Command::new(program);
    command.args(plain.get_args()).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null());
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
