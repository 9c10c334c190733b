//! What the platform tells of the account and its numbers, one payload of each field.

use domain::channel::{
    AccountAlert, AccountEvent, AccountUpdate, AccountUpdateEvent, AlertSeverity, AlertStatus, Ban,
    BanState, BusinessCapability, MessagingLimit, NumberEvent, NumberNameUpdate,
    NumberQualityUpdate, Restriction, RestrictionKind, ReviewDecision, SecurityEvent,
    SecurityNotice, UsernameStatus, UsernameUpdate,
};

use super::*;

fn account(field: &str, value: Value) -> AccountEvent {
    match change_event(field, value.clone()) {
        ChannelEvent::Account { event, at: told_at } => {
            assert_eq!(told_at, Some(at(1_789_000_000)));
            event
        }
        other => panic!("{field} {value}: {other:?}"),
    }
}

const DISPLAY: &str = "447700900101";

#[test]
fn each_news_of_a_number_is_read() {
    let news = |event| NumberQualityUpdate {
        display_phone: some(DISPLAY),
        event: Some(event),
        old_limit: None,
        current_limit: None,
        portfolio_limit: None,
    };
    let contacts = |count| Some(MessagingLimit::Contacts(count));
    let unlimited = || Some(MessagingLimit::Unlimited);
    let cases = [
        (
            json!({"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED",
                   "max_daily_conversations_per_business": "TIER_UNLIMITED"}),
            NumberQualityUpdate {
                current_limit: unlimited(),
                portfolio_limit: unlimited(),
                ..news(NumberEvent::ThroughputUpgrade)
            },
        ),
        (
            json!({"event": "UPGRADE", "old_limit": "TIER_2K", "current_limit": "TIER_10K"}),
            NumberQualityUpdate {
                old_limit: contacts(2_000),
                current_limit: contacts(10_000),
                ..news(NumberEvent::Upgrade)
            },
        ),
        (
            json!({"event": "FLAGGED", "current_limit": "TIER_1K"}),
            NumberQualityUpdate { current_limit: contacts(1_000), ..news(NumberEvent::Flagged) },
        ),
        (
            json!({"event": "ONBOARDING", "max_daily_conversations_per_business": 250}),
            NumberQualityUpdate { portfolio_limit: contacts(250), ..news(NumberEvent::Onboarding) },
        ),
        (json!({"event": "ASCENSION"}), news(NumberEvent::Other("ASCENSION".into()))),
    ];
    for (extra, expected) in cases {
        let value = with(json!({"display_phone_number": DISPLAY}), extra.clone());
        let event = account("phone_number_quality_update", value);
        assert_eq!(event, AccountEvent::NumberQuality(expected), "{extra}");
    }
}

#[test]
fn what_the_business_may_do_is_read_as_text_or_number() {
    let contacts = |count| Some(MessagingLimit::Contacts(count));
    let nothing = BusinessCapability::default;
    let cases = [
        (
            json!({"max_daily_conversations_per_business": "TIER_10K", "max_phone_numbers_per_waba": 25}),
            BusinessCapability {
                portfolio_limit: contacts(10_000),
                numbers_per_account: Some(25),
                ..nothing()
            },
        ),
        (
            json!({"max_daily_conversations_per_business": 2000}),
            BusinessCapability { portfolio_limit: contacts(2_000), ..nothing() },
        ),
        (
            json!({"max_daily_conversation_per_phone": 250, "max_phone_numbers_per_business": "2"}),
            BusinessCapability {
                number_limit: contacts(250),
                numbers_per_business: Some(2),
                ..nothing()
            },
        ),
        (
            json!({"max_daily_conversation_per_phone": -1}),
            BusinessCapability { number_limit: Some(MessagingLimit::Unlimited), ..nothing() },
        ),
        (
            json!({"max_daily_conversations_per_business": "TIER_NOT_SET"}),
            BusinessCapability { portfolio_limit: Some(MessagingLimit::NotSet), ..nothing() },
        ),
    ];
    for (value, expected) in cases {
        let event = account("business_capability_update", value.clone());
        assert_eq!(event, AccountEvent::Capability(expected), "{value}");
    }
}

