//! The signature of a webhook (protocol, 4.3).

use domain::channel::WebhookRejection;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Checks `X-Hub-Signature-256` over the raw bytes, in constant time.
pub(super) fn verify(
    secret: &[u8],
    signature: Option<&str>,
    body: &[u8],
) -> Result<(), WebhookRejection> {
    let told = signature
        .and_then(|header| header.trim().strip_prefix("sha256="))
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(WebhookRejection::BadSignature)?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).map_err(|_| WebhookRejection::BadSignature)?;
    mac.update(body);
    mac.verify_slice(&told).map_err(|_| WebhookRejection::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"sandbox-app-secret-01";
    const EMPTY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const EMPTY_SIGNATURE: &str =
        "sha256=9db010ab72314f347b768a5c8f9e1bd0c60d8cfb8dfc2a4ca88e102d1555f2a7";
    const ESCAPED: &[u8] = br#"{"object":"whatsapp_business_account","entry":[{"id":"884120037765421","changes":[{"field":"messages","value":{"note":"Caf\u00e9 \ud83d\udc4d"}}]}]}"#;
    const ESCAPED_SIGNATURE: &str =
        "sha256=ce2cb797d4ed2db850234a564cee63eb86a7410de1803164ed0544f0ae542aca";
    const PLAIN: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"884120037765421","changes":[{"field":"messages","value":{"note":"Café 👍"}}]}]}"#;
    const PLAIN_SIGNATURE: &str =
        "sha256=da2b545a0f9e959b7a0a9bb4f534e867fda2de0a6e15e3bbe9db2d3f2b903aa4";
    const SLASHES: &[u8] = br#"{"u":"https:\/\/a.example\/x"}"#;
    const SLASHES_SIGNATURE: &str =
        "sha256=46fd3bcb88ae69f203d52b2863aebba15ba941e48b429e49cf9a79362678b895";

    #[test]
    fn the_signature_must_fit_the_raw_bytes() {
        let altered = [&EMPTY[..EMPTY.len() - 1], b" "].concat();
        let upper = EMPTY_SIGNATURE.replace("sha256=", "SHA256=");
        let doubled = format!("{EMPTY_SIGNATURE}00");
        let cases: [(&str, &[u8], Option<&str>, bool); 14] = [
            ("vector 1", EMPTY, Some(EMPTY_SIGNATURE), true),
            ("vector 2, escapes as they came", ESCAPED, Some(ESCAPED_SIGNATURE), true),
            ("vector 3, UTF-8", PLAIN.as_bytes(), Some(PLAIN_SIGNATURE), true),
            (
                "vector 3 against the signature of 2",
                PLAIN.as_bytes(),
                Some(ESCAPED_SIGNATURE),
                false,
            ),
            ("vector 4, escaped slashes", SLASHES, Some(SLASHES_SIGNATURE), true),
            ("no header", EMPTY, None, false),
            ("empty header", EMPTY, Some(""), false),
            ("another body's signature", EMPTY, Some(SLASHES_SIGNATURE), false),
            ("one byte altered", &altered, Some(EMPTY_SIGNATURE), false),
            ("without its prefix", EMPTY, EMPTY_SIGNATURE.strip_prefix("sha256="), false),
            ("another prefix", EMPTY, Some(&upper), false),
            ("cut short", EMPTY, Some(&EMPTY_SIGNATURE[..40]), false),
            ("too long", EMPTY, Some(&doubled), false),
            ("no hex", EMPTY, Some("sha256=signed, honestly"), false),
        ];
        for (case, body, signature, fits) in cases {
            assert_eq!(verify(SECRET, signature, body).is_ok(), fits, "{case}");
        }
        assert!(verify(b"another secret", Some(EMPTY_SIGNATURE), EMPTY).is_err());
    }
}
