//! Table M, the ranks and edges of LI-03 to LI-11, and that order and copies change nothing.

use proptest::prelude::*;

use super::*;
use crate::{
    calendar::{day, milliseconds},
    ids::UserId,
    policy::Policy,
    presence::Presence,
    routing::{
        AnsweredSend, Distribution, Membership, NormalService, Route, RoutingFacts, SendingAgent,
        route,
    },
};

/// A send that was triggered and accepted on day 1 at 10:00, unless said otherwise.
#[derive(Clone)]
struct Given {
    triggered_at: DateTime<Utc>,
    events: Vec<DeliveryEvent>,
}

impl Given {
    fn queued() -> Self {
        Self { triggered_at: day(1, "10:00"), events: Vec::new() }
    }

    fn accepted() -> Self {
        Self::queued().told(DeliveryEventKind::Accepted, EventSource::Dispatcher, day(1, "10:00"))
    }

    fn told(mut self, kind: DeliveryEventKind, source: EventSource, at: DateTime<Utc>) -> Self {
        self.events.push(DeliveryEvent { kind, at, source });
        self
    }

    fn receipt(self, kind: DeliveryEventKind, at: DateTime<Utc>) -> Self {
        self.told(kind, EventSource::Platform, at)
    }

    fn failed(self, code: &str, at: DateTime<Utc>) -> Self {
        self.receipt(DeliveryEventKind::Failed(Failure::Coded(code.to_owned())), at)
    }

    fn replied(self, at: DateTime<Utc>) -> Self {
        self.receipt(DeliveryEventKind::Replied, at)
    }

    fn at(&self, now: DateTime<Utc>) -> ActiveMessageLife {
        fold(&self.events, self.triggered_at, &Policy::default().active_messages, now)
    }

    fn state_at(&self, now: DateTime<Utc>) -> ActiveMessageState {
        self.at(now).state
    }
}

fn routed(sends: &[(DateTime<Utc>, UserId)], presence: Presence) -> Route {
    let agent = |id| SendingAgent { id, membership: Membership::Present, presence };
    let answered = sends
        .iter()
        .map(|(sent_at, id)| AnsweredSend { sent_at: *sent_at, agent: Some(agent(*id)) });
    route(&RoutingFacts {
        answered: answered.collect(),
        direct_transfer: true,
        service: NormalService {
            queue: None,
            agents: Vec::new(),
            distribution: Distribution::default(),
        },
    })
}

const ANA: UserId = UserId(1);
const BRUNO: UserId = UserId(2);
const BY_NORMAL_RULES: Route = Route::Queue { queue: None, agent: None };

#[test]
fn m1_a_reply_in_the_last_second_goes_to_the_sending_agent() {
    let written_at = day(2, "09:59:59");
    let before = Given::accepted().at(written_at);
    assert!(before.is_open_for_reply(written_at, true));
    assert!(before.is_listed(written_at));
    assert_eq!(routed(&[(day(1, "10:00"), ANA)], Presence::Online), Route::InProgress(ANA));

    let after = Given::accepted().replied(written_at).at(written_at);
    assert_eq!(after.state, ActiveMessageState::Replied);
    assert_eq!(after.replied_at, Some(written_at));
    assert!(!after.is_listed(written_at));
}

#[test]
fn cl_01_m2_a_reply_a_day_later_to_the_second_comes_too_late() {
    let written_at = day(2, "10:00:00");
    let send = Given::accepted();
    assert!(!send.at(written_at).is_open_for_reply(written_at, true));
    assert_eq!(send.replied(written_at).state_at(written_at), ActiveMessageState::Expired);
    assert_eq!(routed(&[], Presence::Online), BY_NORMAL_RULES);
}

