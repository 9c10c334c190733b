//! The transactions of a send with no network between them: admitted one by one, claimed and recorded as many as
//! the dispatcher does.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{channel::SendOutcome, dispatch::BackOff, policy::Policy};
use persistence::{
    admission::{self, Outcome},
    outbox::{self, ClaimRequest, DispatchPolicy},
    store::Store,
};

use super::{CONNECTIONS, desk::Desk};
use crate::{
    BenchError,
    clock::{self, MachineClock},
};

/// Sends a second through the transactions alone, for so long.
///
/// # Errors
/// When a send is not admitted, or the database refuses.
pub fn rate(store: &Store, desk: &Desk, lasting: Duration) -> Result<f64, BenchError> {
    let policy = DispatchPolicy {
        back_off: BackOff::default(),
        lease: TimeDelta::seconds(60),
        active_messages: Policy::default_profile().active_messages,
    };
    let begun = Instant::now();
    let mut sent = 0;
    while begun.elapsed() < lasting {
        for _ in 0..CONNECTIONS {
            admit(store, desk, sent)?;
            sent += 1;
        }
        store.blocking_write(|db| {
            let mut request = ClaimRequest {
                shares: &[(desk.channel, CONNECTIONS)],
                token: "raw",
                policy: &policy,
                pair_wait: &mut |_, _| None,
            };
            let claimed = outbox::claim(db, &mut request, clock::now())?;
            let outcomes: Vec<_> = claimed
                .claims
                .iter()
                .map(|claim| SendOutcome::Accepted {
                    provider_id: format!("raw.{}", claim.outgoing.id),
                })
                .collect();
            outbox::record_outcomes(db, claimed.claims.iter().zip(&outcomes), &policy, clock::now())
        })?;
    }
    Ok(f64::from(sent) / begun.elapsed().as_secs_f64())
}

fn admit(store: &Store, desk: &Desk, turn: u32) -> Result<(), BenchError> {
    let draft = desk.draft(turn)?;
    let outcome = store
        .blocking_write(|db| admission::admit_and_queue(db, &desk.agent, &draft, &MachineClock))?;
    match outcome {
        Outcome::Queued(_) => Ok(()),
        other => Err(BenchError::Broken(format!("not admitted: {other:?}"))),
    }
}
