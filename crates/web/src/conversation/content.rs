//! What a contact sent that is no plain text, as cards: a place, an address book, a form, an order.

use domain::{
    channel::{
        CallAnswer, CallPermission, ContactCard, FormReply, GeoPoint, InboundContent, Location,
        Order, OrderItem, Unsupported, UnsupportedReason,
    },
    money::Millionths,
};
use serde_json::Value;

use super::around::web_address;
use crate::{
    locale::{Words, isolated},
    moment::Viewer,
};

/// Something of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardView {
    /// Its icon.
    pub icon: &'static str,
    /// What it is, or what it is called.
    pub title: String,
    /// A sentence below; empty when there is none.
    pub text: String,
    /// Names of lines, and what they say.
    pub rows: Vec<(String, String)>,
    /// Where more of it is, elsewhere.
    pub link: Option<LinkView>,
}

/// An address that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Where it leads.
    pub href: String,
    /// Its words.
    pub text: String,
}

/// The most lines of a form or an order.
const MOST_ROWS: usize = 40;
/// The most characters of one of them.
const MOST_CHARACTERS: usize = 600;
/// The platform's own mark in a form, which nobody filled in.
const FORM_TOKEN: &str = "flow_token";

/// What shows `content` in place of its text; nothing for what is text or a file.
pub(super) fn cards(content: &InboundContent, viewer: &Viewer) -> Vec<CardView> {
    let t = viewer.words();
    match content {
        InboundContent::Text(_)
        | InboundContent::Button { .. }
        | InboundContent::Reaction { .. }
        | InboundContent::Media(_) => Vec::new(),
        InboundContent::Location(place) => vec![location(place, t)],
        InboundContent::Contacts(cards) if cards.is_empty() => {
            vec![CardView::new("user", t.desk_media_contacts())]
        }
        InboundContent::Contacts(cards) => {
            cards.iter().take(MOST_ROWS).map(|card| contact(card, t)).collect()
        }
        InboundContent::Form(form) => vec![filled_form(form, t)],
        InboundContent::CallPermission(permission) => vec![call_permission(permission, viewer)],
        InboundContent::Order(order) => vec![ordered(order, t)],
        InboundContent::Unsupported(unsupported) => vec![not_handed_over(unsupported, t)],
        InboundContent::Other { kind, .. } => {
            vec![CardView::new("circle-help", t.desk_unknown_kind(isolated(&shortened(kind))))]
        }
    }
}

impl CardView {
    fn new(icon: &'static str, title: String) -> Self {
        Self { icon, title, text: String::new(), rows: Vec::new(), link: None }
    }
}

fn location(place: &Location, t: Words) -> CardView {
    let on_map = place.point.map(|point| LinkView { href: map(point), text: t.desk_map() });
    let page = || {
        let href = web_address(place.url.as_deref()?)?;
        Some(LinkView { href, text: t.desk_place_page() })
    };
    CardView {
        text: place.address.as_deref().map(shortened).unwrap_or_default(),
        link: on_map.or_else(page),
        ..CardView::new(
            "map-pin",
            shortened(&named(place.name.as_deref(), t.desk_media_location())),
        )
    }
}

/// The point on a map that anyone may look at; five digits are about a metre.
fn map(point: GeoPoint) -> String {
    let (latitude, longitude) = (point.latitude(), point.longitude());
    format!(
        "https://www.openstreetmap.org/?mlat={latitude:.5}&mlon={longitude:.5}\
         #map=17/{latitude:.5}/{longitude:.5}"
    )
}

fn contact(card: &ContactCard, t: Words) -> CardView {
    let parts = [&card.first_name, &card.middle_name, &card.last_name];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    let name = card.formatted_name.clone().unwrap_or_else(|| parts.join(" "));
    let phones = card.phones.iter().filter_map(|phone| {
        let digits = || phone.phone_digits.as_ref().map(|digits| format!("+{digits}"));
        Some((t.desk_card_phone(), phone.phone.clone().or_else(digits)?))
    });
    let emails =
        card.emails.iter().filter_map(|email| Some((t.desk_card_email(), email.email.clone()?)));
    let organization = card.organization.as_ref().and_then(|organization| {
        let parts = [&organization.title, &organization.department, &organization.company];
        let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
        (!parts.is_empty()).then(|| (t.desk_card_organization(), parts.join(", ")))
    });
    let rows = phones.chain(emails).chain(organization);
    CardView {
        rows: rows.take(MOST_ROWS).map(|(name, value)| (name, shortened(&value))).collect(),
        ..CardView::new("user", shortened(&named(Some(&name), t.desk_media_contacts())))
    }
}

fn filled_form(form: &FormReply, t: Words) -> CardView {
    let filled = form.response_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let rows: Vec<(String, String)> = match filled {
        Some(Value::Object(fields)) => fields
            .iter()
            .filter(|(name, _)| *name != FORM_TOKEN)
            .take(MOST_ROWS)
            .map(|(name, value)| (field_name(name), shortened(&field_text(value, t))))
            .collect(),
        _ => Vec::new(),
    };
    let text = if rows.is_empty() { t.desk_form_empty() } else { String::new() };
    CardView { rows, text, ..CardView::new("file-text", t.desk_form()) }
}

