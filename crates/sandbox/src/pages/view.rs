//! What the *Phones* page shows, ready to print.

use crate::clock::instant;
use crate::message::{ButtonKind, ChatMessage, Media, MediaKind, Side, Status};
use crate::phone::Phone;
use crate::samples;
use crate::state::State;

/// So many customers the list shows; the search finds the others.
const LISTED: usize = 200;
/// So many messages of a chat are shown, the latest.
const SHOWN: usize = 300;

/// A customer in the list.
pub(super) struct Row {
    pub id: String,
    pub name: String,
    pub initials: String,
    pub line: String,
    pub at: Option<String>,
    pub unread: usize,
    pub is_selected: bool,
    pub is_blocked: bool,
}

/// The list, and how many customers it leaves out.
pub(super) struct List {
    pub rows: Vec<Row>,
    pub left_out: usize,
    pub query: String,
}

/// An open chat.
pub(super) struct Chat {
    pub id: String,
    pub name: String,
    pub initials: String,
    pub bubbles: Vec<Bubble>,
    pub is_blocked: bool,
    pub is_reported: bool,
    pub is_stopped: bool,
    /// The business numbers the customer may write to, the likeliest first.
    pub numbers: Vec<NumberChoice>,
}

pub(super) struct NumberChoice {
    pub id: String,
    pub label: String,
}

/// One message.
pub(super) struct Bubble {
    pub id: String,
    pub is_mine: bool,
    pub at: String,
    /// Who wrote, where it is another number than before.
    pub sender: Option<String>,
    pub template: Option<String>,
    pub media: Option<MediaView>,
    pub header: Option<String>,
    pub text: String,
    pub footer: Option<String>,
    pub buttons: Vec<ButtonView>,
    pub status: &'static str,
    pub is_read: bool,
    pub is_delivered: bool,
    pub is_on_its_way: bool,
    pub failure: Option<String>,
    pub reaction: Option<String>,
    pub quoted: Option<String>,
}

/// A file; shown itself only where it is a sample of this sandbox.
pub(super) struct MediaView {
    pub image: Option<String>,
    pub video: Option<String>,
    pub link: String,
    pub label: String,
}

pub(super) struct ButtonView {
    pub place: usize,
    pub text: String,
    pub can_tap: bool,
    pub was_tapped: bool,
    pub link: Option<String>,
    /// What a button that does nothing here would do.
    pub note: Option<String>,
}

/// The customers whose name or number holds `query`, latest event first.
pub(super) fn list(state: &State, query: &str, selected: Option<&str>) -> List {
    let wanted = query.trim().to_lowercase();
    let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
    let mut found: Vec<&Phone> = state
        .phones
        .values()
        .filter(|phone| {
            wanted.is_empty()
                || phone.name.to_lowercase().contains(&wanted)
                || (!digits.is_empty() && phone.wa_id.contains(&digits))
        })
        .collect();
    found.sort_by(|a, b| (b.touched_ms, &a.name, &a.wa_id).cmp(&(a.touched_ms, &b.name, &b.wa_id)));
    let left_out = found.len().saturating_sub(LISTED);
    let rows = found.into_iter().take(LISTED).map(|phone| row(phone, selected)).collect();
    List { rows, left_out, query: query.trim().to_owned() }
}

/// The chat of the customer `id`.
pub(super) fn chat(state: &State, id: &str) -> Option<Chat> {
    let phone = state.phones.get(id)?;
    let mut last_number: Option<&str> = None;
    let skipped = phone.messages.len().saturating_sub(SHOWN);
    let shown = phone.messages.iter().skip(skipped).filter(|message| message.kind != "reaction");
    let bubbles = shown
        .map(|message| {
            let is_new_sender =
                message.from == Side::Business && last_number != Some(message.number.as_str());
            last_number = Some(&message.number);
            let sender = is_new_sender.then(|| number_label(state, &message.number));
            bubble(phone, message, sender)
        })
        .collect();
    Some(Chat {
        id: phone.wa_id.clone(),
        name: phone.name.clone(),
        initials: initials(&phone.name),
        bubbles,
        is_blocked: phone.blocked,
        is_reported: phone.reported,
        is_stopped: !phone.stopped.is_empty(),
        numbers: numbers(state, phone.last_number.as_deref()),
    })
}

/// The business numbers, `first` before the others.
pub(super) fn numbers(state: &State, first: Option<&str>) -> Vec<NumberChoice> {
    let mut ids: Vec<&String> = state.numbers.keys().collect();
    ids.sort_by_key(|id| first != Some(id.as_str()));
    let choice = |id: &String| NumberChoice { id: id.clone(), label: number_label(state, id) };
    ids.into_iter().map(choice).collect()
}

