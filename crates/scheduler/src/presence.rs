//! The job that takes agents offline whose desk is gone, and hands out what need not wait
//! (RO-02, RO-04, RO-06).

use chrono::{DateTime, Utc};
use domain::policy::Policy;
use persistence::{presence, ticket};

use crate::job::{JobFuture, JobParts, JobReport};

/// Offline 90 s after the last live stream was lost, or 5 min after the last request where there is no
/// script. Then the tickets that wait though someone could serve them: a change of team or slots tells
/// nobody, and what was to be handed out when an agent came may have failed.
#[must_use]
pub fn go_offline(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let service = Policy::default_profile().service;
        let absent =
            parts.store.write(move |db| presence::turn_absent_offline(db, &service, now)).await?;
        let given = parts.store.write(move |db| ticket::hand_out_waiting(db, now)).await?;
        Ok(JobReport { rows: absent + given })
    })
}
