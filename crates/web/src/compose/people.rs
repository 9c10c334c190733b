//! The people of step 2 as they are shown: who, what time it is there, and what stands against writing to them.

use domain::admission::RefusalCode;
use persistence::{compose::SendingNumber, conversation::ConversationId};

use super::{
    form::recipient_word,
    load::{Loaded, Person},
    words,
};
use crate::{
    local_time::LocalTime,
    locale::{Words, isolated},
    moment::Viewer,
    page::initials,
    refusal::{RefusalView, Surroundings},
};

/// Someone chosen.
pub struct Chip {
    /// The conversation with them, for live events; empty for a number that nobody here has.
    pub conversation: String,
    pub name: String,
    pub note: Option<String>,
    pub blocked: bool,
}

/// Someone found.
pub struct PersonLine {
    /// Numbers the line, for ids on the page.
    pub index: usize,
    pub word: String,
    /// The conversation with them, for live events; empty for a number that nobody here has.
    pub conversation: String,
    pub initials: String,
    pub name: String,
    pub facts: String,
    pub chosen: bool,
    /// What stands against writing to them; `None` when nothing does.
    pub why_not: Option<WhyNot>,
}

/// What stands against writing to someone: in the row, in its tooltip, and as a toast (AD-07).
pub struct WhyNot {
    pub brief: String,
    pub headline: String,
    pub rest: String,
    pub sentence: String,
}

/// What the sentences of a refusal name.
pub fn surroundings(from: &SendingNumber) -> Surroundings<'_> {
    Surroundings { chatbot: &from.chatbot_name, cap_sends: from.cap_sends }
}

/// Who someone is, for a sentence: the name, else the number.
pub fn name_of(person: &Person, t: Words) -> String {
    let name = person.contact.as_ref().map(|contact| contact.name.trim()).unwrap_or_default();
    match (name, &person.phone) {
        ("", Some(phone)) => phone.display(),
        ("", None) => t.compose_no_name(),
        (name, _) => name.to_owned(),
    }
}

/// The conversation of the chosen chatbot with `person`; empty for a number that nobody here has.
pub fn conversation_with(person: &Person, loaded: &Loaded) -> String {
    match (&loaded.from, &person.contact) {
        (Some(from), Some(contact)) => {
            ConversationId { chatbot: from.chatbot, contact: contact.id }.to_string()
        }
        (_, None) | (None, Some(_)) => String::new(),
    }
}

/// Where a number nobody here has is from: `Spain, new`.
fn newness(person: &Person, t: Words) -> Option<String> {
    let phone = person.phone.as_ref().filter(|_| person.contact.is_none())?;
    let country = phone.country().map(|country| t.country_name(country.as_str()));
    Some(country.map_or_else(|| t.compose_new(), |country| t.compose_new_in(&country)))
}

pub fn chips(loaded: &Loaded, viewer: &Viewer) -> Vec<Chip> {
    let t = viewer.words();
    let chip = |person: &Person| Chip {
        conversation: conversation_with(person, loaded),
        name: name_of(person, t),
        note: newness(person, t),
        blocked: person.is_blocked(),
    };
    loaded.recipient.iter().map(chip).collect()
}

pub fn people_lines(loaded: &Loaded, viewer: &Viewer) -> Vec<PersonLine> {
    let t = viewer.words();
    let chosen = loaded.recipient.as_ref().and_then(Person::recipient);
    let lines = loaded.people.iter().enumerate().filter_map(|(index, person)| {
        let recipient = person.recipient()?;
        let name = name_of(person, t);
        let is_named = person.contact.as_ref().is_some_and(|contact| !contact.name.is_empty());
        Some(PersonLine {
            index,
            word: recipient_word(&recipient),
            conversation: conversation_with(person, loaded),
            initials: if is_named { initials(&name) } else { "+".to_owned() },
            facts: person_facts(person, is_named, loaded, viewer),
            name,
            chosen: Some(&recipient) == chosen.as_ref(),
            why_not: why_not(person, loaded, viewer),
        })
    });
    lines.collect()
}

/// `+55 11 98765-4321 · WhatsApp · 16:00 there`.
fn person_facts(person: &Person, is_named: bool, loaded: &Loaded, viewer: &Viewer) -> String {
    let t = viewer.words();
    let phone = person.phone.as_ref().filter(|_| is_named).map(|phone| phone.display());
    let channel = loaded.from.as_ref().map(|from| words::channel(from.kind, t));
    let facts = [phone, newness(person, t), channel, local_time(person, viewer)];
    facts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What time it is where the person is; a span where that is not sure, `None` where nothing is known.
fn local_time(person: &Person, viewer: &Viewer) -> Option<String> {
    let own = person.contact.as_ref().and_then(|contact| contact.time_zone.as_deref());
    let own = own.and_then(|zone| zone.parse().ok());
    let local = LocalTime::new(own, person.phone.as_ref(), viewer)?;
    Some(local.text(viewer.words()))
}

/// What stands against writing to `person` (AD-07); `None` when nothing does.
pub fn why_not(person: &Person, loaded: &Loaded, viewer: &Viewer) -> Option<WhyNot> {
    let t = viewer.words();
    let standing = person.standing.as_ref()?;
    let headline = standing.reasons.first()?;
    let from = loaded.from.as_ref()?;
    let view = RefusalView::new(*headline, surroundings(from), viewer);
    let brief = match (headline.code, &standing.served_by, standing.opted_out_at) {
        (RefusalCode::ContactHasOpenTicket, Some(agent), _) => {
            t.compose_open_ticket_of(isolated(agent))
        }
        (RefusalCode::ContactHasOpenTicket, None, _) => t.compose_open_ticket(),
        (RefusalCode::ContactOptedOut, _, Some(at)) => t.compose_said_stop(&viewer.day(at).text),
        _ => view.brief.clone(),
    };
    let mut rest = vec![view.why.clone()];
    rest.extend(view.again.clone());
    // What else stands against it counts too: waiting for the first reason alone may not be enough.
    for reason in &standing.reasons[1..] {
        let also = RefusalView::new(*reason, surroundings(from), viewer);
        rest.push(format!("{}.", also.headline));
        rest.extend(also.again);
    }
    let rest = rest.join(" ");
    let sentence = format!("{}. {rest}", view.headline);
    Some(WhyNot { brief, headline: view.headline, rest, sentence })
}
