//! Tables and promises of phone numbers.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Country, PhoneNumber, PhoneNumberProblem, country_as_typed};

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

#[test]
fn am_04_a_number_is_read_as_typed() {
    let cases = [
        ("spaces and dashes", "+34 600-111-222", Ok("+34600111222")),
        ("brackets and dots", "+1 (415) 555.2671", Ok("+14155552671")),
        ("00 for the plus", "0034 600 111 222", Ok("+34600111222")),
        (
            "copied with marks of direction",
            "\u{202a}+34\u{a0}600111222\u{202c}",
            Ok("+34600111222"),
        ),
        ("Brazil with the ninth digit", "+55 11 91234-5678", Ok("+5511912345678")),
        ("Brazil without it becomes valid", "+55 11 9234-5678", Ok("+5511992345678")),
        ("a Brazilian landline", "+55 11 3234-5678", Ok("+551132345678")),
        ("Mexico with the old 1", "+52 1 55 1234 5678", Ok("+525512345678")),
        ("Argentina with 9", "+54 9 11 2345 6789", Ok("+5491123456789")),
        ("nothing", "  ", Err(PhoneNumberProblem::Empty)),
        ("no country code", "600 111 222", Err(PhoneNumberProblem::NoCountryCode)),
        ("letters", "+34 600 CALL", Err(PhoneNumberProblem::Invalid)),
        ("too short", "+34 600", Err(PhoneNumberProblem::TooShort)),
        ("too long", "+34 600 111 222 333 444", Err(PhoneNumberProblem::TooLong)),
        (
            "an unused country code",
            "+999 600 111 222",
            Err(PhoneNumberProblem::UnknownCountry { code: 999 }),
        ),
        ("a range that does not exist", "+1 000 000 0000", Err(PhoneNumberProblem::Invalid)),
        ("other digits", "+٣٤٦٠٠١١١٢٢٢", Err(PhoneNumberProblem::Invalid)),
    ];
    for (case, typed, expected) in cases {
        let read = PhoneNumber::parse(typed);
        assert_eq!(read.as_ref().map(PhoneNumber::as_e164).map_err(|p| *p), expected, "{case}");
    }
}

#[test]
fn am_04_the_country_shows_while_the_number_is_typed() {
    let cases = [
        ("+", None),
        ("+5", None),
        ("+55", Some("BR")),
        ("+55 11", Some("BR")),
        ("+34 600 111 222", Some("ES")),
        ("+1", Some("US")),
        ("+1 416 555 0100", Some("CA")),
        ("+7 701 234 5678", Some("KZ")),
        ("0049", Some("DE")),
        ("+034", None),
        ("+999", None),
        ("600", None),
        ("", None),
    ];
    for (typed, expected) in cases {
        let found = country_as_typed(typed);
        assert_eq!(found.as_ref().map(|found| found.country.as_str()), expected, "{typed}");
        let is_shared = matches!(typed, "+1");
        assert!(found.is_none_or(|found| found.is_shared == is_shared), "{typed}");
    }
}

#[test]
fn am_04_a_number_that_is_still_typed_is_too_short_and_not_wrong() {
    use PhoneNumberProblem::{Invalid, TooLong, TooShort, UnknownCountry};
    let cases = [
        ("the plus alone", "+", TooShort),
        ("two zeros alone", "00", TooShort),
        ("a code of several countries", "+1", TooShort),
        ("a country", "+34", TooShort),
        ("a country and two digits", "+3460", TooShort),
        ("one digit less than a number", "+34 600 111 22", TooShort),
        ("the beginning of several codes", "+9", TooShort),
        ("the beginning of codes of services", "+87", TooShort),
        ("the beginning of a code", "+99", TooShort),
        ("no code of three digits", "+999", UnknownCountry { code: 999 }),
        ("told by its first digits", "+999 600 111 222", UnknownCountry { code: 999 }),
        ("no code begins with zero", "+0", UnknownCountry { code: 0 }),
        ("zeros after the plus", "+0034 600 111 222", UnknownCountry { code: 0 }),
        ("a free code between others", "+210", UnknownCountry { code: 210 }),
        ("Mexico's older form, one digit missing", "+52 1 55 1234 567", TooShort),
        ("a digit too many", "+34 600 111 222 3", TooLong),
        ("whole, and no such number", "+34 100 111 222", Invalid),
    ];
    for (case, typed, expected) in cases {
        assert_eq!(PhoneNumber::parse(typed), Err(expected), "{case}");
    }
}

