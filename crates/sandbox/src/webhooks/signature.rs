//! The bytes of a webhook and the signature over exactly these bytes.

use std::io;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use sha2::Sha256;

/// The value of `X-Hub-Signature-256` for `body` under `app_secret`: `sha256=` and 64 lower-case hex digits.
#[must_use]
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    // A key of any length is taken, so the branch that signs nothing is never reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// `value` as JSON in pure ASCII: everything else becomes `\uXXXX`, lower case, in surrogate pairs where needed.
pub(crate) fn ascii_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = Serializer::with_formatter(&mut bytes, AsciiOnly);
    match value.serialize(&mut serializer) {
        Ok(()) => bytes,
        // Writing a `Value` into memory cannot fail; the plain form is as right, only not ASCII.
        Err(_) => value.to_string().into_bytes(),
    }
}

/// `value` as JSON in UTF-8.
pub(crate) fn utf8_json(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// `json` with every slash escaped; one inside of JSON can only stand in a text.
pub(crate) fn escape_slashes(json: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(json.len() + 16);
    for byte in json {
        if *byte == b'/' {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

struct AsciiOnly;

impl Formatter for AsciiOnly {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if character.is_ascii() {
                writer.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sandbox-app-secret-01";

    #[test]
    fn the_vectors_of_the_protocol_section_4_3_hold() {
        let cases = [
            (
                r#"{"object":"whatsapp_business_account","entry":[]}"#,
                "9db010ab72314f347b768a5c8f9e1bd0c60d8cfb8dfc2a4ca88e102d1555f2a7",
            ),
            (
                r#"{"object":"whatsapp_business_account","entry":[{"id":"884120037765421","changes":[{"field":"messages","value":{"note":"Caf\u00e9 \ud83d\udc4d"}}]}]}"#,
                "ce2cb797d4ed2db850234a564cee63eb86a7410de1803164ed0544f0ae542aca",
            ),
            (
                "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"884120037765421\",\"changes\":[{\"field\":\"messages\",\"value\":{\"note\":\"Café 👍\"}}]}]}",
                "da2b545a0f9e959b7a0a9bb4f534e867fda2de0a6e15e3bbe9db2d3f2b903aa4",
            ),
            (
                r#"{"u":"https:\/\/a.example\/x"}"#,
                "46fd3bcb88ae69f203d52b2863aebba15ba941e48b429e49cf9a79362678b895",
            ),
        ];
        for (body, hex) in cases {
            assert_eq!(sign(SECRET, body.as_bytes()), format!("sha256={hex}"), "{body}");
        }
    }

    #[test]
    fn json_is_pure_ascii_with_lower_case_surrogate_pairs() {
        let body = ascii_json(&serde_json::json!({ "note": "Café 👍 \"q\" /" }));
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "{\"note\":\"Caf\\u00e9 \\ud83d\\udc4d \\\"q\\\" /\"}"
        );
    }
}
