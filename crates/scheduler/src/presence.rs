//! The job that takes agents offline whose desk is gone (RO-06).

use chrono::{DateTime, Utc};
use domain::policy::Policy;
use persistence::presence;

use crate::job::{JobFuture, JobParts, JobReport};

/// Offline 90 s after the last live stream was lost, or 5 min after the last request where there is no
/// script.
#[must_use]
pub fn go_offline(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let service = Policy::default_profile().service;
        let rows =
            parts.store.write(move |db| presence::turn_absent_offline(db, &service, now)).await?;
        Ok(JobReport { rows })
    })
}
