//! What was said, by its kind, as JSON and back.

use chrono::DateTime;
use domain::{
    channel::{
        CallAnswer, CallPermission, CardEmail, CardOrganization, CardPhone, ContactCard, FormReply,
        GeoPoint, InboundContent, InboundMedia, InboundMediaKind, Location, Order, OrderItem,
        Unsupported, UnsupportedReason,
    },
    money::Millionths,
};
use serde_json::{Value, json};

use super::{Part, object, read_refusal, write_refusal};

/// `content` as an object that names its type.
pub(super) fn write(content: &InboundContent) -> Value {
    match content {
        InboundContent::Text(text) => json!({ "type": "text", "text": text }),
        InboundContent::Button { text, payload } => {
            json!({ "type": "button", "text": text, "payload": payload })
        }
        InboundContent::Reaction { to, emoji } => {
            json!({ "type": "reaction", "to": to, "emoji": emoji })
        }
        InboundContent::Media(media) => write_media(media),
        InboundContent::Location(place) => write_location(place),
        InboundContent::Contacts(cards) => {
            json!({ "type": "contacts", "cards": cards.iter().map(write_card).collect::<Vec<_>>() })
        }
        InboundContent::Form(form) => object([
            ("type", "form".into()),
            ("name", form.name.clone().into()),
            ("body", form.body.clone().into()),
            ("response", form.response_json.clone().into()),
        ]),
        InboundContent::CallPermission(permission) => object([
            ("type", "call_permission".into()),
            ("answer", permission.answer.as_ref().map(CallAnswer::as_str).into()),
            ("expires_at", permission.expires_at.map(|at| at.timestamp_millis()).into()),
            ("source", permission.source.clone().into()),
        ]),
        InboundContent::Order(order) => object([
            ("type", "order".into()),
            ("catalog_id", order.catalog_id.clone().into()),
            ("text", order.text.clone().into()),
            ("items", order.items.iter().map(write_item).collect()),
        ]),
        InboundContent::Unsupported(unsupported) => object([
            ("type", "unsupported".into()),
            ("kind", unsupported.kind.clone().into()),
            ("reason", reason_word(unsupported.reason).into()),
            ("error", unsupported.error.as_ref().map(write_refusal).into()),
        ]),
        InboundContent::Other { kind, raw } => {
            json!({ "type": "other", "kind": kind, "raw": raw })
        }
    }
}

/// What [`write`] wrote; of a type not known here, all of it as it stands.
pub(super) fn read(part: Part<'_>) -> InboundContent {
    let text = |name: &str| part.text(name).unwrap_or_default();
    match part.word("type").unwrap_or_default() {
        "text" => InboundContent::Text(text("text")),
        "button" => InboundContent::Button { text: text("text"), payload: text("payload") },
        "reaction" => InboundContent::Reaction { to: text("to"), emoji: text("emoji") },
        "media" => read_media(part).map_or_else(|| other(part), InboundContent::Media),
        "location" => InboundContent::Location(read_location(part)),
        "contacts" => InboundContent::Contacts(part.list("cards").map(read_card).collect()),
        "form" => InboundContent::Form(FormReply {
            name: part.text("name"),
            body: part.text("body"),
            response_json: part.text("response"),
        }),
        "call_permission" => InboundContent::CallPermission(CallPermission {
            answer: part.word("answer").map(CallAnswer::parse),
            expires_at: part.number("expires_at").and_then(DateTime::from_timestamp_millis),
            source: part.text("source"),
        }),
        "order" => InboundContent::Order(Order {
            catalog_id: part.text("catalog_id"),
            text: part.text("text"),
            items: part.list("items").map(read_item).collect(),
        }),
        "unsupported" => InboundContent::Unsupported(Unsupported {
            kind: part.text("kind"),
            reason: read_reason(part.word("reason").unwrap_or_default()),
            error: part.part("error").map(read_refusal),
        }),
        "other" => InboundContent::Other { kind: text("kind"), raw: text("raw") },
        _ => other(part),
    }
}

fn other(part: Part<'_>) -> InboundContent {
    let kind = part.text("type").unwrap_or_default();
    InboundContent::Other { kind, raw: part.0.to_string() }
}

fn write_media(media: &InboundMedia) -> Value {
    let (is_voice, is_animated) = match media.kind {
        InboundMediaKind::Audio { is_voice } => (is_voice, false),
        InboundMediaKind::Sticker { is_animated } => (false, is_animated),
        InboundMediaKind::Image | InboundMediaKind::Video | InboundMediaKind::Document => {
            (false, false)
        }
    };
    object([
        ("type", "media".into()),
        ("kind", media.kind.as_str().into()),
        ("voice", is_voice.into()),
        ("animated", is_animated.into()),
        ("id", media.id.clone().into()),
        ("mime_type", media.mime_type.clone().into()),
        ("sha256", media.sha256.clone().into()),
        ("caption", media.caption.clone().into()),
        ("filename", media.filename.clone().into()),
        ("lost", media.is_lost.into()),
    ])
}

