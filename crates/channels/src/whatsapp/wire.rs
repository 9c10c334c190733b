//! Tolerant reading of the platform's JSON: open enums, optional keys, numbers as text, empty text as none
//! (protocol, 11.8).

use chrono::{DateTime, Utc};
use domain::channel::UnreadableElement;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A text, number or boolean as text. Empty text, null and any other shape count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose(pub(super) Option<String>);

impl Loose {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// This text, or `other` where there is none.
    pub(super) fn or<'a>(&'a self, other: &'a Self) -> &'a Self {
        if self.0.is_some() { self } else { other }
    }

    /// A flag, also one written as text.
    pub(super) fn as_flag(&self) -> Option<bool> {
        match self.as_str()? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A whole number of things.
    pub(super) fn as_count(&self) -> Option<u32> {
        self.as_str()?.trim().parse().ok()
    }

    /// The text unless it is the platform's word for nothing.
    pub(super) fn unless_none(self) -> Option<String> {
        self.0.filter(|text| !text.eq_ignore_ascii_case("none"))
    }

    pub(super) fn upper(&self) -> String {
        self.as_str().unwrap_or_default().to_ascii_uppercase()
    }

    /// The instant written as Unix seconds.
    pub(super) fn as_instant(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.as_str()?.trim().parse().ok()?, 0)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        Ok(Self(text.filter(|text| !text.is_empty())))
    }
}

/// Reads an object; `None` when it is anything else, also a list, which serde would read by position.
pub(super) fn read_object<'a, T: Deserialize<'a>>(value: &'a Value) -> Option<T> {
    if value.is_object() { T::deserialize(value).ok() } else { None }
}

/// Reads the object at `key`; `None` when there is none.
pub(super) fn read_part<'a, T: Deserialize<'a>>(value: &'a Value, key: &str) -> Option<T> {
    read_object(value.get(key)?)
}

/// Reads an object that may be of any shape: one that is none counts as absent.
pub(super) fn lenient<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(read_object(&value))
}

/// Reads a list of objects one by one; what is none is left out, and so is anything but a list.
pub(super) fn lenient_list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_array().map(|list| read_objects(list)).unwrap_or_default())
}

/// Reads a list of objects one by one, or the one object that stands in its place; what is none is left out.
pub(super) fn one_or_more<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(read_objects(value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice)))
}

fn read_objects<T: DeserializeOwned>(values: &[Value]) -> Vec<T> {
    values.iter().filter_map(read_object).collect()
}

/// What stopped the reading of an element, without anything of its content.
pub(super) fn problem(reason: &str) -> UnreadableElement {
    UnreadableElement { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn loose_text_takes_what_platforms_send() {
        let cases = [
            (json!("abc"), Some("abc")),
            (json!(""), None),
            (json!(null), None),
            (json!(1_789_000_400), Some("1789000400")),
            (json!(1_540_088_120_394_477_u64), Some("1540088120394477")),
            (json!(false), Some("false")),
            (json!([]), None),
            (json!({"a": 1}), None),
        ];
        for (value, expected) in cases {
            let loose: Loose = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(loose.as_str(), expected, "{value}");
        }
    }

    #[test]
    fn flags_and_counts_may_be_text() {
        let loose = |text: &str| Loose(Some(text.to_owned()));
        assert_eq!(loose("false").as_flag(), Some(false));
        assert_eq!(loose("true").as_flag(), Some(true));
        assert_eq!(loose("perhaps").as_flag(), None);
        assert_eq!(loose("25").as_count(), Some(25));
        assert_eq!(loose("-1").as_count(), None);
        assert_eq!(loose("None").unless_none(), None);
        assert_eq!(loose("SCAM").unless_none().as_deref(), Some("SCAM"));
    }

    #[test]
    fn a_list_is_no_object_and_an_object_may_stand_for_a_list() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        struct Pot {
            glaze: Loose,
        }
        #[derive(Debug, Deserialize)]
        struct Kiln {
            #[serde(deserialize_with = "lenient")]
            first: Option<Pot>,
            #[serde(deserialize_with = "lenient_list")]
            all: Vec<Pot>,
            #[serde(deserialize_with = "one_or_more")]
            some: Vec<Pot>,
        }
        let blue = || Pot { glaze: Loose(Some("blue".into())) };
        let cases = [
            (json!({"glaze": "blue"}), Some(blue()), [0, 1]),
            (json!([["blue"], 7, {"glaze": "blue"}]), None, [1, 1]),
            (json!(["blue"]), None, [0, 0]),
            (json!("blue"), None, [0, 0]),
            (json!(null), None, [0, 0]),
        ];
        for (value, first, counts) in cases {
            let kiln = json!({"first": value, "all": value, "some": value});
            let kiln: Kiln = serde_json::from_value(kiln).unwrap();
            assert_eq!(kiln.first, first, "{value}");
            assert_eq!([kiln.all.len(), kiln.some.len()], counts, "{value}");
            assert!(kiln.all.iter().chain(&kiln.some).all(|pot| *pot == blue()), "{value}");
        }
    }

    #[test]
    fn instants_are_unix_seconds() {
        let cases =
            [("1789000000", true), ("0", true), ("-1", true), ("soon", false), ("9e99", false)];
        for (text, readable) in cases {
            assert_eq!(Loose(Some(text.into())).as_instant().is_some(), readable, "{text}");
        }
        assert_eq!(Loose(Some(i64::MAX.to_string())).as_instant(), None);
    }
}
