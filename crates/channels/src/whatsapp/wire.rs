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

/// Reads a part that may be of any shape: one that does not fit counts as absent.
pub(super) fn lenient<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// Reads an array element by element; elements that do not fit are left out, and so is anything but an array.
pub(super) fn lenient_list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let Value::Array(elements) = Value::deserialize(deserializer)? else {
        return Ok(Vec::new());
    };
    Ok(elements.into_iter().filter_map(|element| serde_json::from_value(element).ok()).collect())
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
    fn instants_are_unix_seconds() {
        let cases =
            [("1789000000", true), ("0", true), ("-1", true), ("soon", false), ("9e99", false)];
        for (text, readable) in cases {
            assert_eq!(Loose(Some(text.into())).as_instant().is_some(), readable, "{text}");
        }
        assert_eq!(Loose(Some(i64::MAX.to_string())).as_instant(), None);
    }
}
