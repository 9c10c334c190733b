//! What a contact wrote, tapped or sent (protocol, 4.9).

use domain::channel::{
    ChannelEvent, InboundContent, InboundMessage, SenderIdentity, UnreadableElement,
};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{Loose, lenient, lenient_list, problem};

/// One of `contacts[]`: it belongs to a message by id, not by its place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContactWire {
    wa_id: Loose,
    user_id: Loose,
    #[serde(deserialize_with = "lenient")]
    profile: Option<ProfileWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileWire {
    name: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MessageWire {
    id: Loose,
    from: Loose,
    from_user_id: Loose,
    group_id: Loose,
    timestamp: Loose,
    #[serde(rename = "type")]
    kind: Loose,
    #[serde(deserialize_with = "lenient")]
    context: Option<ContextWire>,
    #[serde(deserialize_with = "lenient")]
    text: Option<TextWire>,
    #[serde(deserialize_with = "lenient")]
    button: Option<ButtonWire>,
    #[serde(deserialize_with = "lenient")]
    interactive: Option<InteractiveWire>,
    #[serde(deserialize_with = "lenient")]
    reaction: Option<ReactionWire>,
    #[serde(deserialize_with = "lenient")]
    image: Option<MediaWire>,
    #[serde(deserialize_with = "lenient")]
    video: Option<MediaWire>,
    #[serde(deserialize_with = "lenient")]
    document: Option<MediaWire>,
    #[serde(deserialize_with = "lenient")]
    location: Option<PlaceWire>,
    #[serde(deserialize_with = "lenient_list")]
    contacts: Vec<CardWire>,
    #[serde(deserialize_with = "lenient")]
    order: Option<OrderWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContextWire {
    id: Loose,
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
    nfm_reply: Option<TextWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReplyWire {
    id: Loose,
    title: Loose,
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
    caption: Loose,
    filename: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlaceWire {
    name: Loose,
    address: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardWire {
    #[serde(deserialize_with = "lenient")]
    name: Option<CardNameWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CardNameWire {
    formatted_name: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OrderWire {
    text: Loose,
}

/// Reads one of `messages[]`.
pub(super) fn read_message(
    value: Value,
    contacts: &[ContactWire],
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: MessageWire =
        serde_json::from_value(value).map_err(|_| problem("a message that is no object"))?;
    let kind = wire.kind.0.clone().ok_or_else(|| problem("a message without a type"))?;
    // What is said to a group opens no window between two.
    if wire.group_id.0.is_some() {
        return Ok(ChannelEvent::Other { kind: "group".to_owned() });
    }
    let Some(content) = content_of(&kind, &wire)? else {
        return Ok(ChannelEvent::Other { kind });
    };
    let sender = sender_of(&wire.from, &wire.from_user_id, contacts)
        .ok_or_else(|| problem("a message without a sender"))?;
    let at = wire.timestamp.as_instant().ok_or_else(|| problem("a message without a time"))?;
    let provider_id = wire.id.0.ok_or_else(|| problem("a message without an id"))?;
    let in_reply_to = wire.context.and_then(|context| context.id.0);
    Ok(ChannelEvent::Inbound(InboundMessage { provider_id, sender, at, content, in_reply_to }))
}

/// Who is meant by a number and a business-scoped id, with the name of the contact of either; `None` without both.
pub(super) fn sender_of(
    number: &Loose,
    scoped_id: &Loose,
    contacts: &[ContactWire],
) -> Option<SenderIdentity> {
    let phone_digits = number.as_str().and_then(digits);
    let scoped_id = scoped_id.0.clone();
    if phone_digits.is_none() && scoped_id.is_none() {
        return None;
    }
    let same = |ours: Option<&str>, theirs: &Loose| ours.is_some() && ours == theirs.as_str();
    let contact = contacts.iter().find(|contact| {
        same(number.as_str(), &contact.wa_id) || same(scoped_id.as_deref(), &contact.user_id)
    });
    let name = contact
        .and_then(|contact| contact.profile.as_ref())
        .and_then(|profile| profile.name.0.clone());
    // Either may stand in the contact alone.
    let scoped_id = scoped_id.or_else(|| contact.and_then(|contact| contact.user_id.0.clone()));
    let phone_digits = phone_digits
        .or_else(|| contact.and_then(|contact| contact.wa_id.as_str()).and_then(digits));
    Some(SenderIdentity { phone_digits, scoped_id, name })
}

fn digits(number: &str) -> Option<String> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let only_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then(|| digits.to_owned())
}

/// What was said; `None` for what no contact says, such as notes of the system, and for types not known.
fn content_of(kind: &str, wire: &MessageWire) -> Result<Option<InboundContent>, UnreadableElement> {
    let other = |caption: &Loose| {
        Ok(Some(InboundContent::Other { kind: kind.to_owned(), caption: caption.0.clone() }))
    };
    let bare = Loose::default();
    match kind {
        "text" => {
            let body = wire.text.as_ref().and_then(|text| text.body.0.clone());
            Ok(Some(InboundContent::Text(body.ok_or_else(|| problem("a text without a body"))?)))
        }
        "button" => {
            let button = wire.button.as_ref().ok_or_else(|| problem("a button without content"))?;
            Ok(Some(tapped(&button.text, &button.payload)))
        }
        "interactive" => Ok(Some(interactive(wire.interactive.as_ref()))),
        "reaction" => {
            let reaction = wire.reaction.as_ref();
            let to = reaction.and_then(|reaction| reaction.message_id.0.clone());
            let to = to.ok_or_else(|| problem("a reaction without its message"))?;
            let emoji = reaction.and_then(|reaction| reaction.emoji.0.clone()).unwrap_or_default();
            Ok(Some(InboundContent::Reaction { to, emoji }))
        }
        "image" => other(wire.image.as_ref().map_or(&bare, |image| &image.caption)),
        "video" => other(wire.video.as_ref().map_or(&bare, |video| &video.caption)),
        "document" => other(
            wire.document
                .as_ref()
                .map_or(&bare, |document| first(&document.caption, &document.filename)),
        ),
        "location" => {
            other(wire.location.as_ref().map_or(&bare, |place| first(&place.name, &place.address)))
        }
        "contacts" => other(
            wire.contacts
                .first()
                .and_then(|card| card.name.as_ref())
                .map_or(&bare, |name| &name.formatted_name),
        ),
        "order" => other(wire.order.as_ref().map_or(&bare, |order| &order.text)),
        // Something the contact did send, though the platform does not hand it over.
        "audio" | "sticker" | "unsupported" | "unknown" => other(&bare),
        _ => Ok(None),
    }
}

/// A reply to an interactive message; one without its content has been seen.
fn interactive(wire: Option<&InteractiveWire>) -> InboundContent {
    let Some(wire) = wire else {
        return InboundContent::Other { kind: "interactive".to_owned(), caption: None };
    };
    if let Some(reply) = wire.button_reply.as_ref().or(wire.list_reply.as_ref()) {
        return tapped(&reply.title, &reply.id);
    }
    let kind = wire.kind.0.clone().unwrap_or_else(|| "interactive".to_owned());
    let caption = wire.nfm_reply.as_ref().and_then(|form| form.body.0.clone());
    InboundContent::Other { kind, caption }
}

/// A tapped button; where its text or its payload is left out, one stands for the other.
fn tapped(text: &Loose, payload: &Loose) -> InboundContent {
    InboundContent::Button {
        text: first(text, payload).0.clone().unwrap_or_default(),
        payload: first(payload, text).0.clone().unwrap_or_default(),
    }
}

fn first<'a>(preferred: &'a Loose, otherwise: &'a Loose) -> &'a Loose {
    if preferred.0.is_some() { preferred } else { otherwise }
}
