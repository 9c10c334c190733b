//! Misbehaviour on command: what the next calls and the next webhooks suffer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::webhooks::bend::Bend;

/// The bytes of a huge answer, and how long a template is held, unless told.
const HUGE: usize = 50_000_000;
const HELD_MS: u64 = 60_000;
/// Why a message fails unless told.
const UNDELIVERABLE: u32 = 131_026;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// A send is refused with `status` and `code`; without a code the body is no JSON.
    #[serde(alias = "errors")]
    Error,
    /// A send is answered `ms` later.
    #[serde(alias = "delays")]
    Delay,
    /// The connection of a send is reset, before or after the message was accepted.
    #[serde(alias = "resets")]
    Reset,
    /// As `reset`, nothing accepted.
    ResetBefore,
    /// As `reset`, the message accepted.
    ResetAfter,
    /// The connection is reset amid the answer; the message was accepted.
    ResetDuring,
    /// The connection is reset behind the answer's last byte, before it is told to be the last; accepted.
    ResetEnd,
    /// The answer is cut off although it is told to be whole; accepted.
    BrokenJson,
    /// The answer comes a byte each `ms`, a second unless told; accepted.
    Slow,
    /// The answer has `bytes` bytes, 50 MB unless told; accepted.
    Huge,
    /// The caller is sent to `location`, another name of the sandbox unless told; nothing accepted.
    Redirect,
    /// A template is held for `ms`, a minute unless told, and then sent, or failed with `code`.
    Held,
    /// A message is accepted and then fails with `code`, 131026 unless told.
    Fails,
    /// A webhook's signature is wrong until it is repeated.
    WrongSignature,
    /// A webhook is signed with another secret until it is repeated.
    OtherSecret,
    /// A webhook's body is cut off; the signature is that of the rest; its repetition is whole.
    Truncated,
    /// A webhook is bent as `bend` says.
    Bent,
    /// A webhook is never sent.
    Lost,
    /// A webhook is sent twice.
    Doubled,
    /// A webhook is sent `ms` late and overtaken by later ones.
    Late,
    /// As many webhooks as counted are held back and then sent in another order.
    Shuffled,
}

/// Whether the message of a troubled call is accepted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    Before,
    After,
}

/// A fault as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    /// How many calls or webhooks it still hits.
    #[serde(default = "once")]
    pub count: u32,
    /// The HTTP status of an error; 500 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The Graph code of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Milliseconds of a delay (real time) or of a late webhook (the sandbox's clock).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// For delays and resets; a delay comes before, a reset after the message was accepted, unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Seconds in the header `Retry-After` of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Where a redirect leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// How many bytes a huge answer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// How a webhook is bent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bend: Option<Bend>,
    /// Only sends of this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Only webhooks of this status, message type, template event or field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

fn once() -> u32 {
    1
}

/// What befalls one send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendFault {
    Refuse {
        status: u16,
        code: Option<u32>,
        retry_after: Option<u64>,
    },
    Delay {
        ms: u64,
        when: When,
    },
    Reset(When),
    Redirect {
        location: Option<String>,
    },
    /// The message is accepted, the answer spoilt.
    Spoil(Spoilage),
    /// The message is accepted and its way is another one.
    Fate(Fate),
}

/// What becomes of the answer to an accepted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoilage {
    ResetDuring,
    ResetEnd,
    CutOff,
    Slow { ms: u64 },
    Huge { bytes: usize },
}

/// What becomes of an accepted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Held { ms: i64, code: Option<u32> },
    Fails { code: u32 },
}

/// What befalls one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookFault {
    Lost,
    Doubled,
    Late {
        ms: i64,
    },
    /// Held back with so many still to come.
    Shuffled {
        left: u32,
    },
    Forged(Forgery),
    Bent(Bend),
}

/// What is wrong with the bytes of a webhook or their signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgery {
    WrongSignature,
    OtherSecret,
    Truncated,
}

impl Fault {
    fn hits_sends(&self) -> bool {
        !self.hits_webhooks()
    }

    fn hits_webhooks(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Lost
                | FaultKind::Doubled
                | FaultKind::Late
                | FaultKind::Shuffled
                | FaultKind::WrongSignature
                | FaultKind::OtherSecret
                | FaultKind::Truncated
                | FaultKind::Bent
        )
    }
}

/// The faults still to come, in the order they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: VecDeque<Fault>,
}

