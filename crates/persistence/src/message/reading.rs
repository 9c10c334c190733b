//! What a message says, in columns, and what it asks for.

use domain::{
    channel::{InboundContent, InboundMediaKind},
    opt_out::{OptOutWish, default_word_lists},
};

use crate::sender::without_nul;

/// What a message says, in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Its kind, as lists and pages tell them apart.
    pub kind: String,
    /// The words on it, to be shown in a list and to be found by.
    pub body: String,
    /// The platform's id of the message it is a reaction to; `None` for all others.
    pub reacts_to: Option<String>,
    /// Taking a reaction back answers nothing.
    pub is_reply: bool,
    /// Whether it asks to be left alone, or to hear from us again (AD-09).
    pub wish: Option<OptOutWish>,
}

impl Reading {
    pub(super) fn of(content: &InboundContent) -> Self {
        let plain = |kind: &str, body: &str| Self {
            kind: kind.to_owned(),
            body: without_nul(body),
            reacts_to: None,
            is_reply: true,
            wish: None,
        };
        let shown = |kind: &str, body: Option<&str>| plain(kind, body.unwrap_or_default());
        match content {
            InboundContent::Text(text) => Self {
                wish: OptOutWish::of_text(text, &default_word_lists()),
                ..plain("text", text)
            },
            InboundContent::Button { text, payload } => Self {
                wish: OptOutWish::of_button(text, payload, &default_word_lists()),
                ..plain("button", text)
            },
            InboundContent::Reaction { to, emoji } => Self {
                reacts_to: Some(without_nul(to)),
                is_reply: !emoji.is_empty(),
                ..plain("reaction", emoji)
            },
            InboundContent::Media(media) => {
                let name = match media.kind {
                    InboundMediaKind::Document => media.filename.as_deref(),
                    InboundMediaKind::Image
                    | InboundMediaKind::Video
                    | InboundMediaKind::Audio { .. }
                    | InboundMediaKind::Sticker { .. } => None,
                };
                shown(media.kind.as_str(), media.caption.as_deref().or(name))
            }
            InboundContent::Location(place) => {
                shown("location", place.name.as_deref().or(place.address.as_deref()))
            }
            InboundContent::Contacts(cards) => {
                shown("contacts", cards.first().and_then(|card| card.formatted_name.as_deref()))
            }
            InboundContent::Form(form) => shown("nfm_reply", form.body.as_deref()),
            InboundContent::CallPermission(_) => shown("call_permission_reply", None),
            InboundContent::Order(order) => shown("order", order.text.as_deref()),
            InboundContent::Unsupported(_) => shown("unsupported", None),
            InboundContent::Other { kind, .. } => shown(&without_nul(kind), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::channel::{
        ContactCard, FormReply, InboundMedia, Location, Order, Unsupported, UnsupportedReason,
    };

    use super::*;

    fn media(
        kind: InboundMediaKind,
        caption: Option<&str>,
        filename: Option<&str>,
    ) -> InboundContent {
        InboundContent::Media(InboundMedia {
            kind,
            id: Some("881001".to_owned()),
            mime_type: None,
            sha256: None,
            caption: caption.map(str::to_owned),
            filename: filename.map(str::to_owned),
            is_lost: false,
        })
    }

    #[test]
    fn what_is_no_text_is_kept_by_its_kind_and_what_is_written_on_it() {
        let some = |text: &str| Some(text.to_owned());
        let quay = Location { address: some("Marine Parade"), ..Location::default() };
        let named = Location { name: some("Quay"), ..quay.clone() };
        let noor = ContactCard { formatted_name: some("Noor"), ..ContactCard::default() };
        let form = FormReply { body: some("Sent"), ..FormReply::default() };
        let order = Order { text: some("Gift wrap"), ..Order::default() };
        let poll = Unsupported { kind: some("poll"), reason: UnsupportedReason::Type, error: None };
        let hologram =
            InboundContent::Other { kind: "holo\0gram".to_owned(), raw: "{}".to_owned() };
        let (voice, moving) = (
            InboundMediaKind::Audio { is_voice: true },
            InboundMediaKind::Sticker { is_animated: true },
        );
        let cases = [
            (media(InboundMediaKind::Image, Some("Crack"), None), "image", "Crack"),
            (media(InboundMediaKind::Video, None, Some("a.mp4")), "video", ""),
            (
                media(InboundMediaKind::Document, Some("Signed"), Some("a.pdf")),
                "document",
                "Signed",
            ),
            (media(InboundMediaKind::Document, None, Some("a.pdf")), "document", "a.pdf"),
            (media(voice, None, None), "audio", ""),
            (media(moving, None, None), "sticker", ""),
            (InboundContent::Location(named), "location", "Quay"),
            (InboundContent::Location(quay), "location", "Marine Parade"),
            (InboundContent::Contacts(vec![noor]), "contacts", "Noor"),
            (InboundContent::Contacts(Vec::new()), "contacts", ""),
            (InboundContent::Form(form), "nfm_reply", "Sent"),
            (InboundContent::Order(order), "order", "Gift wrap"),
            (InboundContent::Unsupported(poll), "unsupported", ""),
            (hologram, "hologram", ""),
        ];
        for (content, kind, body) in cases {
            let reading = Reading::of(&content);
            assert_eq!((reading.kind.as_str(), reading.body.as_str()), (kind, body));
            assert!(reading.is_reply && reading.reacts_to.is_none(), "{kind}");
            assert_eq!(reading.wish, None, "{kind}");
        }
    }
}
