//! How long after a contact's last message free-form text may be sent (SW-01 to SW-06).

use chrono::{DateTime, TimeDelta, Utc};

use crate::policy::SessionWindowPolicy;

/// What is known of one contact on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionFacts {
    /// When the contact last wrote, by the platform; `None` when never.
    pub last_inbound_at: Option<DateTime<Utc>>,
    /// Messages sent since then.
    pub sent_since: u32,
}

/// How a session window stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// The channel knows no windows: free-form text may always be sent.
    NotNeeded,
    /// Free-form text may be sent until `ends_at` (exclusive).
    Open {
        /// The end, exclusive.
        ends_at: DateTime<Utc>,
    },
    /// As open, with less than the threshold left (SW-03).
    ClosingSoon {
        /// The end, exclusive.
        ends_at: DateTime<Utc>,
    },
    /// Free-form text is refused until the contact writes.
    Closed {
        /// Since when; `None` when the contact never wrote.
        since: Option<DateTime<Utc>>,
    },
}

/// Why free-form text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FreeFormRefusal {
    /// The window is closed (SW-04).
    SessionExpired,
    /// The window is open, but its messages are used up until the contact writes (SW-06).
    SessionMessagesUsedUp,
}

/// How the window of a contact who last wrote at `last_inbound_at` stands at `now`.
///
/// `rule` is what the channel's platform allows; `None` where no window is needed. It is closing soon
/// with less than `closing_soon` left.
#[must_use]
pub fn session_state(
    rule: Option<&SessionWindowPolicy>,
    last_inbound_at: Option<DateTime<Utc>>,
    closing_soon: TimeDelta,
    now: DateTime<Utc>,
) -> SessionState {
    let Some(rule) = rule else { return SessionState::NotNeeded };
    let Some(last_inbound_at) = last_inbound_at else {
        return SessionState::Closed { since: None };
    };
    let ends_at = last_inbound_at + rule.window;
    if ends_at <= now {
        SessionState::Closed { since: Some(ends_at) }
    } else if ends_at - now < closing_soon {
        SessionState::ClosingSoon { ends_at }
    } else {
        SessionState::Open { ends_at }
    }
}

/// Why free-form text may not be sent at `now`; `None` when it may (SW-04, SW-06).
#[must_use]
pub fn free_form_refusal(
    rule: Option<&SessionWindowPolicy>,
    facts: SessionFacts,
    now: DateTime<Utc>,
) -> Option<FreeFormRefusal> {
    match session_state(rule, facts.last_inbound_at, TimeDelta::zero(), now) {
        SessionState::Closed { .. } => Some(FreeFormRefusal::SessionExpired),
        SessionState::NotNeeded => None,
        SessionState::Open { .. } | SessionState::ClosingSoon { .. } => {
            let most = rule.and_then(|rule| rule.messages);
            let used_up = most.is_some_and(|most| most <= facts.sent_since);
            used_up.then_some(FreeFormRefusal::SessionMessagesUsedUp)
        }
    }
}

impl SessionState {
    /// Whether the contact's window is open: there is one, and it has not ended. A template sent in it
    /// is no notification (AD-12).
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Open { .. } | Self::ClosingSoon { .. } => true,
            Self::NotNeeded | Self::Closed { .. } => false,
        }
    }

    /// The end of an open window, exclusive; `None` when there is none to wait for.
    #[must_use]
    pub fn ends_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Open { ends_at } | Self::ClosingSoon { ends_at } => Some(ends_at),
            Self::NotNeeded | Self::Closed { .. } => None,
        }
    }
}

