//! What a contact says, one payload of each type.

use domain::{
    channel::{
        CallAnswer, CallPermission, CardEmail, CardOrganization, CardPhone, ContactCard, FormReply,
        GeoPoint, InboundContent, InboundMedia, InboundMediaKind, Location, Order, OrderItem,
        PlatformRefusal, Unsupported, UnsupportedReason,
    },
    money::Millionths,
};

use super::*;

fn content(kind: &str, part: Value) -> InboundContent {
    let mut message = message(json!({"type": kind}));
    message[kind] = part;
    inbound_message(message).content
}

fn button(text: &str, payload: &str) -> InboundContent {
    InboundContent::Button { text: text.into(), payload: payload.into() }
}

fn media(kind: InboundMediaKind, id: &str, mime_type: &str, sha256: &str) -> InboundMedia {
    InboundMedia {
        kind,
        id: some(id),
        mime_type: some(mime_type),
        sha256: some(sha256),
        caption: None,
        filename: None,
        is_lost: false,
    }
}

#[test]
fn each_kind_of_media_is_read() {
    use InboundMediaKind::{Audio, Document, Image, Sticker, Video};
    let cases = [
        (
            "image",
            json!({"caption": "Cracked here", "mime_type": "image/jpeg", "sha256": "aW1n", "id": "881001",
                   "url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=881001"}),
            InboundMedia {
                caption: some("Cracked here"),
                ..media(Image, "881001", "image/jpeg", "aW1n")
            },
        ),
        (
            "video",
            json!({"caption": "Kiln noise", "mime_type": "video/mp4", "sha256": "dmlk", "id": "881002"}),
            InboundMedia {
                caption: some("Kiln noise"),
                ..media(Video, "881002", "video/mp4", "dmlk")
            },
        ),
        (
            "audio",
            json!({"mime_type": "audio/ogg; codecs=opus", "sha256": "YXVk", "id": "881003", "voice": true}),
            media(Audio { is_voice: true }, "881003", "audio/ogg; codecs=opus", "YXVk"),
        ),
        (
            "audio",
            json!({"mime_type": "audio/mpeg", "sha256": "YXVk", "id": 881_004}),
            media(Audio { is_voice: false }, "881004", "audio/mpeg", "YXVk"),
        ),
        (
            "voice",
            json!({"mime_type": "audio/ogg", "sha256": "YXVk", "id": "881005"}),
            media(Audio { is_voice: true }, "881005", "audio/ogg", "YXVk"),
        ),
        (
            "document",
            json!({"caption": "Signed", "filename": "quote-8812.pdf", "mime_type": "application/pdf",
                   "sha256": "ZG9j", "id": "881006"}),
            InboundMedia {
                caption: some("Signed"),
                filename: some("quote-8812.pdf"),
                ..media(Document, "881006", "application/pdf", "ZG9j")
            },
        ),
        (
            "sticker",
            json!({"mime_type": "image/webp", "sha256": "c3Rp", "id": "881007", "animated": "true"}),
            media(Sticker { is_animated: true }, "881007", "image/webp", "c3Rp"),
        ),
        (
            "sticker",
            json!({"mime_type": "image/webp", "sha256": "c3Rp", "id": "881008", "animated": false}),
            media(Sticker { is_animated: false }, "881008", "image/webp", "c3Rp"),
        ),
    ];
    for (kind, part, expected) in cases {
        assert_eq!(content(kind, part.clone()), InboundContent::Media(expected), "{kind} {part}");
    }
}

#[test]
fn media_the_platform_could_not_get_are_lost() {
    let lost = message(json!({"type": "image",
        "errors": [{"code": 131_052, "title": "Media download error"}]}));
    let inbound = inbound_message(lost);
    let InboundContent::Media(media) = inbound.content else { panic!("{inbound:?}") };
    assert_eq!((media.kind, media.id, media.is_lost), (InboundMediaKind::Image, None, true));
    assert_eq!(inbound.errors[0].code, "131052");
}

