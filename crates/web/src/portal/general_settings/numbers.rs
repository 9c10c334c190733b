//! The numbers of a chatbot as the platform sees them, each with the latest of its history.

use chrono::DateTime;
use domain::phone::PhoneNumber;
use persistence::number::history::{NumberEventLine, NumberHistory};
use serde_json::Value;

use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
};

/// Lines of the history that are shown of each number.
pub(super) const MOST_LINES: usize = 20;
/// The most characters of what the platform wrote.
const MOST_CHARACTERS: usize = 200;
/// The end of what has no end: 31 December 9999.
const NO_END: i64 = 253_402_214_400_000;

/// What a line may tell besides a change, in the order shown; each as the platform wrote it.
const TOLD: [&str; 15] = [
    "template",
    "language",
    "name",
    "username",
    "event",
    "decision",
    "status",
    "title",
    "kind",
    "description",
    "reason",
    "violation",
    "requester",
    "sends",
    "code",
];
/// The places of a limit in a line, the one that holds first.
const LIMITS: [&str; 3] = ["portfolio_limit", "number_limit", "current_limit"];

/// A number, display-ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NumberView {
    /// As people write it.
    pub title: String,
    /// The name it is shown by, and what its review came to; empty before it was told.
    pub name: String,
    /// Names of facts, and what they are.
    pub facts: Vec<(String, String)>,
    /// The latest first; empty when nothing happened yet.
    pub lines: Vec<LineView>,
}

/// A line of the history of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineView {
    /// When.
    pub at: Moment,
    /// What happened.
    pub what: String,
    /// What helps to understand it; empty when nothing is known.
    pub detail: String,
}

impl NumberView {
    pub(super) fn new(number: NumberHistory, viewer: &Viewer) -> Self {
        let t = viewer.words();
        let phone = PhoneNumber::from_e164(&number.phone).map(|phone| phone.display());
        let name = number.name.map(|(name, decision)| match decision {
            Some(decision) => format!("{} ({})", isolated(&cut(&name)), cut(&decision)),
            None => isolated(&cut(&name)),
        });
        let limit = match (number.platform_limit, &number.platform_rating) {
            (Some(limit), _) => limit.to_string(),
            (None, Some(_)) => t.portal_fact_tier_none(),
            (None, None) => t.portal_number_unread(),
        };
        let rating = number.platform_rating.as_deref();
        let mut facts = vec![
            (t.portal_state(), status_words(&number.platform_status, t)),
            (t.desk_number_rating(), rating_words(rating.unwrap_or_default(), t)),
            (t.portal_fact_tier(), limit),
        ];
        if let Some(until) = number.restricted_until.filter(|until| viewer.now < *until) {
            let until = match until.timestamp_millis() {
                NO_END => t.portal_number_no_end(),
                _ => t.portal_number_until(viewer.at(until).text),
            };
            facts.push((t.portal_number_restricted(), until));
        }
        Self {
            title: isolated(&phone.unwrap_or(number.phone)),
            name: name.unwrap_or_default(),
            facts,
            lines: number.events.into_iter().map(|line| line_view(line, viewer)).collect(),
        }
    }
}

fn line_view(line: NumberEventLine, viewer: &Viewer) -> LineView {
    let NumberEventLine { at, kind, detail } = line;
    LineView {
        at: viewer.at(at),
        what: kind_words(&kind, viewer.words()),
        detail: detail_words(&kind, &detail, viewer),
    }
}

