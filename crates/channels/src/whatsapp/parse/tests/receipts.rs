//! Receipts, one payload of each form the protocol has had, and troubles of no message.

use domain::channel::{
    Conversation, PlatformRefusal, Pricing, PricingCategory, PricingKind, PricingModel, Receipt,
    Recipient, RefusalClass, RetryScope,
};

use super::*;

fn status(extra: Value) -> Value {
    let status =
        json!({"id": "wamid.1", "timestamp": "1789000101", "recipient_id": "447700900777"});
    envelope(json!({"statuses": [with(status, extra)]}))
}

fn receipt(extra: Value) -> Receipt {
    match only(&status(extra.clone())) {
        ChannelEvent::Receipt(receipt) => receipt,
        other => panic!("{extra}: {other:?}"),
    }
}

fn recipient() -> Recipient {
    Recipient::Contact(SenderIdentity { name: None, ..imani() })
}

fn refusal(code: &str, title: &str) -> PlatformRefusal {
    PlatformRefusal { code: code.into(), title: title.into() }
}

#[test]
fn each_status_is_read() {
    let cases = [
        ("sent", ReceiptStatus::Sent),
        ("delivered", ReceiptStatus::Delivered),
        ("read", ReceiptStatus::Read),
        ("played", ReceiptStatus::Played),
        ("READ", ReceiptStatus::Read),
    ];
    for (word, expected) in cases {
        let told = Receipt {
            recipient: recipient(),
            ..Receipt::new("wamid.1", expected, at(1_789_000_101))
        };
        assert_eq!(receipt(json!({"status": word})), told, "{word}");
    }
    for (echo, expected) in [("campaign-31/contact-5", some("campaign-31/contact-5")), ("", None)] {
        let told = receipt(json!({"status": "sent", "biz_opaque_callback_data": echo}));
        assert_eq!(told.callback_id, expected, "{echo}");
    }
    for word in ["warning", "deleted", "evaporated"] {
        let event = only(&status(json!({"status": word})));
        assert_eq!(event, other_event(&format!("status {word}")));
    }
}

#[test]
fn of_several_errors_the_first_decides_and_all_are_kept() {
    let reengage = "The last message of this user is more than a day old.";
    let cases = [
        (
            json!([{"code": 131_047, "title": "Re-engagement message", "error_data": {"details": reengage}}]),
            RefusalClass::Fail,
            vec![refusal("131047", reengage)],
        ),
        (
            json!([{"code": 131_050, "title": "User stopped"}, {"code": 131_026, "title": "Undeliverable"}]),
            RefusalClass::FailOptedOut,
            vec![refusal("131050", "User stopped"), refusal("131026", "Undeliverable")],
        ),
        (
            json!({"code": "131026", "title": "Undeliverable"}),
            RefusalClass::FailContact,
            vec![refusal("131026", "Undeliverable")],
        ),
        (json!([{"code": 999_999}]), RefusalClass::Fail, vec![refusal("999999", "")]),
    ];
    for (errors, class, kept) in cases {
        let told = receipt(json!({"status": "failed", "errors": errors}));
        let expected = ReceiptStatus::Failed { refusal: kept[0].clone(), class };
        assert_eq!((told.status, told.errors), (expected, kept), "{errors}");
    }
    let told = receipt(json!({"status": "failed"}));
    let expected =
        ReceiptStatus::Failed { refusal: refusal("unknown", ""), class: RefusalClass::Fail };
    assert_eq!((told.status, told.errors), (expected, Vec::new()));
}

#[test]
fn each_price_is_read_and_says_whether_it_is_charged() {
    let pricing = |model, kind, category, told_billable| Pricing {
        model: Some(model),
        kind,
        category: Some(category),
        told_billable,
    };
    use PricingCategory as Category;
    let (now, before) = (PricingModel::PerMessage, PricingModel::PerConversation);
    let cases = [
        (
            json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}),
            pricing(now.clone(), Some(PricingKind::Regular), Category::Marketing, Some(true)),
            Some(true),
        ),
        (
            json!({"pricing_model": "PMP", "type": "free_customer_service", "category": "utility"}),
            pricing(now.clone(), Some(PricingKind::FreeCustomerService), Category::Utility, None),
            Some(false),
        ),
        (
            json!({"billable": "false", "pricing_model": "PMP", "type": "free_entry_point", "category": "referral_conversion"}),
            pricing(
                now.clone(),
                Some(PricingKind::FreeEntryPoint),
                Category::ReferralConversion,
                Some(false),
            ),
            Some(false),
        ),
        (
            json!({"pricing_model": "PMP", "type": "regular", "category": "authentication-international"}),
            pricing(
                now.clone(),
                Some(PricingKind::Regular),
                Category::AuthenticationInternational,
                None,
            ),
            Some(true),
        ),
        (
            json!({"pricing_model": "PMP", "type": "free_group_customer_service", "category": "group_service"}),
            pricing(
                now.clone(),
                Some(PricingKind::FreeGroupCustomerService),
                Category::GroupService,
                None,
            ),
            Some(false),
        ),
        (
            json!({"billable": true, "pricing_model": "CBP", "category": "business_initiated"}),
            pricing(before, None, Category::BusinessInitiated, Some(true)),
            Some(true),
        ),
        (
            json!({"pricing_model": "PMP", "type": "barter", "category": "favours"}),
            pricing(
                now,
                Some(PricingKind::Other("barter".into())),
                Category::Other("favours".into()),
                None,
            ),
            None,
        ),
    ];
    for (told, expected, billable) in cases {
        let read = receipt(json!({"status": "sent", "pricing": told})).pricing.unwrap();
        assert_eq!(read.is_billable(), billable, "{told}");
        assert_eq!(read, expected, "{told}");
    }
    for absent in [json!(null), json!(["PMP"]), json!("PMP")] {
        assert_eq!(receipt(json!({"status": "sent", "pricing": absent})).pricing, None);
    }
}