#[test]
fn places_cards_forms_and_orders_are_read() {
    let card = ContactCard {
        formatted_name: some("Noor Castell"),
        first_name: some("Noor"),
        last_name: some("Castell"),
        phones: vec![CardPhone {
            phone: some("+44 7700 900333"),
            phone_digits: some("447700900333"),
            kind: some("CELL"),
        }],
        emails: vec![CardEmail { email: some("noor@castell.example"), kind: some("WORK") }],
        organization: Some(CardOrganization {
            company: some("Castell Glazes"),
            department: None,
            title: some("Owner"),
        }),
        ..ContactCard::default()
    };
    let item = |product: &str, quantity, price| OrderItem {
        product_id: some(product),
        quantity,
        price,
        currency: some("GBP"),
    };
    let cases = [
        (
            "location",
            json!({"latitude": 51.0731, "longitude": -4.0572, "name": "Quay car park",
                   "address": "Marine Parade, Instow", "url": "https://maps.example/quay"}),
            InboundContent::Location(Location {
                point: GeoPoint::new(51.0731, -4.0572),
                name: some("Quay car park"),
                address: some("Marine Parade, Instow"),
                url: some("https://maps.example/quay"),
            }),
        ),
        (
            "location",
            json!({"latitude": "51.0731", "longitude": "-4.0572"}),
            InboundContent::Location(Location {
                point: GeoPoint::new(51.0731, -4.0572),
                ..Location::default()
            }),
        ),
        (
            "location",
            json!({"latitude": 151.0, "longitude": -4.0572, "name": "Nowhere"}),
            InboundContent::Location(Location { name: some("Nowhere"), ..Location::default() }),
        ),
        (
            "contacts",
            json!([{"name": {"formatted_name": "Noor Castell", "first_name": "Noor", "last_name": "Castell"},
                    "phones": [{"phone": "+44 7700 900333", "wa_id": "447700900333", "type": "CELL"}],
                    "emails": [{"email": "noor@castell.example", "type": "WORK"}],
                    "org": {"company": "Castell Glazes", "title": "Owner"}, "vcard": "BEGIN:VCARD"},
                   {"origin": "other"}]),
            InboundContent::Contacts(vec![card, ContactCard::default()]),
        ),
        (
            "interactive",
            json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent",
                   "response_json": "{\"flow_token\":\"bk-8812\"}"}}),
            InboundContent::Form(FormReply {
                name: some("flow"),
                body: some("Sent"),
                response_json: some(r#"{"flow_token":"bk-8812"}"#),
            }),
        ),
        (
            "interactive",
            json!({"type": "nfm_reply", "nfm_reply": {"response_json": {"slot": "fri-15"}}}),
            InboundContent::Form(FormReply {
                response_json: some(r#"{"slot":"fri-15"}"#),
                ..FormReply::default()
            }),
        ),
        (
            "interactive",
            json!({"type": "call_permission_reply", "call_permission_reply": {"response": "accept",
                   "expiration_timestamp": 1_789_604_820, "response_source": "user_action"}}),
            InboundContent::CallPermission(CallPermission {
                answer: Some(CallAnswer::Accept),
                expires_at: Some(at(1_789_604_820)),
                source: some("user_action"),
            }),
        ),
        (
            "order",
            json!({"catalog_id": "615500248890013", "text": "Gift wrap please", "product_items": [
                {"product_retailer_id": "BOWL-BLUE", "quantity": 2, "item_price": 24.5, "currency": "GBP"},
                {"product_retailer_id": "CUP-RED", "quantity": "1", "item_price": "8", "currency": "GBP"}]}),
            InboundContent::Order(Order {
                catalog_id: some("615500248890013"),
                text: some("Gift wrap please"),
                items: vec![
                    item("BOWL-BLUE", Some(2), Some(Millionths(24_500_000))),
                    item("CUP-RED", Some(1), Some(Millionths(8_000_000))),
                ],
            }),
        ),
    ];
    for (kind, part, expected) in cases {
        assert_eq!(content(kind, part.clone()), expected, "{kind} {part}");
    }
}

