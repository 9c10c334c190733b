//! A password typed at a terminal is not shown, and a lost one is replaced.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use common::{janela, janela_at};
use domain::clock::Clock;
use persistence::{
    password,
    session::{self, SessionPolicy},
    test_desk::TestDesk,
    test_support::on_both,
    user::{self, UserStatus},
};

const WITHIN: Duration = Duration::from_secs(120);

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// `janela` at a terminal of its own, with somebody who types.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    /// Starts `line` in a shell that knows `janela`, with its data in `folder`.
    fn start(folder: &Path, line: &str) -> Self {
        let line = format!("janela() {{ {} \"$@\"; }}; tty; {line}", env!("CARGO_BIN_EXE_janela"));
        // Its environment, without settings of whoever runs the test.
        let settings = janela(&[]);
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        for (name, value) in settings.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.env("SHELL", "/bin/sh").env("JANELA_DATA_DIR", folder);
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut script = script.spawn().unwrap();
        let (keyboard, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { script, keyboard, screen, shown: String::new() }
    }

    /// Waits until `words` were shown.
    fn wait_for(&mut self, words: &str) {
        while !self.shown.contains(words) {
            let Ok(bytes) = self.screen.recv_timeout(WITHIN) else {
                panic!("no {words:?} in {:?}", self.shown)
            };
            self.shown.push_str(&String::from_utf8(bytes).unwrap());
        }
    }

    /// Types `keys` once the terminal shows none of them.
    fn type_unseen(&mut self, keys: &str) {
        let device = self.shown.lines().next().unwrap().trim().to_owned();
        let deadline = Instant::now() + WITHIN;
        loop {
            let modes = Command::new("stty").args(["-a", "-F", &device]).output().unwrap();
            let modes = String::from_utf8(modes.stdout).unwrap();
            if modes.split_whitespace().any(|mode| mode == "-echo") {
                break;
            }
            assert!(Instant::now() < deadline, "what is typed would be seen: {modes}");
            thread::sleep(Duration::from_millis(10));
        }
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What was shown to the end, and the exit status.
    fn end(mut self) -> (String, Option<i32>) {
        while let Ok(bytes) = self.screen.recv_timeout(WITHIN) {
            self.shown.push_str(&String::from_utf8(bytes).unwrap());
        }
        (self.shown, self.script.wait().unwrap().code())
    }
}

const ADD: &str = "janela user add --email helena@desk.example --name Helena --role admin";

#[test]
fn a_password_typed_at_a_terminal_is_not_shown_and_asked_for_twice() {
    let folder = tempfile::tempdir().unwrap();
    let type_both = |first: &str, second: &str| {
        let mut terminal = Terminal::start(folder.path(), ADD);
        terminal.wait_for("Password for helena@desk.example: ");
        terminal.type_unseen(first);
        terminal.wait_for("The same again: ");
        terminal.type_unseen(second);
        terminal.end()
    };
    let (shown, status) = type_both("a long enough secret\r", "a long enough secert\r");
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("the two passwords are not the same"), "{shown}");
    assert!(!shown.contains("enough"), "{shown}");
    assert!(!folder.path().join("janela.db").exists(), "nothing was made");

    let (shown, status) = type_both("a long enough secret\r", "a long enough secret\r");
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("added helena@desk.example as admin"), "{shown}");
    assert!(!shown.contains("enough"), "{shown}");
}

#[test]
fn whoever_gives_up_at_the_password_sees_again_what_they_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), &format!("{ADD}; stty -a"));
    terminal.wait_for("Password for helena@desk.example: ");
    terminal.type_unseen("a long\u{3}");
    let (shown, _) = terminal.end();
    assert!(shown.contains("no password was typed"), "{shown}");
    assert!(shown.split_whitespace().any(|mode| mode == "echo"), "{shown}");
    assert!(!folder.path().join("janela.db").exists(), "nothing was made");
}

#[test]
fn a_new_password_ends_the_old_one_and_every_session_of_that_user() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let ([ana, rui], now) = (desk.agents, desk.clock.now());
        let email = |of| {
            let users = store.blocking_read(user::list).unwrap();
            users.into_iter().find(|known| known.id == of).unwrap().email
        };
        let (email_of_ana, policy) = (email(ana), SessionPolicy::default());
        let open = |of| {
            let opened = |db: &mut _| session::open(db, of, "Firefox", None, policy, now);
            store.blocking_write(opened).unwrap();
        };
        [ana, ana, rui].into_iter().for_each(open);
        let sessions = |of| store.blocking_read(|db| session::list(db, of, now)).unwrap().len();
        assert_eq!((sessions(ana), sessions(rui)), (2, 1));

        let run = |whom: &str, typed: &str| {
            let mut command = janela_at(store, &["user", "password", whom]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            // Whoever is unknown is not asked, and may be gone by now.
            let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
            child.wait_with_output().unwrap()
        };
        let short = run(&email_of_ana, "short\n");
        assert_eq!(short.status.code(), Some(1), "{}", said(&short));
        assert_eq!(sessions(ana), 2, "nothing was changed");
        let unknown = run("nobody@desk.example", "another long secret\n");
        assert_eq!(unknown.status.code(), Some(1), "{}", said(&unknown));
        assert!(said(&unknown).contains("no user with the address nobody@"), "{}", said(&unknown));
        assert!(!said(&unknown).contains("Password for"), "not asked: {}", said(&unknown));

        let replaced = run(&email_of_ana, "another long secret\n");
        assert!(replaced.status.success(), "{}", said(&replaced));
        assert!(said(&replaced).contains("signed out everywhere"), "{}", said(&replaced));
        assert_eq!((sessions(ana), sessions(rui)), (0, 1));
        let credentials = || {
            store.blocking_read(|db| user::find_credentials(db, &email_of_ana)).unwrap().unwrap()
        };
        assert!(password::verify(Some(&credentials().password_hash), "another long secret"));

        let disabled = |db: &mut _| user::set_status(db, ana, UserStatus::Disabled, now);
        store.blocking_write(disabled).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "a third long secret\n").unwrap();
        let mut command = janela_at(store, &["user", "password", &email_of_ana]);
        let told = command.arg("--password-file").arg(file.path()).output().unwrap();
        assert!(said(&told).contains("`janela user enable"), "{}", said(&told));
        assert_eq!(credentials().status, UserStatus::Disabled);
        assert!(password::verify(Some(&credentials().password_hash), "a third long secret"));
    });
}
