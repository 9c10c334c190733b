//! What is kept of a message is read back as it was.

use chrono::DateTime;
use domain::{
    channel::{
        CallAnswer, CallPermission, CardEmail, CardOrganization, CardPhone, ContactCard, FormReply,
        GeoPoint, InboundMedia, InboundMediaKind, Location, Order, OrderItem, Unsupported,
        UnsupportedReason,
    },
    money::Millionths,
};
use proptest::prelude::*;

use super::*;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn media(kind: InboundMediaKind) -> InboundContent {
    InboundContent::Media(InboundMedia {
        kind,
        id: some("2207714400331902"),
        mime_type: some("audio/ogg; codecs=opus"),
        sha256: some("ZXhhbXBsZQ=="),
        caption: some("Cracked\0here"),
        filename: some("quote.pdf"),
        is_lost: true,
    })
}

/// One of each kind, with all its parts, and each that may be empty without them.
fn contents() -> Vec<InboundContent> {
    let card = ContactCard {
        formatted_name: some("Noor Castell"),
        first_name: some("Noor"),
        middle_name: some("de"),
        last_name: some("Castell"),
        phones: vec![
            CardPhone {
                phone: some("+44 7700 900333"),
                phone_digits: some("447700900333"),
                kind: some("CELL"),
            },
            CardPhone::default(),
        ],
        emails: vec![CardEmail { email: some("noor@example.com"), kind: some("WORK") }],
        organization: Some(CardOrganization {
            company: some("Harbour Lane"),
            department: some("Kilns"),
            title: some("Potter"),
        }),
    };
    let item = OrderItem {
        product_id: some("BOWL-BLUE"),
        quantity: Some(2),
        price: Some(Millionths(24_500_000)),
        currency: some("GBP"),
    };
    let refusal = PlatformRefusal { code: "131051".to_owned(), title: "Unknown".to_owned() };
    let permission = CallPermission {
        answer: Some(CallAnswer::Accept),
        expires_at: DateTime::from_timestamp_millis(1_789_604_820_000),
        source: some("user_action"),
    };
    let unsupported = |reason, error| {
        InboundContent::Unsupported(Unsupported { kind: some("poll_creation"), reason, error })
    };
    let mut contents = vec![
        InboundContent::Button { text: "Friday".to_owned(), payload: "day:fri".to_owned() },
        InboundContent::Reaction { to: "wamid.1".to_owned(), emoji: String::new() },
        InboundContent::Location(Location {
            point: GeoPoint::new(51.073_1, -4.057_2),
            name: some("Quay car park"),
            address: some("Marine Parade"),
            url: some("https://maps.example/quay"),
        }),
        InboundContent::Location(Location::default()),
        InboundContent::Contacts(vec![card, ContactCard::default()]),
        InboundContent::Contacts(Vec::new()),
        InboundContent::Form(FormReply {
            name: some("flow"),
            body: some("Sent"),
            response_json: some("{\"slot\":\"fri-15\"}"),
        }),
        InboundContent::Form(FormReply::default()),
        InboundContent::CallPermission(permission),
        InboundContent::CallPermission(CallPermission {
            answer: Some(CallAnswer::Other("later".to_owned())),
            expires_at: None,
            source: None,
        }),
        InboundContent::Order(Order {
            catalog_id: some("615500248890013"),
            text: some("Gift wrap please"),
            items: vec![item, OrderItem::default()],
        }),
        unsupported(UnsupportedReason::Type, Some(refusal)),
        unsupported(UnsupportedReason::ContentUnavailable, None),
        unsupported(UnsupportedReason::MediaUnavailable, None),
        unsupported(UnsupportedReason::Other, None),
        InboundContent::Other {
            kind: "hologram".to_owned(),
            raw: "{\"type\":\"hologram\"}".to_owned(),
        },
    ];
    let kinds = [
        InboundMediaKind::Image,
        InboundMediaKind::Video,
        InboundMediaKind::Audio { is_voice: true },
        InboundMediaKind::Audio { is_voice: false },
        InboundMediaKind::Document,
        InboundMediaKind::Sticker { is_animated: true },
        InboundMediaKind::Sticker { is_animated: false },
    ];
    contents.extend(kinds.map(media));
    contents
}

#[test]
fn every_kind_of_content_is_kept_whole_and_read_back() {
    for content in contents() {
        let payload = Payload { content: Some(content), ..Payload::default() };
        let column = payload.to_column();
        assert!(!column.contains('\0'), "{column:?}");
        assert_eq!(Payload::from_column(&column).unwrap(), payload, "{column}");
    }
}

#[test]
fn what_a_message_refers_to_is_kept_whole_and_read_back() {
    let referral = Referral {
        source_url: some("https://fb.example/ad/771"),
        source_id: some("120200771"),
        source_kind: Some(ReferralSource::Ad),
        headline: some("Throw your first bowl"),
        body: some("Two hours by the sea"),
        media_type: some("image"),
        image_url: some("https://cdn.example/ad.jpg"),
        video_url: some("https://cdn.example/ad.mp4"),
        thumbnail_url: some("https://cdn.example/ad.png"),
        click_id: some("EXAMPLE-CLICK-ID"),
        welcome_text: some("Hello!"),
    };
    let product = ReferredProduct { catalog_id: some("61550"), product_id: some("BOWL") };
    for forwarded in [None, Some(Forwarded::Once), Some(Forwarded::Often)] {
        let context = MessageContext {
            in_reply_to: some("wamid.0"),
            forwarded,
            product: Some(product.clone()),
        };
        let errors =
            [PlatformRefusal { code: "131052".to_owned(), title: "Not fetched".to_owned() }];
        let text = InboundContent::Text("I saw it".to_owned());
        let payload = Payload::of_inbound(&text, &context, Some(&referral), &errors);
        assert_eq!(payload.content, None, "a text stands in its own column");
        assert_eq!(Payload::from_column(&payload.to_column()).unwrap(), payload);
    }
    let echo = Payload::of_echo(&InboundContent::Text("Hi".to_owned()));
    assert!(Payload::from_column(&echo.to_column()).unwrap().is_from_app);
}

#[test]
fn a_plain_text_keeps_nothing_besides() {
    let text = InboundContent::Text("Is Friday still free?".to_owned());
    let payload = Payload::of_inbound(&text, &MessageContext::default(), None, &[]);
    assert_eq!(payload.to_column(), "{}");
    assert_eq!(Payload::from_column("{}").unwrap(), Payload::default());
}

#[test]
fn what_a_later_version_wrote_is_read_as_far_as_it_is_known() {
    let column = r#"{"v":2,"content":{"type":"hologram","depth":3},"forwarded":"thrice","x":[]}"#;
    let payload = Payload::from_column(column).unwrap();
    let Some(InboundContent::Other { kind, raw }) = payload.content else { panic!("{payload:?}") };
    assert_eq!(kind, "hologram");
    assert!(raw.contains("\"depth\":3"));
    assert_eq!(payload.forwarded, None);
    assert!(Payload::from_column("[]").is_err());
}

proptest! {
    #[test]
    fn a_point_is_read_back_where_it_is(latitude in -90.0..=90.0, longitude in -180.0..=180.0) {
        let point = GeoPoint::new(latitude, longitude);
        let place = Location { point, ..Location::default() };
        let payload =
            Payload { content: Some(InboundContent::Location(place)), ..Payload::default() };
        prop_assert_eq!(Payload::from_column(&payload.to_column()).unwrap(), payload);
    }
}
