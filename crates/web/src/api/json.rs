//! JSON as it came, read field by field: every problem is told at once, by the field's path (C31).

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use super::problem::Fault;

/// A JSON value. Numbers, booleans and lists are told apart from nothing: no field here is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Text(String),
    /// In the order written, doubles included.
    Object(Vec<(String, Json)>),
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        while list.next_element::<Json>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

/// What is wrong with which field, by its path.
pub type Faults = BTreeMap<String, Fault>;

/// The fields of an object, taken one by one; what is left at the end is unknown.
pub struct Fields {
    path: String,
    entries: BTreeMap<String, Json>,
}

impl Fields {
    /// The fields of `json`, which stands at `path` (empty for the whole body); `None` when it is no
    /// object.
    pub fn open(path: &str, json: Json, faults: &mut Faults) -> Option<Self> {
        let Json::Object(written) = json else {
            faults.insert(path.to_owned(), Fault::NotAnObject);
            return None;
        };
        let mut entries = BTreeMap::new();
        for (name, value) in written {
            match entries.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(taken) => {
                    faults.insert(join(path, taken.key()), Fault::Twice);
                }
            }
        }
        Some(Self { path: path.to_owned(), entries })
    }

    fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Whether `name` is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|json| *json != Json::Null)
    }

    /// The object at `name`; `None`, told as a fault, when there is none.
    pub fn object(&mut self, name: &str, faults: &mut Faults) -> Option<Self> {
        match self.entries.remove(name) {
            None => {
                faults.insert(self.path_of(name), Fault::Missing);
                None
            }
            Some(json) => Self::open(&self.path_of(name), json, faults),
        }
    }

    /// The object at `name`; `None` when there is none or it is null.
    pub fn optional_object(&mut self, name: &str, faults: &mut Faults) -> Option<Self> {
        if self.has(name) { self.object(name, faults) } else { self.skip(name) }
    }

    /// The text at `name`; `None`, told as a fault, when there is none.
    pub fn text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        let fault = match self.entries.remove(name) {
            // No database of ours keeps it, so nothing can be named so.
            Some(Json::Text(text)) if text.contains('\0') => Fault::NullCharacter,
            Some(Json::Text(text)) => return Some(text),
            Some(_) => Fault::NotText,
            None => Fault::Missing,
        };
        faults.insert(self.path_of(name), fault);
        None
    }

    /// The text at `name`; `None` when there is none or it is null.
    pub fn optional_text(&mut self, name: &str, faults: &mut Faults) -> Option<String> {
        if self.has(name) { self.text(name, faults) } else { self.skip(name) }
    }

    /// All that is left, as texts by name.
    pub fn texts(mut self, faults: &mut Faults) -> BTreeMap<String, String> {
        let entries = std::mem::take(&mut self.entries);
        let mut texts = BTreeMap::new();
        for (name, json) in entries {
            let Json::Text(text) = json else {
                faults.insert(self.path_of(&name), Fault::NotText);
                continue;
            };
            texts.insert(name, text);
        }
        texts
    }

    /// Takes `name` out, whatever it is.
    pub fn skip<T>(&mut self, name: &str) -> Option<T> {
        self.entries.remove(name);
        None
    }

    /// What is left is unknown.
    pub fn finish(self, faults: &mut Faults) {
        for name in self.entries.keys() {
            faults.entry(self.path_of(name)).or_insert(Fault::UnknownField);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Faults) {
        let mut faults = Faults::new();
        let json: Json = serde_json::from_str(text).expect("JSON");
        let name = Fields::open("", json, &mut faults).and_then(|mut fields| {
            let name = fields.text("name", &mut faults);
            fields.finish(&mut faults);
            name
        });
        (name, faults)
    }

    #[test]
    fn c31_each_fault_is_told_at_its_field() {
        let cases = [
            (r#"{"name":"a"}"#, None),
            ("[]", Some(("", Fault::NotAnObject))),
            ("{}", Some(("name", Fault::Missing))),
            (r#"{"name":1}"#, Some(("name", Fault::NotText))),
            (r#"{"name":null}"#, Some(("name", Fault::NotText))),
            (r#"{"name":"a\u0000"}"#, Some(("name", Fault::NullCharacter))),
            (r#"{"name":"a","name":"a"}"#, Some(("name", Fault::Twice))),
            (r#"{"name":"a","role":"admin"}"#, Some(("role", Fault::UnknownField))),
        ];
        for (text, fault) in cases {
            let expected: Faults =
                fault.map(|(path, fault)| (path.to_owned(), fault)).into_iter().collect();
            assert_eq!(read(text).1, expected, "{text}");
        }
    }

    #[test]
    fn c31_depth_lone_surrogates_and_endless_numbers_are_errors_and_no_panic() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for text in [deep.as_str(), r#"{"a":"\ud800"}"#, r#"{"a":1e400}"#, "{\"a\":", ""] {
            assert!(serde_json::from_str::<Json>(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
    }
}