#[test]
fn m3_without_a_reply_it_expires_and_leaves_the_desk_two_days_later() {
    let send = Given::accepted();
    let cases = [
        ("still sent", day(2, "09:59:59.999"), ActiveMessageState::Sent, true),
        ("expired to the millisecond", day(2, "10:00"), ActiveMessageState::Expired, true),
        ("listed", day(4, "09:59:59"), ActiveMessageState::Expired, true),
        ("listed to the millisecond", day(4, "09:59:59.999"), ActiveMessageState::Expired, true),
        ("gone", day(4, "10:00:00"), ActiveMessageState::Expired, false),
    ];
    for (case, now, state, listed) in cases {
        assert_eq!((send.state_at(now), send.at(now).is_listed(now)), (state, listed), "{case}");
    }
}

#[test]
fn m4_read_without_a_reply_is_read_and_then_expired() {
    let send = Given::accepted().receipt(DeliveryEventKind::Read, day(1, "11:00"));
    assert_eq!(send.state_at(day(2, "09:59:59.999")), ActiveMessageState::Read);
    assert_eq!(send.state_at(day(2, "10:00")), ActiveMessageState::Expired);
}

#[test]
fn m5_a_failure_stays_a_failure_with_its_reason_until_it_leaves_the_desk() {
    let send = Given::accepted().failed("131026", day(1, "10:01"));
    for now in [day(1, "10:01"), day(2, "10:00"), day(4, "09:59:59"), day(9, "10:00")] {
        let life = send.at(now);
        assert_eq!(life.state, ActiveMessageState::Failed);
        assert_eq!(life.failure, Some(Failure::Coded("131026".to_owned())));
        assert!(life.is_given_back());
        assert_eq!(life.is_listed(now), now < day(4, "10:00"));
        assert!(!life.is_open_for_reply(now, true));
    }
}

#[test]
fn m6_delivered_after_read_changes_nothing() {
    let send = Given::accepted()
        .receipt(DeliveryEventKind::Read, day(1, "10:05"))
        .receipt(DeliveryEventKind::Delivered, day(1, "10:04"));
    assert_eq!(send.state_at(day(1, "12:00")), ActiveMessageState::Read);
}

#[test]
fn m7_a_reply_to_an_invisible_agent_waits_for_that_agent_only() {
    for presence in [Presence::Invisible, Presence::OnBreak, Presence::Offline] {
        assert_eq!(routed(&[(day(1, "10:00"), ANA)], presence), Route::WaitFor(ANA));
    }
}

#[test]
fn m8_a_reply_written_in_time_and_received_late_turns_expired_into_replied() {
    let send = Given::accepted();
    let arrives_at = day(2, "11:00");
    let written_at = day(2, "09:30");
    assert_eq!(send.state_at(arrives_at), ActiveMessageState::Expired);
    assert!(send.at(arrives_at).is_open_for_reply(written_at, true));
    assert_eq!(send.replied(written_at).state_at(arrives_at), ActiveMessageState::Replied);
}

#[test]
fn m9_one_reply_answers_both_agents_and_goes_to_the_later_one() {
    let by_ana = Given::accepted();
    let by_bruno = Given { triggered_at: day(1, "11:00"), events: Vec::new() }.told(
        DeliveryEventKind::Accepted,
        EventSource::Dispatcher,
        day(1, "11:00"),
    );
    let written_at = day(1, "12:00");
    let sends = [(day(1, "11:00"), BRUNO), (day(1, "10:00"), ANA)];
    assert_eq!(routed(&sends, Presence::Online), Route::InProgress(BRUNO));
    for send in [by_ana, by_bruno] {
        assert!(send.at(written_at).is_open_for_reply(written_at, true));
        let send = send.replied(written_at);
        for now in [written_at, day(2, "10:00"), day(2, "11:00"), day(9, "10:00")] {
            assert_eq!(send.state_at(now), ActiveMessageState::Replied);
        }
    }
}

