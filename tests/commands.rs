//! What an operator does at the command line: settings, migrations, users, checks, start and stop.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use std::{fs, net::TcpListener};

use journeys::{Browser, Database, Installation, Server};
use reqwest::StatusCode;
use serde_json::Value;

#[test]
fn help_lists_the_commands_and_each_has_its_own() {
    let here = Installation::new(Database::Sqlite);
    let help = here.succeed(&["--help"]);
    let commands = [
        "demo",
        "serve",
        "migrate",
        "sandbox",
        "user",
        "doctor",
        "clock",
        "config",
        "healthcheck",
        "openapi",
    ];
    for command in commands {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
        assert!(here.succeed(&[command, "--help"]).contains("Usage: janela"), "{command}");
    }
    let api: Value = serde_json::from_str(&here.succeed(&["openapi"])).expect("JSON");
    assert!(api["paths"]["/api/v1/active-messages"]["post"].is_object());
}

#[test]
fn wrong_usage_is_exit_status_2_and_says_how() {
    let here = Installation::new(Database::Sqlite);
    let cases = [
        &["nonsense"] as &[&str],
        &["serve", "--port", "1"],
        &["user", "add"],
        &["demo", "--speed", "0"],
        &[],
    ];
    for arguments in cases {
        let ran = here.run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("--help") || ran.stderr.contains("Usage"), "{}", ran.stderr);
    }
    assert!(!here.data_folder().exists(), "nothing was made");
}

#[test]
fn config_check_tells_each_setting_and_where_it_comes_from() {
    let here = Installation::new(Database::Sqlite);
    let printed = here.succeed(&["config", "check", "--json", "--bind", "127.0.0.1:9"]);
    let settings: Vec<Value> = serde_json::from_str(&printed).expect("a list");
    let of = |key: &str| settings.iter().find(|it| it["key"] == key).expect("the setting").clone();
    assert_eq!(of("bind")["value"], "127.0.0.1:9");
    assert_eq!(of("bind")["source"], "flag --bind");
    assert_eq!(of("log")["source"], "environment JANELA_LOG");
    assert_eq!(of("session_hours")["source"], "default");
    assert!(!here.data_folder().exists(), "looking makes nothing");
}

#[test]
fn an_unknown_setting_is_refused_by_its_name() {
    let here = Installation::new(Database::Sqlite);
    let by_variable = here.command(&["migrate"]).env("JANELA_COLOUR", "blue").output();
    let by_variable = by_variable.expect("janela runs");
    let file = here.data_folder().with_extension("toml");
    fs::write(&file, "colour = \"blue\"\n").expect("a file");
    let by_file = here.command(&["migrate", "--config"]).arg(&file).output().expect("janela runs");
    for (output, name) in [(by_variable, "JANELA_COLOUR"), (by_file, "colour")] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(name), "{said}");
    }
    assert!(!here.data_folder().exists(), "nothing was made");
}

#[test]
fn a_broken_database_file_is_named_and_left_as_it_was() {
    for bytes in [b"This is no database, but somebody's letter.\n".repeat(200), vec![0xA5; 8192]] {
        let here = Installation::new(Database::Sqlite);
        fs::create_dir_all(here.data_folder()).expect("a folder");
        let file = here.data_folder().join("janela.db");
        fs::write(&file, &bytes).expect("a file");
        let folder = here.data_folder();
        let demo = ["demo", "--data-dir", folder.to_str().expect("a path")];
        for command in [&["serve"] as &[&str], &["migrate"], &["doctor"], &demo] {
            let ran = here.run(command);
            assert_eq!(ran.status, Some(1), "{command:?}: {}", ran.stderr);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains("janela.db"), "{command:?}: {said}");
            assert!(!said.contains("panicked"), "{command:?}: {said}");
            assert_eq!(fs::read(&file).expect("the file"), bytes, "{command:?}");
        }
    }
}

