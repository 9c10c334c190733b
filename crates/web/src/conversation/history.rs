//! What happened to a contact other than messages, and what a message costs, in words.

use domain::{
    channel::{Pricing, PricingCategory},
    phone::PhoneNumber,
};
use persistence::contact_event::{ContactEvent, ContactNews, Wish};

use super::wish;
use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
};

/// The lines of a history, each with its instant.
pub(super) fn lines(history: &[ContactEvent], viewer: &Viewer) -> Vec<(Moment, String)> {
    let t = viewer.words();
    history.iter().map(|event| (viewer.day(event.at), line(&event.news, t))).collect()
}

fn line(news: &ContactNews, t: Words) -> String {
    match news {
        ContactNews::NumberChanged { to, .. } => t.desk_history_number(isolated(&shown(to))),
        ContactNews::IdChanged => t.desk_history_id(),
        ContactNews::KeyChanged { .. } => t.desk_history_key(),
        ContactNews::SamePerson { name, is_successor, .. } => {
            let name = if name.is_empty() { t.desk_no_name() } else { name.clone() };
            match is_successor {
                true => t.desk_history_is_now(isolated(&name)),
                false => t.desk_history_was(isolated(&name)),
            }
        }
        ContactNews::Preference { wish: Wish::Stop, .. } => t.desk_history_stop(),
        ContactNews::Preference { wish: Wish::Resume, .. } => t.desk_history_resume(),
        ContactNews::Preference { wish: Wish::SignUp, .. } => t.desk_history_signup(),
        ContactNews::Entered { wish, reason, name, is_program, .. } => {
            let (wish, name) = (wish::told(*wish, t), isolated(name));
            let line = match is_program {
                true => t.wish_history_program(wish, name),
                false => t.wish_history(wish, name),
            };
            match reason {
                Some(reason) => t.wish_history_reason(line, isolated(reason)),
                None => line,
            }
        }
    }
}

fn shown(phone: &str) -> String {
    PhoneNumber::from_e164(phone).map_or_else(|_| phone.to_owned(), |phone| phone.display())
}

/// Whether the platform charges, and as what; `None` when it told neither.
pub(super) fn price(pricing: &Pricing, t: Words) -> Option<String> {
    let category = pricing.category.as_ref().map(PricingCategory::as_str).unwrap_or_default();
    match pricing.is_billable()? {
        true => Some(t.desk_price_charged(category)),
        false => Some(t.desk_price_free()),
    }
}