#[test]
fn each_conversation_is_read() {
    let conversation = |expires_at: Option<i64>, origin| Conversation {
        id: some("c0ffee00"),
        expires_at: expires_at.map(at),
        origin: Some(origin),
    };
    let cases = [
        (
            json!({"id": "c0ffee00", "expiration_timestamp": "1789259310", "origin": {"type": "referral_conversion"}}),
            conversation(Some(1_789_259_310), PricingCategory::ReferralConversion),
        ),
        (
            json!({"id": "c0ffee00", "origin": {"type": "authentication_international"}}),
            conversation(None, PricingCategory::AuthenticationInternational),
        ),
        (
            json!({"id": "c0ffee00", "expiration_timestamp": "soon", "origin": {"type": "user_initiated"}}),
            conversation(None, PricingCategory::UserInitiated),
        ),
    ];
    for (told, expected) in cases {
        let read = receipt(json!({"status": "sent", "conversation": told})).conversation;
        assert_eq!(read, Some(expected), "{told}");
    }
}

#[test]
fn a_receipt_names_its_recipient_or_the_one_of_a_group() {
    let known = |phone: Option<&str>, scoped: Option<&str>, name: Option<&str>| SenderIdentity {
        phone_digits: phone.and_then(some),
        scoped_id: scoped.and_then(some),
        name: name.and_then(some),
        ..SenderIdentity::default()
    };
    let group = |group: Option<&str>, participant| Recipient::Group {
        group: group.and_then(some),
        participant,
    };
    let cases = [
        (
            json!({"recipient_id": "447700900777", "recipient_user_id": "GB.55"}),
            Recipient::Contact(known(Some("447700900777"), Some("GB.55"), Some("Imani Okoro"))),
        ),
        (
            json!({"recipient_id": "", "recipient_user_id": "GB.55"}),
            Recipient::Contact(known(Some("447700900777"), Some("GB.55"), Some("Imani Okoro"))),
        ),
        (
            json!({"recipient_user_id": "GB.66"}),
            Recipient::Contact(known(None, Some("GB.66"), None)),
        ),
        (json!({}), Recipient::Contact(SenderIdentity::default())),
        (
            json!({"recipient_type": "group", "recipient_id": "R1JPVVA=",
                   "recipient_participant_id": "447700900333"}),
            group(Some("R1JPVVA="), known(Some("447700900333"), None, None)),
        ),
        (json!({"recipient_type": "group"}), group(None, SenderIdentity::default())),
    ];
    for (keys, expected) in cases {
        let status = json!({"id": "wamid.1", "timestamp": "1789000210", "status": "read"});
        let contacts = json!([{"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777", "user_id": "GB.55"}]);
        let body =
            envelope(json!({"contacts": contacts, "statuses": [with(status, keys.clone())]}));
        let ChannelEvent::Receipt(receipt) = only(&body) else { panic!("{keys}") };
        assert_eq!(receipt.recipient, expected, "{keys}");
    }
}

#[test]
fn trouble_of_no_message_is_told_with_what_it_means() {
    let errors = json!([{"code": 130_429, "title": "Rate limit hit", "message": "Rate limit hit",
        "error_data": {"details": "Throughput of this number was exceeded."},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}]);
    let expected = ChannelEvent::Trouble {
        refusal: refusal("130429", "Throughput of this number was exceeded."),
        class: RefusalClass::Retry { after: None, scope: RetryScope::Number },
    };
    assert_eq!(only(&envelope(json!({"errors": errors}))), expected);
    assert_eq!(only(&envelope(json!({"errors": ["130429"]}))), other_event("errors"));
}