fn row(phone: &Phone, selected: Option<&str>) -> Row {
    let summary = phone.summary();
    let line = match &summary.last {
        None => format!("+{}", phone.wa_id),
        Some(last) if last.from == Side::Customer => format!("You: {}", last.text),
        Some(last) if last.status == Status::Failed => "Not delivered".to_owned(),
        Some(last) if last.text.is_empty() => "A file".to_owned(),
        Some(last) => last.text.clone(),
    };
    Row {
        id: phone.wa_id.clone(),
        name: phone.name.clone(),
        initials: initials(&phone.name),
        line,
        at: summary.last.map(|last| last.at),
        unread: summary.unread,
        is_selected: selected == Some(phone.wa_id.as_str()),
        is_blocked: phone.blocked,
    }
}

fn bubble(phone: &Phone, message: &ChatMessage, sender: Option<String>) -> Bubble {
    let is_mine = message.from == Side::Customer;
    let on_its_way = matches!(message.status, Status::Accepted | Status::Sent);
    let status = match message.status {
        _ if is_mine => "",
        Status::Accepted | Status::Sent => "on its way",
        Status::Delivered => "delivered",
        Status::Read => "read",
        Status::Failed => "not delivered",
    };
    let buttons = message.content.buttons.iter().enumerate().map(|(place, button)| {
        let is_reply = button.kind == ButtonKind::QuickReply;
        let is_link = button.kind == ButtonKind::Url
            && (button.value.starts_with("https://") || button.value.starts_with("http://"));
        ButtonView {
            place,
            text: button.text.clone(),
            can_tap: is_reply && message.failure.is_none() && !on_its_way && !phone.blocked,
            was_tapped: message.tapped == Some(place),
            link: is_link.then(|| button.value.clone()),
            note: match button.kind {
                ButtonKind::PhoneNumber => Some(format!("calls {}", button.value)),
                ButtonKind::CopyCode => Some(format!("copies {}", button.value)),
                ButtonKind::QuickReply | ButtonKind::Url | ButtonKind::Other => None,
            },
        }
    });
    Bubble {
        id: message.id.clone(),
        is_mine,
        at: instant(message.at_ms),
        sender,
        template: message.template.as_ref().map(|t| format!("{} · {}", t.name, t.language)),
        media: message.content.media.as_ref().map(media_view),
        header: message.content.header.clone(),
        text: message.content.text.clone(),
        footer: message.content.footer.clone(),
        buttons: buttons.collect(),
        status,
        is_read: !is_mine && message.status == Status::Read,
        is_delivered: !is_mine && message.status == Status::Delivered,
        is_on_its_way: !is_mine && on_its_way,
        failure: message.failure.map(|failure| format!("{}: {}", failure.code, failure.details)),
        reaction: message.reaction.clone(),
        quoted: quoted(phone, message),
    }
}

/// The beginning of the message this one answers.
fn quoted(phone: &Phone, message: &ChatMessage) -> Option<String> {
    let context = message.context.as_ref()?;
    let answered = phone.messages.iter().find(|known| known.id == *context)?;
    let text: String = answered.content.text.chars().take(80).collect();
    (!text.is_empty()).then_some(text)
}

fn media_view(media: &Media) -> MediaView {
    let own = samples::path_behind(&media.link);
    let label = media.filename.clone().unwrap_or_else(|| match media.kind {
        MediaKind::Image => "Image".to_owned(),
        MediaKind::Video => "Video".to_owned(),
        MediaKind::Audio => "Audio".to_owned(),
        MediaKind::Document => "Document".to_owned(),
        MediaKind::Sticker => "Sticker".to_owned(),
    });
    MediaView {
        image: own.clone().filter(|_| media.kind == MediaKind::Image),
        video: own.filter(|_| media.kind == MediaKind::Video),
        link: media.link.clone(),
        label,
    }
}

fn number_label(state: &State, id: &str) -> String {
    state.numbers.get(id).map_or_else(
        || id.to_owned(),
        |number| format!("{}, {}", number.seed.verified_name, number.seed.display_phone_number),
    )
}

/// The first letters of the first and last word of a name; the last digits of a bare number.
fn initials(name: &str) -> String {
    if let Some(digits) = name.strip_prefix('+') {
        return digits.get(digits.len().saturating_sub(2)..).unwrap_or_default().to_owned();
    }
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}