#[test]
fn taps_and_reactions_are_read() {
    let reaction =
        |emoji: &str| InboundContent::Reaction { to: "wamid.9".into(), emoji: emoji.into() };
    let cases = [
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
            "button",
            json!({"payload": "RESCHEDULE:8812", "text": "Reschedule"}),
            button("Reschedule", "RESCHEDULE:8812"),
        ),
        ("button", json!({"text": "Reschedule"}), button("Reschedule", "Reschedule")),
        (
            "reaction",
            json!({"message_id": "wamid.9", "emoji": "\u{2764}\u{fe0f}"}),
            reaction("\u{2764}\u{fe0f}"),
        ),
        ("reaction", json!({"message_id": "wamid.9"}), reaction("")),
        ("reaction", json!({"message_id": "wamid.9", "emoji": ""}), reaction("")),
    ];
    for (kind, part, expected) in cases {
        assert_eq!(content(kind, part.clone()), expected, "{kind} {part}");
    }
}

#[test]
fn what_the_platform_does_not_hand_over_says_why() {
    let error = |code: u32| json!([{"code": code, "title": "t", "message": "t", "error_data": {"details": "d"}}]);
    let refusal = |code: &str| Some(PlatformRefusal { code: code.into(), title: "d".into() });
    let cases = [
        (
            json!({"type": "unsupported", "unsupported": {"type": "poll_creation"}, "errors": error(131_051)}),
            (some("poll_creation"), UnsupportedReason::Type, refusal("131051")),
        ),
        (
            json!({"type": "unsupported", "errors": error(131_060)}),
            (None, UnsupportedReason::ContentUnavailable, refusal("131060")),
        ),
        (
            json!({"type": "unsupported", "unsupported": {"type": "image"}, "errors": error(131_052)[0]}),
            (some("image"), UnsupportedReason::MediaUnavailable, refusal("131052")),
        ),
        (
            json!({"type": "unknown", "errors": error(501)}),
            (None, UnsupportedReason::Other, refusal("501")),
        ),
        (json!({"type": "unsupported"}), (None, UnsupportedReason::Other, None)),
    ];
    for (extra, (kind, reason, error)) in cases {
        let expected = InboundContent::Unsupported(Unsupported { kind, reason, error });
        assert_eq!(inbound_message(message(extra.clone())).content, expected, "{extra}");
    }
}

#[test]
fn what_nobody_knows_is_a_message_all_the_same() {
    let cases = [
        (json!({"type": "hologram", "hologram": {"depth": 3}}), "hologram"),
        (json!({"type": "interactive", "interactive": {"type": "dance_reply"}}), "dance_reply"),
        (json!({"type": "interactive", "errors": [{"code": 131_051}]}), "interactive"),
        (json!({"type": "text", "text": {"body": ""}}), "text"),
        (json!({"type": "text", "text": "Hi"}), "text"),
        (json!({"type": "reaction"}), "reaction"),
        (json!({"type": "button", "button": ["Friday"]}), "button"),
        (json!({"aura": "blue"}), "untyped"),
    ];
    for (extra, kind) in cases {
        let message = message(extra);
        let raw = message.to_string();
        let expected = InboundContent::Other { kind: kind.into(), raw };
        assert_eq!(inbound_message(message.clone()).content, expected, "{message}");
    }
    // Without what makes it a message, a known type is put aside and an unknown one kept.
    assert_eq!(message_event(json!({"type": "hologram"})), other_event("hologram"));
    // A type that was left out shows in its part.
    let untyped = message(json!({"text": {"body": "Hi"}}));
    assert_eq!(inbound_message(untyped).content, InboundContent::Text("Hi".into()));
}

#[test]
fn what_no_contact_says_to_the_business_alone_is_no_message() {
    let welcome = message(json!({"type": "request_welcome"}));
    assert_eq!(message_event(welcome), kept("request_welcome"));
    for kind in ["text", "edit", "system", "hologram"] {
        let group = message(json!({"type": kind, "group_id": "R1JPVVA=", "text": {"body": "all"}}));
        assert_eq!(message_event(group), kept("group"), "{kind}");
    }
}
