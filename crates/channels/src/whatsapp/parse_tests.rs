//! Webhooks as the protocol shows them, as they have been seen, and as nobody should send them.

use chrono::{DateTime, Utc};
use domain::channel::{
    ChannelEvent, InboundContent, InboundMessage, PlatformRefusal, Receipt, ReceiptStatus,
    RefusalClass, SenderIdentity, WebhookElement, WebhookRejection,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::parse;

const NUMBER: &str = "730055819924406";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// The envelope around one `value` of the field `messages`, with the number's metadata.
fn envelope(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "447700900101", "phone_number_id": NUMBER});
    changes(json!([{"field": "messages", "value": value}]))
}

fn changes(changes: Value) -> Value {
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": "884120037765421", "time": 1_789_000_000, "changes": changes}]})
}

fn parsed(body: &Value) -> Vec<WebhookElement> {
    parse(body.to_string().as_bytes()).unwrap()
}

/// The one event of a webhook with one element.
fn only(body: &Value) -> ChannelEvent {
    let elements = parsed(body);
    assert_eq!(elements.len(), 1, "{body}");
    elements.into_iter().next().unwrap().event.unwrap()
}

fn message_event(message: Value) -> ChannelEvent {
    let contacts = json!([{"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777"}]);
    only(&envelope(json!({"contacts": contacts, "messages": [message]})))
}

fn inbound(message: Value) -> InboundMessage {
    match message_event(message.clone()) {
        ChannelEvent::Inbound(inbound) => inbound,
        other => panic!("{message}: {other:?}"),
    }
}

fn content(kind: &str, part: Value) -> InboundContent {
    let mut message =
        json!({"from": "447700900777", "id": "wamid.1", "timestamp": "1789000000", "type": kind});
    message[kind] = part;
    inbound(message).content
}

fn other(kind: &str, caption: Option<&str>) -> InboundContent {
    InboundContent::Other { kind: kind.into(), caption: caption.map(Into::into) }
}

fn button(text: &str, payload: &str) -> InboundContent {
    InboundContent::Button { text: text.into(), payload: payload.into() }
}

#[test]
fn a_text_is_read_with_its_sender() {
    let body = envelope(json!({
        "contacts": [
            {"profile": {"name": "Noor Castell"}, "wa_id": "447700900333"},
            {"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777", "user_id": "GB.5530871129046618"}],
        "messages": [{"from": "447700900777", "from_user_id": "GB.5530871129046618",
            "id": "wamid.RVhBTVBMRS1NU0ctMDAwNQ==", "timestamp": "1789000000", "type": "text",
            "text": {"body": "Is Friday still free?"}, "context": {"from": "447700900101", "id": "wamid.2"}}]
    }));
    let elements = parsed(&body);
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0].external_id.as_deref(), Some(NUMBER));
    let raw: Value = serde_json::from_str(&elements[0].raw).unwrap();
    assert_eq!(raw, body["entry"][0]["changes"][0]["value"]["messages"][0]);
    let expected = InboundMessage {
        provider_id: "wamid.RVhBTVBMRS1NU0ctMDAwNQ==".into(),
        sender: SenderIdentity {
            phone_digits: Some("447700900777".into()),
            scoped_id: Some("GB.5530871129046618".into()),
            name: Some("Imani Okoro".into()),
        },
        at: at(1_789_000_000),
        content: InboundContent::Text("Is Friday still free?".into()),
        in_reply_to: Some("wamid.2".into()),
    };
    assert_eq!(elements[0].event, Ok(ChannelEvent::Inbound(expected)));
}

