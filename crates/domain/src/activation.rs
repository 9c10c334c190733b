//! What the switch *Active messages* of a chatbot needs before it turns on (AM-14).

/// What is known of a chatbot's channels and templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivationFacts {
    /// Whether a number is connected.
    pub number_connected: bool,
    /// Whether that number's webhook was verified.
    pub webhook_verified: bool,
    /// Whether one template is approved.
    pub template_approved: bool,
}

/// Something that must be done before active messages can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivationStep {
    /// Connect a number.
    ConnectNumber,
    /// Have its webhook verified.
    VerifyWebhook,
    /// Get a template approved.
    ApproveTemplate,
}

/// What is missing, in the order in which it is mended; empty when the switch may turn on.
///
/// Turning it off is always allowed.
///
/// Rule: AM-14.
#[must_use]
pub fn missing_for_activation(facts: ActivationFacts) -> Vec<ActivationStep> {
    [
        (facts.number_connected, ActivationStep::ConnectNumber),
        (facts.webhook_verified, ActivationStep::VerifyWebhook),
        (facts.template_approved, ActivationStep::ApproveTemplate),
    ]
    .into_iter()
    .filter_map(|(done, step)| (!done).then_some(step))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{ActivationFacts, ActivationStep, missing_for_activation};

    #[test]
    fn am_14_what_is_missing_is_listed() {
        use ActivationStep::{ApproveTemplate, ConnectNumber, VerifyWebhook};
        let cases: [(&str, [bool; 3], &[ActivationStep]); 4] = [
            ("all is there", [true, true, true], &[]),
            ("nothing is there", [false; 3], &[ConnectNumber, VerifyWebhook, ApproveTemplate]),
            ("the webhook is silent", [true, false, true], &[VerifyWebhook]),
            ("no template is approved", [true, true, false], &[ApproveTemplate]),
        ];
        for (case, [number_connected, webhook_verified, template_approved], expected) in cases {
            let facts = ActivationFacts { number_connected, webhook_verified, template_approved };
            assert_eq!(missing_for_activation(facts), expected, "{case}");
        }
    }
}