#[test]
fn the_higher_rank_wins() {
    let ladder = [
        (DeliveryEventKind::Accepted, ActiveMessageState::Sent),
        (DeliveryEventKind::Sent, ActiveMessageState::Sent),
        (DeliveryEventKind::Delivered, ActiveMessageState::Delivered),
        (
            DeliveryEventKind::Failed(Failure::Coded("131026".to_owned())),
            ActiveMessageState::Failed,
        ),
        (DeliveryEventKind::Read, ActiveMessageState::Read),
        (DeliveryEventKind::Replied, ActiveMessageState::Replied),
    ];
    let now = day(1, "12:00");
    assert_eq!(Given::queued().state_at(now), ActiveMessageState::Sending);
    for (place, (higher, state)) in ladder.iter().enumerate() {
        for (lower, _) in &ladder[..=place] {
            let send = Given::queued()
                .receipt(higher.clone(), day(1, "10:01"))
                .receipt(lower.clone(), day(1, "10:02"));
            assert_eq!(send.state_at(now), *state, "{higher:?} and {lower:?}");
        }
    }
}

#[test]
fn receipts_that_come_too_late_leave_it_expired() {
    let too_late = day(2, "10:00");
    let failure = DeliveryEventKind::Failed(Failure::Coded("131026".to_owned()));
    for kind in [DeliveryEventKind::Read, DeliveryEventKind::Delivered, failure] {
        let send = Given::accepted().receipt(kind.clone(), too_late);
        assert_eq!(send.state_at(day(3, "10:00")), ActiveMessageState::Expired, "{kind:?}");
    }
    let in_time = Given::accepted().failed("131026", too_late - milliseconds(1));
    assert_eq!(in_time.state_at(day(3, "10:00")), ActiveMessageState::Failed);
}

#[test]
fn the_window_runs_from_acceptance_not_from_the_trigger() {
    let send =
        Given::queued().told(DeliveryEventKind::Accepted, EventSource::Dispatcher, day(1, "13:00"));
    assert_eq!(send.state_at(day(2, "12:59:59.999")), ActiveMessageState::Sent);
    assert_eq!(send.state_at(day(2, "13:00")), ActiveMessageState::Expired);
    assert_eq!(send.at(day(2, "13:00")).listed_until, day(4, "13:00"));
}

#[test]
fn a_receipt_alone_tells_of_the_acceptance() {
    let send = Given::queued().receipt(DeliveryEventKind::Delivered, day(1, "10:03"));
    let life = send.at(day(1, "12:00"));
    assert_eq!(life.state, ActiveMessageState::Delivered);
    assert_eq!(life.accepted_at, Some(day(1, "10:03")));
}

#[test]
fn still_sending_a_day_after_the_trigger_it_was_not_sent_in_time() {
    let send = Given::queued();
    assert_eq!(send.state_at(day(2, "09:59:59.999")), ActiveMessageState::Sending);
    let life = send.at(day(2, "10:00"));
    assert_eq!(life.failure, Some(Failure::NotSentInTime));
    assert!(life.is_given_back());
    let told = send.told(
        DeliveryEventKind::Failed(Failure::NotSentInTime),
        EventSource::Job,
        day(2, "10:00"),
    );
    assert_eq!(told.at(day(2, "10:01")), life);
}

#[test]
fn an_unsettled_outcome_becomes_unknown_after_its_horizon_and_stays_counted() {
    let send = Given::queued().told(
        DeliveryEventKind::Unsettled,
        EventSource::Dispatcher,
        day(1, "10:00"),
    );
    assert_eq!(send.state_at(day(1, "10:09:59.999")), ActiveMessageState::Sending);
    for now in [day(1, "10:10"), day(2, "10:00"), day(9, "10:00")] {
        let life = send.at(now);
        assert_eq!(life.failure, Some(Failure::OutcomeUnknown));
        assert!(!life.is_given_back());
    }
}