#[test]
fn each_kind_of_message_of_the_protocol_is_read() {
    let media = |extra: Value| {
        let mut media =
            json!({"mime_type": "x/y", "sha256": "ZXhhbXBsZQ==", "id": "2207714400331902"});
        for (key, value) in extra.as_object().unwrap() {
            media[key] = value.clone();
        }
        media
    };
    let cases = [
        ("image", media(json!({"caption": "Cracked here"})), other("image", Some("Cracked here"))),
        ("video", media(json!({"caption": "Kiln noise"})), other("video", Some("Kiln noise"))),
        ("audio", media(json!({"voice": true})), other("audio", None)),
        (
            "document",
            media(json!({"caption": "Signed", "filename": "quote.pdf"})),
            other("document", Some("Signed")),
        ),
        ("document", media(json!({"filename": "quote.pdf"})), other("document", Some("quote.pdf"))),
        ("sticker", media(json!({"animated": false})), other("sticker", None)),
        (
            "location",
            json!({"latitude": 51.0731, "longitude": -4.0572, "name": "Quay car park", "address": "Instow"}),
            other("location", Some("Quay car park")),
        ),
        ("location", json!({"latitude": 51.0731, "longitude": -4.0572}), other("location", None)),
        (
            "contacts",
            json!([{"name": {"formatted_name": "Noor Castell"}, "phones": [{"wa_id": "447700900333"}]}]),
            other("contacts", Some("Noor Castell")),
        ),
        (
            "interactive",
            json!({"type": "button_reply", "button_reply": {"id": "day:fri", "title": "Friday"}}),
            button("Friday", "day:fri"),
        ),
        (
            "interactive",
            json!({"type": "list_reply",
                   "list_reply": {"id": "ws-1", "title": "First bowl", "description": "Two hours, Saturday"}}),
            button("First bowl", "ws-1"),
        ),
        (
            "interactive",
            json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}}),
            other("nfm_reply", Some("Sent")),
        ),
        (
            "interactive",
            json!({"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}}),
            other("call_permission_reply", None),
        ),
        ("interactive", json!(null), other("interactive", None)),
        (
            "button",
            json!({"payload": "RESCHEDULE:8812", "text": "Reschedule"}),
            button("Reschedule", "RESCHEDULE:8812"),
        ),
        ("button", json!({"text": "Reschedule"}), button("Reschedule", "Reschedule")),
        (
            "reaction",
            json!({"message_id": "wamid.1", "emoji": "\u{2764}\u{fe0f}"}),
            InboundContent::Reaction { to: "wamid.1".into(), emoji: "\u{2764}\u{fe0f}".into() },
        ),
        (
            "reaction",
            json!({"message_id": "wamid.1"}),
            InboundContent::Reaction { to: "wamid.1".into(), emoji: String::new() },
        ),
        (
            "reaction",
            json!({"message_id": "wamid.1", "emoji": ""}),
            InboundContent::Reaction { to: "wamid.1".into(), emoji: String::new() },
        ),
        (
            "order",
            json!({"catalog_id": "615500248890013", "text": "Gift wrap please", "product_items": []}),
            other("order", Some("Gift wrap please")),
        ),
        ("unsupported", json!({"type": "poll_creation"}), other("unsupported", None)),
        ("unknown", json!(null), other("unknown", None)),
    ];
    for (kind, part, expected) in cases {
        assert_eq!(content(kind, part.clone()), expected, "{kind} {part}");
    }
}

#[test]
fn what_no_contact_says_is_kept_without_a_feature() {
    let cases = [
        (
            "system",
            json!({"system": {"body": "User changed", "wa_id": "447700900778", "type": "user_changed_number"}}),
        ),
        ("edit", json!({"edit": {"original_message_id": "wamid.5", "message": {}}})),
        ("revoke", json!({"revoke": {"original_message_id": "wamid.5"}})),
        ("request_welcome", json!({})),
        ("hologram", json!({"hologram": {"depth": 3}})),
        ("group", json!({"type": "text", "group_id": "R1JPVVA=", "text": {"body": "all"}})),
    ];
    for (kind, extra) in cases {
        let mut message = json!({"from": "447700900777", "id": "wamid.1", "timestamp": "1789000024", "type": kind});
        for (key, value) in extra.as_object().unwrap() {
            message[key] = value.clone();
        }
        assert_eq!(message_event(message), ChannelEvent::Other { kind: kind.into() });
    }
}

#[test]
fn a_sender_may_have_no_number() {
    let text = json!({"body": "Hi"});
    let cases = [
        (
            "absent",
            json!({"id": "wamid.1", "from_user_id": "GB.55", "timestamp": 1_789_000_000, "type": "text", "text": text}),
        ),
        (
            "empty",
            json!({"id": "wamid.1", "from": "", "from_user_id": "GB.55", "timestamp": "1789000000", "type": "text", "text": text}),
        ),
    ];
    for (case, message) in cases {
        let contacts = json!([{"profile": {"name": "Imani"}, "wa_id": "", "user_id": "GB.55"}]);
        let event = only(&envelope(json!({"contacts": contacts, "messages": [message]})));
        let ChannelEvent::Inbound(inbound) = event else { panic!("{case}") };
        let expected = SenderIdentity {
            phone_digits: None,
            scoped_id: Some("GB.55".into()),
            name: Some("Imani".into()),
        };
        assert!(inbound.sender == expected, "{case}");
        assert_eq!(inbound.at, at(1_789_000_000), "{case}");
    }
}

