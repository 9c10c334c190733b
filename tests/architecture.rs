//! Guards the arrows between the crates: a new one is a decision, never a slip.

#![expect(clippy::unwrap_used, reason = "a manifest that cannot be read fails where it stands")]

use std::{collections::BTreeSet, fs, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each crate with the crates of ours it may use; its tests may use no other.
const ARROWS: [(&str, &[&str]); 10] = [
    ("fault", &[]),
    ("domain", &[]),
    ("media", &["domain"]),
    ("persistence", &["domain", "fault"]),
    ("channels", &["domain", "fault"]),
    ("web", &["domain", "persistence", "media"]),
    ("scheduler", &["domain", "persistence", "media"]),
    ("sandbox", &[]),
    ("bench", &["domain", "persistence"]),
    (
        "janela",
        &["domain", "persistence", "channels", "web", "scheduler", "sandbox", "fault", "media"],
    ),
];

/// What a crate is made of, for one target alone or for all.
const PARTS: [&str; 2] = ["dependencies", "build-dependencies"];
/// The same with what its tests use.
const PARTS_AND_TESTS: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

fn manifest(folder: &str) -> toml::Table {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The packages that the tables `kinds` of `manifest` name, for all targets and for single ones.
fn dependencies(manifest: &toml::Table, kinds: &[&str]) -> BTreeSet<String> {
    let of_targets = manifest.get("target").and_then(toml::Value::as_table);
    let of_targets = of_targets.into_iter().flat_map(toml::Table::values);
    let tables = of_targets.filter_map(toml::Value::as_table).chain([manifest]);
    let named = |table: &toml::Table| {
        let of_kinds = kinds.iter().filter_map(|kind| table.get(*kind)?.as_table());
        let own_name = |(key, told): (&String, &toml::Value)| {
            let renamed = told.get("package").and_then(toml::Value::as_str);
            renamed.unwrap_or(key).to_owned()
        };
        of_kinds.flatten().map(own_name).collect::<Vec<_>>()
    };
    tables.flat_map(named).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let slips = |folder: &str, allowed: &[&str]| -> Vec<String> {
        let used = dependencies(&manifest(folder), &PARTS_AND_TESTS).into_iter();
        let slips = used.filter(|name| ours.contains(&**name) && !allowed.contains(&&**name));
        slips.collect()
    };
    for (name, allowed) in ARROWS {
        let found = slips(&format!("crates/{name}"), allowed);
        assert!(found.is_empty(), "{name} must not use {found:?}");
    }
    let found = slips("tests", &[]);
    assert!(found.is_empty(), "the journeys drive the program, not {found:?}");
}

#[test]
fn an_arrow_is_found_in_whichever_table_it_hides() {
    let manifest: toml::Table = r#"
        [dependencies]
        domain.workspace = true
        [build-dependencies]
        store = { workspace = true, package = "persistence" }
        [dev-dependencies]
        sandbox = { path = "../sandbox" }
        [target.'cfg(unix)'.dependencies]
        web = "1"
        [target.'cfg(unix)'.dev-dependencies]
        bench.workspace = true
    "#
    .parse()
    .unwrap();
    let found = |kinds: &[&str]| Vec::from_iter(dependencies(&manifest, kinds));
    assert_eq!(found(&PARTS), ["domain", "persistence", "web"]);
    assert_eq!(found(&PARTS_AND_TESTS), ["bench", "domain", "persistence", "sandbox", "web"]);
}

#[test]
fn every_crate_is_in_the_plan() {
    let planned: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, planned);
}

#[test]
fn cl_03_the_domain_knows_no_clock_database_or_network() {
    let allowed = ["chrono", "chrono-tz", "phonenumber", "thiserror"];
    for dependency in dependencies(&manifest("crates/domain"), &PARTS) {
        assert!(allowed.contains(&dependency.as_str()), "domain must not use {dependency}");
    }
    let clippy = fs::read_to_string(root().join("clippy.toml")).unwrap();
    for reading in ["chrono::Utc::now", "chrono::Local::now", "std::time::SystemTime::now"] {
        assert!(clippy.contains(reading), "no crate may call {reading} without saying why");
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<String> {
        fs::read_dir(root().join("migrations").join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_whole_run_leaves_no_database_out() {
    let run = fs::read_to_string(root().join("tests/run")).unwrap();
    let place = |line: &str| run.lines().position(|found| found.trim_start().starts_with(line));
    let (unset, first) = (place("unset JANELA_TEST_SQLITE_ONLY"), place("cargo test"));
    assert!(unset.is_some() && unset < first, "tests/run could pass on SQLite alone");
}
