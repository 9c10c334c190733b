//! What time it is where a contact is, and what that place is called.

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use domain::phone::PhoneNumber;

use crate::{
    locale::Words,
    moment::{Moment, Viewer},
};

/// The time where someone is, display-ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// The city of their own zone or area code, else the country of their number; `None` when neither is
    /// known.
    pub place: Option<String>,
    /// The time there; the earliest when it may be several.
    pub first: Moment,
    /// The latest it may be; `None` when all zones they may be in say the same.
    pub last: Option<Moment>,
}

impl LocalTime {
    /// The time for someone whose own zone is `own`, when it is noted, and whose number is `phone`. A number
    /// whose country has several times gives all that its area code leaves possible. `None` when nothing is
    /// known.
    #[must_use]
    pub fn new(own: Option<Tz>, phone: Option<&PhoneNumber>, viewer: &Viewer) -> Option<Self> {
        let t = viewer.words();
        let zones = match (own, phone) {
            (Some(zone), _) => vec![zone],
            (None, Some(phone)) => phone.candidate_zones().to_vec(),
            (None, None) => Vec::new(),
        };
        let local = |zone: &&Tz| -> NaiveDateTime { viewer.now.with_timezone(*zone).naive_local() };
        let (first, last) = (zones.iter().min_by_key(local)?, zones.iter().max_by_key(local)?);
        let city = own.or_else(|| phone.and_then(PhoneNumber::city));
        let country = phone.and_then(PhoneNumber::country);
        let time = |zone: &Tz| Viewer { zone: *zone, ..*viewer }.time(viewer.now);
        Some(Self {
            place: match (city, country) {
                (Some(zone), _) => Some(city_name(zone, t)),
                (None, Some(country)) => Some(t.country_name(country.as_str())),
                (None, None) => None,
            },
            first: time(first),
            last: (local(&first) != local(&last)).then(|| time(last)),
        })
    }

    /// `16:00 there`, or `13:00 to 16:00 there`.
    #[must_use]
    pub fn text(&self, t: Words) -> String {
        match &self.last {
            Some(last) => t.compose_there_between(&self.first.text, &last.text),
            None => t.compose_there(&self.first.text),
        }
    }
}

/// The city a zone is named after, as the reader's language writes it.
fn city_name(zone: Tz, t: Words) -> String {
    let city = zone.name().rsplit('/').next().unwrap_or(zone.name());
    t.city_name(city, city.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    fn there(own: Option<Tz>, phone: &str, locale: Locale) -> String {
        // 17:02 UTC.
        let now = "2026-11-22T17:02:00Z".parse().unwrap();
        let viewer = Viewer { locale, zone: Tz::Europe__Madrid, now };
        let phone = PhoneNumber::from_e164(phone).unwrap();
        let local = LocalTime::new(own, Some(&phone), &viewer).unwrap();
        format!("{}, {}", local.place.unwrap_or_default(), local.first.text)
            + &local.last.map(|last| format!(" to {}", last.text)).unwrap_or_default()
    }

    #[test]
    fn the_time_where_a_contact_is_is_said_as_exactly_as_it_is_known() {
        let cases = [
            ("their own zone", Some(Tz::America__Bogota), "+5511987654321", "Bogotá, 12:02"),
            ("a city's area code", None, "+5511987654321", "São Paulo, 14:02"),
            ("an area code with one time", None, "+5519987654321", "Brazil, 14:02"),
            ("an area code with two", None, "+5581987654321", "Brazil, 14:02 to 15:02"),
            ("a country with two times", None, "+34600111213", "Spain, 17:02 to 18:02"),
            ("a country with one", None, "+4915123456789", "Germany, 18:02"),
            ("an area of a wide country", None, "+12125550123", "United States, 12:02"),
            ("a wide country without areas", None, "+61412345678", "Australia, 01:02 to 04:02"),
        ];
        for (case, own, phone, expected) in cases {
            assert_eq!(there(own, phone, Locale::En), expected, "{case}");
        }
    }

    #[test]
    fn cities_are_written_as_the_language_does() {
        let cases = [
            (Tz::America__Sao_Paulo, ["São Paulo", "São Paulo", "São Paulo"]),
            (Tz::America__New_York, ["New York", "Nova York", "Nueva York"]),
            (Tz::Europe__London, ["London", "Londres", "Londres"]),
            (Tz::America__Belem, ["Belém", "Belém", "Belém"]),
            (Tz::America__Buenos_Aires, ["Buenos Aires", "Buenos Aires", "Buenos Aires"]),
        ];
        for (zone, expected) in cases {
            for (locale, name) in [Locale::En, Locale::PtBR, Locale::Es].into_iter().zip(expected) {
                assert_eq!(city_name(zone, locale.words()), name);
            }
        }
    }
}