#[test]
fn a_sender_may_have_no_name() {
    let message = json!({"id": "wamid.1", "from": "447700900777", "timestamp": "1789000000", "type": "text", "text": {"body": "Hi"}});
    let profiles = [
        json!({"profile": {}, "wa_id": "447700900777"}),
        json!({"profile": {"name": null}, "wa_id": "447700900777"}),
        json!({"wa_id": "447700900777"}),
    ];
    for contact in profiles {
        let event = only(&envelope(json!({"contacts": [contact], "messages": [message]})));
        let ChannelEvent::Inbound(inbound) = event else { panic!("{contact}") };
        let expected = SenderIdentity {
            phone_digits: Some("447700900777".into()),
            scoped_id: None,
            name: None,
        };
        assert!(inbound.sender == expected, "{contact}");
    }
}

fn status(extra: Value) -> Value {
    let mut status =
        json!({"id": "wamid.1", "timestamp": "1789000101", "recipient_id": "447700900777"});
    for (key, value) in extra.as_object().unwrap() {
        status[key] = value.clone();
    }
    envelope(json!({"statuses": [status]}))
}

#[test]
fn each_receipt_of_the_protocol_is_read() {
    let pricing = json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"});
    let receipt = |status, callback_id: Option<&str>| {
        ChannelEvent::Receipt(Receipt {
            provider_id: "wamid.1".into(),
            callback_id: callback_id.map(Into::into),
            status,
            at: at(1_789_000_101),
        })
    };
    let failed = |code: &str, title: &str, class| ReceiptStatus::Failed {
        refusal: PlatformRefusal { code: code.into(), title: title.into() },
        class,
    };
    let cases = [
        (
            json!({"status": "sent", "biz_opaque_callback_data": "campaign-31/contact-5", "pricing": pricing}),
            receipt(ReceiptStatus::Sent, Some("campaign-31/contact-5")),
        ),
        (json!({"status": "delivered"}), receipt(ReceiptStatus::Delivered, None)),
        (
            json!({"status": "read", "biz_opaque_callback_data": ""}),
            receipt(ReceiptStatus::Read, None),
        ),
        (json!({"status": "played"}), receipt(ReceiptStatus::Read, None)),
        (
            json!({"status": "failed", "errors": [{"code": 131_047, "title": "Re-engagement message",
                "error_data": {"details": "The last message of this user is more than a day old."}}]}),
            receipt(
                failed(
                    "131047",
                    "The last message of this user is more than a day old.",
                    RefusalClass::Fail,
                ),
                None,
            ),
        ),
        (
            json!({"status": "failed", "errors": [{"code": 131_050, "title": "User stopped"}]}),
            receipt(failed("131050", "User stopped", RefusalClass::FailOptedOut), None),
        ),
        (json!({"status": "failed"}), receipt(failed("unknown", "", RefusalClass::Fail), None)),
        (
            json!({"status": "sent", "conversation": {"id": "c0ffee", "expiration_timestamp": "1740086400",
                "origin": {"type": "utility"}}, "pricing": {"pricing_model": "CBP", "category": "utility"}}),
            receipt(ReceiptStatus::Sent, None),
        ),
        (json!({"status": "warning"}), ChannelEvent::Other { kind: "status warning".into() }),
    ];
    for (extra, expected) in cases {
        assert_eq!(only(&status(extra.clone())), expected, "{extra}");
    }
}

#[test]
fn marketing_preferences_are_read() {
    let preference = |extra: Value| {
        let mut preference = json!({"wa_id": "447700900777", "category": "marketing_messages",
                                    "value": "stop", "timestamp": 1_789_000_400});
        for (key, value) in extra.as_object().unwrap() {
            preference[key] = value.clone();
        }
        let value =
            json!({"metadata": {"phone_number_id": NUMBER}, "user_preferences": [preference]});
        only(&changes(json!([{"field": "user_preferences", "value": value}])))
    };
    let marketing = |stopped| ChannelEvent::MarketingPreference {
        sender: SenderIdentity { phone_digits: Some("447700900777".into()), ..Default::default() },
        stopped,
        at: at(1_789_000_400),
    };
    let nothing = ChannelEvent::Other { kind: "user_preferences".into() };
    assert_eq!(preference(json!({})), marketing(true));
    assert_eq!(preference(json!({"value": "resume"})), marketing(false));
    assert_eq!(preference(json!({"value": "signup", "signup_id": "s"})), nothing);
    assert_eq!(preference(json!({"category": "surveys"})), nothing);
}

