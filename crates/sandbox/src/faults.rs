//! Misbehaviour on command: what the next calls and the next webhooks suffer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

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
}

fn once() -> u32 {
    1
}

/// What befalls one send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendFault {
    Refuse { status: u16, code: Option<u32> },
    Delay { ms: u64, when: When },
    Reset(When),
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
}

impl Fault {
    fn hits_sends(&self) -> bool {
        !self.hits_webhooks()
    }

    fn hits_webhooks(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Lost | FaultKind::Doubled | FaultKind::Late | FaultKind::Shuffled
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

    /// Takes what befalls the next send, if anything.
    pub(crate) fn take_send(&mut self) -> Option<SendFault> {
        let fault = self.take(Fault::hits_sends)?;
        match fault.kind {
            FaultKind::Error => {
                Some(SendFault::Refuse { status: fault.status.unwrap_or(500), code: fault.code })
            }
            FaultKind::Delay => Some(SendFault::Delay {
                ms: fault.ms.unwrap_or(1_000),
                when: fault.when.unwrap_or(When::Before),
            }),
            FaultKind::Reset => Some(SendFault::Reset(fault.when.unwrap_or(When::After))),
            FaultKind::ResetBefore => Some(SendFault::Reset(When::Before)),
            FaultKind::ResetAfter => Some(SendFault::Reset(When::After)),
            FaultKind::Lost | FaultKind::Doubled | FaultKind::Late | FaultKind::Shuffled => None,
        }
    }

    /// Takes what befalls the next webhook, if anything.
    pub(crate) fn take_webhook(&mut self) -> Option<WebhookFault> {
        let fault = self.take(Fault::hits_webhooks)?;
        match fault.kind {
            FaultKind::Lost => Some(WebhookFault::Lost),
            FaultKind::Doubled => Some(WebhookFault::Doubled),
            FaultKind::Late => {
                let ms = i64::try_from(fault.ms.unwrap_or(5_000)).unwrap_or(i64::MAX / 2);
                Some(WebhookFault::Late { ms })
            }
            FaultKind::Shuffled => Some(WebhookFault::Shuffled { left: fault.count - 1 }),
            FaultKind::Error
            | FaultKind::Delay
            | FaultKind::Reset
            | FaultKind::ResetBefore
            | FaultKind::ResetAfter => None,
        }
    }

    /// The first fault that `wanted` picks, as it stood before this use of it.
    fn take(&mut self, wanted: fn(&Fault) -> bool) -> Option<Fault> {
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
        let refusal = Some(SendFault::Refuse { status: 429, code: Some(130_429) });
        assert_eq!(faults.take_send(), refusal);
        assert_eq!(faults.take_send(), refusal);
        assert_eq!(faults.take_send(), Some(SendFault::Reset(When::After)));
        assert_eq!(faults.take_send(), None);
        assert_eq!(faults.take_webhook(), Some(WebhookFault::Doubled));
        assert_eq!(faults.take_webhook(), None);
    }

    #[test]
    fn a_shuffle_holds_at_least_two() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"kind":"shuffled"}"#));
        assert_eq!(faults.take_webhook(), Some(WebhookFault::Shuffled { left: 1 }));
        assert_eq!(faults.take_webhook(), Some(WebhookFault::Shuffled { left: 0 }));
        assert_eq!(faults.take_webhook(), None);
    }
}
