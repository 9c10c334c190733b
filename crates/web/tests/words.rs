//! Words and templates: complete in three languages, none unused, nothing visible outside of them, and
//! nothing the content policy would stop (C22).

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test that reads it"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const LANGUAGES: [&str; 3] = ["en", "pt-BR", "es"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every template, the sandbox's too.
fn templates() -> Vec<(String, String)> {
    let root = root().join("templates");
    files(&root, "html")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// By file and key: the variables the message names.
fn messages(language: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut messages: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for path in files(&root().join("locales").join(language), "ftl") {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut current = None;
        for line in fs::read_to_string(&path).unwrap().lines() {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            if !line.starts_with([' ', '}']) {
                let (key, _) = line.split_once('=').expect("a message starts with its key");
                current = Some((file.clone(), key.trim().to_owned()));
                messages.entry(current.clone().unwrap()).or_default();
            }
            let variables = line.split('$').skip(1).map(|rest| {
                rest.chars()
                    .take_while(|it| it.is_alphanumeric() || *it == '-' || *it == '_')
                    .collect()
            });
            messages
                .get_mut(current.as_ref().unwrap())
                .unwrap()
                .extend(variables.collect::<Vec<String>>());
        }
    }
    messages
}

#[test]
fn every_key_is_there_in_every_language_with_the_same_variables() {
    let english = messages("en");
    assert!(english.len() > 50, "the English words are found");
    for language in LANGUAGES {
        let other = messages(language);
        for (key, variables) in &english {
            assert_eq!(other.get(key), Some(variables), "{key:?} in {language}");
        }
        for key in other.keys() {
            assert!(english.contains_key(key), "{key:?} of {language} is not in English");
        }
    }
}

#[test]
fn no_key_is_unused() {
    let mut users: String = templates().into_iter().map(|(_, text)| text).collect();
    for crate_with_words in ["web", "sandbox"] {
        for path in files(&root().join("crates").join(crate_with_words).join("src"), "rs") {
            users.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let unused: Vec<_> = messages("en")
        .into_keys()
        .filter(|(_, key)| !users.contains(&format!(".{}(", key.replace('-', "_"))))
        .collect();
    assert!(unused.is_empty(), "unused: {unused:?}");
}

#[test]
fn c22_no_template_goes_around_escaping_or_the_content_policy() {
    for (name, text) in templates() {
        let lower = text.to_lowercase();
        let code: String = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        for forbidden in
            ["|safe", "| safe", "escape=\"none\"", "javascript:", "<style", " style=", "hx-on"]
        {
            assert!(!code.contains(forbidden), "{name} holds {forbidden}");
        }
        for rest in code.split("<script").skip(1) {
            assert!(rest.trim_start().contains("src="), "{name}: a script without src");
            let (_, body) = rest.split_once('>').expect("a whole tag");
            assert!(body.trim_start().starts_with("</script>"), "{name} holds an inline script");
        }
        let handler = code.split(" on").skip(1).find(|rest| {
            let event: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
            !event.is_empty() && rest[event.len()..].starts_with("=\"")
        });
        assert!(
            handler.is_none(),
            "{name} holds an inline handler: on{}",
            handler.unwrap_or_default()
        );
    }
}

/// The text with everything between `open` and `close` taken out.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

fn is_word(text: &str) -> bool {
    text.split(|it: char| !it.is_alphabetic()).any(|word| word.chars().count() > 1)
}

#[test]
fn no_visible_text_stands_outside_the_keys() {
    for (name, text) in templates() {
        let mut bare = text.clone();
        // Blocks of a layout that fill a tag's attributes.
        for attributes in ["desk_class", "desk_attributes"] {
            bare = without(&bare, &format!("{{% block {attributes} %}}"), "{% endblock %}");
        }
        for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<kbd", "</kbd>")] {
            bare = without(&bare, open, close);
        }
        for attribute in ["alt", "title", "placeholder", "aria-label", "aria-description"] {
            for rest in bare.split(&format!(" {attribute}=\"")).skip(1) {
                let value = rest.split('"').next().unwrap_or_default();
                assert!(!is_word(value), "{name}: {attribute} says {value:?}");
            }
        }
        bare = without(&without(&bare, "<", ">"), "=\"", "\"");
        bare = without(&bare, "&", ";");
        // What a macro adds inside a tag: names of attributes.
        let is_attribute = |word: &&str| word.starts_with("data-") || word.starts_with("aria-");
        let bare: Vec<&str> = bare.split_whitespace().filter(|word| !is_attribute(word)).collect();
        let said: Vec<&str> = bare.into_iter().filter(|word| is_word(word)).collect();
        assert!(said.is_empty(), "{name} says {said:?}");
    }
}