#[test]
fn a_template_changes_status() {
    let change = |value: Value| {
        only(&changes(json!([{"field": "message_template_status_update", "value": value}])))
    };
    let paused = json!({"event": "paused", "message_template_id": 1_540_088_120_394_477_u64,
        "message_template_name": "kiln_ready_v2", "message_template_language": "en-GB", "reason": null});
    let expected = ChannelEvent::TemplateStatus {
        name: "kiln_ready_v2".into(),
        language: "en_GB".into(),
        status: "PAUSED".into(),
        at: Some(at(1_789_000_000)),
    };
    assert_eq!(change(paused), expected);
    let quality = json!({"previous_quality_score": "GREEN", "new_quality_score": "YELLOW",
        "message_template_name": "kiln_ready_v2", "message_template_language": "en_GB"});
    let expected = ChannelEvent::Other { kind: "message_template_quality_update".into() };
    assert_eq!(change(quality), expected);
}

#[test]
fn fields_without_a_feature_are_kept() {
    for field in
        ["phone_number_quality_update", "account_update", "smb_message_echoes", "astrology"]
    {
        let value =
            json!({"metadata": {"phone_number_id": NUMBER}, "message_echoes": [{"id": "wamid.1"}]});
        let elements = parsed(&changes(json!([{"field": field, "value": value}])));
        assert_eq!(elements.len(), 1);
        assert_eq!(elements[0].event, Ok(ChannelEvent::Other { kind: field.into() }));
        assert_eq!(elements[0].external_id.as_deref(), Some(NUMBER));
    }
    let errors = envelope(json!({"errors": [{"code": 130_429, "title": "Rate limit hit"}]}));
    assert_eq!(only(&errors), ChannelEvent::Other { kind: "errors".into() });
    assert_eq!(only(&envelope(json!({}))), ChannelEvent::Other { kind: "messages".into() });
}

#[test]
fn every_element_of_all_four_levels_is_read() {
    let value = |first: u32| {
        let message = |n: u32| {
            json!({"from": "447700900777", "id": format!("wamid.{n}"), "timestamp": "1789000000",
                   "type": "text", "text": {"body": "Hi"}})
        };
        let status = |n: u32| json!({"id": format!("wamid.{n}"), "status": "read", "timestamp": "1789000000"});
        json!({"metadata": {"phone_number_id": NUMBER}, "messages": [message(first), message(first + 1)],
               "statuses": [status(first + 2), status(first + 3)], "errors": [{"code": 1}]})
    };
    let change = |first| json!({"field": "messages", "value": value(first)});
    let body = json!({"entry": [{"id": "1", "changes": [change(0), change(10)]},
                                {"id": "2", "changes": [change(20), change(30)]}]});
    let elements = parsed(&body);
    assert_eq!(elements.len(), 20);
    assert!(elements.iter().all(|element| element.event.is_ok()));
}

#[test]
fn one_broken_element_spoils_only_itself() {
    let good = r#"{"from":"447700900777","id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":"Hi"}}"#;
    let deep = format!(r#"{{"type":"text","text":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let broken = [
        "7",
        "null",
        "[]",
        r#""wamid""#,
        "{}",
        r#"{"type":"text"}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":""}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"soon","type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":1e400,"type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":"\ud83d"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"99999999999999999","type":"text","text":{"body":"Hi"}}"#,
        r#"{"id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","timestamp":"1789000000","type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"1789000000","type":"reaction"}"#,
        &deep,
    ];
    for element in broken {
        let body = format!(
            r#"{{"entry":[{{"changes":[{{"field":"messages","value":{{"messages":[{good},{element},{good}]}}}}]}}]}}"#
        );
        let elements = parse(body.as_bytes()).unwrap();
        let readable: Vec<bool> = elements.iter().map(|element| element.event.is_ok()).collect();
        assert_eq!(readable, [true, false, true], "{element:.80}");
        assert_eq!(elements[1].raw, element);
    }
}

