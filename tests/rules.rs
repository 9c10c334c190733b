//! Keeps docs/rules.md true: every rule it lists is named where it is kept, and the other way round.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails where it stands")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const FAMILIES: [&str; 12] =
    ["CL", "AM", "AD", "LI", "RO", "SW", "OH", "NU", "CR", "SM", "AL", "JO"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rule ids in a text, such as `AD-03`.
fn ids(text: &str) -> BTreeSet<String> {
    let bytes = text.as_bytes();
    let mut found = BTreeSet::new();
    for start in 0..bytes.len().saturating_sub(4) {
        let Some(candidate) = text.get(start..start + 5) else { continue };
        let known =
            FAMILIES.iter().chain(["DE"].iter()).any(|family| candidate.starts_with(family));
        let numbered = candidate.as_bytes()[2] == b'-'
            && candidate.as_bytes()[3..].iter().all(u8::is_ascii_digit);
        let ends_there = !bytes.get(start + 5).is_some_and(u8::is_ascii_alphanumeric);
        let starts_there = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        if known && numbered && starts_there && ends_there {
            found.insert(candidate.to_owned());
        }
    }
    found
}

/// Each rule of docs/rules.md, with whether it is planned only.
fn listed() -> BTreeMap<String, bool> {
    let text = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let mut rules = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("- ")) {
        let (id, sentence) = line.split_once(' ').unwrap();
        assert_eq!(ids(id).len(), 1, "{id} is no rule id");
        assert!(sentence.ends_with('.'), "{id} is a sentence");
        let planned = sentence.starts_with("(planned)");
        assert!(rules.insert(id.to_owned(), planned).is_none(), "{id} stands twice");
    }
    rules
}

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["target", "node_modules", ".node", "output", "vendor"].contains(&name) {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "mjs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_rule_listed_as_kept_is_named_in_the_code() {
    let mut code = String::new();
    sources(&root().join("crates"), &mut code);
    sources(&root().join("tests"), &mut code);
    let named = ids(&code);
    let rules = listed();
    let missing: Vec<_> =
        rules.iter().filter(|(id, planned)| !**planned && !named.contains(*id)).collect();
    assert!(missing.is_empty(), "listed as kept, but named nowhere: {missing:?}");
}

#[test]
fn every_rule_named_in_the_code_is_listed() {
    let mut code = String::new();
    sources(&root().join("crates"), &mut code);
    let rules = listed();
    let unknown: Vec<_> = ids(&code).into_iter().filter(|id| !rules.contains_key(id)).collect();
    assert!(unknown.is_empty(), "named in the code, but not listed: {unknown:?}");
}