#[test]
fn de_03_one_person_has_one_canonical_form() {
    let cases = [
        ("Brazil, ninth digit missing", "+551187654321", "+5511987654321"),
        ("Brazil, ninth digit there", "+5511987654321", "+5511987654321"),
        ("Brazil, landlines have none", "+551132345678", "+551132345678"),
        ("Argentina without 9", "+541123456789", "+5491123456789"),
        ("Argentina with 9", "+5491123456789", "+5491123456789"),
        ("Mexico with 1", "+5215512345678", "+525512345678"),
        ("Mexico without 1", "+525512345678", "+525512345678"),
        ("others are themselves", "+34600111222", "+34600111222"),
    ];
    for (case, given, canonical) in cases {
        let given = PhoneNumber::from_e164(given).unwrap();
        assert_eq!(given.canonical().as_e164(), canonical, "{case}");
    }
}

#[test]
fn a_number_shows_as_people_write_it() {
    assert_eq!(number("+5511912345678").display(), "+55 11 91234-5678");
    assert_eq!(number("+14155552671").display(), "+1 415-555-2671");
    assert_eq!(number("+34600111222").display(), "+34 600 11 12 22");
}

#[test]
fn ad_10_a_number_names_the_zones_of_its_owner() {
    let zones_of = |country| Country::parse(country).unwrap().zones();
    use chrono_tz::{America, Asia, Atlantic, Australia, Europe, Pacific};
    #[rustfmt::skip]
    let cases: [(&str, &str, &[Tz]); 43] = [
        ("one zone", "+351 912 345 678", zones_of("PT")),
        ("Mexico City", "+52 55 1234 5678", &[America::Mexico_City]),
        ("Mexico City, the older form", "+52 1 55 1234 5678", &[America::Mexico_City]),
        ("Mexico City's second code", "+52 56 1234 5678", &[America::Mexico_City]),
        ("Guadalajara", "+52 33 1234 5678", &[America::Mexico_City]),
        ("Monterrey", "+52 81 1234 5678", &[America::Mexico_City]),
        ("Mérida", "+52 999 123 4567", &[America::Mexico_City]),
        ("Cancún", "+52 998 123 4567", &[America::Cancun]),
        ("Tijuana", "+52 664 123 4567", &[America::Tijuana]),
        ("Hermosillo", "+52 662 123 4567", &[America::Mazatlan]),
        ("Tepic", "+52 311 123 4567", &[America::Mazatlan]),
        ("Compostela or the bay", "+52 327 123 4567", &[America::Mexico_City, America::Mazatlan]),
        ("Ciudad Juárez", "+52 656 123 4567", &[America::Ciudad_Juarez]),
        ("Chihuahua", "+52 614 123 4567", &[America::Mexico_City]),
        ("Reynosa", "+52 899 123 4567", &[America::Matamoros]),
        ("between Monterrey and the border", "+52 892 123 4567", &[America::Mexico_City, America::Matamoros]),
        ("Tizimín", "+52 986 123 4567", &[America::Mexico_City, America::Cancun]),
        ("China", "+86 138 0013 8000", &[Asia::Shanghai]),
        ("Xinjiang keeps Beijing's time", "+86 991 234 5678", &[Asia::Shanghai]),
        ("a Spanish mobile", "+34 600 111 222", &[Europe::Madrid, Atlantic::Canary]),
        ("Palma", "+34 971 12 34 56", &[Europe::Madrid]),
        ("Las Palmas", "+34 928 12 34 56", &[Atlantic::Canary]),
        ("Lisbon", "+351 21 123 4567", &[Europe::Lisbon]),
        ("Ponta Delgada", "+351 296 123 456", &[Atlantic::Azores]),
        ("a Russian mobile", "+7 912 345 67 89", zones_of("RU")),
        ("Moscow", "+7 495 123 45 67", &[Europe::Moscow]),
        ("Kaliningrad", "+7 401 212 34 56", &[Europe::Kaliningrad]),
        ("Novosibirsk", "+7 383 212 34 56", &[Asia::Novosibirsk]),
        ("Petropavlovsk-Kamchatsky", "+7 415 212 34 56", &[Asia::Kamchatka]),
        ("an Australian mobile", "+61 412 345 678", zones_of("AU")),
        ("Melbourne", "+61 3 9123 4567", &[Australia::Melbourne]),
        ("Brisbane or the Tweed", "+61 7 3123 4567", &[Australia::Brisbane, Australia::Sydney]),
        ("Santiago", "+56 2 2123 4567", &[America::Santiago]),
        ("Punta Arenas", "+56 61 212 3456", &[America::Coyhaique]),
        ("Valparaíso or Rapa Nui", "+56 32 212 3456", &[America::Santiago, Pacific::Easter]),
        ("Brazil by area code", "+5511912345678", &[Tz::America__Sao_Paulo]),
        ("Acre", "+5568999123456", &[Tz::America__Rio_Branco]),
        ("Recife or Noronha", "+5581991234567", &[Tz::America__Recife, Tz::America__Noronha]),
        ("New York", "+12125550123", &[Tz::America__New_York]),
        ("Tennessee's east", "+14235550123", &[Tz::America__New_York, Tz::America__Chicago]),
        ("Hawaii", "+18085550123", &[Tz::Pacific__Honolulu]),
        ("Toronto", "+14165550123", &[Tz::America__Toronto]),
        ("a toll-free service of many countries", "+80012345678", &[]),
    ];
    for (case, typed, zones) in cases {
        let number = PhoneNumber::from_e164(&typed.replace(' ', "")).unwrap();
        assert_eq!(number.candidate_zones(), zones, "{case}");
    }
    let russia = zones_of("ru");
    assert!(russia.contains(&Tz::Europe__Kaliningrad) && russia.contains(&Tz::Asia__Kamchatka));
    assert!(Country::parse("ZZ").unwrap().zones().is_empty());
}

