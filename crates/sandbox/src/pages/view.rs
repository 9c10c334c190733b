//! What the *Phones* page shows, ready to print.

use std::cmp::Reverse;

use super::moment::{Clock, Moment};
use crate::locale::Words;
use crate::message::{ButtonKind, ChatMessage, Media, MediaKind, Side, Status};
use crate::phone::{self, Phone};
use crate::samples;
use crate::state::State;

/// So many customers the list shows; the search finds the others.
const LISTED: usize = 200;
/// So many messages of a chat are shown, the latest.
const SHOWN: usize = 300;
/// So much of a message is quoted above its answer.
const QUOTED: usize = 80;

/// A customer in the list.
pub(super) struct Row {
    pub path: String,
    pub name: String,
    pub initials: String,
    pub line: String,
    pub is_mine: bool,
    pub at: Option<Moment>,
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

/// An open chat: one customer's phone, one business.
pub(super) struct Chat {
    pub id: String,
    pub name: String,
    pub phone: String,
    /// Whether the name is the number already.
    pub is_nameless: bool,
    pub business: Business,
    /// The other businesses this customer may write to.
    pub others: Vec<Business>,
    /// Unread messages of the others.
    pub unread_elsewhere: usize,
    pub days: Vec<Day>,
    pub is_blocked: bool,
    pub is_reported: bool,
    pub is_stopped: bool,
    /// What the phone remembers is younger.
    pub since: Moment,
    /// Whether it remembers a seeded past as well.
    pub knows_past: bool,
}

/// Someone the customer chats with.
pub(super) struct Business {
    pub id: String,
    pub name: String,
    pub number: String,
    pub initials: String,
    pub unread: usize,
}

/// The messages of one day.
pub(super) struct Day {
    pub label: Moment,
    pub bubbles: Vec<Bubble>,
}

/// One message.
pub(super) struct Bubble {
    pub id: String,
    pub is_mine: bool,
    /// Whether the same side wrote the message above, so that they stand closer.
    pub follows: bool,
    pub at: Moment,
    pub media: Option<MediaView>,
    pub header: Option<String>,
    pub text: String,
    pub footer: Option<String>,
    pub buttons: Vec<ButtonView>,
    /// How far the customer's own message came.
    pub tick: Option<Tick>,
    /// Why a message of the business did not reach the phone; nothing else of it is shown.
    pub lost: Option<String>,
    pub reaction: Option<String>,
    pub quoted: Option<String>,
}

/// How far the customer's own message came.
pub(super) struct Tick {
    pub icon: &'static str,
    pub is_read: bool,
    pub text: String,
}

/// A file; shown itself only where it is a sample of this sandbox.
pub(super) struct MediaView {
    pub image: Option<String>,
    pub video: Option<String>,
    pub audio: Option<String>,
    pub link: String,
    pub name: String,
    /// What it is, and whose machine it lies on.
    pub facts: String,
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
pub(super) fn list(state: &State, query: &str, selected: Option<&str>, clock: &Clock) -> List {
    let wanted = query.trim().to_lowercase();
    let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
    let is_number = !digits.is_empty() && !wanted.chars().any(char::is_alphabetic);
    let mut found: Vec<&Phone> = state
        .phones
        .values()
        .filter(|phone| {
            wanted.is_empty()
                || phone.name.to_lowercase().contains(&wanted)
                || (is_number && phone.wa_id.contains(&digits))
        })
        .collect();
    // Names before bare numbers, where nothing happened yet.
    found.sort_by_key(|phone| {
        (Reverse(phone.touched_ms), phone.is_nameless(), &phone.name, &phone.wa_id)
    });
    let left_out = found.len().saturating_sub(LISTED);
    let rows = found.into_iter().take(LISTED).map(|phone| row(phone, selected, clock)).collect();
    List { rows, left_out, query: query.trim().to_owned() }
}

/// The chat of the customer `id` with the business number `with`, else with the one of the latest message.
pub(super) fn chat(state: &State, id: &str, with: Option<&str>, clock: &Clock) -> Option<Chat> {
    let phone = state.phones.get(id)?;
    let number = with
        .filter(|number| state.numbers.contains_key(*number))
        .or_else(|| phone.messages.last().map(|message| message.number.as_str()))
        .or_else(|| state.numbers.keys().next().map(String::as_str))?;
    let mut others = businesses(state, Some(phone));
    let place = others.iter().position(|business| business.id == number)?;
    let business = others.remove(place);
    let account = &state.numbers.get(number)?.seed.waba_id;
    Some(Chat {
        id: phone.wa_id.clone(),
        name: phone.shown_name(),
        phone: phone::display(&phone.wa_id),
        is_nameless: phone.is_nameless(),
        unread_elsewhere: others.iter().map(|other| other.unread).sum(),
        business,
        others,
        days: days(phone, number, clock),
        is_blocked: phone.blocked,
        is_reported: phone.reported,
        is_stopped: phone.stopped.contains(account),
        since: clock.full(state.started_ms()),
        knows_past: state.knows_past(),
    })
}

/// The businesses a customer may write to, by name and number.
pub(super) fn businesses(state: &State, phone: Option<&Phone>) -> Vec<Business> {
    let unread = |number: &str| {
        let messages = phone.map(|phone| phone.messages.as_slice()).unwrap_or_default();
        messages.iter().filter(|message| message.number == number && is_unread(message)).count()
    };
    let mut all: Vec<Business> = state
        .numbers
        .values()
        .map(|number| Business {
            id: number.seed.phone_number_id.clone(),
            name: number.seed.verified_name.clone(),
            number: number.seed.display_phone_number.clone(),
            initials: initials(&number.seed.verified_name),
            unread: unread(&number.seed.phone_number_id),
        })
        .collect();
    all.sort_by(|a, b| (&a.name, &a.number).cmp(&(&b.name, &b.number)));
    all
}

fn is_unread(message: &ChatMessage) -> bool {
    message.from == Side::Business && message.status == Status::Delivered
}

/// Whether the phone shows it: the customer's own, and what arrived.
fn is_shown(message: &ChatMessage) -> bool {
    let arrived = matches!(message.status, Status::Delivered | Status::Read);
    message.kind != "reaction" && (message.from == Side::Customer || arrived)
}

fn days(phone: &Phone, number: &str, clock: &Clock) -> Vec<Day> {
    let is_of_chat = |message: &&ChatMessage| {
        message.number == number && (is_shown(message) || message.failure.is_some())
    };
    let all: Vec<&ChatMessage> = phone.messages.iter().filter(is_of_chat).collect();
    let shown = all.get(all.len().saturating_sub(SHOWN)..).unwrap_or_default();
    let mut days: Vec<Day> = Vec::new();
    let mut last = None;
    for message in shown {
        let day = clock.day(message.at_ms);
        if last != Some(day) {
            last = Some(day);
            days.push(Day { label: clock.heading(message.at_ms), bubbles: Vec::new() });
        }
        let Some(today) = days.last_mut() else { continue };
        let mut next = bubble(phone, message, clock);
        let above = today.bubbles.last();
        next.follows = above.is_some_and(|above| {
            above.is_mine == next.is_mine && above.lost.is_none() && above.reaction.is_none()
        });
        today.bubbles.push(next);
    }
    days
}

fn row(phone: &Phone, selected: Option<&str>, clock: &Clock) -> Row {
    let t = clock.locale.words();
    let last = phone.messages.iter().rev().find(|message| is_shown(message));
    let line = match last {
        None if phone.is_nameless() => t.sandbox_nothing_yet(),
        None => phone::display(&phone.wa_id),
        Some(message) if message.content.text.is_empty() => {
            message.content.media.as_ref().map_or_else(String::new, |media| kind(media.kind, t))
        }
        Some(message) => message.content.text.clone(),
    };
    Row {
        path: format!("/phones/{}", phone.wa_id),
        name: phone.shown_name(),
        initials: initials(&phone.name),
        line,
        is_mine: last.is_some_and(|message| message.from == Side::Customer),
        at: last.map(|message| clock.brief(message.at_ms)),
        unread: phone.messages.iter().filter(|message| is_unread(message)).count(),
        is_selected: selected == Some(phone.wa_id.as_str()),
        is_blocked: phone.blocked,
    }
}

fn bubble(phone: &Phone, message: &ChatMessage, clock: &Clock) -> Bubble {
    let t = clock.locale.words();
    let is_mine = message.from == Side::Customer;
    let buttons = message.content.buttons.iter().enumerate().map(|(place, button)| {
        let is_link = button.kind == ButtonKind::Url
            && (button.value.starts_with("https://") || button.value.starts_with("http://"));
        ButtonView {
            place,
            text: button.text.clone(),
            can_tap: button.kind.answers() && !phone.blocked,
            was_tapped: message.tapped == Some(place),
            link: is_link.then(|| button.value.clone()),
            note: match button.kind {
                ButtonKind::PhoneNumber => Some(t.sandbox_button_calls(&button.value)),
                ButtonKind::CopyCode => Some(t.sandbox_button_copies(&button.value)),
                ButtonKind::QuickReply
                | ButtonKind::Reply
                | ButtonKind::Row
                | ButtonKind::Url
                | ButtonKind::Other => None,
            },
        }
    });
    Bubble {
        id: message.id.clone(),
        is_mine,
        follows: false,
        at: clock.time(message.at_ms),
        media: message.content.media.as_ref().map(|media| media_view(media, t)),
        header: message.content.header.clone(),
        text: message.content.text.clone(),
        footer: message.content.footer.clone(),
        buttons: buttons.collect(),
        tick: is_mine.then(|| tick(message.status, t)),
        lost: message.failure.map(|failure| format!("{}: {}", failure.code, failure.details)),
        reaction: message.reaction.clone(),
        quoted: quoted(phone, message),
    }
}

fn tick(status: Status, t: Words) -> Tick {
    let (icon, text) = match status {
        Status::Accepted | Status::Sent | Status::Failed => ("check", t.sandbox_tick_sent()),
        Status::Delivered => ("checks", t.sandbox_tick_delivered()),
        Status::Read => ("checks", t.sandbox_tick_read()),
    };
    Tick { icon, is_read: status == Status::Read, text }
}

/// The beginning of the message this one answers.
fn quoted(phone: &Phone, message: &ChatMessage) -> Option<String> {
    let context = message.context.as_ref()?;
    let answered = phone.messages.iter().find(|known| known.id == *context)?;
    let text = &answered.content.text;
    let mut begin: String = text.chars().take(QUOTED).collect();
    if begin.len() < text.len() {
        begin.push('…');
    }
    (!begin.is_empty()).then_some(begin)
}

fn media_view(media: &Media, t: Words) -> MediaView {
    let own = samples::path_behind(&media.link);
    let address = url::Url::parse(&media.link).ok();
    let last_part = address.as_ref().and_then(|url| url.path_segments()?.next_back());
    let host = address.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let kind = kind(media.kind, t);
    let name = media.filename.as_deref().or(last_part).filter(|name| !name.is_empty());
    MediaView {
        image: own.clone().filter(|_| matches!(media.kind, MediaKind::Image | MediaKind::Sticker)),
        video: own.clone().filter(|_| media.kind == MediaKind::Video),
        audio: own.filter(|_| media.kind == MediaKind::Audio),
        link: media.link.clone(),
        name: name.unwrap_or(&kind).to_owned(),
        facts: if host.is_empty() { kind } else { format!("{kind} · {host}") },
    }
}

fn kind(kind: MediaKind, t: Words) -> String {
    match kind {
        MediaKind::Image => t.sandbox_image(),
        MediaKind::Video => t.sandbox_video(),
        MediaKind::Audio => t.sandbox_audio(),
        MediaKind::Document => t.sandbox_document(),
        MediaKind::Sticker => t.sandbox_sticker(),
    }
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
