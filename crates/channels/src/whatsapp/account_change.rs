//! What changes beside messages: marketing preferences and the status of templates (protocol, 3.10 and 5.7).

use domain::channel::{ChannelEvent, UnreadableElement};
use serde::Deserialize;
use serde_json::Value;

use super::{
    inbound::sender_of,
    wire::{Loose, problem},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PreferenceWire {
    wa_id: Loose,
    user_id: Loose,
    category: Loose,
    value: Loose,
    timestamp: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateStatusWire {
    event: Loose,
    message_template_name: Loose,
    message_template_language: Loose,
    new_quality_score: Loose,
}

/// Reads one of `user_preferences[]`.
pub(super) fn read_preference(value: Value) -> Result<ChannelEvent, UnreadableElement> {
    let wire: PreferenceWire =
        serde_json::from_value(value).map_err(|_| problem("a preference that is no object"))?;
    let other = || Ok(ChannelEvent::Other { kind: "user_preferences".to_owned() });
    let about_marketing = matches!(wire.category.as_str(), None | Some("marketing_messages"));
    let stopped = match wire.value.as_str() {
        Some("stop") => true,
        Some("resume") => false,
        _ => return other(),
    };
    if !about_marketing {
        return other();
    }
    let sender = sender_of(&wire.wa_id, &wire.user_id, &[])
        .ok_or_else(|| problem("a preference without a contact"))?;
    let at = wire.timestamp.as_instant().ok_or_else(|| problem("a preference without a time"))?;
    Ok(ChannelEvent::MarketingPreference { sender, stopped, at })
}

/// Reads the value of `message_template_status_update`; its instant is that of the entry.
pub(super) fn read_template_status(
    value: Value,
    entry_time: &Loose,
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: TemplateStatusWire =
        serde_json::from_value(value).map_err(|_| problem("a template that is no object"))?;
    // Changes of quality have been seen under this field's name.
    if wire.new_quality_score.0.is_some() {
        return Ok(ChannelEvent::Other { kind: "message_template_quality_update".to_owned() });
    }
    let name = wire.message_template_name.0.ok_or_else(|| problem("a template without a name"))?;
    let language = wire
        .message_template_language
        .0
        .ok_or_else(|| problem("a template without a language"))?
        .replace('-', "_");
    if wire.event.0.is_none() {
        return Err(problem("a template without an event"));
    }
    let status = wire.event.upper();
    Ok(ChannelEvent::TemplateStatus { name, language, status, at: entry_time.as_instant() })
}
