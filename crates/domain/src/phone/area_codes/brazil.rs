//! The zones and cities of Brazil's area codes, which mobile numbers keep as well.

use chrono_tz::Tz;

// No part of Brazil changes its clocks, so one zone stands for all of the same time.
const BRASILIA_TIME: &[Tz] = &[Tz::America__Sao_Paulo];
const RECIFE_AND_NORONHA: &[Tz] = &[Tz::America__Recife, Tz::America__Noronha];
const AMAZON_TIME: &[Tz] = &[Tz::America__Manaus];
const AMAZONAS_INTERIOR: &[Tz] = &[Tz::America__Manaus, Tz::America__Eirunepe];
const RIO_BRANCO: &[Tz] = &[Tz::America__Rio_Branco];

/// The zones of a Brazilian area code (the two digits after 55); `None` when there is no such code.
pub(super) fn brazil(area: u16) -> Option<&'static [Tz]> {
    match area {
        11..=19
        | 21
        | 22
        | 24
        | 27
        | 28
        | 31..=35
        | 37
        | 38
        | 41..=49
        | 51
        | 53..=55
        | 61..=64
        | 71
        | 73..=75
        | 77
        | 79
        | 82..=89
        | 91
        | 93
        | 94
        | 96
        | 98
        | 99 => Some(BRASILIA_TIME),
        // Pernambuco; Fernando de Noronha shares its first code.
        81 => Some(RECIFE_AND_NORONHA),
        65..=67 | 69 | 92 | 95 => Some(AMAZON_TIME),
        97 => Some(AMAZONAS_INTERIOR),
        68 => Some(RIO_BRANCO),
        _ => None,
    }
}

/// The city a Brazilian area code is known by, where a zone is named after it; `None` for the others, whose
/// zone has the name of a city elsewhere.
pub(in crate::phone) fn brazilian_city(area: u16) -> Option<Tz> {
    Some(match area {
        11 => Tz::America__Sao_Paulo,
        65 => Tz::America__Cuiaba,
        67 => Tz::America__Campo_Grande,
        68 => Tz::America__Rio_Branco,
        69 => Tz::America__Porto_Velho,
        82 => Tz::America__Maceio,
        85 => Tz::America__Fortaleza,
        91 => Tz::America__Belem,
        92 => Tz::America__Manaus,
        95 => Tz::America__Boa_Vista,
        _ => return None,
    })
}
