//! What a contact changes, and what was said to them from the phone app (protocol, 4.9, 4.12 and 5.7).

use domain::channel::{
    ChannelEvent, IdentityChange, IdentityNews, MessageEcho, MessageEdit, MessageRevocation,
    PreferenceCategory, PreferenceChoice, SenderIdentity, UnreadableElement, UserPreference,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    inbound::{Head, MessageWire, read_content},
    person::{ContactWire, PersonIds},
    wire::{Loose, lenient, problem, read_object, read_part},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SystemWire {
    #[serde(rename = "type")]
    kind: Loose,
    body: Loose,
    wa_id: Loose,
    /// So named in old versions.
    new_wa_id: Loose,
    user_id: Loose,
    parent_user_id: Loose,
    #[serde(deserialize_with = "lenient")]
    identity: Option<KeyWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeyWire {
    hash: Loose,
    created_timestamp: Loose,
    acknowledged: Loose,
}

/// An edit or a revocation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeWire {
    original_message_id: Loose,
    message: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PreferenceWire {
    wa_id: Loose,
    user_id: Loose,
    parent_user_id: Loose,
    category: Loose,
    value: Loose,
    timestamp: Loose,
    detail: Loose,
    signup_id: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EchoWire {
    id: Loose,
    to: Loose,
    to_user_id: Loose,
    to_parent_user_id: Loose,
    timestamp: Loose,
}

/// Reads a note of the system; `None` when it is of a kind not known, or about nobody.
pub(super) fn read_system(
    value: &Value,
    message: &MessageWire,
    contacts: &[ContactWire],
) -> Option<ChannelEvent> {
    let wire: SystemWire = read_part(value, "system")?;
    let now = || {
        let number = wire.wa_id.or(&wire.new_wa_id).clone();
        let ids =
            PersonIds { number, scoped: wire.user_id.clone(), parent: wire.parent_user_id.clone() };
        ids.identity(&[])
    };
    let what = match wire.kind.as_str()? {
        "user_changed_number" | "customer_changed_number" => IdentityNews::Number { now: now() },
        "user_changed_user_id" => IdentityNews::ScopedId { now: now() },
        "customer_identity_changed" => {
            let key = wire.identity.as_ref();
            IdentityNews::Key {
                hash: key.and_then(|key| key.hash.0.clone()),
                created_at: key.and_then(|key| key.created_timestamp.as_instant()),
                is_acknowledged: key.and_then(|key| key.acknowledged.as_flag()),
            }
        }
        _ => return None,
    };
    let contact = message.sender(contacts);
    if contact.is_anonymous() {
        return None;
    }
    Some(ChannelEvent::IdentityChanged(IdentityChange {
        provider_id: message.id().map(str::to_owned),
        contact,
        at: message.at()?,
        what,
        note: wire.body.0,
    }))
}

/// Reads what a message says now; `None` when it is not told which.
pub(super) fn read_edit(value: &Value, raw: &str, head: Head) -> Option<ChannelEvent> {
    let wire: ChangeWire = read_part(value, "edit")?;
    let Head { provider_id, sender, at } = head;
    let edited = wire.original_message_id.0?;
    let content = read_content(&wire.message, raw);
    Some(ChannelEvent::Edited(MessageEdit { provider_id, sender, at, edited, content }))
}

/// Reads which message was taken back; `None` when that is not told.
pub(super) fn read_revocation(value: &Value, head: Head) -> Option<ChannelEvent> {
    let wire: ChangeWire = read_part(value, "revoke")?;
    let Head { provider_id, sender, at } = head;
    let revoked = wire.original_message_id.0?;
    Some(ChannelEvent::Revoked(MessageRevocation { provider_id, sender, at, revoked }))
}

/// Reads one of `user_preferences[]`.
pub(super) fn read_preference(
    value: &Value,
    contacts: &[ContactWire],
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: PreferenceWire =
        read_object(value).ok_or_else(|| problem("a preference that is no object"))?;
    let choice = match wire.value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("stop") => PreferenceChoice::Stop,
        Some("resume") => PreferenceChoice::Resume,
        Some("signup") => PreferenceChoice::SignUp { signup_id: wire.signup_id.0 },
        _ => return Ok(ChannelEvent::Other { kind: "user_preferences".to_owned() }),
    };
    let ids = PersonIds { number: wire.wa_id, scoped: wire.user_id, parent: wire.parent_user_id };
    let contact =
        known(ids.identity(contacts)).ok_or_else(|| problem("a preference without a contact"))?;
    let at = wire.timestamp.as_instant().ok_or_else(|| problem("a preference without a time"))?;
    let category = wire.category.as_str().map(PreferenceCategory::parse);
    let detail = wire.detail.0;
    Ok(ChannelEvent::Preference(UserPreference { contact, at, category, choice, detail }))
}

/// Reads one of `message_echoes[]`, which came as `raw`; what names no message to somebody is kept as it came.
pub(super) fn read_echo(value: &Value, raw: &str, contacts: &[ContactWire]) -> ChannelEvent {
    let echo = || {
        let wire: EchoWire = read_object(value)?;
        let ids =
            PersonIds { number: wire.to, scoped: wire.to_user_id, parent: wire.to_parent_user_id };
        Some(MessageEcho {
            provider_id: wire.id.0?,
            recipient: known(ids.identity(contacts))?,
            at: wire.timestamp.as_instant()?,
            content: read_content(value, raw),
        })
    };
    echo().map_or_else(
        || ChannelEvent::Other { kind: "smb_message_echoes".to_owned() },
        ChannelEvent::Echo,
    )
}

fn known(identity: SenderIdentity) -> Option<SenderIdentity> {
    (!identity.is_anonymous()).then_some(identity)
}
