//! The life of an active message as it is told: from its trigger on, never running backwards.

use chrono::{DateTime, Utc};

use super::{DeliveryEvent, DeliveryEventKind};

/// One line of the history of an active message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLine<'a> {
    /// When it happened, as near as is known.
    pub at: DateTime<Utc>,
    /// What happened.
    pub what: Happening<'a>,
}

/// What a line of a history tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening<'a> {
    /// It was asked for.
    Triggered,
    /// Something was told of it.
    Told(&'a DeliveryEvent),
    /// The time for an answer was over.
    Expired,
}

/// The history of an active message triggered at `triggered_at`, oldest first; its instants never go back.
/// `expired_at` is the end of its response window once it has expired, else `None`.
///
/// The platform's instants are whole seconds and ours are not: what it took at 12:00:00.122 it says to have
/// taken at 12:00:00. Within one second things are told in the order of a message's life, each as late as
/// the one before it; and nothing is told to be earlier than the trigger, whatever clocks differ by. That
/// is for telling alone: the rules go by the instants as they came (LI-10).
///
/// Rules: LI-02, LI-03.
#[must_use]
pub fn history(
    events: &[DeliveryEvent],
    triggered_at: DateTime<Utc>,
    expired_at: Option<DateTime<Utc>>,
) -> Vec<HistoryLine<'_>> {
    let mut told: Vec<(DateTime<Utc>, &DeliveryEvent)> =
        events.iter().map(|event| (event.at.max(triggered_at), event)).collect();
    told.sort_unstable_by_key(|(at, event)| (at.timestamp(), rank(&event.kind), *event));
    let mut latest = triggered_at;
    for (at, _) in &mut told {
        latest = latest.max(*at);
        *at = latest;
    }
    let line = |(at, event)| HistoryLine { at, what: Happening::Told(event) };
    let mut lines = vec![HistoryLine { at: triggered_at, what: Happening::Triggered }];
    lines.extend(told.into_iter().map(line));
    if let Some(at) = expired_at {
        let place = lines.partition_point(|line| line.at < at);
        lines.insert(place, HistoryLine { at, what: Happening::Expired });
    }
    lines
}

/// The rank of LI-03, lowest first.
fn rank(kind: &DeliveryEventKind) -> u8 {
    match kind {
        DeliveryEventKind::Unsettled => 0,
        DeliveryEventKind::Accepted => 1,
        DeliveryEventKind::Sent => 2,
        DeliveryEventKind::Delivered => 3,
        DeliveryEventKind::Failed(_) => 4,
        DeliveryEventKind::Read => 5,
        DeliveryEventKind::Played => 6,
        DeliveryEventKind::Replied => 7,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::{EventSource, Failure};

    const START_MS: i64 = 1_763_806_800_000;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(START_MS + milliseconds)
    }

    fn event(kind: DeliveryEventKind, milliseconds: i64) -> DeliveryEvent {
        let source = match kind {
            DeliveryEventKind::Accepted | DeliveryEventKind::Unsettled => EventSource::Dispatcher,
            _ => EventSource::Platform,
        };
        DeliveryEvent { kind, at: at(milliseconds), source }
    }

    /// The lines of a message that was triggered 122 ms into a second, by instant and word.
    fn told(events: &[DeliveryEvent], expired_at: Option<i64>) -> Vec<(i64, &str)> {
        let lines = history(events, at(122), expired_at.map(at));
        let word = |line: HistoryLine<'_>| match line.what {
            Happening::Triggered => "sending",
            Happening::Expired => "expired",
            Happening::Told(event) => match event.kind {
                DeliveryEventKind::Accepted => "accepted",
                DeliveryEventKind::Sent => "sent",
                DeliveryEventKind::Delivered => "delivered",
                DeliveryEventKind::Read => "read",
                DeliveryEventKind::Played => "played",
                DeliveryEventKind::Replied => "replied",
                DeliveryEventKind::Unsettled => "unsettled",
                DeliveryEventKind::Failed(_) => "failed",
            },
        };
        lines.into_iter().map(|line| (line.at.timestamp_millis() - START_MS, word(line))).collect()
    }

    /// What is shown, the events, when it expired, and the lines.
    type Case = (&'static str, Vec<DeliveryEvent>, Option<i64>, &'static [(i64, &'static str)]);

    #[test]
    fn li_02_a_history_reads_as_a_life_whatever_the_instants_are_cut_to() {
        use DeliveryEventKind::{Accepted, Delivered, Failed, Read, Sent, Unsettled};
        const DAY: i64 = 86_400_000;
        let coded = || Failed(Failure::Coded("131026".to_owned()));
        let unknown = || Failed(Failure::OutcomeUnknown);
        let cases: [Case; 7] = [
            ("nothing was told", vec![], None, &[(122, "sending")]),
            (
                "a receipt of the trigger's own second",
                vec![event(Sent, 0), event(Delivered, 1_000)],
                None,
                &[(122, "sending"), (122, "sent"), (1_000, "delivered")],
            ),
            (
                "all within one second, and the last receipt first",
                vec![event(Read, 0), event(Delivered, 0), event(Sent, 0), event(Accepted, 480)],
                None,
                &[
                    (122, "sending"),
                    (480, "accepted"),
                    (480, "sent"),
                    (480, "delivered"),
                    (480, "read"),
                ],
            ),
            (
                "a platform whose clock is behind",
                vec![event(Delivered, -1_000), event(Sent, -3_000)],
                None,
                &[(122, "sending"), (122, "sent"), (122, "delivered")],
            ),
            (
                "an instant of another second stands for itself",
                vec![event(Sent, 0), event(coded(), 5_000)],
                None,
                &[(122, "sending"), (122, "sent"), (5_000, "failed")],
            ),
            (
                "what settles an unknown outcome stands where it came",
                vec![event(Sent, 700_000), event(unknown(), 600_300), event(Unsettled, 300)],
                None,
                &[(122, "sending"), (300, "unsettled"), (600_300, "failed"), (700_000, "sent")],
            ),
            (
                "LI-04: a late receipt stands after the end",
                vec![event(Sent, 0), event(Read, DAY)],
                Some(DAY),
                &[(122, "sending"), (122, "sent"), (DAY, "expired"), (DAY, "read")],
            ),
        ];
        for (case, events, expired_at, expected) in cases {
            assert_eq!(told(&events, expired_at), expected, "{case}");
        }
    }

    fn any_event() -> impl Strategy<Value = DeliveryEvent> {
        let kinds = prop::sample::select(vec![
            DeliveryEventKind::Accepted,
            DeliveryEventKind::Sent,
            DeliveryEventKind::Delivered,
            DeliveryEventKind::Read,
            DeliveryEventKind::Played,
            DeliveryEventKind::Replied,
            DeliveryEventKind::Unsettled,
            DeliveryEventKind::Failed(Failure::OutcomeUnknown),
        ]);
        (kinds, -4_000_i64..4_000).prop_map(|(kind, milliseconds)| event(kind, milliseconds))
    }

    proptest! {
        #[test]
        fn li_02_a_history_never_goes_back_and_does_not_depend_on_the_order_of_arrival(
            events in prop::collection::vec(any_event(), 0..8),
            expired_at in prop::option::of(200_i64..4_000),
        ) {
            let lines = told(&events, expired_at);
            prop_assert_eq!(lines[0], (122, "sending"));
            prop_assert!(lines.is_sorted_by_key(|(at, _)| *at), "{:?}", lines);
            let mut shuffled = events.clone();
            shuffled.reverse();
            prop_assert_eq!(told(&shuffled, expired_at), lines);
        }
    }
}
