//! Webhooks as the protocol shows them, as they have been seen, and as nobody should send them.

mod account;
mod contact_changes;
mod contents;
mod inbound;
mod mutations;
mod receipts;
mod templates;

use chrono::{DateTime, Utc};
use domain::channel::{
    ChannelEvent, InboundContent, InboundMessage, ReceiptStatus, SenderIdentity, WebhookElement,
    WebhookRejection,
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

/// `value` with every key of `extra` set or replaced.
fn with(mut value: Value, extra: Value) -> Value {
    for (key, extra) in extra.as_object().unwrap() {
        value[key] = extra.clone();
    }
    value
}

/// A message of Imani's with the keys of `extra`.
fn message(extra: Value) -> Value {
    with(json!({"from": "447700900777", "id": "wamid.1", "timestamp": "1789000000"}), extra)
}

fn message_event(message: Value) -> ChannelEvent {
    let contacts = json!([{"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777"}]);
    only(&envelope(json!({"contacts": contacts, "messages": [message]})))
}

fn inbound_message(message: Value) -> InboundMessage {
    match message_event(message.clone()) {
        ChannelEvent::Inbound(inbound) => inbound,
        other => panic!("{message}: {other:?}"),
    }
}

/// The sender of [`message`].
fn imani() -> SenderIdentity {
    SenderIdentity {
        phone_digits: Some("447700900777".into()),
        name: Some("Imani Okoro".into()),
        ..SenderIdentity::default()
    }
}

/// The one event of an account-level change.
fn change_event(field: &str, value: Value) -> ChannelEvent {
    only(&changes(json!([{"field": field, "value": value}])))
}

fn kept(kind: &str) -> ChannelEvent {
    ChannelEvent::Kept { kind: kind.into() }
}

fn other_event(kind: &str) -> ChannelEvent {
    ChannelEvent::Other { kind: kind.into() }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn what_has_no_feature_is_kept_as_it_came() {
    let cases = [
        ("history", kept("history")),
        ("smb_app_state_sync", kept("smb_app_state_sync")),
        ("calls", kept("calls")),
        ("group_status_update", kept("group_status_update")),
        ("astrology", other_event("astrology")),
        ("smb_message_echoes", other_event("smb_message_echoes")),
        ("user_preferences", other_event("user_preferences")),
        ("account_review_update", other_event("account_review_update")),
    ];
    for (field, expected) in cases {
        let change = json!({"field": field, "value": {"metadata": {"phone_number_id": NUMBER}, "chunk": {}}});
        let elements = parsed(&changes(json!([change])));
        assert_eq!(elements.len(), 1, "{field}");
        assert_eq!(elements[0].event, Ok(expected), "{field}");
        assert_eq!(elements[0].external_id.as_deref(), Some(NUMBER), "{field}");
        assert_eq!(elements[0].raw, change.to_string(), "{field}");
    }
    assert_eq!(only(&envelope(json!({}))), other_event("messages"));
}

#[test]
fn a_list_nobody_knows_is_kept_beside_those_that_are_known() {
    let value = json!({"messages": [message(json!({"type": "text", "text": {"body": "Hi"}}))],
                       "omens": [{"bird": "left"}, 7], "mood": "good", "contacts": []});
    let elements = parsed(&envelope(value));
    let raws: Vec<&str> = elements.iter().map(|element| element.raw.as_str()).collect();
    assert_eq!(raws[1..], [r#"{"bird":"left"}"#, "7"]);
    assert!(matches!(elements[0].event, Ok(ChannelEvent::Inbound(_))));
    assert!(elements[1..].iter().all(|element| element.event == Ok(other_event("omens"))));
}

#[test]
fn a_field_may_stand_inside_the_value() {
    let change = json!({"value": {"field": "account_review_update", "decision": "APPROVED"}});
    let event = only(&changes(json!([change])));
    assert!(matches!(event, ChannelEvent::Account { .. }), "{event:?}");
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
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"soon","type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":1e400,"type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":"\ud83d"}}"#,
        r#"{"from":"447700900777","id":"wamid.1","timestamp":"99999999999999999","type":"text","text":{"body":"Hi"}}"#,
        r#"{"id":"wamid.1","timestamp":"1789000000","type":"text","text":{"body":"Hi"}}"#,
        r#"{"from":"447700900777","timestamp":"1789000000","type":"text","text":{"body":"Hi"}}"#,
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
    fn whatever_its_part_holds_a_message_keeps_the_window_open(
        kind in prop::sample::select(super::super::inbound::SAID.to_vec()), part in any_json()
    ) {
        let mut message = message(json!({"type": kind}));
        message[kind] = part;
        let inbound = inbound_message(message);
        prop_assert_eq!(inbound.sender, imani());
        prop_assert_eq!(inbound.at, at(1_789_000_000));
    }

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
            changes(json!([{"field": "smb_message_echoes", "value": {"message_echoes": [first]}}])),
            changes(json!([{"field": "message_template_status_update", "value": second}])),
            changes(json!([{"field": "template_category_update", "value": second}])),
            changes(json!([{"field": "account_update", "value": second}])),
            changes(json!([{"field": "account_alerts", "value": second}])),
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
