//! The zones of Mexico's area codes, which mobile numbers keep as well.

use chrono_tz::Tz;

// Where clocks are not changed, one zone stands for all of the same time: Sonora keeps Sinaloa's, and Durango,
// Chihuahua, Nuevo León and Yucatán keep the capital's.
const CENTRE: &[Tz] = &[Tz::America__Mexico_City];
const PACIFIC: &[Tz] = &[Tz::America__Mazatlan];
const NORTHWEST: &[Tz] = &[Tz::America__Tijuana];
const SOUTHEAST: &[Tz] = &[Tz::America__Cancun];
const JUAREZ: &[Tz] = &[Tz::America__Ciudad_Juarez];
const LOWER_RIO_GRANDE: &[Tz] = &[Tz::America__Matamoros];
const CENTRE_OR_PACIFIC: &[Tz] = &[Tz::America__Mexico_City, Tz::America__Mazatlan];
const CENTRE_OR_SOUTHEAST: &[Tz] = &[Tz::America__Mexico_City, Tz::America__Cancun];
const CENTRE_OR_JUAREZ: &[Tz] = &[Tz::America__Mexico_City, Tz::America__Ciudad_Juarez];
const CENTRE_OR_RIO_GRANDE: &[Tz] = &[Tz::America__Mexico_City, Tz::America__Matamoros];
const PACIFIC_OR_NORTHWEST: &[Tz] = &[Tz::America__Mazatlan, Tz::America__Tijuana];

/// The zones of a Mexican number by its first three digits, of which the largest cities use two; `None` for
/// what is new, or not tied to a place.
pub(super) fn mexico(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        // Services, and numbers that move with their owner.
        200 | 201 | 300 | 500 | 700 | 800 | 900 => return None,
        // Nayarit; its south, on the bay of Puerto Vallarta, keeps the capital's time.
        311 | 319 | 323..=325 | 389 => PACIFIC,
        327 => CENTRE_OR_PACIFIC,
        // Baja California Sur, Sonora and Sinaloa.
        612 | 613 | 615 | 624 => PACIFIC,
        622 | 623 | 631..=634 | 637 | 638 | 641..=645 | 647 | 651 | 662 => PACIFIC,
        667..=669 | 672 | 673 | 687 | 694..=698 => PACIFIC,
        // San Luis Río Colorado lies beside Mexicali.
        653 => PACIFIC_OR_NORTHWEST,
        // Baja California.
        616 | 646 | 658 | 661 | 664 | 665 | 686 => NORTHWEST,
        // Durango, and Chihuahua away from the border, beside it, and at Ciudad Juárez.
        614 | 618 | 625 | 627..=629 | 639 | 648 | 652 | 659 | 671 | 674..=677 => CENTRE,
        626 => CENTRE_OR_RIO_GRANDE,
        636 => CENTRE_OR_JUAREZ,
        656 => JUAREZ,
        // Places on the lower Rio Grande change their clocks with Texas; around them a code may hold both.
        867 | 868 | 877 | 878 | 891 | 897 | 899 => LOWER_RIO_GRANDE,
        810..=819 | 833 | 834 | 844 | 866 | 871 => CENTRE,
        801..=899 => CENTRE_OR_RIO_GRANDE,
        // Quintana Roo; Yucatán's east reaches into it.
        983 | 984 | 987 | 998 => SOUTHEAST,
        985 | 986 | 997 => CENTRE_OR_SOUTHEAST,
        202..=299 | 301..=499 | 550..=569 | 701..=799 | 901..=999 => CENTRE,
        _ => return None,
    })
}