#[test]
fn outcome_unknown_gives_way_to_receipts_failures_and_replies() {
    let unknown = Given::queued().told(
        DeliveryEventKind::Failed(Failure::OutcomeUnknown),
        EventSource::Job,
        day(1, "10:10"),
    );
    let now = day(1, "12:00");
    let cases = [
        ("a receipt", unknown.clone().receipt(DeliveryEventKind::Sent, day(1, "10:00")), "sent"),
        ("a failure", unknown.clone().failed("131026", day(1, "10:00")), "failed"),
        ("a reply", unknown.clone().replied(day(1, "11:00")), "replied"),
    ];
    for (case, send, state) in cases {
        assert_eq!(send.state_at(now).as_str(), state, "{case}");
        assert_ne!(send.at(now).failure, Some(Failure::OutcomeUnknown), "{case}");
    }
    assert!(unknown.at(now).is_open_for_reply(day(1, "11:00"), true));
    let settled = unknown.receipt(DeliveryEventKind::Delivered, day(1, "10:00"));
    assert_eq!(settled.state_at(day(2, "10:00")), ActiveMessageState::Expired);
}

#[test]
fn a_message_written_before_the_send_answers_nothing() {
    let send = Given::accepted();
    let earlier = day(1, "09:59:59");
    assert!(!send.at(day(1, "10:05")).is_open_for_reply(earlier, true));
    assert_eq!(send.replied(earlier).state_at(day(1, "10:05")), ActiveMessageState::Sent);
}

#[test]
fn the_platforms_whole_seconds_do_not_hide_a_quick_reply() {
    let send = Given { triggered_at: day(1, "10:00:00.700"), events: Vec::new() };
    let written_at = day(1, "10:00:00");
    assert!(send.at(day(1, "10:00:02")).is_open_for_reply(written_at, true));
    assert_eq!(send.replied(written_at).state_at(day(1, "10:01")), ActiveMessageState::Replied);
}

#[test]
fn a_send_that_never_left_is_answered_by_nobody() {
    let send = Given::queued().at(day(1, "10:05"));
    assert!(!send.is_open_for_reply(day(1, "10:04"), false));
    assert!(send.is_open_for_reply(day(1, "10:04"), true));
}

#[test]
fn a_second_reply_is_none_to_the_message_but_one_written_earlier_is() {
    let send = Given::accepted().replied(day(1, "11:00")).at(day(1, "12:00"));
    assert!(!send.is_open_for_reply(day(1, "11:30"), true));
    assert!(send.is_open_for_reply(day(1, "10:30"), true));
}

#[test]
fn an_ordinary_message_never_expires() {
    let delivered = Given::accepted().receipt(DeliveryEventKind::Delivered, day(9, "10:00"));
    assert_eq!(fold_message(&delivered.events).state, MessageState::Delivered);
    let failed = delivered.failed("131026", day(9, "10:01"));
    assert_eq!(fold_message(&failed.events).state, MessageState::Failed);
    let read = failed.receipt(DeliveryEventKind::Read, day(9, "10:01"));
    assert_eq!(
        fold_message(&read.events),
        MessageLife { state: MessageState::Read, failure: None }
    );
    assert_eq!(fold_message(&[]).state, MessageState::Sending);
}

#[test]
fn words_and_codes_are_read_back() {
    let kinds = [
        DeliveryEventKind::Accepted,
        DeliveryEventKind::Sent,
        DeliveryEventKind::Delivered,
        DeliveryEventKind::Read,
        DeliveryEventKind::Replied,
        DeliveryEventKind::Unsettled,
        DeliveryEventKind::Failed(Failure::Coded("131026".to_owned())),
        DeliveryEventKind::Failed(Failure::OutcomeUnknown),
        DeliveryEventKind::Failed(Failure::NotSentInTime),
    ];
    for kind in kinds {
        let code = match &kind {
            DeliveryEventKind::Failed(failure) => Some(failure.code()),
            _ => None,
        };
        assert_eq!(DeliveryEventKind::parse(kind.as_str(), code), Some(kind.clone()));
    }
    assert_eq!(DeliveryEventKind::parse("failed", None), None);
    assert_eq!(DeliveryEventKind::parse("bounced", None), None);
}

