//! What the dispatcher does next with a message: after an attempt, without an outcome, out of time.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    channel::{Pause, PausedSends, RefusalClass, RetryScope, SendOutcome},
    delivery::Failure,
    ids::MessageId,
    policy::ActiveMessagePolicy,
};

/// Where a message stands with the dispatcher; pages show all of these as *sending* (LI-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxState {
    /// To be sent as soon as it is due.
    Queued,
    /// Not to be sent until its reason is gone.
    Held,
    /// In the hands of one worker until its lease ends.
    Leased,
    /// The request left and its outcome is not known.
    Unknown,
}

/// How soon a message is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The wait after the first attempt; it doubles with each.
    pub first: TimeDelta,
    /// The wait after the first attempt refused for one pair of number and contact.
    pub pair_first: TimeDelta,
    /// By what that wait is multiplied with each attempt.
    pub pair_factor: u32,
    /// The longest wait.
    pub longest: TimeDelta,
    /// After so many attempts a refusal that passes for others is final for the message.
    pub tries: u32,
}

/// A stretch in which a number sends nothing, because the platform told it to stop: half-open,
/// `[since, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Its beginning.
    pub since: DateTime<Utc>,
    /// From here on sending is tried again.
    pub until: DateTime<Utc>,
}

/// How long a first rest is.
const FIRST_REST: TimeDelta = TimeDelta::minutes(15);
/// The longest rest.
const LONGEST_REST: TimeDelta = TimeDelta::hours(4);
/// A rest that begins so soon after another goes on where that one ended.
const SAME_TROUBLE: TimeDelta = TimeDelta::hours(1);

impl Rest {
    /// The rest of a number that is told to stop at `now`, after the rest `earlier`: one under way stays as it
    /// is, and one that follows soon is twice as long, up to four hours.
    #[must_use]
    pub fn begin(earlier: Option<Self>, now: DateTime<Utc>) -> Self {
        match earlier {
            Some(earlier) if now < earlier.until => earlier,
            Some(earlier) if now - earlier.until < SAME_TROUBLE => {
                let length = (earlier.until - earlier.since) * 2;
                Self { since: now, until: now + length.clamp(FIRST_REST, LONGEST_REST) }
            }
            Some(_) | None => Self { since: now, until: now + FIRST_REST },
        }
    }
}

/// One attempt that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The message.
    pub message: MessageId,
    /// Attempts made, this one included.
    pub attempts: u32,
    /// From when (inclusive) the message is not sent any more; see [`out_of_time_at`].
    pub out_of_time_at: DateTime<Utc>,
}

/// What is done with a message after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum NextStep {
    /// The platform took it.
    Accepted {
        /// The platform's id of the message.
        provider_id: String,
    },
    /// It is tried again.
    Retry {
        /// Not before.
        at: DateTime<Utc>,
        /// Whose sends wait as long.
        scope: RetryScope,
    },
    /// It stays queued until its number may send again.
    Hold(HoldReason),
    /// It ends, for this reason; what the refusal means beyond the message its class says.
    Fail(Failure),
    /// It is parked and never repeated (LI-09).
    Park,
}

/// Why a number's messages are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldReason {
    /// The number must not send on.
    NumberPaused,
    /// The number must send no templates; answers go on.
    TemplatesPaused,
    /// Its credentials fail.
    CredentialsFailing,
}

/// What becomes of a claim whose worker has not told an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum UntoldClaim {
    /// The lease holds: hands off.
    StillLeased,
    /// Nothing left this machine: it is queued again.
    Queue,
    /// An attempt was started: its outcome is unknown since then.
    Unknown {
        /// The start of the attempt; the horizon runs from here.
        since: DateTime<Utc>,
    },
}

