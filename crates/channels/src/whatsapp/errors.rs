//! What the platform's error codes mean for a message and beyond it (protocol, 8.4 to 8.6).

use std::time::Duration;

use domain::channel::{PlatformRefusal, RefusalClass, RetryScope};
use serde::Deserialize;
use serde_json::Value;

use super::wire::Loose;

/// The code that stands for an unknown object below code 100.
const DELETED_NUMBER: u32 = 33;

/// An error as the Graph API and the webhooks write it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorWire {
    code: Loose,
    error_subcode: Loose,
    title: Loose,
    message: Loose,
    error_data: Value,
}

/// How a code came to us; it decides what an unknown one means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In the answer to a call, with this HTTP status.
    Answer(u16),
    /// In a webhook.
    Webhook,
}

impl ErrorWire {
    /// The platform's code; `None` when it is no number.
    pub(super) fn code(&self) -> Option<u32> {
        self.code.as_str()?.parse().ok()
    }

    /// The platform's words: its details if it gives any, otherwise its message.
    pub(super) fn refusal(&self) -> PlatformRefusal {
        let details = match &self.error_data {
            Value::String(details) => Some(details.as_str()),
            data => data.get("details").and_then(Value::as_str),
        };
        let title = details
            .filter(|details| !details.is_empty())
            .or(self.message.as_str())
            .or(self.title.as_str())
            .unwrap_or_default();
        let code = self.code.as_str().unwrap_or("unknown");
        PlatformRefusal { code: code.to_owned(), title: title.to_owned() }
    }

    /// What it means.
    pub(super) fn class(&self, way: Way) -> RefusalClass {
        let subcode = self.error_subcode.as_str().and_then(|text| text.parse::<u32>().ok());
        match self.code() {
            Some(100) if subcode == Some(DELETED_NUMBER) => RefusalClass::PauseNumber,
            Some(code) => known_class(code).unwrap_or_else(|| unknown_class(way)),
            None => unknown_class(way),
        }
    }
}

/// What an answer without a readable error body means, by its status; `None` when it may have been taken.
pub(super) fn class_of_status(status: u16, retry_after: Option<Duration>) -> Option<RefusalClass> {
    match status {
        401 => Some(RefusalClass::CredentialsFail),
        403 => Some(RefusalClass::PauseNumber),
        408 => None,
        429 => Some(RefusalClass::Retry { after: retry_after, scope: RetryScope::Number }),
        400..500 => Some(RefusalClass::Fail),
        _ => None,
    }
}

/// The table of the protocol, 8.5; `None` for a code it does not hold.
fn known_class(code: u32) -> Option<RefusalClass> {
    let class = match code {
        // Authorisation.
        0 | 102 | 190 => RefusalClass::CredentialsFail,
        10 | 200..=299 | 131_005 => RefusalClass::PauseNumber,
        3 => RefusalClass::Fail,
        // Throttling.
        4 | 80_007 | 80_008 | 130_429 => retry(None, RetryScope::Number),
        131_056 => retry(Some(1), RetryScope::Pair), // 4^0; the dispatcher's back-off grows from there
        613 => retry(None, RetryScope::Message),
        133_016 => retry(Some(72 * 3_600), RetryScope::Number),
        131_048 | 131_064 => RefusalClass::PauseNumber,
        // Integrity.
        368 | 131_031 => RefusalClass::PauseNumber,
        130_497 => RefusalClass::Fail,
        // General and sending.
        1 | 2 | 131_000 | 131_016 => retry(None, RetryScope::Message),
        131_057 => retry(Some(60), RetryScope::Number),
        134_101 => retry(Some(600), RetryScope::Message),
        DELETED_NUMBER | 131_037 | 131_042 | 131_045 => RefusalClass::PauseNumber,
        131_026 => RefusalClass::FailContact,
        131_050 => RefusalClass::FailOptedOut,
        100
        | 104
        | 192
        | 130_403
        | 130_472
        | 131_008
        | 131_009
        | 131_021
        | 131_030
        | 131_044
        | 131_047
        | 131_049
        | 131_051..=131_053
        | 131_055
        | 131_059
        | 131_060
        | 131_062
        | 131_063
        | 134_011
        | 134_100
        | 134_102
        | 135_000
        | 137_000
        | 139_100..=139_103 => RefusalClass::Fail,
        // Templates.
        132_001 | 132_015 | 132_016 | 132_068 => RefusalClass::PauseTemplate,
        132_000 | 132_005 | 132_007 | 132_008 | 132_012 | 132_018 | 132_021 => RefusalClass::Fail,
        132_069 => retry(Some(3_600), RetryScope::Message),
        // Registration.
        133_000 | 133_006 | 133_010 => RefusalClass::PauseNumber,
        133_004 => retry(None, RetryScope::Message),
        133_015 => retry(Some(300), RetryScope::Number),
        133_005 | 133_008 | 133_009 => RefusalClass::Fail,
        _ => return None,
    };
    Some(class)
}

/// The rule below the table: a server's fault passes, anything else is final.
fn unknown_class(way: Way) -> RefusalClass {
    match way {
        Way::Answer(500..) => retry(None, RetryScope::Message),
        Way::Answer(_) | Way::Webhook => RefusalClass::Fail,
    }
}