#[test]
fn the_doctor_names_a_missing_database_file_and_makes_none() {
    let here = Installation::new(Database::Sqlite);
    let ran = here.run(&["doctor"]);
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    let told = ran.stdout.lines().find(|line| line.contains("database")).expect("a finding");
    assert!(told.starts_with("FAIL") && told.contains("janela.db"), "{told}");
    assert!(told.contains("janela migrate"), "what to do: {told}");
    assert!(!here.data_folder().exists(), "looking makes nothing");
}

#[test]
fn a_taken_address_is_named_with_the_option_that_chooses_another() {
    let here = Installation::new(Database::Sqlite);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let cases: [(&[&str], &str); 2] = [
        (&["demo", "--bind", "127.0.0.1:0", "--sandbox-bind", &taken], "--sandbox-bind"),
        (&["serve", "--bind", &taken], "--bind"),
    ];
    for (command, option) in cases {
        let ran = here.run(command);
        assert_eq!(ran.status, Some(1), "{command:?}: {}", ran.stderr);
        let said = ran.stderr.lines().last().unwrap_or_default();
        let names_both = said.contains(&taken) && said.contains(&format!(" {option} "));
        assert!(names_both, "{command:?}: {said}");
    }
}

#[tokio::test]
async fn an_operator_sets_janela_up_on_sqlite() {
    set_up(&Installation::new(Database::Sqlite)).await;
}

#[tokio::test]
async fn an_operator_sets_janela_up_on_postgres() {
    set_up(&Installation::new(Database::Postgres)).await;
}

/// Migrates, adds the first admin, checks, serves, signs in, stops.
async fn set_up(here: &Installation) {
    assert_ne!(here.run(&["healthcheck"]).status, Some(0), "nothing runs yet");
    assert!(here.succeed(&["migrate"]).contains("applied"));
    assert_eq!(here.succeed(&["migrate"]).trim(), "nothing to do");
    add_the_first_admin(here);

    let findings: Vec<Value> =
        serde_json::from_str(&here.succeed(&["doctor", "--json"])).expect("a list");
    assert!(findings.iter().all(|finding| finding["ok"] == true), "{findings:?}");
    assert!(3 <= findings.len(), "{findings:?}");

    let server = here.serve().await;
    let _ = here.succeed(&["healthcheck"]);
    sign_in(&server).await;
    assert_eq!(server.terminate().await, Some(0), "SIGTERM");
    assert_eq!(here.run(&["healthcheck"]).status, Some(1));

    let again = here.serve().await;
    sign_in(&again).await;
    assert_eq!(again.terminate().await, Some(0));
}

fn add_the_first_admin(here: &Installation) {
    let password = here.data_folder().join("password");
    fs::write(&password, "a long enough secret\n").expect("a file");
    let file = password.to_str().expect("a path");
    let add = |email: &str| {
        let who = ["user", "add", "--email", email, "--name", "Helena", "--role", "admin"];
        here.run(&[who.as_slice(), &["--password-file", file]].concat())
    };
    assert_eq!(add("helena@desk.example").status, Some(0));
    let twice = add("helena@desk.example");
    assert_eq!(twice.status, Some(1));
    assert!(twice.stderr.contains("helena@desk.example"), "{}", twice.stderr);
    assert_eq!(add("nobody").status, Some(1));
    let absent = here.run(&["user", "absent", "nobody@desk.example"]);
    assert_eq!(absent.status, Some(1));
    assert!(absent.stderr.contains("nobody@desk.example"), "{}", absent.stderr);
    let users = here.succeed(&["user", "list", "--json"]);
    let users: Vec<Value> = serde_json::from_str(&users).expect("a list");
    assert_eq!(users.len(), 1);
    assert_eq!(users[0]["email"], "helena@desk.example");
}

async fn sign_in(server: &Server) {
    let browser = Browser::new(&server.url);
    let wrong = browser.sign_in("helena@desk.example", "a wrong secret").await;
    assert!(wrong.is_client_error(), "{wrong}");
    let right = browser.sign_in("helena@desk.example", "a long enough secret").await;
    assert_eq!(right, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/portal").await.status(), StatusCode::SEE_OTHER);
}
