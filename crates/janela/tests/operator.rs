//! What an operator types, at the built binary: what it answers, and what it leaves on the disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use chrono::TimeDelta;
use common::{janela, janela_at};
use domain::{clock::Clock, presence::Presence};
use persistence::{
    live::LiveEvent,
    test_desk::{TestDesk, inbound},
    test_support::{TestStore, on_both},
    workspace::{self, Workspace},
};

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// `janela` at a folder of its own, of which nothing is there yet.
fn janela_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = janela(arguments);
    command.env("JANELA_DATA_DIR", folder);
    command
}

/// Whether open pages are told within a few seconds to read everything anew.
fn pages_are_told(heard: &mut tokio::sync::broadcast::Receiver<LiveEvent>) -> bool {
    (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        heard.try_recv().is_ok()
    })
}

#[test]
fn ro_02_an_absence_says_how_many_tickets_left_and_tells_open_pages() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        let customers = ["351912345678", "351912345679"];
        for digits in customers {
            let sent = desk.send(ana, &format!("+{digits}"));
            desk.deliver_to_platform(sent, &format!("wamid.{digits}"));
        }
        desk.set_presence(ana, Presence::Invisible);
        desk.set_presence(rui, Presence::Invisible);
        desk.clock.advance(TimeDelta::minutes(1));
        for digits in customers {
            let at = desk.clock.now();
            desk.apply(vec![inbound(&format!("wamid.from.{digits}"), digits, "Sim", at)]);
        }
        store.listen().unwrap();
        let mut heard = store.live().subscribe();
        let listed = said(&janela_at(store, &["user", "list", "--json"]).output().unwrap());
        let users: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        let id = ana.to_string();
        let found = users.iter().find(|user| user["id"].as_str() == Some(&id)).unwrap();
        let email = found["email"].as_str().unwrap();
        let line_of_ana = || {
            let listed = said(&janela_at(store, &["user", "list"]).output().unwrap());
            listed.lines().find(|line| line.contains(email)).unwrap().to_owned()
        };
        let line = line_of_ana();
        assert!(line.contains(" present ") && line.contains(" agent "), "{line}");

        let absent = janela_at(store, &["user", "absent", email]).output().unwrap();
        assert!(absent.status.success(), "{}", said(&absent));
        assert!(said(&absent).contains("tickets left to others: 2"), "{}", said(&absent));
        assert!(pages_are_told(&mut heard), "of the absence");
        assert!(line_of_ana().contains(" absent "), "{}", line_of_ana());
        while heard.try_recv().is_ok() {}
        let present = janela_at(store, &["user", "present", email]).output().unwrap();
        assert!(present.status.success(), "{}", said(&present));
        if store.is_sqlite() {
            assert!(pages_are_told(&mut heard), "of the presence");
        }
        assert!(line_of_ana().contains(" present "), "{}", line_of_ana());
    });
}

#[test]
fn wrong_usage_is_exit_status_2_and_says_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let add = ["user", "add", "--email", "a@desk.example"];
    let cases: [(&[&str], &str); 4] = [
        (&[&add[..], &["--name", "Ana", "--role", "boss"]].concat(), "agent, manager, admin"),
        (&[&add[..], &["--name", "  "]].concat(), "something other than spaces"),
        (&["sandbox", "--webhook", "notaurl"], "http://"),
        (&["sandbox", "--webhook", "ftp://desk.example/"], "http://"),
    ];
    for (arguments, told) in cases {
        let ran = janela_in(&data, arguments).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {}", said(&ran));
        assert!(said(&ran).contains(told), "{arguments:?}: {}", said(&ran));
    }
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_setting_of_no_use_is_named_and_no_source_file_is() {
    let cases = [
        ("JANELA_BIND", "foo", "an IP address with a port"),
        ("JANELA_ROLE", "x", "worker"),
        ("JANELA_LOG", "[", "janela=debug,info"),
    ];
    for (variable, value, told) in cases {
        let ran = janela(&["config", "check"]).env(variable, value).output().unwrap();
        let said = said(&ran);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains(variable) && said.contains(told), "{said}");
        assert!(!said.contains(".rs"), "{said}");
    }
}

#[test]
fn looking_for_users_makes_neither_folder_nor_database_nor_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for command in ["list", "absent", "present", "disable", "enable", "password"] {
        let whom = (command != "list").then_some("a@desk.example");
        let ran = janela_in(&data, &["user", command]).args(whom).output().unwrap();
        assert_eq!(ran.status.code(), Some(1), "{command}: {}", said(&ran));
        assert!(said(&ran).contains("janela migrate"), "what to do: {}", said(&ran));
        assert!(!data.exists(), "{command} made something");
    }
}

#[test]
fn users_of_a_database_without_tables_are_not_listed_and_none_are_made() {
    let store = TestStore::empty_sqlite();
    let ran = janela_at(&store, &["user", "list"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert!(said(&ran).contains("these migrations have not run"), "{}", said(&ran));
    assert!(!store.blocking_read(persistence::migrate::list_pending).unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn what_customers_wrote_is_for_the_owner_of_the_files_alone() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("above").join("data");
    let mut shell = Command::new("sh");
    let line = "umask 022 && exec \"$0\" serve --role worker --data-dir \"$1\"";
    shell.args(["-c", line]).arg(env!("CARGO_BIN_EXE_janela")).arg(&data);
    shell.env("JANELA_LOG", "off").stdout(Stdio::null());
    let mut serving = shell.spawn().unwrap();
    let files = ["janela.db", "janela.db-wal", "janela.db-shm", "secret.key"];
    let are_there = || files.iter().all(|file| data.join(file).exists());
    let made = (0..1_200).any(|_| {
        thread::sleep(Duration::from_millis(50));
        are_there()
    });
    let modes = made.then(|| files.map(|file| mode(&data.join(file))));
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(modes, Some([0o600; 4]));
    assert_eq!(mode(&data), 0o700);
}

#[test]
fn a_second_demo_in_the_same_folder_is_refused_and_a_killed_one_frees_it() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || {
        let any = "127.0.0.1:0";
        let mut command =
            janela_in(folder.path(), &["demo", "--json", "--bind", any, "--sandbox-bind", any]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let start = || {
        let mut first = demo().spawn().unwrap();
        let mut line = String::new();
        BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "it serves: {line}");
        first
    };
    let mut first = start();
    let second = demo().output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    assert!(said(&second).contains("a demo runs in"), "{}", said(&second));
    assert!(said(&second).contains("--data-dir"), "{}", said(&second));
    first.kill().unwrap();
    first.wait().unwrap();
    let mut again = start();
    again.kill().unwrap();
    again.wait().unwrap();
}

#[test]
fn jo_05_an_operator_confirms_the_clock_of_whoever_serves() {
    on_both(|store| {
        let confirm = || janela_at(store, &["clock", "confirm"]).output().unwrap();
        let too_soon = confirm();
        assert!(!too_soon.status.success());
        assert!(said(&too_soon).contains("nothing has served this database yet"));
        let new = Workspace { name: "J".into(), time_zone: "UTC".into(), language: "en".into() };
        let at = chrono::DateTime::UNIX_EPOCH;
        store.blocking_write(|db| workspace::find_or_create(db, &new, at)).unwrap();
        for times in 1..=2 {
            assert!(said(&confirm()).starts_with("confirmed: "));
            let counted = store.blocking_read(workspace::count_clock_confirmations).unwrap();
            assert_eq!(counted, times);
        }
    });
}
