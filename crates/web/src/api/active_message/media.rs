//! Files behind the addresses of a send, looked at before admission is asked (AM-07).

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::{
    channel::{ChannelKind, MediaProblem},
    ids::UserId,
    template::MediaKind,
};

use crate::{
    api::{client::ApiClient, problem::ApiError},
    compose::MEDIA_HOLDS,
    desk::Desk,
    error::WebError,
    visit::Visit,
};

/// Files that cannot be sent, by the variable that names them.
pub type MediaProblems = BTreeMap<String, (MediaKind, MediaProblem)>;

/// The most files that are remembered.
const MOST_REMEMBERED: usize = 1_000;

/// Who asked for what: the platform, the kind of file, and its address.
type Look = (UserId, ChannelKind, MediaKind, String);

/// Files that were found good a short while ago, so that a send to many people fetches its picture once.
/// Nobody previews what a program sends, so nothing of a file is kept.
#[derive(Default)]
pub struct LookedAt(Mutex<HashMap<Look, DateTime<Utc>>>);

impl LookedAt {
    fn is_good(&self, look: &Look, now: DateTime<Utc>) -> bool {
        let good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        good.get(look).is_some_and(|at| now < *at + MEDIA_HOLDS)
    }

    /// Room is made by forgetting what is over, then whatever was looked at first.
    fn note_good(&self, look: Look, now: DateTime<Utc>) {
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if MOST_REMEMBERED <= good.len() {
            good.retain(|_, at| now < *at + MEDIA_HOLDS);
        }
        if MOST_REMEMBERED <= good.len() {
            let first = good.iter().min_by_key(|(_, at)| **at).map(|(look, _)| look.clone());
            first.map(|look| good.remove(&look));
        }
        good.insert(look, now);
    }
}

/// Whether the file at `url` may be sent as `kind` by `platform`.
///
/// # Errors
/// `Unavailable` when `platform` is not served here.
pub async fn look(
    desk: &Desk,
    client: &ApiClient,
    visit: &Visit,
    platform: ChannelKind,
    url: &str,
    kind: MediaKind,
) -> Result<Result<(), MediaProblem>, ApiError> {
    let look = (client.actor.id(), platform, kind, url.to_owned());
    if desk.looked_at.is_good(&look, visit.now) {
        return Ok(Ok(()));
    }
    let channel = desk.channels.get(&platform).ok_or(WebError::Unavailable)?;
    let found = channel.inspect_media(url, kind).await;
    if found.is_ok() {
        desk.looked_at.note_good(look, visit.now);
    }
    Ok(found.map(|_| ()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_good_file_is_remembered_for_a_while_and_never_more_than_some() {
        let (looked_at, now) = (LookedAt::default(), DateTime::UNIX_EPOCH);
        let look = |number: usize| {
            let url = format!("https://shop.example/{number}.png");
            (UserId(1), ChannelKind::WhatsApp, MediaKind::Image, url)
        };
        looked_at.note_good(look(0), now);
        let before = now + MEDIA_HOLDS - TimeDelta::milliseconds(1);
        assert!(looked_at.is_good(&look(0), before));
        assert!(!looked_at.is_good(&look(0), now + MEDIA_HOLDS));
        let of_another = (UserId(2), ChannelKind::WhatsApp, MediaKind::Image, look(0).3);
        assert!(!looked_at.is_good(&of_another, now));
        for number in 1..=MOST_REMEMBERED {
            looked_at.note_good(look(number), now + TimeDelta::milliseconds(1));
        }
        assert!(!looked_at.is_good(&look(0), before), "the first made room");
        assert!(looked_at.is_good(&look(MOST_REMEMBERED), before));
    }
}