impl Faults {
    /// Adds a fault behind the others; a count of 0 adds nothing, a shuffle holds at least two.
    pub(crate) fn add(&mut self, mut fault: Fault) {
        if fault.kind == FaultKind::Shuffled && fault.count == 1 {
            fault.count = 2;
        }
        if 0 < fault.count {
            self.waiting.push_back(fault);
        }
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &Fault> {
        self.waiting.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Takes what befalls the next send of `number`, if anything.
    pub(crate) fn take_send(&mut self, number: &str) -> Option<SendFault> {
        let fault = self.take(|fault| {
            fault.hits_sends() && fault.number.as_ref().is_none_or(|only| only == number)
        })?;
        let ms = |usual: u64| fault.ms.unwrap_or(usual);
        Some(match fault.kind {
            FaultKind::Error => SendFault::Refuse {
                status: fault.status.unwrap_or(500),
                code: fault.code,
                retry_after: fault.retry_after,
            },
            FaultKind::Delay => {
                SendFault::Delay { ms: ms(1_000), when: fault.when.unwrap_or(When::Before) }
            }
            FaultKind::Reset => SendFault::Reset(fault.when.unwrap_or(When::After)),
            FaultKind::ResetBefore => SendFault::Reset(When::Before),
            FaultKind::ResetAfter => SendFault::Reset(When::After),
            FaultKind::ResetDuring => SendFault::Spoil(Spoilage::ResetDuring),
            FaultKind::ResetEnd => SendFault::Spoil(Spoilage::ResetEnd),
            FaultKind::BrokenJson => SendFault::Spoil(Spoilage::CutOff),
            FaultKind::Slow => SendFault::Spoil(Spoilage::Slow { ms: ms(1_000) }),
            FaultKind::Huge => {
                SendFault::Spoil(Spoilage::Huge { bytes: fault.bytes.unwrap_or(HUGE) })
            }
            FaultKind::Redirect => SendFault::Redirect { location: fault.location },
            FaultKind::Held => {
                let ms = i64::try_from(ms(HELD_MS)).unwrap_or(i64::MAX);
                SendFault::Fate(Fate::Held { ms, code: fault.code })
            }
            FaultKind::Fails => {
                SendFault::Fate(Fate::Fails { code: fault.code.unwrap_or(UNDELIVERABLE) })
            }
            FaultKind::Lost
            | FaultKind::Doubled
            | FaultKind::Late
            | FaultKind::Shuffled
            | FaultKind::WrongSignature
            | FaultKind::OtherSecret
            | FaultKind::Truncated
            | FaultKind::Bent => return None,
        })
    }

    /// Takes what befalls the next webhook, `body`, if anything.
    pub(crate) fn take_webhook(&mut self, body: &Value) -> Option<WebhookFault> {
        let fault = self.take(|fault| {
            fault.hits_webhooks() && fault.only.as_ref().is_none_or(|only| speaks_of(body, only))
        })?;
        Some(match fault.kind {
            FaultKind::Lost => WebhookFault::Lost,
            FaultKind::Doubled => WebhookFault::Doubled,
            FaultKind::Late => WebhookFault::Late {
                ms: i64::try_from(fault.ms.unwrap_or(5_000)).unwrap_or(i64::MAX / 2),
            },
            FaultKind::Shuffled => WebhookFault::Shuffled { left: fault.count - 1 },
            FaultKind::WrongSignature => WebhookFault::Forged(Forgery::WrongSignature),
            FaultKind::OtherSecret => WebhookFault::Forged(Forgery::OtherSecret),
            FaultKind::Truncated => WebhookFault::Forged(Forgery::Truncated),
            FaultKind::Bent => WebhookFault::Bent(fault.bend.unwrap_or(Bend::UnknownType)),
            _ => return None,
        })
    }

    /// The first fault that `wanted` picks, as it stood before this use of it.
    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let place = self.waiting.iter().position(wanted)?;
        let fault = self.waiting.get_mut(place)?;
        let taken = fault.clone();
        fault.count -= 1;
        if fault.count == 0 {
            self.waiting.remove(place);
        }
        Some(taken)
    }
}

/// Whether a webhook is of the status, the message type, the template event or the field `word`.
fn speaks_of(body: &Value, word: &str) -> bool {
    let places = ["value/statuses/0/status", "value/messages/0/type", "value/event", "field"];
    places.iter().any(|place| {
        let said = body.pointer(&format!("/entry/0/changes/0/{place}"));
        said.and_then(Value::as_str).is_some_and(|said| said.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn faults_hit_what_they_are_about_and_wear_off() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"kind":"error","count":2,"status":429,"code":130429}"#));
        faults.add(fault(r#"{"kind":"doubled"}"#));
        faults.add(fault(r#"{"kind":"reset"}"#));
        let refusal =
            Some(SendFault::Refuse { status: 429, code: Some(130_429), retry_after: None });
        assert_eq!(faults.take_send("1"), refusal);
        assert_eq!(faults.take_send("1"), refusal);
        assert_eq!(faults.take_send("1"), Some(SendFault::Reset(When::After)));
        assert_eq!(faults.take_send("1"), None);
        assert_eq!(faults.take_webhook(&Value::Null), Some(WebhookFault::Doubled));
        assert_eq!(faults.take_webhook(&Value::Null), None);
    }

    #[test]
    fn a_shuffle_holds_at_least_two() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"kind":"shuffled"}"#));
        assert_eq!(faults.take_webhook(&Value::Null), Some(WebhookFault::Shuffled { left: 1 }));
        assert_eq!(faults.take_webhook(&Value::Null), Some(WebhookFault::Shuffled { left: 0 }));
        assert_eq!(faults.take_webhook(&Value::Null), None);
    }

    #[test]
    fn a_fault_of_a_number_or_a_status_spares_the_others() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"kind":"redirect","number":"2"}"#));
        faults.add(fault(r#"{"kind":"lost","only":"delivered"}"#));
        assert_eq!(faults.take_send("1"), None);
        assert_eq!(faults.take_send("2"), Some(SendFault::Redirect { location: None }));
        let told = |status: &str| {
            serde_json::json!({ "entry": [{ "changes": [{
            "field": "messages", "value": { "statuses": [{ "status": status }] } }] }] })
        };
        assert_eq!(faults.take_webhook(&told("sent")), None);
        assert_eq!(faults.take_webhook(&told("delivered")), Some(WebhookFault::Lost));
    }
}
