//! What the platform's error codes mean for a message and beyond it (protocol, 8.4 to 8.6).

use std::time::Duration;

use domain::channel::{Pause, PauseScope, PausedSends, PlatformRefusal, RefusalClass, RetryScope};
use serde::Deserialize;
use serde_json::Value;

use super::wire::Loose;

/// The code that stands for an unknown object below code 100.
const DELETED_NUMBER: u32 = 33;

const STOP_NUMBER: RefusalClass = stop(PauseScope::Number, PausedSends::All);
const STOP_NUMBERS_TEMPLATES: RefusalClass = stop(PauseScope::Number, PausedSends::Templates);
const STOP_ACCOUNT: RefusalClass = stop(PauseScope::Account, PausedSends::All);
const STOP_ACCOUNTS_TEMPLATES: RefusalClass = stop(PauseScope::Account, PausedSends::Templates);

const fn stop(scope: PauseScope, sends: PausedSends) -> RefusalClass {
    RefusalClass::Pause(Pause { scope, sends })
}

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
            Some(100) if subcode == Some(DELETED_NUMBER) => STOP_NUMBER,
            Some(code) => known_class(code).unwrap_or_else(|| unknown_class(way)),
            None => unknown_class(way),
        }
    }
}

/// What an answer without a readable error body means, by its status; `None` when it may have been taken.
pub(super) fn class_of_status(status: u16, retry_after: Option<Duration>) -> Option<RefusalClass> {
    match status {
        401 => Some(RefusalClass::CredentialsFail),
        403 => Some(STOP_NUMBER),
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
        10 | 200..=299 | 131_005 => STOP_NUMBER,
        3 => RefusalClass::FailAlert,
        // Throttling.
        4 | 80_007 | 80_008 | 130_429 => retry(None, RetryScope::Number),
        131_056 => retry(Some(1), RetryScope::Pair), // 4^0; the dispatcher's back-off grows from there
        613 => retry(None, RetryScope::Message),
        133_016 => retry(Some(72 * 3_600), RetryScope::Number),
        131_048 => STOP_NUMBERS_TEMPLATES,
        131_064 => STOP_ACCOUNTS_TEMPLATES,
        // Integrity.
        368 | 131_031 => STOP_ACCOUNT,
        130_497 => RefusalClass::FailAlert,
        // General and sending.
        1 | 2 | 131_000 | 131_016 => retry(None, RetryScope::Message),
        131_057 => retry(Some(60), RetryScope::Number),
        134_101 => retry(Some(600), RetryScope::Message),
        DELETED_NUMBER | 131_037 | 131_045 => STOP_NUMBER,
        131_042 => STOP_ACCOUNTS_TEMPLATES,
        131_026 => RefusalClass::FailContact,
        131_050 => RefusalClass::FailOptedOut,
        104 | 131_044 | 131_063 | 134_011 | 134_102 => RefusalClass::FailAlert,
        100
        | 192
        | 130_403
        | 130_472
        | 131_008
        | 131_009
        | 131_021
        | 131_030
        | 131_047
        | 131_049
        | 131_051..=131_053
        | 131_055
        | 131_059
        | 131_060
        | 131_062
        | 134_100
        | 135_000
        | 137_000
        | 139_100..=139_103 => RefusalClass::Fail,
        // Templates.
        132_001 | 132_015 | 132_016 | 132_068 => RefusalClass::PauseTemplate,
        132_000 | 132_005 | 132_008 | 132_012 | 132_018 | 132_021 => RefusalClass::Fail,
        132_007 => RefusalClass::FailAlert,
        132_069 => retry(Some(3_600), RetryScope::Message),
        // Registration.
        133_000 | 133_006 | 133_010 => STOP_NUMBER,
        133_004 => retry(None, RetryScope::Message),
        133_015 => retry(Some(300), RetryScope::Number),
        133_005 | 133_008 | 133_009 => RefusalClass::FailAlert,
        _ => return None,
    };
    Some(class)
}

/// The rule below the table: a server's fault passes, anything else is final; whoever looks after the
/// connection is told of an answer that nobody knows.
fn unknown_class(way: Way) -> RefusalClass {
    match way {
        Way::Answer(500..) => retry(None, RetryScope::Message),
        Way::Answer(_) => RefusalClass::FailAlert,
        Way::Webhook => RefusalClass::Fail,
    }
}

fn retry(after_seconds: Option<u64>, scope: RetryScope) -> RefusalClass {
    RefusalClass::Retry { after: after_seconds.map(Duration::from_secs), scope }
}

#[cfg(test)]
mod tests {
    use domain::channel::{ChannelEvent, Receipt, ReceiptStatus, SendOutcome};
    use serde_json::json;

    use super::*;
    use crate::{
        http::Answer,
        whatsapp::{parse::parse, send::outcome_of},
    };