#[test]
fn each_update_of_the_account_is_read() {
    let update = |event: AccountUpdateEvent| AccountUpdate {
        event: Some(event),
        violation: None,
        restrictions: Vec::new(),
        ban: None,
    };
    let restriction = |kind, until: Option<i64>| Restriction {
        kind: Some(kind),
        until: until.map(at),
        remediation: None,
    };
    let ban = |state, date: Option<&str>| AccountUpdate {
        ban: Some(Ban { state: Some(state), date: date.and_then(some) }),
        ..update(AccountUpdateEvent::Disabled)
    };
    let cases = [
        (
            json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}),
            AccountUpdate { violation: some("SCAM"), ..update(AccountUpdateEvent::Violation) },
        ),
        (
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_789_259_200},
                {"restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "expiration": "1789259200"},
                {"restriction_type": "RESTRICTED_LAUGHTER", "remediation": "Be earnest."}]}),
            AccountUpdate {
                restrictions: vec![
                    restriction(RestrictionKind::InitiateMessages, Some(1_789_259_200)),
                    restriction(RestrictionKind::AnswerMessages, Some(1_789_259_200)),
                    Restriction {
                        remediation: some("Be earnest."),
                        ..restriction(RestrictionKind::Other("RESTRICTED_LAUGHTER".into()), None)
                    },
                ],
                ..update(AccountUpdateEvent::Restriction)
            },
        ),
        (
            json!({"restriction_info": {"restriction_type": "RESTRICTED_UTILITY_TEMPLATES"}}),
            AccountUpdate {
                event: None,
                restrictions: vec![restriction(RestrictionKind::UtilityTemplates, None)],
                ..update(AccountUpdateEvent::Restriction)
            },
        ),
        (
            json!({"event": "DISABLED_UPDATE", "ban_info":
                   {"waba_ban_state": "SCHEDULE_FOR_DISABLE", "waba_ban_date": "September 20, 2026"}}),
            ban(BanState::ScheduledForDisable, Some("September 20, 2026")),
        ),
        (
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
            ban(BanState::Disabled, None),
        ),
        (
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}),
            ban(BanState::Reinstated, None),
        ),
        (json!({"event": "ACCOUNT_DELETED"}), update(AccountUpdateEvent::Deleted)),
        (
            json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": "884120037765421"}}),
            update(AccountUpdateEvent::PartnerAdded),
        ),
        (
            json!({"event": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", "country": "GB"}),
            update(AccountUpdateEvent::PrimaryCountry),
        ),
        (
            json!({"event": "ACCOUNT_KNIGHTED"}),
            update(AccountUpdateEvent::Other("ACCOUNT_KNIGHTED".into())),
        ),
    ];
    for (value, expected) in cases {
        let event = account("account_update", value.clone());
        assert_eq!(event, AccountEvent::Update(expected), "{value}");
    }
}

#[test]
fn an_alert_is_read_flat_or_in_its_object() {
    let alert = json!({"alert_severity": "CRITICAL", "alert_status": "ACTIVE",
        "alert_type": "PROFILE_PICTURE_LOST", "alert_description": "Upload it again."});
    let entity = json!({"entity_type": "PHONE_NUMBER", "entity_id": 730_055_819_924_406_u64});
    let expected = AccountAlert {
        entity_kind: some("PHONE_NUMBER"),
        entity_id: some(NUMBER),
        severity: Some(AlertSeverity::Critical),
        status: Some(AlertStatus::Active),
        kind: some("PROFILE_PICTURE_LOST"),
        description: some("Upload it again."),
    };
    for value in [with(entity.clone(), json!({"alert_info": alert})), with(entity, alert)] {
        let event = account("account_alerts", value.clone());
        assert_eq!(event, AccountEvent::Alert(expected.clone()), "{value}");
    }
}

#[test]
fn each_review_is_read() {
    let decisions = [
        ("APPROVED", ReviewDecision::Approved),
        ("REJECTED", ReviewDecision::Rejected),
        ("PENDING", ReviewDecision::Pending),
        ("DEFERRED", ReviewDecision::Deferred),
        ("PRAISED", ReviewDecision::Other("PRAISED".into())),
    ];
    for (word, decision) in decisions {
        let event = account("account_review_update", json!({"decision": word}));
        assert_eq!(event, AccountEvent::Review(decision.clone()), "{word}");
        let value = json!({"display_phone_number": DISPLAY, "decision": word,
            "requested_verified_name": "Harbour", "rejection_reason": "NAME_FORMAT_UNACCEPTABLE"});
        let expected = NumberNameUpdate {
            display_phone: some(DISPLAY),
            decision: Some(decision),
            requested_name: some("Harbour"),
            rejection_reason: some("NAME_FORMAT_UNACCEPTABLE"),
        };
        let event = account("phone_number_name_update", value);
        assert_eq!(event, AccountEvent::NumberName(expected), "{word}");
    }
}

#[test]
fn what_protects_a_number_and_what_names_a_business_is_read() {
    for (word, event) in [
        ("PIN_CHANGED", SecurityEvent::PinChanged),
        ("PIN_RESET_REQUEST", SecurityEvent::PinResetRequest),
        ("PIN_REQUEST_SUCCESS", SecurityEvent::PinRequestSuccess),
        ("PIN_EATEN", SecurityEvent::Other("PIN_EATEN".into())),
    ] {
        let value =
            json!({"display_phone_number": DISPLAY, "event": word, "requester": "61550012344321"});
        let expected = SecurityNotice {
            display_phone: some(DISPLAY),
            event: Some(event),
            requester: some("61550012344321"),
        };
        assert_eq!(account("security", value), AccountEvent::Security(expected), "{word}");
    }
    for (word, status) in [
        ("approved", UsernameStatus::Approved),
        ("RESERVED", UsernameStatus::Reserved),
        ("deleted", UsernameStatus::Deleted),
    ] {
        let value =
            json!({"display_phone_number": DISPLAY, "username": "harbourlane", "status": word});
        let expected = UsernameUpdate {
            display_phone: some(DISPLAY),
            username: some("harbourlane"),
            status: Some(status),
        };
        let event = account("business_username_update", value);
        assert_eq!(event, AccountEvent::Username(expected), "{word}");
    }
}