impl FreeFormRefusal {
    /// The code the API answers with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionExpired => "session_expired",
            Self::SessionMessagesUsedUp => "session_messages_used_up",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        calendar::{day, milliseconds},
        channel::ChannelKind,
        policy::Policy,
    };

    #[test]
    fn cl_01_sw_01_sw_03_each_channels_window_warns_and_ends_to_the_millisecond() {
        let policy = Policy::default();
        let wrote_at = day(1, "10:00:00.250");
        let cases = [
            ("WhatsApp: a day", ChannelKind::WhatsApp, day(2, "10:00:00.250")),
            ("WeCom: two days", ChannelKind::WeCom, day(3, "10:00:00.250")),
            ("WeChat: two days", ChannelKind::WeChat, day(3, "10:00:00.250")),
        ];
        for (case, kind, ends_at) in cases {
            let rule = policy.session_window(kind);
            let state_at = |now| session_state(rule, Some(wrote_at), TimeDelta::hours(2), now);
            let soon = ends_at - TimeDelta::hours(2);
            assert_eq!(state_at(wrote_at), SessionState::Open { ends_at }, "{case}");
            assert_eq!(state_at(soon), SessionState::Open { ends_at }, "{case}");
            let (just_soon, last) = (soon + milliseconds(1), ends_at - milliseconds(1));
            assert_eq!(state_at(just_soon), SessionState::ClosingSoon { ends_at }, "{case}");
            assert_eq!(state_at(last), SessionState::ClosingSoon { ends_at }, "{case}");
            assert_eq!(state_at(ends_at), SessionState::Closed { since: Some(ends_at) }, "{case}");
            let refusal_at = |now| {
                let facts = SessionFacts { last_inbound_at: Some(wrote_at), sent_since: 0 };
                free_form_refusal(rule, facts, now)
            };
            assert_eq!(refusal_at(last), None, "{case}");
            assert_eq!(refusal_at(ends_at), Some(FreeFormRefusal::SessionExpired), "{case}");
        }
    }

    #[test]
    fn sms_needs_no_window_and_a_contact_who_never_wrote_has_none() {
        let policy = Policy::default();
        let now = day(1, "10:00");
        let silent = SessionFacts { last_inbound_at: None, sent_since: 0 };
        let sms = policy.session_window(ChannelKind::Sms);
        assert_eq!(session_state(sms, None, TimeDelta::hours(2), now), SessionState::NotNeeded);
        assert_eq!(free_form_refusal(sms, silent, now), None);
        assert!(!SessionState::NotNeeded.is_open());
        let whatsapp = policy.session_window(ChannelKind::WhatsApp);
        let closed = SessionState::Closed { since: None };
        assert_eq!(session_state(whatsapp, None, TimeDelta::hours(2), now), closed);
        let refusal = free_form_refusal(whatsapp, silent, now);
        assert_eq!(refusal.map(FreeFormRefusal::as_str), Some("session_expired"));
    }

    #[test]
    fn sw_06_the_messages_of_a_window_are_used_up_before_it_closes() {
        let policy = Policy::default();
        let refused = |kind, sent_since, now| {
            let facts = SessionFacts { last_inbound_at: Some(day(1, "10:00")), sent_since };
            free_form_refusal(policy.session_window(kind), facts, now)
        };
        let used_up = Some(FreeFormRefusal::SessionMessagesUsedUp);
        let expired = Some(FreeFormRefusal::SessionExpired);
        assert_eq!(refused(ChannelKind::WeChat, 4, day(1, "11:00")), None);
        assert_eq!(refused(ChannelKind::WeChat, 5, day(1, "11:00")), used_up);
        assert_eq!(refused(ChannelKind::WeCom, 5, day(3, "10:00")), expired);
        assert_eq!(refused(ChannelKind::WhatsApp, 500, day(1, "11:00")), None);
    }

    const KINDS: [ChannelKind; 3] =
        [ChannelKind::WhatsApp, ChannelKind::WeCom, ChannelKind::WeChat];

    fn wrote_at() -> DateTime<Utc> {
        day(1, "10:00:00.250")
    }

    fn any_kind() -> impl Strategy<Value = ChannelKind> {
        prop::sample::select(KINDS.to_vec())
    }

    /// The default policy with other windows: of a millisecond to four days, with or without a limit of
    /// messages.
    fn any_policy() -> impl Strategy<Value = Policy> {
        let line = (1_i64..4 * 86_400_000, prop::option::of(0_u32..8));
        prop::collection::vec(line, KINDS.len()).prop_map(|lines| {
            let mut policy = Policy::default();
            for (kind, (window, messages)) in KINDS.into_iter().zip(lines) {
                let rule = policy.session_windows.iter_mut().find(|rule| rule.kind == kind);
                let rule = rule.expect("every kind with a window has its line");
                (rule.window, rule.messages) = (milliseconds(window), messages);
            }
            policy
        })
    }

    /// Open before closing soon before closed.
    fn rank(state: SessionState) -> u8 {
        match state {
            SessionState::NotNeeded | SessionState::Open { .. } => 0,
            SessionState::ClosingSoon { .. } => 1,
            SessionState::Closed { .. } => 2,
        }
    }

    proptest! {
        #[test]
        fn sw_01_cl_01_it_is_open_from_the_message_to_its_end_and_not_a_millisecond_longer(
            policy in any_policy(), kind in any_kind(), part in 0_i64..1_000, soon in 0_i64..10_000_000,
        ) {
            let rule = policy.session_window(kind).unwrap();
            let ends_at = wrote_at() + rule.window;
            let state = |now| session_state(Some(rule), Some(wrote_at()), milliseconds(soon), now);
            let between = milliseconds(rule.window.num_milliseconds() * part / 1_000);
            for now in [wrote_at(), wrote_at() + between, ends_at - milliseconds(1)] {
                prop_assert!(state(now).is_open());
                prop_assert_eq!(state(now).ends_at(), Some(ends_at));
            }
            for now in [ends_at, ends_at + milliseconds(1), ends_at + between] {
                prop_assert_eq!(state(now), SessionState::Closed { since: Some(ends_at) });
                prop_assert_eq!(state(now).ends_at(), None);
            }
        }

        #[test]
        fn sw_03_it_warns_with_less_than_the_threshold_left_and_a_warning_closes_nothing(
            policy in any_policy(), kind in any_kind(),
            (left, soon) in (1_i64..4 * 86_400_000).prop_flat_map(|left| {
                let soon = prop_oneof![left - 1..=left + 1, 0_i64..4 * 86_400_000];
                (Just(left), soon)
            }),
        ) {
            let rule = policy.session_window(kind).unwrap();
            let now = wrote_at() + rule.window - milliseconds(left);
            let state = session_state(Some(rule), Some(wrote_at()), milliseconds(soon), now);
            prop_assert!(state.is_open());
            let warns = matches!(state, SessionState::ClosingSoon { .. });
            prop_assert_eq!(warns, left < soon);
            let facts = SessionFacts { last_inbound_at: Some(wrote_at()), sent_since: 0 };
            let refused = free_form_refusal(Some(rule), facts, now);
            prop_assert_eq!(refused.is_some(), rule.messages == Some(0));
        }

        #[test]
        fn sw_01_a_later_message_only_opens_and_time_only_closes(
            policy in any_policy(), kind in any_kind(), soon in 0_i64..10_000_000,
            written in 0_i64..400_000_000, later in 0_i64..400_000_000, passed in 0_i64..800_000_000,
        ) {
            let rule = policy.session_window(kind);
            let state = |written, passed| {
                let (written, now) = (wrote_at() + milliseconds(written), wrote_at() + milliseconds(passed));
                session_state(rule, Some(written), milliseconds(soon), now)
            };
            prop_assert!(rank(state(written + later, passed)) <= rank(state(written, passed)));
            prop_assert!(rank(state(written, passed)) <= rank(state(written, passed + later)));
            let restarted = state(written + later, written + later);
            prop_assert!(restarted.is_open(), "a message opens it whatever was before");
        }

        #[test]
        fn sw_01_sw_06_no_other_channels_line_changes_a_window(
            policy in any_policy(), others in any_policy(), kind in any_kind(), sent_since in 0_u32..10,
            passed in 0_i64..800_000_000,
        ) {
            let mut changed = others;
            let own = policy.session_window(kind).unwrap();
            changed.session_windows.retain(|rule| rule.kind != kind);
            changed.session_windows.push(own.clone());
            let now = wrote_at() + milliseconds(passed);
            let facts = SessionFacts { last_inbound_at: Some(wrote_at()), sent_since };
            let answer = |policy: &Policy, kind| {
                let rule = policy.session_window(kind);
                let soon = TimeDelta::hours(2);
                (session_state(rule, facts.last_inbound_at, soon, now), free_form_refusal(rule, facts, now))
            };
            prop_assert_eq!(answer(&changed, kind), answer(&policy, kind));
            let free = (SessionState::NotNeeded, None);
            prop_assert_eq!(answer(&changed, ChannelKind::Sms), free);
            let expected_end = wrote_at() + own.window;
            prop_assert_eq!(answer(&changed, kind).0.is_open(), now < expected_end);
        }

        #[test]
        fn sw_04_sw_06_no_more_is_sent_than_the_messages_of_each_window(
            policy in any_policy(), kind in any_kind(),
            steps in prop::collection::vec((any::<bool>(), 0_i64..60_000_000), 1..60),
        ) {
            let rule = policy.session_window(kind).unwrap();
            let mut now = wrote_at();
            let mut facts = SessionFacts { last_inbound_at: None, sent_since: 0 };
            for (writes, wait) in steps {
                now += milliseconds(wait);
                if writes {
                    facts = SessionFacts { last_inbound_at: Some(now), sent_since: 0 };
                }
                let written_at = facts.last_inbound_at;
                let is_open = written_at.is_some_and(|at| at <= now && now < at + rule.window);
                // What is left is a count: it ends at zero, whatever was sent.
                let left = rule.messages.map(|most| most.checked_sub(facts.sent_since));
                let expected = match left {
                    _ if !is_open => Some(FreeFormRefusal::SessionExpired),
                    Some(None) => return Err(TestCaseError::fail("more was sent than allowed")),
                    Some(Some(0)) => Some(FreeFormRefusal::SessionMessagesUsedUp),
                    Some(Some(_)) | None => None,
                };
                let refusal = free_form_refusal(Some(rule), facts, now);
                prop_assert_eq!(refusal, expected);
                if refusal.is_none() {
                    facts.sent_since += 1;
                }
            }
        }
    }
}