/// What kind of thing happened; one that this version does not know is told by its name.
fn kind_words(kind: &str, t: Words) -> String {
    match kind {
        "quality_update" => t.portal_number_event_quality(),
        "capability" | "platform_limit" => t.portal_number_event_limit(),
        "account_update" => t.portal_number_event_account(),
        "alert" => t.portal_number_event_alert(),
        "review" => t.portal_number_event_review(),
        "name" => t.portal_number_event_name(),
        "username" => t.portal_number_event_username(),
        "security" => t.portal_number_event_security(),
        "refusal" => t.portal_number_event_refusal(),
        "trouble" => t.portal_number_event_trouble(),
        "paused" => t.portal_number_event_paused(),
        "resumed" => t.portal_number_event_resumed(),
        "promoted" => t.portal_number_event_promoted(),
        "rating" | "platform_rating" => t.portal_number_event_rating(),
        "platform_status" => t.portal_number_event_status(),
        "template_status" => t.portal_number_event_template_status(),
        "template_quality" => t.portal_number_event_template_quality(),
        "template_category" => t.portal_number_event_template_category(),
        "template_components" => t.portal_number_event_template_components(),
        other => isolated(&cut(other)),
    }
}

fn detail_words(kind: &str, detail: &Value, viewer: &Viewer) -> String {
    let t = viewer.words();
    let mut parts: Vec<String> = Vec::new();
    if let Value::String(sentence) = detail {
        return isolated(&cut(sentence));
    }
    parts.extend(TOLD.iter().filter_map(|name| word_of(detail, name)).map(|word| isolated(&word)));
    let after = word_of(detail, "after").or_else(|| word_of(detail, "upcoming"));
    if let (Some(before), Some(after)) = (word_of(detail, "before"), after) {
        let word = |word: &str| value_words(kind, word, t);
        parts.push(t.portal_number_changed(word(&after), word(&before)));
    }
    if let Some(limit) = LIMITS.iter().find_map(|name| word_of(detail, name)) {
        parts.push(t.portal_number_limit_is(isolated(&limit)));
    }
    if let Some(ban) = word_of(&detail["ban"], "state") {
        parts.push(isolated(&ban));
    }
    for restriction in detail["restrictions"].as_array().into_iter().flatten() {
        parts.extend(word_of(restriction, "kind").map(|kind| isolated(&kind)));
        parts.extend(until_words(restriction, "until", viewer));
    }
    parts.extend(until_words(detail, "until", viewer));
    let from = instant_of(detail, "from").map(|from| viewer.from_when(from).text);
    parts.extend(from);
    parts.join(" · ")
}

/// What a rating or a status is called; any other value as it stands.
fn value_words(kind: &str, value: &str, t: Words) -> String {
    match (kind, value) {
        (_, "none") => t.portal_fact_none(),
        ("rating" | "platform_rating", rating) => rating_words(rating, t),
        ("platform_status", status) => status_words(status, t),
        (_, value) => isolated(value),
    }
}

fn status_words(status: &str, t: Words) -> String {
    match status {
        "" | "UNKNOWN" => t.portal_number_unread(),
        "CONNECTED" => t.portal_number_connected(),
        "DISCONNECTED" => t.portal_number_disconnected(),
        "FLAGGED" => t.portal_number_flagged(),
        "RESTRICTED" => t.portal_number_restricted_status(),
        "BANNED" => t.portal_number_banned(),
        other => isolated(&cut(other)),
    }
}

fn rating_words(rating: &str, t: Words) -> String {
    match rating {
        "GREEN" | "high" => t.desk_rating_high(),
        "YELLOW" | "medium" => t.desk_rating_medium(),
        "RED" | "low" => t.desk_rating_low(),
        "" | "UNKNOWN" | "NA" => t.portal_number_unread(),
        other => isolated(&cut(other)),
    }
}

fn until_words(detail: &Value, name: &str, viewer: &Viewer) -> Option<String> {
    let until = instant_of(detail, name)?;
    let t = viewer.words();
    Some(match until.timestamp_millis() {
        NO_END => t.portal_number_no_end(),
        _ => t.portal_number_until(viewer.at(until).text),
    })
}

fn instant_of(detail: &Value, name: &str) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_millis(detail.get(name)?.as_i64()?)
}

/// The text or number `name`; `None` for all else, and for what is empty.
fn word_of(detail: &Value, name: &str) -> Option<String> {
    match detail.get(name)? {
        Value::String(word) if !word.is_empty() => Some(cut(word)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