#[test]
fn a_broken_level_spoils_only_what_is_in_it() {
    let good = json!({"field": "messages", "value": {"statuses": [
        {"id": "wamid.1", "status": "sent", "timestamp": "1789000101"}]}});
    let body = json!({"entry": [
        {"changes": [7, {"value": {}}, {"field": "messages", "value": {"messages": "none"}}, good]},
        "entry", {"id": "1"}, {"changes": {}}, {"changes": [good]}]});
    let readable: Vec<bool> = parsed(&body).iter().map(|element| element.event.is_ok()).collect();
    assert_eq!(readable, [false, false, false, true, false, false, false, true]);
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let body = br#"{"entry":[],"entry":[{"changes":[{"field":"x","field":"messages","value":{"statuses":[
        {"id":"wamid.1","id":"wamid.2","status":"failed","status":"sent","timestamp":"1","timestamp":"1789000101"}]}}]}]}"#;
    let elements = parse(body).unwrap();
    let Ok(ChannelEvent::Receipt(receipt)) = &elements[0].event else { panic!("{elements:?}") };
    assert_eq!((receipt.provider_id.as_str(), receipt.at), ("wamid.2", at(1_789_000_101)));
    assert_eq!(receipt.status, ReceiptStatus::Sent);
}

#[test]
fn bytes_outside_utf_8_spoil_only_their_own_text() {
    let mut body = envelope(json!({"messages": [{"from": "447700900777", "id": "wamid.1",
        "timestamp": "1789000000", "type": "text", "text": {"body": "Caf#"}}]}))
    .to_string()
    .into_bytes();
    let spot = body.iter().position(|byte| *byte == b'#').unwrap();
    body[spot] = 0xe9;
    let elements = parse(&body).unwrap();
    let Ok(ChannelEvent::Inbound(inbound)) = &elements[0].event else { panic!("{elements:?}") };
    assert_eq!(inbound.content, InboundContent::Text("Caf\u{fffd}".into()));
}

#[test]
fn a_body_that_is_no_envelope_is_unreadable() {
    let deep = "[".repeat(10_000);
    let cases = [
        "",
        " ",
        "null",
        "7",
        "[]",
        "{}",
        "<xml/>",
        r#"{"entry":7}"#,
        r#"{"entry":{}}"#,
        r#"{"entry":["#,
        r#"{"u":"https:\/\/a.example\/x"}"#,
        r#"{"entry":[]} trailing"#,
        &deep,
    ];
    for body in cases {
        let rejection = parse(body.as_bytes()).unwrap_err();
        assert_eq!(rejection, WebhookRejection::Unreadable, "{body:.40}");
    }
    assert!(parse(br#"{"object":"whatsapp_business_account","entry":[]}"#).unwrap().is_empty());
}

#[test]
fn a_batch_of_a_thousand_in_three_megabytes_is_read_around_one_broken() {
    let long = "a".repeat(2_920);
    let mut messages: Vec<Value> = (0..1_000)
        .map(|n| {
            json!({"from": "447700900777", "id": format!("wamid.{n}"), "timestamp": "1789000000",
                   "type": "text", "text": {"body": long}})
        })
        .collect();
    messages[500]["timestamp"] = json!({});
    let body = envelope(json!({"messages": messages})).to_string();
    assert!(3_000_000 < body.len(), "{}", body.len());
    let elements = parse(body.as_bytes()).unwrap();
    assert_eq!(elements.len(), 1_000);
    let broken: Vec<usize> = (0..1_000).filter(|n| elements[*n].event.is_err()).collect();
    assert_eq!(broken, [500]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("messages"),
        Just("statuses"),
        Just("entry"),
        Just("changes"),
        Just("field"),
        Just("value"),
        Just("type"),
        Just("text"),
        Just("id"),
        Just("timestamp"),
        Just("user_preferences"),
        Just("errors"),
        Just("message_template_status_update"),
        Just("contacts"),
        Just("metadata"),
        Just(""),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(words.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body);
    }

    #[test]
    fn no_shape_makes_it_panic(value in any_json(), field in any_json(), first in any_json(), second in any_json()) {
        let _ = parse(value.to_string().as_bytes());
        let shapes = [
            json!({"entry": value}),
            json!({"entry": [{"changes": value}]}),
            changes(json!([{"field": field, "value": value}])),
            envelope(json!({"messages": [first], "statuses": [second], "contacts": value})),
            changes(json!([{"field": "user_preferences", "value": {"user_preferences": [first]}}])),
            changes(json!([{"field": "message_template_status_update", "value": second}])),
        ];
        for shape in shapes {
            prop_assert!(parse(shape.to_string().as_bytes()).is_ok() || !shape["entry"].is_array());
        }
    }

    #[test]
    fn no_change_of_one_byte_makes_it_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = envelope(json!({"messages": [{"from": "447700900777", "id": "wamid.1",
            "timestamp": "1789000000", "type": "text", "text": {"body": "\u{1f44d}"}}],
            "statuses": [{"id": "wamid.1", "status": "sent", "timestamp": "1789000101"}]}))
        .to_string()
        .into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        let _ = parse(&body);
    }
}