/// What is done after an attempt with `outcome`, told at `now`.
///
/// A wait never ends after the instant from which the message is not sent any more, so that it ends as
/// *not sent in time* then and not later.
///
/// Rules: LI-04, LI-09; the protocol's retry plan.
pub fn after_attempt(
    outcome: &SendOutcome,
    attempt: Attempt,
    back_off: BackOff,
    now: DateTime<Utc>,
) -> NextStep {
    let retry = |least: Option<std::time::Duration>, scope: RetryScope| NextStep::Retry {
        at: retry_at(attempt, scope, least, back_off, now),
        scope,
    };
    let (refusal, class) = match outcome {
        SendOutcome::Accepted { provider_id } => {
            return NextStep::Accepted { provider_id: provider_id.clone() };
        }
        SendOutcome::NotSent { .. } => return retry(None, RetryScope::Message),
        SendOutcome::Unknown { .. } => return NextStep::Park,
        SendOutcome::Refused { refusal, class } => (refusal, class),
    };
    match class {
        RefusalClass::Retry { scope: RetryScope::Message, .. }
            if back_off.tries <= attempt.attempts =>
        {
            NextStep::Fail(Failure::Coded(refusal.code.clone()))
        }
        RefusalClass::Retry { after, scope } => retry(*after, *scope),
        RefusalClass::Fail
        | RefusalClass::FailAlert
        | RefusalClass::FailContact
        | RefusalClass::FailOptedOut
        | RefusalClass::PauseTemplate => NextStep::Fail(Failure::Coded(refusal.code.clone())),
        RefusalClass::Pause(Pause { sends: PausedSends::All, .. }) => {
            NextStep::Hold(HoldReason::NumberPaused)
        }
        RefusalClass::Pause(Pause { sends: PausedSends::Templates, .. }) => {
            NextStep::Hold(HoldReason::TemplatesPaused)
        }
        RefusalClass::CredentialsFail => NextStep::Hold(HoldReason::CredentialsFailing),
    }
}

/// What becomes of a claim leased until `lease_until` (exclusive) without an outcome: leased on, queued
/// again when no attempt was started, else unknown and not repeated.
///
/// Rule: LI-09.
pub fn untold_claim(
    lease_until: DateTime<Utc>,
    attempt_started_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> UntoldClaim {
    if now < lease_until {
        return UntoldClaim::StillLeased;
    }
    attempt_started_at.map_or(UntoldClaim::Queue, |since| UntoldClaim::Unknown { since })
}

/// When an outcome unknown since `since` ends as [`Failure::OutcomeUnknown`] unless a receipt settles it
/// before (LI-09). Inclusive.
#[must_use]
pub fn unknown_until(since: DateTime<Utc>, policy: &ActiveMessagePolicy) -> DateTime<Utc> {
    since + policy.unknown_outcome_wait
}

/// From when (inclusive) an active message that no worker has is never sent any more, and ends as
/// [`Failure::NotSentInTime`] (LI-04).
#[must_use]
pub fn out_of_time_at(triggered_at: DateTime<Utc>, policy: &ActiveMessagePolicy) -> DateTime<Utc> {
    triggered_at + policy.send_deadline
}

/// Whether an attempt under a lease that ends at `lease_until` may be started: the lease must be over
/// when the message is out of time, so that none is on its way when the message is called not sent.
#[must_use]
pub fn may_start_attempt(out_of_time_at: DateTime<Utc>, lease_until: DateTime<Utc>) -> bool {
    lease_until <= out_of_time_at
}

fn retry_at(
    attempt: Attempt,
    scope: RetryScope,
    least: Option<std::time::Duration>,
    back_off: BackOff,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let earlier = attempt.attempts.saturating_sub(1);
    let (first, factor) = match scope {
        RetryScope::Message | RetryScope::Number => (back_off.first, 2_i64),
        RetryScope::Pair => (back_off.pair_first, i64::from(back_off.pair_factor)),
    };
    let wait = first.num_milliseconds().saturating_mul(factor.saturating_pow(earlier));
    let wait = wait.min(back_off.longest.num_milliseconds());
    let jitter = (wait / 1000).saturating_mul(jitter_thousandths(attempt));
    let least = least.map_or(0, |least| i64::try_from(least.as_millis()).unwrap_or(i64::MAX));
    let wait = wait.saturating_add(jitter).max(least);
    TimeDelta::try_milliseconds(wait)
        .and_then(|wait| now.checked_add_signed(wait))
        .map_or(attempt.out_of_time_at, |at| at.min(attempt.out_of_time_at.max(now)))
}

/// 0 to 249 thousandths on top of a wait, so that many messages refused together do not come back
/// together. It depends on the message and the attempt alone (SplitMix64's last step).
fn jitter_thousandths(attempt: Attempt) -> i64 {
    let mut bits = attempt.message.0.unsigned_abs().wrapping_add(1);
    bits = bits.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(attempt.attempts));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) % 250) as i64
}