fn any_event() -> impl Strategy<Value = DeliveryEvent> {
    let kind = prop_oneof![
        Just(DeliveryEventKind::Accepted),
        Just(DeliveryEventKind::Sent),
        Just(DeliveryEventKind::Delivered),
        Just(DeliveryEventKind::Read),
        Just(DeliveryEventKind::Replied),
        Just(DeliveryEventKind::Unsettled),
        Just(DeliveryEventKind::Failed(Failure::OutcomeUnknown)),
        Just(DeliveryEventKind::Failed(Failure::NotSentInTime)),
        "[12]3102[0-9]".prop_map(|code| DeliveryEventKind::Failed(Failure::Coded(code))),
    ];
    let source = prop_oneof![
        Just(EventSource::Platform),
        Just(EventSource::Dispatcher),
        Just(EventSource::Job)
    ];
    // Few instants, around every edge, so that ties and late events are common.
    let at = prop_oneof![
        Just(day(1, "09:59:59")),
        Just(day(1, "10:00")),
        Just(day(1, "10:05")),
        Just(day(2, "09:59:59.999")),
        Just(day(2, "10:00")),
        Just(day(2, "10:05")),
        (0_i64..80).prop_map(|hours| day(1, "10:00") + TimeDelta::hours(hours)),
    ];
    (kind, at, source).prop_map(|(kind, at, source)| DeliveryEvent { kind, at, source })
}

/// The same events twice: as they are, and shuffled with copies among them.
fn any_history() -> impl Strategy<Value = (Vec<DeliveryEvent>, Vec<DeliveryEvent>)> {
    prop::collection::vec(any_event(), 0..7).prop_flat_map(|events| {
        let copies = prop::collection::vec(0..events.len().max(1), 0..5);
        (Just(events), copies).prop_flat_map(|(events, copies)| {
            let mut more = events.clone();
            more.extend(copies.into_iter().filter_map(|place| events.get(place).cloned()));
            (Just(events), Just(more).prop_shuffle())
        })
    })
}

fn any_now() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..100 * 60).prop_map(|minutes| day(1, "10:00") + TimeDelta::minutes(minutes))
}

proptest! {
    #[test]
    fn order_and_copies_change_nothing((events, shuffled) in any_history(), now in any_now()) {
        let policy = Policy::default().active_messages;
        let triggered_at = day(1, "10:00");
        prop_assert_eq!(
            fold(&events, triggered_at, &policy, now),
            fold(&shuffled, triggered_at, &policy, now)
        );
        prop_assert_eq!(fold_message(&events), fold_message(&shuffled));
    }

    #[test]
    fn time_alone_only_ends_what_is_open((events, _) in any_history(), now in any_now()) {
        let policy = Policy::default().active_messages;
        let earlier = fold(&events, day(1, "10:00"), &policy, now);
        let later = fold(&events, day(1, "10:00"), &policy, now + TimeDelta::hours(7));
        match later.state {
            ActiveMessageState::Expired | ActiveMessageState::Failed => {}
            same => prop_assert_eq!(earlier.state, same),
        }
        if earlier.state == ActiveMessageState::Failed {
            prop_assert_eq!(earlier, later);
        }
    }

    #[test]
    fn whoever_may_reply_is_replied((events, _) in any_history(), now in any_now(), written_at in any_now()) {
        let given = Given { triggered_at: day(1, "10:00"), events };
        let open = given.at(now).is_open_for_reply(written_at, true);
        if open {
            prop_assert_eq!(given.replied(written_at).state_at(now), ActiveMessageState::Replied);
        }
    }

    #[test]
    fn a_failure_is_told_exactly_when_it_failed((events, _) in any_history(), now in any_now()) {
        let life = fold(&events, day(1, "10:00"), &Policy::default().active_messages, now);
        prop_assert_eq!(life.failure.is_some(), life.state == ActiveMessageState::Failed);
        prop_assert_eq!(life.replied_at.is_some(), life.state == ActiveMessageState::Replied);
    }
}