    fn class_of(error: Value, way: Way) -> RefusalClass {
        serde_json::from_value::<ErrorWire>(error).unwrap().class(way)
    }

    /// What the answer to a send means that refuses it with `code`.
    fn refused_at_once(code: u32) -> RefusalClass {
        let body = json!({"error": {"message": format!("(#{code}) No"), "code": code}});
        let body = Ok(body.to_string().into_bytes());
        let answer = Answer { status: 400, retry_after: None, rest: None, body };
        match outcome_of(&answer) {
            SendOutcome::Refused { refusal, class } => {
                assert_eq!(refusal.code, code.to_string());
                class
            }
            other => panic!("{code}: {other:?}"),
        }
    }

    /// What a receipt means by which a message taken before failed with `code`.
    fn failed_later(code: u32) -> RefusalClass {
        let status = json!({"id": "wamid.1", "status": "failed", "timestamp": "1789000105",
            "recipient_id": "447700900777", "errors": [{"code": code, "title": "No"}]});
        let value = json!({"messaging_product": "whatsapp", "statuses": [status],
            "metadata": {"phone_number_id": "730055819924406"}});
        let body = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "884120037765421", "changes": [{"field": "messages", "value": value}]}]});
        let elements = parse(body.to_string().as_bytes()).unwrap();
        match &elements[0].event {
            Ok(ChannelEvent::Receipt(Receipt {
                status: ReceiptStatus::Failed { class, refusal },
                ..
            })) => {
                assert_eq!(refusal.code, code.to_string());
                *class
            }
            other => panic!("{code}: {other:?}"),
        }
    }

    #[test]
    fn every_code_of_the_table_has_its_action() {
        use RefusalClass::{
            CredentialsFail, Fail, FailAlert, FailContact, FailOptedOut, PauseTemplate,
        };
        use RetryScope::{Message, Number, Pair};
        let table: [(RefusalClass, &[u32]); 18] = [
            (CredentialsFail, &[0, 102, 190]),
            (
                STOP_NUMBER,
                &[10, 33, 200, 210, 299, 131_005, 131_037, 131_045, 133_000, 133_006, 133_010],
            ),
            (STOP_NUMBERS_TEMPLATES, &[131_048]),
            (STOP_ACCOUNT, &[368, 131_031]),
            (STOP_ACCOUNTS_TEMPLATES, &[131_042, 131_064]),
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
                FailAlert,
                &[
                    3, 104, 130_497, 131_044, 131_063, 132_007, 133_005, 133_008, 133_009, 134_011,
                    134_102,
                ],
            ),
            (
                Fail,
                &[
                    100, 192, 130_403, 130_472, 131_008, 131_009, 131_021, 131_030, 131_047,
                    131_049, 131_051, 131_052, 131_053, 131_055, 131_059, 131_060, 131_062,
                    132_000, 132_005, 132_008, 132_012, 132_018, 132_021, 134_100, 135_000,
                    137_000, 139_100, 139_101, 139_102, 139_103,
                ],
            ),
        ];
        for (expected, codes) in table {
            for code in codes {
                // A code of the table means the same however it came.
                for way in [Way::Answer(200), Way::Answer(400), Way::Answer(503), Way::Webhook] {
                    assert_eq!(class_of(json!({"code": code}), way), expected, "{code} {way:?}");
                }
                assert_eq!(refused_at_once(*code), expected, "{code} as the answer to a send");
                assert_eq!(failed_later(*code), expected, "{code} by a receipt");
            }
        }
    }

    #[test]
    fn an_unknown_code_is_judged_by_how_it_came() {
        let unknown = json!({"code": 999_999});
        let passing = retry(None, RetryScope::Message);
        assert_eq!(class_of(unknown.clone(), Way::Answer(500)), passing);
        assert_eq!(class_of(unknown.clone(), Way::Answer(503)), passing);
        assert_eq!(class_of(unknown.clone(), Way::Answer(400)), RefusalClass::FailAlert);
        assert_eq!(class_of(unknown.clone(), Way::Answer(200)), RefusalClass::FailAlert);
        assert_eq!(class_of(unknown, Way::Webhook), RefusalClass::Fail);
        assert_eq!(class_of(json!({}), Way::Webhook), RefusalClass::Fail);
        assert_eq!(class_of(json!({"code": "131050"}), Way::Webhook), RefusalClass::FailOptedOut);
    }

    #[test]
    fn an_object_that_is_gone_pauses_the_number() {
        let gone = json!({"code": 100, "error_subcode": 33, "type": "GraphMethodException"});
        assert_eq!(class_of(gone, Way::Answer(400)), STOP_NUMBER);
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
        assert_eq!(class_of_status(403, None), Some(STOP_NUMBER));
        assert_eq!(class_of_status(404, None), Some(RefusalClass::Fail));
        for status in [200, 204, 302, 307, 408, 500, 502, 503] {
            assert_eq!(class_of_status(status, None), None, "{status}");
        }
    }
}