impl OutboxState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Held, Self::Leased, Self::Unknown];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Leased => "leased",
            Self::Unknown => "unknown",
        }
    }

    /// The state stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 3] =
        [Self::NumberPaused, Self::TemplatesPaused, Self::CredentialsFailing];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NumberPaused => "number_paused",
            Self::TemplatesPaused => "templates_paused",
            Self::CredentialsFailing => "credentials_failing",
        }
    }

    /// The reason stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl Default for BackOff {
    /// 131056 asks for 4^x seconds, and for a handful of tries where the platform has trouble of its own; ten
    /// tries take a quarter of an hour. The other waits are ours.
    fn default() -> Self {
        Self {
            first: TimeDelta::seconds(2),
            pair_first: TimeDelta::seconds(1),
            pair_factor: 4,
            longest: TimeDelta::minutes(15),
            tries: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        calendar::{day, milliseconds},
        channel::{PauseScope, PlatformRefusal},
        policy::Policy,
    };

    fn attempt(attempts: u32) -> Attempt {
        Attempt { message: MessageId(7), attempts, out_of_time_at: day(2, "10:00") }
    }

    fn refused(class: RefusalClass) -> SendOutcome {
        let refusal = PlatformRefusal { code: "131026".to_owned(), title: String::new() };
        SendOutcome::Refused { refusal, class }
    }

    fn pause(sends: PausedSends) -> RefusalClass {
        RefusalClass::Pause(Pause { scope: PauseScope::Account, sends })
    }

    fn step(outcome: &SendOutcome, attempts: u32, now: DateTime<Utc>) -> NextStep {
        after_attempt(outcome, attempt(attempts), BackOff::default(), now)
    }

    /// The wait before the next try, after as many attempts.
    fn wait(class: RefusalClass, attempts: u32) -> TimeDelta {
        let now = day(1, "10:00");
        let NextStep::Retry { at, .. } = step(&refused(class), attempts, now) else {
            panic!("not tried again");
        };
        at - now
    }

    #[test]
    fn every_outcome_has_its_step() {
        let fails = || NextStep::Fail(Failure::Coded("131026".to_owned()));
        let cases = [
            (refused(RefusalClass::Fail), fails()),
            (refused(RefusalClass::FailContact), fails()),
            (refused(RefusalClass::FailOptedOut), fails()),
            (refused(RefusalClass::PauseTemplate), fails()),
            (refused(RefusalClass::FailAlert), fails()),
            (refused(pause(PausedSends::All)), NextStep::Hold(HoldReason::NumberPaused)),
            (refused(pause(PausedSends::Templates)), NextStep::Hold(HoldReason::TemplatesPaused)),
            (
                refused(RefusalClass::CredentialsFail),
                NextStep::Hold(HoldReason::CredentialsFailing),
            ),
            (SendOutcome::Unknown { reason: "timeout".to_owned() }, NextStep::Park),
            (
                SendOutcome::Accepted { provider_id: "wamid.1".to_owned() },
                NextStep::Accepted { provider_id: "wamid.1".to_owned() },
            ),
        ];
        for (outcome, expected) in cases {
            assert_eq!(step(&outcome, 1, day(1, "10:00")), expected, "{outcome:?}");
        }
        let not_sent = SendOutcome::NotSent { reason: "refused connection".to_owned() };
        let NextStep::Retry { scope, .. } = step(&not_sent, 1, day(1, "10:00")) else {
            panic!("not tried again");
        };
        assert_eq!(scope, RetryScope::Message);
    }

    #[test]
    fn waits_grow_to_their_longest_with_up_to_a_quarter_on_top() {
        let message = RefusalClass::Retry { after: None, scope: RetryScope::Message };
        let pair = RefusalClass::Retry { after: None, scope: RetryScope::Pair };
        let cases = [
            (message, 1, 2),
            (message, 2, 4),
            (message, 5, 32),
            (message, 9, 512),
            (pair, 1, 1),
            (pair, 2, 4),
            (pair, 3, 16),
            (pair, 4, 64),
            (pair, 5, 256),
            (pair, 6, 900),
        ];
        for (class, attempts, seconds) in cases {
            let least = TimeDelta::seconds(seconds);
            let waited = wait(class, attempts);
            assert!(least <= waited && waited < least * 5 / 4, "{class:?} {attempts}: {waited}");
            assert_eq!(waited, wait(class, attempts), "the same each time");
        }
        let asked = Some(Duration::from_secs(3600));
        let told = RefusalClass::Retry { after: asked, scope: RetryScope::Number };
        assert_eq!(wait(told, 1), TimeDelta::hours(1));
        let for_ever =
            RefusalClass::Retry { after: Some(Duration::MAX), scope: RetryScope::Number };
        assert_eq!(wait(for_ever, 1), TimeDelta::hours(24));
    }

    #[test]
    fn the_platforms_own_trouble_is_tried_a_handful_of_times_and_a_rate_until_the_day_is_over() {
        let now = day(1, "10:00");
        let of = |scope| refused(RefusalClass::Retry { after: None, scope });
        for (attempts, is_final) in [(9, false), (10, true), (11, true)] {
            let step = step(&of(RetryScope::Message), attempts, now);
            assert_eq!(matches!(step, NextStep::Fail(_)), is_final, "{attempts}: {step:?}");
        }
        for scope in [RetryScope::Pair, RetryScope::Number] {
            assert!(matches!(step(&of(scope), 200, now), NextStep::Retry { .. }), "{scope:?}");
        }
        let not_sent = SendOutcome::NotSent { reason: "refused connection".to_owned() };
        assert!(matches!(step(&not_sent, 200, now), NextStep::Retry { .. }));
    }

    #[test]
    fn a_number_that_is_told_to_stop_again_rests_longer() {
        let now = day(1, "10:00");
        let first = Rest::begin(None, now);
        assert_eq!(first, Rest { since: now, until: day(1, "10:15") });
        let before = first.until - milliseconds(1);
        assert_eq!(Rest::begin(Some(first), before), first, "one under way stays as it is");
        let cases = [
            ("at once", "10:15", "10:45"),
            ("soon", "11:14", "11:44"),
            ("an hour later", "11:15", "11:30"),
        ];
        for (case, at, until) in cases {
            let rest = Rest::begin(Some(first), day(1, at));
            assert_eq!(rest, Rest { since: day(1, at), until: day(1, until) }, "{case}");
        }
        let mut rest = first;
        for _ in 0..9 {
            rest = Rest::begin(Some(rest), rest.until);
        }
        assert_eq!(rest.until - rest.since, TimeDelta::hours(4));
    }

    #[test]
    fn li_09_a_claim_without_an_outcome_is_never_blindly_repeated() {
        let (until, started) = (day(1, "10:01"), day(1, "10:00:01"));
        let before = until - milliseconds(1);
        let unknown = UntoldClaim::Unknown { since: started };
        let cases = [
            ("leased, not started", None, before, UntoldClaim::StillLeased),
            ("leased, started", Some(started), before, UntoldClaim::StillLeased),
            ("over, nothing left", None, until, UntoldClaim::Queue),
            ("over, a request left", Some(started), until, unknown),
        ];
        for (case, started, now, expected) in cases {
            assert_eq!(untold_claim(until, started, now), expected, "{case}");
        }
        let policy = Policy::default().active_messages;
        assert_eq!(unknown_until(started, &policy), day(1, "10:10:01"));
    }

    #[test]
    fn li_04_nothing_is_on_its_way_when_a_message_is_out_of_time() {
        let out_of_time_at = out_of_time_at(day(1, "10:00"), &Policy::default().active_messages);
        assert_eq!(out_of_time_at, day(2, "10:00"));
        assert!(may_start_attempt(out_of_time_at, day(2, "10:00")));
        assert!(!may_start_attempt(out_of_time_at, day(2, "10:00:00.001")));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_in_the_past_and_never_beyond_the_end(
            message in any::<i64>(), attempts in any::<u32>(), after in any::<Option<u64>>(),
            pair in any::<bool>(), seconds in 0_i64..24 * 3600,
        ) {
            let scope = if pair { RetryScope::Pair } else { RetryScope::Number };
            let outcome =
                refused(RefusalClass::Retry { after: after.map(Duration::from_millis), scope });
            let attempt = Attempt { message: MessageId(message), ..attempt(attempts) };
            let now = day(1, "10:00") + TimeDelta::seconds(seconds);
            let NextStep::Retry { at, .. } =
                after_attempt(&outcome, attempt, BackOff::default(), now)
            else {
                panic!("not tried again");
            };
            prop_assert!(now <= at && at <= attempt.out_of_time_at);
        }
    }
}
