//! The zones of area codes where only landlines name the area: a mobile number may be anywhere in its country.

use chrono_tz::Tz;

const SANTIAGO: &[Tz] = &[Tz::America__Santiago];
const SANTIAGO_OR_EASTER: &[Tz] = &[Tz::America__Santiago, Tz::Pacific__Easter];
const SOUTHERN_CHILE: &[Tz] = &[Tz::America__Coyhaique];

const MELBOURNE: &[Tz] = &[Tz::Australia__Melbourne];
const SYDNEY_OR_LORD_HOWE: &[Tz] = &[Tz::Australia__Sydney, Tz::Australia__Lord_Howe];
const BRISBANE_OR_SYDNEY: &[Tz] = &[Tz::Australia__Brisbane, Tz::Australia__Sydney];

const MADRID: &[Tz] = &[Tz::Europe__Madrid];
const CANARY: &[Tz] = &[Tz::Atlantic__Canary];
const LISBON: &[Tz] = &[Tz::Europe__Lisbon];
const AZORES: &[Tz] = &[Tz::Atlantic__Azores];

// No part of Russia changes its clocks, so one zone stands for all of the same time.
const KALININGRAD: &[Tz] = &[Tz::Europe__Kaliningrad];
const MOSCOW: &[Tz] = &[Tz::Europe__Moscow];
const SAMARA_TIME: &[Tz] = &[Tz::Europe__Astrakhan];
const YEKATERINBURG: &[Tz] = &[Tz::Asia__Yekaterinburg];
const OMSK: &[Tz] = &[Tz::Asia__Omsk];
const NOVOSIBIRSK: &[Tz] = &[Tz::Asia__Novosibirsk];
const IRKUTSK: &[Tz] = &[Tz::Asia__Irkutsk];
const YAKUTSK_TIME: &[Tz] = &[Tz::Asia__Chita];
const VLADIVOSTOK: &[Tz] = &[Tz::Asia__Vladivostok];
const MAGADAN: &[Tz] = &[Tz::Asia__Magadan];
const KAMCHATKA: &[Tz] = &[Tz::Asia__Kamchatka];

/// The zones of an Australian number by its first digit; `None` for the west, the centre and mobiles.
pub(super) fn australia(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        2 => SYDNEY_OR_LORD_HOWE,
        3 => MELBOURNE,
        // The Tweed has Queensland's code and New South Wales's clocks.
        7 => BRISBANE_OR_SYDNEY,
        _ => return None,
    })
}

/// The zones of a Chilean number by its first two digits; `None` for mobiles.
pub(super) fn chile(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        // Rapa Nui has Valparaíso's code.
        32 => SANTIAGO_OR_EASTER,
        61 | 67 => SOUTHERN_CHILE,
        20..=29 | 33..=35 | 41..=43 | 45 | 51..=53 | 55 | 57 | 58 | 63..=65 | 71..=73 | 75 => {
            SANTIAGO
        }
        _ => return None,
    })
}

/// The zones of a Portuguese number by its first three digits; `None` for mobiles.
pub(super) fn portugal(area: u16) -> Option<&'static [Tz]> {
    match area {
        292 | 295 | 296 => Some(AZORES),
        200..=299 => Some(LISBON),
        _ => None,
    }
}

/// The zones of a Russian number by its first three digits; `None` for mobiles, and where an area has several.
pub(super) fn russia(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        401 => KALININGRAD,
        472..=475 | 481..=487 | 491..=496 | 498 | 499 | 812..=818 | 820 | 821 => MOSCOW,
        831 | 833..=836 | 841 | 843 | 844 | 861..=863 | 865..=867 | 871..=873 | 877..=879 => MOSCOW,
        341 | 842 | 845 | 846 | 848 | 851 => SAMARA_TIME,
        342 | 343 | 345 | 347 | 349 | 351..=353 => YEKATERINBURG,
        381 => OMSK,
        382..=385 | 388 | 390 | 391 | 394 => NOVOSIBIRSK,
        301 | 395 => IRKUTSK,
        302 | 416 => YAKUTSK_TIME,
        421 | 423 | 426 => VLADIVOSTOK,
        413 | 424 => MAGADAN,
        415 | 427 => KAMCHATKA,
        _ => return None,
    })
}

/// The zones of a Spanish number by its first three digits; `None` for mobiles.
pub(super) fn spain(area: u16) -> Option<&'static [Tz]> {
    match area {
        822 | 828 | 922 | 928 => Some(CANARY),
        // Services, and numbers that move with their owner.
        800..=809 | 900..=909 => None,
        810..=899 | 910..=999 => Some(MADRID),
        _ => None,
    }
}
