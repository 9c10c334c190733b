//! What was said, by its kind (protocol, 4.9).

use domain::{
    channel::{
        CallAnswer, CallPermission, CardEmail, CardOrganization, CardPhone, ContactCard, FormReply,
        GeoPoint, InboundContent, InboundMedia, InboundMediaKind, Location, Order, OrderItem,
        PlatformRefusal, Unsupported, UnsupportedReason,
    },
    money::Millionths,
};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{Loose, lenient, lenient_list, read_object, read_part};

/// The platform does not hand messages of this type over.
const TYPE_UNSUPPORTED: &str = "131051";
/// The platform could not get the media.
const MEDIA_UNAVAILABLE: &str = "131052";
/// The platform does not have the content.
const CONTENT_UNAVAILABLE: &str = "131060";

/// A message with its kind taken from it.
pub(super) struct Said<'a> {
    /// Its type.
    pub(super) kind: &'a str,
    /// All of it.
    pub(super) message: &'a Value,
    /// All of it as it came.
    pub(super) raw: &'a str,
    /// What the platform could not do with it.
    pub(super) errors: &'a [PlatformRefusal],
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TextWire {
    body: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ButtonWire {
    text: Loose,
    payload: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InteractiveWire {
    #[serde(rename = "type")]
    kind: Loose,
    #[serde(deserialize_with = "lenient")]
    button_reply: Option<ReplyWire>,
    #[serde(deserialize_with = "lenient")]
    list_reply: Option<ReplyWire>,
    #[serde(deserialize_with = "lenient")]
    nfm_reply: Option<FormWire>,
    #[serde(deserialize_with = "lenient")]
    call_permission_reply: Option<CallPermissionWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReplyWire {
    id: Loose,
    title: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FormWire {
    name: Loose,
    body: Loose,
    response_json: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPermissionWire {
    response: Loose,
    expiration_timestamp: Loose,
    response_source: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReactionWire {
    message_id: Loose,
    emoji: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MediaWire {
    id: Loose,
    mime_type: Loose,
    sha256: Loose,
    caption: Loose,
    filename: Loose,
    voice: Loose,
    animated: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlaceWire {
    latitude: Loose,
    longitude: Loose,
    name: Loose,
    address: Loose,
    url: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardWire {
    #[serde(deserialize_with = "lenient")]
    name: Option<CardNameWire>,
    #[serde(deserialize_with = "lenient_list")]
    phones: Vec<CardPhoneWire>,
    #[serde(deserialize_with = "lenient_list")]
    emails: Vec<CardEmailWire>,
    #[serde(deserialize_with = "lenient")]
    org: Option<CardOrganizationWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardNameWire {
    formatted_name: Loose,
    first_name: Loose,
    middle_name: Loose,
    last_name: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardPhoneWire {
    phone: Loose,
    wa_id: Loose,
    #[serde(rename = "type")]
    kind: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardEmailWire {
    email: Loose,
    #[serde(rename = "type")]
    kind: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardOrganizationWire {
    company: Loose,
    department: Loose,
    title: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OrderWire {
    catalog_id: Loose,
    text: Loose,
    #[serde(deserialize_with = "lenient_list")]
    product_items: Vec<OrderItemWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OrderItemWire {
    product_retailer_id: Loose,
    quantity: Loose,
    item_price: Loose,
    currency: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UnsupportedWire {
    #[serde(rename = "type")]
    kind: Loose,
}

impl Said<'_> {
    /// What was said. A kind not known, or one whose own part cannot be read, is still something that was said.
    pub(super) fn content(&self) -> InboundContent {
        self.known_content().unwrap_or_else(|| self.other(self.kind))
    }

    fn known_content(&self) -> Option<InboundContent> {
        match self.kind {
            "text" => self.part::<TextWire>()?.body.0.map(InboundContent::Text),
            "button" => {
                let button: ButtonWire = self.part()?;
                Some(tapped(&button.text, &button.payload))
            }
            "interactive" => Some(self.interactive(self.part()?)),
            "reaction" => {
                let reaction: ReactionWire = self.part()?;
                let emoji = reaction.emoji.0.unwrap_or_default();
                Some(InboundContent::Reaction { to: reaction.message_id.0?, emoji })
            }
            "image" => Some(self.media(|_| InboundMediaKind::Image)),
            "video" => Some(self.media(|_| InboundMediaKind::Video)),
            "audio" => Some(self.media(|wire| InboundMediaKind::Audio {
                is_voice: wire.voice.as_flag().unwrap_or_default(),
            })),
            // So named on hosts of old.
            "voice" => Some(self.media(|_| InboundMediaKind::Audio { is_voice: true })),
            "document" => Some(self.media(|_| InboundMediaKind::Document)),
            "sticker" => Some(self.media(|wire| InboundMediaKind::Sticker {
                is_animated: wire.animated.as_flag().unwrap_or_default(),
            })),
            "location" => Some(InboundContent::Location(self.part::<PlaceWire>()?.into())),
            "contacts" => {
                let cards = self.message.get(self.kind)?.as_array()?.iter();
                let cards = cards.filter_map(read_object::<CardWire>).map(ContactCard::from);
                Some(InboundContent::Contacts(cards.collect()))
            }
            "order" => Some(InboundContent::Order(self.part::<OrderWire>()?.into())),
            "unsupported" | "unknown" => Some(InboundContent::Unsupported(self.unsupported())),
            _ => None,
        }
    }

    fn part<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        read_part(self.message, self.kind)
    }

    fn other(&self, kind: &str) -> InboundContent {
        InboundContent::Other { kind: kind.to_owned(), raw: self.raw.to_owned() }
    }

    fn interactive(&self, wire: InteractiveWire) -> InboundContent {
        if let Some(reply) = wire.button_reply.or(wire.list_reply) {
            return tapped(&reply.title, &reply.id);
        }
        if let Some(form) = wire.nfm_reply {
            return InboundContent::Form(form.into());
        }
        if let Some(permission) = wire.call_permission_reply {
            return InboundContent::CallPermission(permission.into());
        }
        self.other(wire.kind.as_str().unwrap_or(self.kind))
    }

    fn media(&self, kind: impl FnOnce(&MediaWire) -> InboundMediaKind) -> InboundContent {
        let wire: MediaWire = self.part().unwrap_or_default();
        InboundContent::Media(InboundMedia {
            kind: kind(&wire),
            id: wire.id.0,
            mime_type: wire.mime_type.0,
            sha256: wire.sha256.0,
            caption: wire.caption.0,
            filename: wire.filename.0,
            is_lost: self.errors.iter().any(|error| error.code == MEDIA_UNAVAILABLE),
        })
    }

    fn unsupported(&self) -> Unsupported {
        let error = self.errors.first().cloned();
        let reason = match error.as_ref().map(|error| error.code.as_str()) {
            Some(TYPE_UNSUPPORTED) => UnsupportedReason::Type,
            Some(CONTENT_UNAVAILABLE) => UnsupportedReason::ContentUnavailable,
            Some(MEDIA_UNAVAILABLE) => UnsupportedReason::MediaUnavailable,
            Some(_) | None => UnsupportedReason::Other,
        };
        let kind = self.part::<UnsupportedWire>().and_then(|wire| wire.kind.0);
        Unsupported { kind, reason, error }
    }
}

/// A tapped button; where its text or its payload is left out, one stands for the other.
fn tapped(text: &Loose, payload: &Loose) -> InboundContent {
    InboundContent::Button {
        text: text.or(payload).0.clone().unwrap_or_default(),
        payload: payload.or(text).0.clone().unwrap_or_default(),
    }
}

impl From<FormWire> for FormReply {
    fn from(wire: FormWire) -> Self {
        // A JSON text inside a text; should it once come unwrapped, it is the same.
        let response_json = match wire.response_json {
            Value::Null => None,
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            unwrapped => Some(unwrapped.to_string()),
        };
        Self { name: wire.name.0, body: wire.body.0, response_json }
    }
}

impl From<CallPermissionWire> for CallPermission {
    fn from(wire: CallPermissionWire) -> Self {
        Self {
            answer: wire.response.as_str().map(CallAnswer::parse),
            expires_at: wire.expiration_timestamp.as_instant(),
            source: wire.response_source.0,
        }
    }
}

impl From<PlaceWire> for Location {
    fn from(wire: PlaceWire) -> Self {
        let degrees = |loose: &Loose| loose.as_str().and_then(|text| text.trim().parse().ok());
        let point = degrees(&wire.latitude)
            .zip(degrees(&wire.longitude))
            .and_then(|(latitude, longitude)| GeoPoint::new(latitude, longitude));
        Self { point, name: wire.name.0, address: wire.address.0, url: wire.url.0 }
    }
}

impl From<CardWire> for ContactCard {
    fn from(wire: CardWire) -> Self {
        let name = wire.name.unwrap_or_default();
        let phone = |wire: CardPhoneWire| CardPhone {
            phone: wire.phone.0,
            phone_digits: wire.wa_id.0,
            kind: wire.kind.0,
        };
        let email = |wire: CardEmailWire| CardEmail { email: wire.email.0, kind: wire.kind.0 };
        Self {
            formatted_name: name.formatted_name.0,
            first_name: name.first_name.0,
            middle_name: name.middle_name.0,
            last_name: name.last_name.0,
            phones: wire.phones.into_iter().map(phone).collect(),
            emails: wire.emails.into_iter().map(email).collect(),
            organization: wire.org.map(|org| CardOrganization {
                company: org.company.0,
                department: org.department.0,
                title: org.title.0,
            }),
        }
    }
}

impl From<OrderWire> for Order {
    fn from(wire: OrderWire) -> Self {
        let item = |wire: OrderItemWire| OrderItem {
            product_id: wire.product_retailer_id.0,
            quantity: wire.quantity.as_count(),
            price: wire.item_price.as_str().and_then(millionths),
            currency: wire.currency.0,
        };
        let items = wire.product_items.into_iter().map(item).collect();
        Self { catalog_id: wire.catalog_id.0, text: wire.text.0, items }
    }
}

/// A price such as `24.5`; `None` when it is finer than a millionth, or no such number.
fn millionths(price: &str) -> Option<Millionths> {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, "0"));
    let fraction = fraction.trim_end_matches('0');
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) || 6 < fraction.len() {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    let fraction = format!("{fraction:0<6}").parse::<i64>().ok()?;
    Some(Millionths(whole.checked_add(fraction)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_to_the_millionth() {
        let cases = [
            ("24.5", Some(24_500_000)),
            ("24", Some(24_000_000)),
            ("24.0", Some(24_000_000)),
            ("0.000001", Some(1)),
            ("0.0000010", Some(1)),
            ("0.0000001", None),
            ("9223372036854.775807", Some(i64::MAX)),
            ("9223372036854.775808", None),
            ("1e3", None),
            ("-1", None),
            (".5", None),
            ("", None),
            ("+1", None),
        ];
        for (price, expected) in cases {
            assert_eq!(millionths(price), expected.map(Millionths), "{price}");
        }
    }
}