#[test]
fn a_number_names_a_city_only_where_its_area_code_does() {
    let cases = [
        ("São Paulo", "+5511912345678", Some(Tz::America__Sao_Paulo)),
        ("Campinas is not São Paulo", "+5519912345678", None),
        ("Manaus", "+5592991234567", Some(Tz::America__Manaus)),
        ("Salvador keeps São Paulo's time", "+5571991234567", None),
        ("a country's number", "+34600111222", None),
    ];
    for (case, number, city) in cases {
        let number = PhoneNumber::from_e164(number).unwrap();
        assert_eq!(number.city(), city, "{case}");
    }
}

#[test]
fn every_country_with_phone_numbers_has_a_zone() {
    let missing: Vec<&str> = phonenumber::metadata::DATABASE
        .iter()
        .map(phonenumber::Metadata::id)
        .filter(|id| Country::parse(id).is_some_and(|country| country.zones().is_empty()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_number_does_not_leak_through_debug() {
    assert_eq!(format!("{:?}", number("+34600111222")), "PhoneNumber(…22)");
}

proptest! {
    #[test]
    fn canonical_forms_are_their_own(digits in "(55|54|52|34|1|7)[0-9]{8,12}") {
        let number = PhoneNumber::from_e164(&digits).unwrap();
        let canonical = number.canonical();
        prop_assert_eq!(canonical.canonical(), canonical.clone());
        prop_assert!(PhoneNumber::from_e164(canonical.as_e164()).is_ok());
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_number(
        digits in "(55119[0-9]{8}|3460[0-9]{7}|1212[2-9][0-9]{6}|549112[0-9]{7}|5255[0-9]{8}|4915[0-9]{9})"
    ) {
        let number = PhoneNumber::from_e164(&digits).unwrap();
        prop_assume!(PhoneNumber::parse(&digits.replacen("", "+", 1)).is_ok_and(|read| read == number));
        prop_assert_eq!(PhoneNumber::parse(&number.display()), Ok(number));
    }

    #[test]
    fn no_text_is_read_as_a_number_out_of_form(text in "\\PC{0,24}") {
        if let Ok(number) = PhoneNumber::parse(&text) {
            prop_assert!(PhoneNumber::from_e164(number.as_e164()).is_ok());
        }
        let _ = country_as_typed(&text);
    }
}