fn read_media(part: Part<'_>) -> Option<InboundMedia> {
    let kind = match part.word("kind")? {
        "image" => InboundMediaKind::Image,
        "video" => InboundMediaKind::Video,
        "audio" => InboundMediaKind::Audio { is_voice: part.flag("voice") },
        "document" => InboundMediaKind::Document,
        "sticker" => InboundMediaKind::Sticker { is_animated: part.flag("animated") },
        _ => return None,
    };
    Some(InboundMedia {
        kind,
        id: part.text("id"),
        mime_type: part.text("mime_type"),
        sha256: part.text("sha256"),
        caption: part.text("caption"),
        filename: part.text("filename"),
        is_lost: part.flag("lost"),
    })
}

/// Degrees as written by `GeoPoint`: read again, the same point.
fn write_location(place: &Location) -> Value {
    object([
        ("type", "location".into()),
        ("latitude", place.point.map(GeoPoint::latitude).into()),
        ("longitude", place.point.map(GeoPoint::longitude).into()),
        ("name", place.name.clone().into()),
        ("address", place.address.clone().into()),
        ("url", place.url.clone().into()),
    ])
}

fn read_location(part: Part<'_>) -> Location {
    let degrees = |name: &str| part.0.get(name).and_then(Value::as_f64);
    let point = degrees("latitude").zip(degrees("longitude"));
    Location {
        point: point.and_then(|(latitude, longitude)| GeoPoint::new(latitude, longitude)),
        name: part.text("name"),
        address: part.text("address"),
        url: part.text("url"),
    }
}

fn write_card(card: &ContactCard) -> Value {
    let phone = |phone: &CardPhone| {
        object([
            ("phone", phone.phone.clone().into()),
            ("phone_digits", phone.phone_digits.clone().into()),
            ("kind", phone.kind.clone().into()),
        ])
    };
    let email = |email: &CardEmail| {
        object([("email", email.email.clone().into()), ("kind", email.kind.clone().into())])
    };
    let organization = card.organization.as_ref().map(|organization| {
        object([
            ("company", organization.company.clone().into()),
            ("department", organization.department.clone().into()),
            ("title", organization.title.clone().into()),
        ])
    });
    object([
        ("formatted_name", card.formatted_name.clone().into()),
        ("first_name", card.first_name.clone().into()),
        ("middle_name", card.middle_name.clone().into()),
        ("last_name", card.last_name.clone().into()),
        ("phones", card.phones.iter().map(phone).collect()),
        ("emails", card.emails.iter().map(email).collect()),
        ("organization", organization.into()),
    ])
}

fn read_card(part: Part<'_>) -> ContactCard {
    let phone = |part: Part<'_>| CardPhone {
        phone: part.text("phone"),
        phone_digits: part.text("phone_digits"),
        kind: part.text("kind"),
    };
    let email = |part: Part<'_>| CardEmail { email: part.text("email"), kind: part.text("kind") };
    ContactCard {
        formatted_name: part.text("formatted_name"),
        first_name: part.text("first_name"),
        middle_name: part.text("middle_name"),
        last_name: part.text("last_name"),
        phones: part.list("phones").map(phone).collect(),
        emails: part.list("emails").map(email).collect(),
        organization: part.part("organization").map(|part| CardOrganization {
            company: part.text("company"),
            department: part.text("department"),
            title: part.text("title"),
        }),
    }
}

fn write_item(item: &OrderItem) -> Value {
    object([
        ("product_id", item.product_id.clone().into()),
        ("quantity", item.quantity.into()),
        ("price", item.price.map(|price| price.0).into()),
        ("currency", item.currency.clone().into()),
    ])
}

fn read_item(part: Part<'_>) -> OrderItem {
    OrderItem {
        product_id: part.text("product_id"),
        quantity: part.number("quantity").and_then(|quantity| u32::try_from(quantity).ok()),
        price: part.number("price").map(Millionths),
        currency: part.text("currency"),
    }
}

fn reason_word(reason: UnsupportedReason) -> &'static str {
    match reason {
        UnsupportedReason::Type => "type",
        UnsupportedReason::ContentUnavailable => "content_unavailable",
        UnsupportedReason::MediaUnavailable => "media_unavailable",
        UnsupportedReason::Other => "other",
    }
}

fn read_reason(word: &str) -> UnsupportedReason {
    match word {
        "type" => UnsupportedReason::Type,
        "content_unavailable" => UnsupportedReason::ContentUnavailable,
        "media_unavailable" => UnsupportedReason::MediaUnavailable,
        _ => UnsupportedReason::Other,
    }
}
