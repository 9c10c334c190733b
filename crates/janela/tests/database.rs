//! A database that cannot be used, at the built binary: what is told, and what is left as it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot have its world fails where it stands")]

mod common;

use std::{fs, path::Path, process::Output};

use common::{janela, janela_at};
use persistence::test_support::{on_both, postgres_is_wanted, test_key};

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// What `janela` says in `folder`, which must be that it failed.
fn failure(folder: &Path, arguments: &[&str]) -> String {
    let mut command = janela(arguments);
    let output = command.env("JANELA_DATA_DIR", folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// A folder with a database of a first start.
fn migrated() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = janela(&["migrate"]).env("JANELA_DATA_DIR", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    folder
}

const COMMANDS: [&[&str]; 4] =
    [&["serve", "--bind", "127.0.0.1:0"], &["migrate"], &["doctor"], &["user", "list"]];

#[test]
fn a_file_that_is_no_database_or_is_cut_off_is_named_with_what_to_do() {
    let folder = migrated();
    let file = folder.path().join("janela.db");
    let whole = fs::read(&file).unwrap();
    let broken = [
        ("no database", b"this is a shopping list. ".repeat(400)),
        ("cut off", whole[..whole.len() / 2].to_vec()),
    ];
    for (case, bytes) in broken {
        fs::write(&file, &bytes).unwrap();
        for arguments in COMMANDS {
            let told = failure(folder.path(), arguments);
            for words in [
                &format!("{} is no SQLite database, or is damaged", file.display()),
                "move this file away",
                "put a copy of it back",
                "`janela doctor`",
            ] {
                assert!(told.contains(words), "{case}, {arguments:?}: {told}");
            }
        }
        assert!(fs::read(&file).unwrap() == bytes, "{case}: the file is as it was");
    }
}

#[test]
fn the_doctor_finds_damage_that_no_start_meets() {
    let folder = migrated();
    let file = folder.path().join("janela.db");
    let mut bytes = fs::read(&file).unwrap();
    // The last page, far from the schema.
    let last = bytes.len() - 4096;
    bytes[last..].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    let told = failure(folder.path(), &["doctor"]);
    let named = format!("{} is no SQLite database, or is damaged", file.display());
    assert!(told.contains("FAIL database") && told.contains(&named), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password_and_with_what_to_do() {
    if !postgres_is_wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for arguments in COMMANDS {
        let mut command = janela(arguments);
        let url = "postgres://ana:hunter2@127.0.0.1:1/desk";
        let output = command
            .env("JANELA_DATA_DIR", folder.path())
            .env("JANELA_DATABASE_URL", url)
            .output()
            .unwrap();
        let told = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        for words in [
            "the PostgreSQL server at postgres://127.0.0.1:1/desk cannot be used",
            "start it, or correct database_url (JANELA_DATABASE_URL)",
            "`janela doctor`",
        ] {
            assert!(told.contains(words), "{arguments:?}: {told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_lost_key_is_told_and_not_replaced_by_another() {
    on_both(|store| {
        store.unlock(&test_key()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret.key");
        let add = ["user", "add", "--email", "helena@desk.example", "--name", "Helena"];
        let password = folder.path().join("password");
        fs::write(&password, "a long enough secret\n").unwrap();
        let add = [&add[..], &["--password-file", password.to_str().unwrap()]].concat();
        let demo = ["demo", "--bind", "127.0.0.1:0", "--sandbox-bind", "127.0.0.1:0"];
        for arguments in [&["serve", "--bind", "127.0.0.1:0"][..], &add, &demo, &["doctor"]] {
            let mut command = janela_at(store, arguments);
            command.env("JANELA_DATA_DIR", folder.path()).env_remove("JANELA_SECRET_KEY");
            let output = command.output().unwrap();
            let told = said(&output);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
            for words in [
                "there is no secret key",
                &format!("put the file {} back", file.display()),
                "set JANELA_SECRET_KEY",
            ] {
                assert!(told.contains(words), "{arguments:?}: {told}");
            }
            assert!(!file.exists(), "{arguments:?} made another key");
        }
        let restored = janela_at(store, &["doctor"]).output().unwrap();
        assert!(restored.status.success(), "the right key fits as before: {}", said(&restored));
    });
}
