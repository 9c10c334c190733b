//! What the platform tells of the account and its numbers (protocol, 5).

use domain::channel::{
    AccountAlert, AccountEvent, AccountUpdate, AccountUpdateEvent, AlertSeverity, AlertStatus, Ban,
    BanState, BusinessCapability, MessagingLimit, NumberEvent, NumberNameUpdate,
    NumberQualityUpdate, Restriction, RestrictionKind, ReviewDecision, SecurityEvent,
    SecurityNotice, UsernameStatus, UsernameUpdate,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    number::limit_of,
    wire::{Loose, lenient, one_or_more, read_object, read_part},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QualityWire {
    display_phone_number: Loose,
    event: Loose,
    old_limit: Loose,
    current_limit: Loose,
    max_daily_conversations_per_business: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CapabilityWire {
    max_daily_conversations_per_business: Loose,
    max_daily_conversation_per_phone: Loose,
    max_phone_numbers_per_waba: Loose,
    max_phone_numbers_per_business: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpdateWire {
    event: Loose,
    #[serde(deserialize_with = "lenient")]
    violation_info: Option<ViolationWire>,
    #[serde(deserialize_with = "one_or_more")]
    restriction_info: Vec<RestrictionWire>,
    #[serde(deserialize_with = "lenient")]
    ban_info: Option<BanWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ViolationWire {
    violation_type: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestrictionWire {
    restriction_type: Loose,
    expiration: Loose,
    remediation: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BanWire {
    waba_ban_state: Loose,
    waba_ban_date: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AlertWire {
    entity_type: Loose,
    entity_id: Loose,
    alert_severity: Loose,
    alert_status: Loose,
    alert_type: Loose,
    alert_description: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReviewWire {
    decision: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameWire {
    display_phone_number: Loose,
    decision: Loose,
    requested_verified_name: Loose,
    rejection_reason: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SecurityWire {
    display_phone_number: Loose,
    event: Loose,
    requester: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsernameWire {
    display_phone_number: Loose,
    username: Loose,
    status: Loose,
}

/// Reads the value of an account-level `field`; `None` when it is none of these, or its value does not say what it
/// is there for.
pub(super) fn read_account(field: &str, value: &Value) -> Option<AccountEvent> {
    match field {
        "phone_number_quality_update" => {
            read_object::<QualityWire>(value).map(|wire| AccountEvent::NumberQuality(wire.into()))
        }
        "business_capability_update" => {
            read_object::<CapabilityWire>(value).map(|wire| AccountEvent::Capability(wire.into()))
        }
        "account_update" => {
            read_object::<UpdateWire>(value).map(|wire| AccountEvent::Update(wire.into()))
        }
        "account_alerts" => read_alert(value).map(AccountEvent::Alert),
        "account_review_update" => {
            let decision = read_object::<ReviewWire>(value)?.decision;
            decision.as_str().map(ReviewDecision::parse).map(AccountEvent::Review)
        }
        "phone_number_name_update" => {
            read_object::<NameWire>(value).map(|wire| AccountEvent::NumberName(wire.into()))
        }
        "security" => {
            read_object::<SecurityWire>(value).map(|wire| AccountEvent::Security(wire.into()))
        }
        "business_username_update" => {
            read_object::<UsernameWire>(value).map(|wire| AccountEvent::Username(wire.into()))
        }
        _ => None,
    }
}

/// Since when some of an alert stands in an object of its own, older ones stand flat.
fn read_alert(value: &Value) -> Option<AccountAlert> {
    let outer: AlertWire = read_object(value)?;
    let inner: AlertWire = read_part(value, "alert_info").unwrap_or_default();
    Some(AccountAlert {
        entity_kind: outer.entity_type.0,
        entity_id: outer.entity_id.0,
        severity: inner.alert_severity.or(&outer.alert_severity).as_str().map(AlertSeverity::parse),
        status: inner.alert_status.or(&outer.alert_status).as_str().map(AlertStatus::parse),
        kind: inner.alert_type.or(&outer.alert_type).0.clone(),
        description: inner.alert_description.or(&outer.alert_description).0.clone(),
    })
}

/// A level such as `TIER_2K`, or a number of contacts, of which -1 means all.
fn messaging_limit(loose: &Loose) -> Option<MessagingLimit> {
    let word = loose.as_str()?;
    let limit = match word.to_ascii_uppercase().as_str() {
        "TIER_UNLIMITED" | "-1" => MessagingLimit::Unlimited,
        "TIER_NOT_SET" => MessagingLimit::NotSet,
        tier => limit_of(tier)
            .or_else(|| loose.as_count())
            .map_or_else(|| MessagingLimit::Other(word.to_owned()), MessagingLimit::Contacts),
    };
    Some(limit)
}

impl From<QualityWire> for NumberQualityUpdate {
    fn from(wire: QualityWire) -> Self {
        Self {
            event: wire.event.as_str().map(NumberEvent::parse),
            old_limit: messaging_limit(&wire.old_limit),
            current_limit: messaging_limit(&wire.current_limit),
            portfolio_limit: messaging_limit(&wire.max_daily_conversations_per_business),
            display_phone: wire.display_phone_number.0,
        }
    }
}

impl From<CapabilityWire> for BusinessCapability {
    fn from(wire: CapabilityWire) -> Self {
        Self {
            portfolio_limit: messaging_limit(&wire.max_daily_conversations_per_business),
            number_limit: messaging_limit(&wire.max_daily_conversation_per_phone),
            numbers_per_account: wire.max_phone_numbers_per_waba.as_count(),
            numbers_per_business: wire.max_phone_numbers_per_business.as_count(),
        }
    }
}

impl From<UpdateWire> for AccountUpdate {
    fn from(wire: UpdateWire) -> Self {
        let restriction = |wire: RestrictionWire| Restriction {
            kind: wire.restriction_type.as_str().map(RestrictionKind::parse),
            until: wire.expiration.as_instant(),
            remediation: wire.remediation.0,
        };
        Self {
            event: wire.event.as_str().map(AccountUpdateEvent::parse),
            violation: wire.violation_info.and_then(|violation| violation.violation_type.0),
            restrictions: wire.restriction_info.into_iter().map(restriction).collect(),
            ban: wire.ban_info.map(|ban| Ban {
                state: ban.waba_ban_state.as_str().map(BanState::parse),
                date: ban.waba_ban_date.0,
            }),
        }
    }
}

impl From<NameWire> for NumberNameUpdate {
    fn from(wire: NameWire) -> Self {
        Self {
            decision: wire.decision.as_str().map(ReviewDecision::parse),
            display_phone: wire.display_phone_number.0,
            requested_name: wire.requested_verified_name.0,
            rejection_reason: wire.rejection_reason.unless_none(),
        }
    }
}

impl From<SecurityWire> for SecurityNotice {
    fn from(wire: SecurityWire) -> Self {
        Self {
            event: wire.event.as_str().map(SecurityEvent::parse),
            display_phone: wire.display_phone_number.0,
            requester: wire.requester.0,
        }
    }
}

impl From<UsernameWire> for UsernameUpdate {
    fn from(wire: UsernameWire) -> Self {
        Self {
            status: wire.status.as_str().map(UsernameStatus::parse),
            display_phone: wire.display_phone_number.0,
            username: wire.username.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_level_or_a_number_of_contacts() {
        let cases = [
            ("TIER_50", MessagingLimit::Contacts(50)),
            ("TIER_2K", MessagingLimit::Contacts(2_000)),
            ("tier_100k", MessagingLimit::Contacts(100_000)),
            ("TIER_UNLIMITED", MessagingLimit::Unlimited),
            ("TIER_NOT_SET", MessagingLimit::NotSet),
            ("250", MessagingLimit::Contacts(250)),
            ("-1", MessagingLimit::Unlimited),
            ("-2", MessagingLimit::Other("-2".into())),
            ("TIER_Vast", MessagingLimit::Other("TIER_Vast".into())),
        ];
        for (word, expected) in cases {
            assert_eq!(messaging_limit(&Loose(Some(word.into()))), Some(expected), "{word}");
        }
        assert_eq!(messaging_limit(&Loose::default()), None);
    }
}
