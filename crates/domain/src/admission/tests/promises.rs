//! What holds whatever the facts: waiting until `until` is enough, a millisecond less is not.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::given::{Given, MILLISECOND, at};
use crate::{
    admission::{EffectiveLimit, LimitChange, NumberTroubleKind, checks::agent_contact_cap},
    contact_cap::ContactCap,
    template::TemplateStatus,
};

fn now() -> DateTime<Utc> {
    at(3, "12:00")
}

/// Instants up to `hours` away from now, to the millisecond.
fn instant(hours: std::ops::Range<i64>) -> impl Strategy<Value = DateTime<Utc>> {
    const HOUR: i64 = 3_600_000;
    (hours.start * HOUR..hours.end * HOUR)
        .prop_map(|offset| now() + TimeDelta::milliseconds(offset))
}

fn past_instants(most: usize) -> impl Strategy<Value = Vec<DateTime<Utc>>> {
    proptest::collection::vec(instant(-24..0), 0..most).prop_map(|mut instants| {
        instants.sort_unstable();
        instants
    })
}

fn limits() -> impl Strategy<Value = EffectiveLimit> {
    let change = (instant(0..48), 1..12_u32);
    (1..12_u32, proptest::collection::vec(change, 0..3)).prop_map(|(current, changes)| {
        let mut changes: Vec<LimitChange> =
            changes.into_iter().map(|(at, limit)| LimitChange { at, limit }).collect();
        changes.sort_unstable_by_key(|change| change.at);
        EffectiveLimit { current, changes }
    })
}

prop_compose! {
    /// Desks on which any of the reasons that end may stand.
    fn desks()(
        sent_at in past_instants(6),
        sends in 1..5_u32,
        counted in past_instants(12),
        limit in limits(),
        window_end in proptest::option::of(instant(-2..30)),
        paused_until in proptest::option::of(instant(-2..60)),
        restricted_until in proptest::option::of(instant(-2..60)),
        zones in proptest::option::of(proptest::sample::subsequence(
            vec![Tz::Europe__Lisbon, Tz::America__Sao_Paulo, Tz::Asia__Kolkata, Tz::UTC], 1..3,
        )),
    ) -> Given {
        let mut given = Given::desk().with_cap(sends, &sent_at).with_recipients(limit, &counted);
        if let Some(end) = window_end {
            given = given.with_window_open_until(end);
        }
        if let Some(until) = paused_until {
            given = given.with_template(TemplateStatus::Paused { until: Some(until) });
        }
        if let Some(until) = restricted_until {
            given = given.with_number_trouble(NumberTroubleKind::Restricted, Some(until));
        }
        if let Some(zones) = zones {
            given = given.with_quiet_hours_in(&zones);
        }
        given
    }
}

proptest! {
    // Twice as many as elsewhere, also when PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig {
        cases: 2 * ProptestConfig::default().cases,
        ..ProptestConfig::default()
    })]

    #[test]
    fn waiting_until_the_end_of_a_reason_is_enough_and_a_millisecond_less_is_not(given in desks()) {
        for refusal in given.admit(now()).refusals() {
            let until = refusal.until.expect("every reason of these desks ends");
            prop_assert!(now() < until);
            prop_assert!(!given.codes(until).contains(&refusal.code), "{refusal:?} is over");
            prop_assert!(given.codes(until - MILLISECOND).contains(&refusal.code), "{refusal:?}");
        }
    }

    #[test]
    fn waiting_until_the_whole_may_go_is_enough_and_a_millisecond_less_is_not(given in desks()) {
        let from = given.allowed_from(now()).expect("every reason of these desks ends");
        prop_assert!(given.admit(from).is_allowed());
        if from != now() {
            prop_assert!(!given.admit(from - MILLISECOND).is_allowed());
        }
    }

    #[test]
    fn nothing_passes_before_the_whole_may_go(given in desks(), part in 0.0..1.0_f64) {
        let from = given.allowed_from(now()).expect("every reason of these desks ends");
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any place will do")]
        let wait = ((from - now()).num_milliseconds() as f64 * part) as i64;
        let between = now() + TimeDelta::milliseconds(wait);
        prop_assert!(between == from || !given.admit(between).is_allowed());
    }

    #[test]
    fn no_window_ever_holds_more_sends_than_the_cap(
        tries in proptest::collection::vec(1..8_000_000_i64, 1..120),
        sends in 1..6_u32,
    ) {
        let cap = ContactCap { sends, window: TimeDelta::hours(24) };
        let mut sent: Vec<DateTime<Utc>> = Vec::new();
        let mut clock = now();
        for wait in tries {
            clock += TimeDelta::milliseconds(wait);
            let newest = sent.len().saturating_sub(sends as usize);
            let refusal = agent_contact_cap(&sent[newest..], cap, clock);
            prop_assert_eq!(&refusal, &agent_contact_cap(&sent, cap, clock), "the newest X are enough");
            if refusal.is_none() {
                sent.push(clock);
            }
        }
        for end in &sent {
            let held = sent.iter().filter(|at| *end - cap.window < **at && **at <= *end).count();
            prop_assert!(held <= sends as usize);
        }
    }

    #[test]
    fn no_window_ever_holds_more_recipients_than_the_limit(
        tries in proptest::collection::vec((1..8_000_000_i64, 0..40_u32), 1..120),
        limit in 1..12_u32,
    ) {
        let window = TimeDelta::hours(24);
        let mut latest = std::collections::BTreeMap::new();
        let mut clock = now();
        for (wait, contact) in tries {
            clock += TimeDelta::milliseconds(wait);
            let counted: Vec<DateTime<Utc>> =
                latest.values().copied().filter(|at| clock - window < *at).collect();
            let given = Given::desk().with_recipients(EffectiveLimit::steady(limit), &counted);
            if given.admit(clock).is_allowed() {
                prop_assert!(counted.len() < limit as usize);
                latest.insert(contact, clock);
            } else {
                prop_assert!(limit as usize <= counted.len());
                let mut oldest = counted.clone();
                oldest.sort_unstable();
                let place = counted.len() - limit as usize;
                prop_assert_eq!(given.until(clock), Some(oldest[place] + window));
            }
        }
    }
}
