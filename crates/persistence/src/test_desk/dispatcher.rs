//! The desk's dispatcher, step by step, with the platform's answers as a test wants them.

use chrono::TimeDelta;
use domain::{
    channel::SendOutcome, clock::Clock, dispatch::BackOff, ids::MessageId, policy::Policy,
};

use super::TestDesk;
use crate::outbox::{self, Claim, ClaimRequest, DispatchPolicy, Recorded};

/// How the desk's dispatcher works: leases of a minute, all else by the default profile.
#[must_use]
pub fn dispatch_policy() -> DispatchPolicy {
    DispatchPolicy {
        back_off: BackOff::default(),
        lease: TimeDelta::seconds(60),
        active_messages: Policy::default_profile().active_messages,
    }
}

/// The platform took it, under this id.
pub fn accepted(provider_id: &str) -> SendOutcome {
    SendOutcome::Accepted { provider_id: provider_id.to_owned() }
}

impl TestDesk {
    /// Claims what is due now, at most `share`; no pair has to wait.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn claim(&self, share: usize) -> Vec<Claim> {
        let (policy, now) = (dispatch_policy(), self.clock.now());
        let mut never = |_, _| None;
        let mut request = ClaimRequest {
            shares: &[(self.channel, share)],
            token: "test",
            policy: &policy,
            pair_wait: &mut never,
        };
        self.store.blocking_write(|db| outbox::claim(db, &mut request, now)).expect("claims").claims
    }

    /// Records what became of `claim`, now.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn record(&self, claim: &Claim, outcome: &SendOutcome) -> Recorded {
        let now = self.clock.now();
        let one = std::iter::once((claim, outcome));
        let recorded = self
            .store
            .blocking_write(|db| outbox::record_outcomes(db, one, &dispatch_policy(), now))
            .expect("a record");
        recorded.into_iter().next().expect("one")
    }

    /// Sends `message`, which is due, and has the platform accept it under `provider_id`, now.
    ///
    /// # Panics
    /// When it is not due, or the database refuses.
    pub fn deliver_to_platform(&self, message: MessageId, provider_id: &str) {
        let claims = self.claim(10);
        let claim = claims.iter().find(|claim| claim.outgoing.id == message).expect("a claim");
        let recorded = self.record(claim, &accepted(provider_id));
        assert!(matches!(recorded, Recorded::Done(_)), "{recorded:?}");
    }
}