/// The name of a field, which is made for programs, as a person reads it: `visit_date` is `Visit date`.
fn field_name(name: &str) -> String {
    let name = shortened(name).replace('_', " ");
    let mut letters = name.trim().chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

fn field_text(value: &Value, t: Words) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| field_text(item, t)).collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
        Value::Bool(true) => t.portal_yes(),
        Value::Bool(false) => t.portal_no(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn call_permission(permission: &CallPermission, viewer: &Viewer) -> CardView {
    let t = viewer.words();
    let title = match (&permission.answer, permission.expires_at) {
        (Some(CallAnswer::Accept), Some(until)) => {
            t.desk_call_accepted_until(viewer.at(until).text)
        }
        (Some(CallAnswer::Accept), None) => t.desk_call_accepted(),
        (Some(CallAnswer::Reject), _) => t.desk_call_rejected(),
        (Some(CallAnswer::Other(_)) | None, _) => t.desk_call_unknown(),
    };
    CardView::new("phone", title)
}

fn ordered(order: &Order, t: Words) -> CardView {
    let line = |item: &OrderItem| {
        let product = named(item.product_id.as_deref(), t.desk_order_product_unknown());
        let quantity = item.quantity.map(|quantity| quantity.to_string()).unwrap_or_default();
        let price = item.price.map(|price| money(price, item.currency.as_deref()));
        let told = match price {
            Some(price) => t.desk_order_line(&quantity, &price),
            None => quantity,
        };
        (shortened(&product), told)
    };
    let rows = order.items.iter().take(MOST_ROWS).map(line);
    let total = total(order).map(|total| (t.desk_order_total(), total));
    CardView { rows: rows.chain(total).collect(), ..CardView::new("list", t.desk_order()) }
}

/// What all of it costs; `None` unless every line tells its price in one and the same currency.
fn total(order: &Order) -> Option<String> {
    let currency = order.items.first()?.currency.as_deref();
    let sum = order.items.iter().try_fold(0_i64, |sum, item| {
        let is_same = item.currency.as_deref() == currency;
        let cost = item.price?.0.checked_mul(i64::from(item.quantity?))?;
        is_same.then(|| sum.checked_add(cost)).flatten()
    })?;
    Some(money(Millionths(sum), currency))
}

/// `24.50 GBP`: two digits at least, and no more than are there.
fn money(amount: Millionths, currency: Option<&str>) -> String {
    let (whole, fraction) = (amount.0 / 1_000_000, (amount.0 % 1_000_000).abs());
    let fraction = format!("{fraction:06}");
    let fraction = format!("{:0<2}", fraction.trim_end_matches('0'));
    match currency {
        Some(currency) => format!("{whole}.{fraction} {}", shortened(currency)),
        None => format!("{whole}.{fraction}"),
    }
}

fn not_handed_over(unsupported: &Unsupported, t: Words) -> CardView {
    let text = match unsupported.reason {
        UnsupportedReason::Type => t.desk_unsupported_type(),
        UnsupportedReason::ContentUnavailable => t.desk_unsupported_content(),
        UnsupportedReason::MediaUnavailable => t.desk_unsupported_media(),
        UnsupportedReason::Other => t.desk_unsupported_other(),
    };
    CardView { text, ..CardView::new("circle-help", t.desk_unsupported()) }
}

fn named(name: Option<&str>, otherwise: String) -> String {
    name.filter(|name| !name.trim().is_empty()).map_or(otherwise, str::to_owned)
}

/// What someone else wrote, of a length that fits beside other things.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_shows_two_digits_and_no_more_than_are_there() {
        let cases = [
            (24_500_000, "24.50"),
            (24_000_000, "24.00"),
            (24_123_400, "24.1234"),
            (50_000, "0.05"),
            (1, "0.000001"),
        ];
        for (millionths, expected) in cases {
            assert_eq!(money(Millionths(millionths), None), expected);
        }
        assert_eq!(money(Millionths(1_000_000), Some("BRL")), "1.00 BRL");
    }

    #[test]
    fn an_order_has_a_total_when_every_price_is_told_in_one_currency() {
        let item = |quantity, price: Option<i64>, currency: &str| OrderItem {
            product_id: None,
            quantity,
            price: price.map(Millionths),
            currency: Some(currency.to_owned()),
        };
        let total = |items: Vec<OrderItem>| total(&Order { items, ..Order::default() });
        let bowls = item(Some(2), Some(24_500_000), "GBP");
        let sum = total(vec![bowls.clone(), item(Some(1), Some(1_000_000), "GBP")]);
        assert_eq!(sum.as_deref(), Some("50.00 GBP"));
        assert_eq!(total(vec![bowls.clone(), item(Some(1), None, "GBP")]), None);
        assert_eq!(total(vec![bowls.clone(), item(None, Some(1), "GBP")]), None);
        assert_eq!(total(vec![bowls, item(Some(1), Some(1), "EUR")]), None);
        assert_eq!(total(vec![item(Some(u32::MAX), Some(i64::MAX), "GBP")]), None, "no overflow");
        assert_eq!(total(Vec::new()), None);
    }

    #[test]
    fn c22_what_others_wrote_is_cut_between_characters() {
        assert_eq!(shortened("é"), "é");
        let long = "é".repeat(MOST_CHARACTERS + 1);
        assert_eq!(shortened(&long), format!("{}…", "é".repeat(MOST_CHARACTERS)));
    }
}
