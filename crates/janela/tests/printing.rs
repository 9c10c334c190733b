//! A command whose output goes nowhere: what it says then, and how it ends.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use common::janela;

const PRINTING: [&[&str]; 12] = [
    &["--help"],
    &["--version"],
    &["openapi"],
    &["config", "check"],
    &["config", "check", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["migrate"],
    &["user", "enable", "helena@desk.example"],
    &["user", "list"],
    &["user", "list", "--json"],
    &["sandbox", "--bind", "127.0.0.1:0"],
];

/// A device that takes nothing, as a disk without room.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

fn janela_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = janela(arguments);
    command.env("JANELA_DATA_DIR", folder);
    command
}

/// A folder with a database and its first admin.
fn installed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "a long enough secret\n").unwrap();
    let who = ["user", "add", "--email", "helena@desk.example", "--name", "Helena"];
    let mut add = janela_in(folder.path(), &who);
    let added = add.arg("--password-file").arg(&password).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    folder
}

#[test]
fn a_full_disk_is_told_in_one_sentence_with_exit_status_1() {
    let folder = installed();
    for arguments in PRINTING {
        let ran = janela_in(folder.path(), arguments).stdout(full()).output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {told}");
        let sentence = "janela: cannot write to standard output: No space left on device";
        // The sandbox logs beside it.
        assert!(told.lines().last().unwrap().starts_with(sentence), "{arguments:?}: {told}");
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_reader_who_has_read_enough_is_no_failure() {
    let folder = installed();
    // The sandbox goes on serving.
    for arguments in PRINTING.iter().filter(|arguments| arguments[0] != "sandbox") {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = janela_in(folder.path(), arguments).stdout(writer).output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert_eq!((ran.status.code(), told.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_log_and_a_refusal_that_nobody_can_read_leave_the_exit_status_as_it_is() {
    let folder = installed();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], i32); 3] = [
        (&["serve", "--bind", &taken], 1),
        (&["user", "disable", "nobody@desk.example"], 1),
        (&["nonsense"], 2),
    ];
    for (arguments, status) in cases {
        let mut command = janela_in(folder.path(), arguments);
        command.env("JANELA_LOG", "info").stdout(Stdio::null()).stderr(full());
        assert_eq!(command.status().unwrap().code(), Some(status), "{arguments:?}");
    }
}