fn retry(after_seconds: Option<u64>, scope: RetryScope) -> RefusalClass {
    RefusalClass::Retry { after: after_seconds.map(Duration::from_secs), scope }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class_of(error: Value, way: Way) -> RefusalClass {
        serde_json::from_value::<ErrorWire>(error).unwrap().class(way)
    }

    #[test]
    fn every_code_of_the_table_has_its_action() {
        use RefusalClass::{
            CredentialsFail, Fail, FailContact, FailOptedOut, PauseNumber, PauseTemplate,
        };
        use RetryScope::{Message, Number, Pair};
        let table: [(RefusalClass, &[u32]); 15] = [
            (CredentialsFail, &[0, 102, 190]),
            (
                PauseNumber,
                &[
                    10, 33, 200, 210, 299, 368, 131_005, 131_031, 131_037, 131_042, 131_045,
                    131_048, 131_064, 133_000, 133_006, 133_010,
                ],
            ),
            (PauseTemplate, &[132_001, 132_015, 132_016, 132_068]),
            (FailContact, &[131_026]),
            (FailOptedOut, &[131_050]),
            (retry(None, Number), &[4, 80_007, 80_008, 130_429]),
            (retry(Some(1), Pair), &[131_056]),
            (retry(None, Message), &[1, 2, 613, 131_000, 131_016, 133_004]),
            (retry(Some(60), Number), &[131_057]),
            (retry(Some(300), Number), &[133_015]),
            (retry(Some(600), Message), &[134_101]),
            (retry(Some(3_600), Message), &[132_069]),
            (retry(Some(259_200), Number), &[133_016]),
            (
                Fail,
                &[
                    3, 100, 104, 192, 130_403, 130_472, 130_497, 131_008, 131_009, 131_021,
                    131_030, 131_044, 131_047, 131_049, 131_051, 131_052, 131_053, 131_055,
                    131_059, 131_060, 131_062, 131_063, 134_011, 134_100, 134_102, 135_000,
                    137_000, 139_100, 139_101, 139_102, 139_103,
                ],
            ),
            (
                Fail,
                &[
                    132_000, 132_005, 132_007, 132_008, 132_012, 132_018, 132_021, 133_005,
                    133_008, 133_009,
                ],
            ),
        ];
        for (expected, codes) in table {
            for code in codes {
                // A code of the table means the same however it came.
                for way in [Way::Answer(200), Way::Answer(400), Way::Answer(503), Way::Webhook] {
                    assert_eq!(class_of(json!({"code": code}), way), expected, "{code} {way:?}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_code_is_judged_by_how_it_came() {
        let unknown = json!({"code": 999_999});
        let passing = retry(None, RetryScope::Message);
        assert_eq!(class_of(unknown.clone(), Way::Answer(500)), passing);
        assert_eq!(class_of(unknown.clone(), Way::Answer(503)), passing);
        assert_eq!(class_of(unknown.clone(), Way::Answer(400)), RefusalClass::Fail);
        assert_eq!(class_of(unknown.clone(), Way::Answer(200)), RefusalClass::Fail);
        assert_eq!(class_of(unknown, Way::Webhook), RefusalClass::Fail);
        assert_eq!(class_of(json!({}), Way::Webhook), RefusalClass::Fail);
        assert_eq!(class_of(json!({"code": "131050"}), Way::Webhook), RefusalClass::FailOptedOut);
    }

    #[test]
    fn an_object_that_is_gone_pauses_the_number() {
        let gone = json!({"code": 100, "error_subcode": 33, "type": "GraphMethodException"});
        assert_eq!(class_of(gone, Way::Answer(400)), RefusalClass::PauseNumber);
    }

    #[test]
    fn a_refusal_shows_the_details_before_the_message() {
        let cases = [
            (json!({"code": 1, "message": "m", "error_data": {"details": "d"}}), "1", "d"),
            (json!({"code": 1, "message": "m", "error_data": "plain"}), "1", "plain"),
            (json!({"code": 1, "message": "m", "error_data": {"details": ""}}), "1", "m"),
            (json!({"code": 131_047, "title": "t"}), "131047", "t"),
            (json!({}), "unknown", ""),
        ];
        for (error, code, title) in cases {
            let refusal = serde_json::from_value::<ErrorWire>(error.clone()).unwrap().refusal();
            assert_eq!((refusal.code.as_str(), refusal.title.as_str()), (code, title), "{error}");
        }
    }

    #[test]
    fn a_status_without_an_error_body_is_judged_alone() {
        let wait = Duration::from_secs(7);
        let slower = RefusalClass::Retry { after: Some(wait), scope: RetryScope::Number };
        assert_eq!(class_of_status(429, Some(wait)), Some(slower));
        assert_eq!(class_of_status(401, None), Some(RefusalClass::CredentialsFail));
        assert_eq!(class_of_status(403, None), Some(RefusalClass::PauseNumber));
        assert_eq!(class_of_status(404, None), Some(RefusalClass::Fail));
        for status in [200, 204, 302, 307, 408, 500, 502, 503] {
            assert_eq!(class_of_status(status, None), None, "{status}");
        }
    }
}
