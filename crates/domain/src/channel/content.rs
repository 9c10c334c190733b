//! What a contact said, by its kind.

use chrono::{DateTime, Utc};

use super::{PlatformRefusal, words::open_words};
use crate::money::Millionths;

/// What a contact said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundContent {
    /// A text.
    Text(String),
    /// A tapped button of a template or an interactive message, or a chosen row of a list.
    Button {
        /// The text on it.
        text: String,
        /// What it carries.
        payload: String,
    },
    /// A reaction; an empty emoji takes it back.
    Reaction {
        /// The platform's id of the message reacted to.
        to: String,
        /// The emoji.
        emoji: String,
    },
    /// A picture, recording or file.
    Media(InboundMedia),
    /// A place.
    Location(Location),
    /// Cards of an address book, in their order; may be empty.
    Contacts(Vec<ContactCard>),
    /// A form that was filled in.
    Form(FormReply),
    /// An answer to the question whether the business may call.
    CallPermission(CallPermission),
    /// An order from a catalogue.
    Order(Order),
    /// Something the contact did send, though the platform does not hand it over.
    Unsupported(Unsupported),
    /// A kind not known here, or one whose own part cannot be read.
    Other {
        /// The platform's type, such as `hologram`.
        kind: String,
        /// The whole message as it came.
        raw: String,
    },
}

/// A picture, recording or file of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMedia {
    /// What it is.
    pub kind: InboundMediaKind,
    /// The platform's id, by which the file is fetched for some days; `None` when there is nothing to fetch.
    pub id: Option<String>,
    /// The platform's word for its type, with parameters, such as `audio/ogg; codecs=opus`.
    pub mime_type: Option<String>,
    /// The digest of the file, in Base64 as it came.
    pub sha256: Option<String>,
    /// What was written below it; `None` when there is nothing.
    pub caption: Option<String>,
    /// The file's name, of documents.
    pub filename: Option<String>,
    /// Whether the platform itself could not get the file (131052): the contact may send it again.
    pub is_lost: bool,
}

/// The kinds of media a contact may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboundMediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio {
        /// Spoken into the phone, rather than a file.
        is_voice: bool,
    },
    /// A file.
    Document,
    /// A sticker.
    Sticker {
        /// Whether it moves.
        is_animated: bool,
    },
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Where it is; `None` when that cannot be read.
    pub point: Option<GeoPoint>,
    /// Its name, of a chosen place.
    pub name: Option<String>,
    /// Its address, of a chosen place.
    pub address: Option<String>,
    /// A page about it, of a chosen place.
    pub url: Option<String>,
}

/// A point on earth, exact to about a centimetre. `Debug` does not show it.
///
/// Invariant: ten-millionths of a degree, the latitude within 90 degrees, the longitude within 180.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GeoPoint {
    latitude: i32,
    longitude: i32,
}

/// One card of an address book. `Debug` does not show what is on it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ContactCard {
    /// The name as it is shown.
    pub formatted_name: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// The names between.
    pub middle_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// Numbers, in their order.
    pub phones: Vec<CardPhone>,
    /// Mail addresses, in their order.
    pub emails: Vec<CardEmail>,
    /// Where the person works.
    pub organization: Option<CardOrganization>,
}

/// A number on a card.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CardPhone {
    /// As it is written.
    pub phone: Option<String>,
    /// The platform's id of who has it; `None` when nobody there has.
    pub phone_digits: Option<String>,
    /// The platform's word for its use, such as `CELL`.
    pub kind: Option<String>,
}

/// A mail address on a card.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CardEmail {
    /// The address.
    pub email: Option<String>,
    /// The platform's word for its use, such as `WORK`.
    pub kind: Option<String>,
}

/// Where the person on a card works.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CardOrganization {
    /// The company.
    pub company: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// What the person is there.
    pub title: Option<String>,
}

/// A form that was filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormReply {
    /// The platform's name of the kind of form, such as `flow`.
    pub name: Option<String>,
    /// What the contact sees of it.
    pub body: Option<String>,
    /// What was filled in: a JSON text as it came, not yet looked at.
    pub response_json: Option<String>,
}

/// An answer to the question whether the business may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPermission {
    /// The answer; `None` when it is missing.
    pub answer: Option<CallAnswer>,
    /// Until when it holds; `None` when the platform names no end.
    pub expires_at: Option<DateTime<Utc>>,
    /// The platform's word for how it came about, such as `user_action`.
    pub source: Option<String>,
}

open_words! {
    /// Whether the business may call.
    CallAnswer {
        /// It may.
        Accept = "accept",
        /// It may not.
        Reject = "reject",
    }
}

/// An order from a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The platform's id of the catalogue.
    pub catalog_id: Option<String>,
    /// What was written with it.
    pub text: Option<String>,
    /// What is ordered, in its order.
    pub items: Vec<OrderItem>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderItem {
    /// The seller's id of the product.
    pub product_id: Option<String>,
    /// How many.
    pub quantity: Option<u32>,
    /// The price of one; `None` when it is missing or finer than a millionth.
    pub price: Option<Millionths>,
    /// ISO 4217, as it came.
    pub currency: Option<String>,
}

/// Something the contact did send, though the platform does not hand it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The platform's word for what it was, such as `poll_creation`; often missing.
    pub kind: Option<String>,
    /// Why it is not handed over.
    pub reason: UnsupportedReason,
    /// The platform's own words for that; `None` when it gives none.
    pub error: Option<PlatformRefusal>,
}

/// Why the platform does not hand a message over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnsupportedReason {
    /// It does not do so with messages of this type (131051), among which are deleted ones.
    Type,
    /// It does not have the content (131060), as with a first message to a number that also runs the phone app.
    ContentUnavailable,
    /// It could not get the media (131052): the contact may send it again.
    MediaUnavailable,
    /// It gives another reason, or none.
    Other,
}

impl InboundMediaKind {
    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio { .. } => "audio",
            Self::Document => "document",
            Self::Sticker { .. } => "sticker",
        }
    }
}

/// Ten-millionths in a degree.
const PER_DEGREE: f64 = 1e7;

impl GeoPoint {
    /// The point at `latitude` and `longitude` degrees; `None` when there is no such place on earth.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let steps = |degrees: f64| (degrees * PER_DEGREE).round() as i32;
        is_on_earth.then(|| Self { latitude: steps(latitude), longitude: steps(longitude) })
    }

    /// Degrees north; negative to the south.
    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / PER_DEGREE
    }

    /// Degrees east; negative to the west.
    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / PER_DEGREE
    }
}

impl std::fmt::Debug for GeoPoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GeoPoint").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ContactCard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ContactCard").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_point_is_on_earth() {
        let cases = [
            (51.0731, -4.0572, true),
            (90.0, 180.0, true),
            (-90.0, -180.0, true),
            (90.000_000_1, 0.0, false),
            (0.0, -180.000_001, false),
            (f64::NAN, 0.0, false),
            (0.0, f64::INFINITY, false),
        ];
        for (latitude, longitude, expected) in cases {
            let point = GeoPoint::new(latitude, longitude);
            assert_eq!(point.is_some(), expected, "{latitude} {longitude}");
        }
    }

    proptest! {
        #[test]
        fn a_point_stays_where_it_is(latitude in -90.0..=90.0, longitude in -180.0..=180.0) {
            let point = GeoPoint::new(latitude, longitude).unwrap();
            prop_assert!((point.latitude() - latitude).abs() <= 5.1e-8);
            prop_assert!((point.longitude() - longitude).abs() <= 5.1e-8);
        }
    }
}
