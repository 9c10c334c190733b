//! Guards the arrows between the crates: a new one is a decision, never a slip.

#![expect(clippy::unwrap_used, reason = "a manifest that cannot be read fails where it stands")]

use std::{collections::BTreeSet, fs, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each crate with the crates of ours it may use.
const ARROWS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("persistence", &["domain"]),
    ("channels", &["domain"]),
    ("web", &["domain", "persistence"]),
    ("scheduler", &["domain", "persistence"]),
    ("sandbox", &[]),
    ("bench", &["domain", "persistence"]),
    ("janela", &["domain", "persistence", "channels", "web", "scheduler", "sandbox"]),
];

fn dependencies(name: &str) -> BTreeSet<String> {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let table = manifest["dependencies"].as_table().unwrap();
    table.keys().cloned().collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let used = dependencies(name);
        let used: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|name| ours.contains(name)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let slips: Vec<_> = used.difference(&allowed).collect();
        assert!(slips.is_empty(), "{name} must not use {slips:?}");
    }
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
    for dependency in dependencies("domain") {
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
