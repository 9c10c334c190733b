//! Keeps docs/rules.md true: every rule it lists as kept is named by a test, and no other is named anywhere.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails where it stands")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const FAMILIES: [&str; 13] =
    ["CL", "AM", "AD", "LI", "RO", "SW", "OH", "NU", "CR", "SM", "AL", "JO", "DE"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rule ids in a text, such as the third of a family, with its letters, a dash and two digits.
fn ids(text: &str) -> BTreeSet<String> {
    let bytes = text.as_bytes();
    let mut found = BTreeSet::new();
    for start in 0..bytes.len().saturating_sub(4) {
        let Some(candidate) = text.get(start..start + 5) else { continue };
        let known = FAMILIES.iter().any(|family| candidate.starts_with(family));
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

/// The rule ids in the names of the functions of a text, where family and number stand between underscores.
fn ids_of_names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in text.split("fn ").skip(1) {
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        let name = rest.split(ends).next().unwrap_or_default();
        let parts: Vec<&str> = name.split('_').collect();
        for pair in parts.windows(2) {
            let family = pair[0].to_ascii_uppercase();
            let is_number = pair[1].len() == 2 && pair[1].bytes().all(|byte| byte.is_ascii_digit());
            if FAMILIES.contains(&family.as_str()) && is_number {
                found.insert(format!("{family}-{}", pair[1]));
            }
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

/// Each source file below `folder` with its path from the root.
fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["target", "node_modules", ".node", "output", "vendor"].contains(&name) {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "mjs") {
            let from_root = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            into.push((from_root, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Whether a file holds tests and nothing else. This one speaks of rules and shows none.
fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap();
    let is_named_so = name == "tests.rs" || name.ends_with("_tests.rs");
    let is_in_folder =
        path.split('/').any(|folder| folder == "tests" || folder.ends_with("_tests"));
    (is_named_so || is_in_folder) && path != "tests/rules.rs"
}

/// The modules of a product file that are compiled for its tests only. They are formatted: each ends with
/// the first brace that is not indented.
fn test_modules(text: &str) -> String {
    let mut modules = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(opens) {
            for line in lines.by_ref().take_while(|line| *line != "}") {
                modules.push_str(line);
                modules.push('\n');
            }
        }
    }
    modules
}

#[test]
fn every_rule_listed_as_kept_is_named_by_a_test() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut named = BTreeSet::new();
    for (path, text) in files {
        let tests = if is_test_file(&path) { text } else { test_modules(&text) };
        named.extend(ids(&tests));
        named.extend(ids_of_names(&tests));
    }
    let rules = listed();
    let kept = rules.iter().filter(|(_, planned)| !**planned).map(|(id, _)| id);
    let missing: Vec<_> = kept.filter(|id| !named.contains(*id)).collect();
    assert!(missing.is_empty(), "listed as kept, but no test is named by it: {missing:?}");
}

#[test]
fn every_rule_named_in_the_code_is_listed() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    let rules = listed();
    for (path, text) in files {
        let named = ids(&text).into_iter().chain(ids_of_names(&text));
        let unknown: Vec<_> = named.filter(|id| !rules.contains_key(id)).collect();
        assert!(unknown.is_empty(), "{path} names what is not listed: {unknown:?}");
    }
}

#[test]
fn a_comment_of_product_code_shows_no_rule() {
    let product = "//! Keeps RO-01.\n#[cfg(test)]\nmod tests {\n    fn ro_02_waits() {}\n    // RO-03\n}\n// RO-04\n";
    let tests = test_modules(product);
    let named: BTreeSet<_> = ids(&tests).into_iter().chain(ids_of_names(&tests)).collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["RO-02", "RO-03"]);
    assert!(is_test_file("crates/domain/src/number/tests/capacity.rs"));
    assert!(is_test_file("crates/persistence/src/pipeline_tests.rs"));
    assert!(is_test_file("crates/persistence/src/pipeline_tests/jobs.rs"));
    assert!(!is_test_file("crates/domain/src/contact_cap.rs") && !is_test_file("tests/rules.rs"));
}
