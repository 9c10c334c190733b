//! `/events`: what changed, by id, to the pages that show it. A page then fetches its fragments anew.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ContentEncoding},
    web::{self, Bytes, Data, ServiceConfig},
};
use chrono::{DateTime, Utc};
use domain::ids::UserId;
use futures_util::{Stream, stream};
use persistence::{
    conversation::ConversationId,
    live::{LiveEvent, LiveKind},
    presence, session,
    user::Actor,
};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    desk::Desk,
    error::WebError,
    page::json_instant,
    session::{SignedIn, cookie_token},
};

/// Keeps proxies from closing a quiet stream, and tells presence that it is open still.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// What presence is told of all streams of this process is not told again for so long: shorter than a
/// heartbeat, so that a single stream tells it with each.
const RENEWED_FOR: Duration = Duration::from_secs(15);

/// How often a stream asks whether its session still holds, and what its user may see (C12: within 5 s).
const RECHECK: Duration = Duration::from_secs(4);
const _: () = assert!(RECHECK.as_millis() < 5_000, "C12");

/// The event stream.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events").get(stream_events));
}

/// The streams that are open in this process. A user's first and last are told to presence, and every few
/// seconds that all of them are open still (RO-06).
#[derive(Default)]
pub struct OpenStreams(Mutex<Streams>);

#[derive(Default)]
struct Streams {
    of_user: HashMap<UserId, usize>,
    /// By the monotonic clock; `None` before the first time.
    renewed_at: Option<Duration>,
}

impl OpenStreams {
    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a stream; whether it is the user's first.
    fn add(&self, user: UserId) -> bool {
        let mut streams = self.lock();
        let count = streams.of_user.entry(user).or_default();
        *count += 1;
        *count == 1
    }

    /// Uncounts a stream; whether it was the user's last.
    fn remove(&self, user: UserId) -> bool {
        let mut streams = self.lock();
        let left = streams.of_user.get(&user).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            streams.of_user.remove(&user);
        } else {
            streams.of_user.insert(user, left);
        }
        left == 0
    }

    fn users(&self) -> Vec<UserId> {
        self.lock().of_user.keys().copied().collect()
    }

    /// Whether it falls to the caller to renew all streams now: one of them does it for all.
    fn take_renewal(&self, monotonic: Duration) -> bool {
        let mut streams = self.lock();
        let is_due = streams.renewed_at.is_none_or(|at| at + RENEWED_FOR <= monotonic);
        if is_due {
            streams.renewed_at = Some(monotonic);
        }
        is_due
    }
}

/// One page's stream.
struct LivePage {
    desk: Data<Desk>,
    actor: Actor,
    token: String,
    changes: Receiver<LiveEvent>,
    heartbeat: Interval,
    recheck: Interval,
    stopping: CancellationToken,
    _presence: StreamPresence,
}

async fn stream_events(
    desk: Data<Desk>,
    request: HttpRequest,
    user: SignedIn,
) -> Result<HttpResponse, WebError> {
    let token = cookie_token(&request, desk.settings.is_https()).ok_or(WebError::SignInNeeded)?;
    let page = LivePage {
        changes: desk.live.subscribe(),
        actor: user.actor.clone(),
        token,
        heartbeat: every(HEARTBEAT),
        recheck: every(RECHECK),
        stopping: desk.stopping.clone(),
        _presence: StreamPresence::open(&desk, user.actor.id()).await?,
        desk: desk.clone(),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(ContentEncoding::Identity)
        .streaming(page.into_stream()))
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

impl LivePage {
    /// Frames, until the process stops or the session has ended.
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let opening = Bytes::from_static(b"retry: 2000\n\n");
        stream::unfold((self, Some(opening)), |(mut page, opening)| async move {
            let frame = match opening {
                Some(frame) => frame,
                None => page.next_frame().await?,
            };
            Some((Ok(frame), (page, None)))
        })
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return None,
                change = self.changes.recv() => match change {
                    Ok(event) if self.may_know(&event) => {
                        if event.kind == LiveKind::Resync {
                            // Whoever said so may have ended this very session (C12).
                            self.actor = self.still_signed_in().await?;
                        }
                        if event.kind == LiveKind::Clock {
                            // By the clock's new reading every stream has long been silent.
                            renew_streams(&self.desk);
                        }
                        return Some(frames(&event, self.desk.clock.now()));
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(resync()),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.heartbeat.tick() => {
                    renew_streams(&self.desk);
                    return Some(Bytes::from_static(b": beat\n\n"));
                }
                _ = self.recheck.tick() => self.actor = self.still_signed_in().await?,
            }
        }
    }

    /// The user as of now; `None` once the session has ended.
    async fn still_signed_in(&self) -> Option<Actor> {
        let (token, policy) = (self.token.clone(), self.desk.settings.sessions);
        let now = self.desk.clock.now();
        let found =
            self.desk.store.read(move |db| session::find_signed_in(db, &token, policy, now)).await;
        match found {
            Ok(signed_in) => signed_in.map(|it| it.actor),
            Err(error) => {
                // Not known to hold: the page comes again and is judged as any request.
                warn!("closing an event stream whose session cannot be read: {error}");
                None
            }
        }
    }

    /// Whether the user may know of a change: of their chatbots, and meant for them or for all.
    fn may_know(&self, event: &LiveEvent) -> bool {
        let is_meant = event.user.is_none_or(|user| user == self.actor.id());
        let is_theirs = event.chatbot.is_none_or(|chatbot| self.actor.is_in_team(chatbot));
        let is_open = match event.kind {
            LiveKind::Job => self.actor.opens_portal(),
            LiveKind::Arrival
            | LiveKind::Message
            | LiveKind::Seen
            | LiveKind::Ticket
            | LiveKind::ActiveMessage
            | LiveKind::Presence
            | LiveKind::Settings
            | LiveKind::Template
            | LiveKind::Number
            | LiveKind::Clock
            | LiveKind::Resync => true,
        };
        is_meant && is_theirs && is_open
    }
}

fn resync() -> Bytes {
    Bytes::from_static(b"event: resync\ndata: {}\n\n")
}

/// A change under the names that pages listen to (`static/js/live.js`). The first of them carries the
/// conversation, so that only its row, its thread and what stands beside it are fetched anew. `gate` may
/// change the verdict on every contact; `counts` only what a number has used up, which waits its turn.
fn frames(event: &LiveEvent, now: DateTime<Utc>) -> Bytes {
    let names: &[&str] = match event.kind {
        LiveKind::Arrival => &["arrival"],
        LiveKind::Message => &["message"],
        LiveKind::Seen => &["seen"],
        LiveKind::Ticket if event.contact.is_some() => &["conversation", "conversations"],
        LiveKind::Ticket => &["conversation", "conversations", "gate"],
        // Several that left the tab, or whose contacts may be written to again.
        LiveKind::ActiveMessage if event.contact.is_none() => {
            &["active-messages", "conversations", "gate"]
        }
        // A new send of one's own: the list changes, not one row of it.
        LiveKind::ActiveMessage if event.user.is_some() => {
            &["active-messages", "conversations", "counts"]
        }
        LiveKind::ActiveMessage => &["active-messages", "counts"],
        LiveKind::Presence => &["presence"],
        LiveKind::Settings | LiveKind::Template => &["gate"],
        LiveKind::Number => &["number", "gate"],
        LiveKind::Job => &["jobs"],
        LiveKind::Clock => {
            let data = json!({ "now": json_instant(now) });
            return Bytes::from(format!("event: clock\ndata: {data}\n\n"));
        }
        LiveKind::Resync => return resync(),
    };
    let plain = json!({ "id": event.id });
    let told = match (event.chatbot, event.contact) {
        (Some(chatbot), Some(contact)) => {
            let conversation = ConversationId { chatbot, contact }.to_string();
            json!({ "id": event.id, "conversation": conversation })
        }
        _ => plain.clone(),
    };
    let frame = |name: &str, data: &Value| format!("event: {name}\ndata: {data}\n\n");
    let others = names.iter().skip(1).map(|name| frame(name, &plain));
    names.iter().take(1).map(|name| frame(name, &told)).chain(others).collect::<String>().into()
}

/// Tells presence that the streams of this process are open, unless it was told a moment ago.
fn renew_streams(desk: &Data<Desk>) {
    if !desk.open_streams.take_renewal(desk.clock.monotonic()) {
        return;
    }
    let desk = desk.clone();
    actix_web::rt::spawn(async move {
        let streams = desk.clone();
        let told = desk.store.write(move |db| {
            // Read on the way into the database: a stream that ends from here on says so after this.
            let (users, now) = (streams.open_streams.users(), streams.clock.now());
            presence::renew_streams(db, &users, now)
        });
        if let Err(error) = told.await {
            warn!("cannot tell that the streams of this process are open: {error}");
        }
    });
}

/// Says while it lives that the user's desk is there (RO-06).
struct StreamPresence {
    desk: Data<Desk>,
    user: UserId,
}

impl StreamPresence {
    async fn open(desk: &Data<Desk>, user: UserId) -> Result<Self, WebError> {
        let is_first = desk.open_streams.add(user);
        let presence = Self { desk: desk.clone(), user };
        if is_first {
            let now = desk.clock.now();
            desk.store.write(move |db| presence::stream_opened(db, user, now)).await?;
        }
        Ok(presence)
    }
}

impl Drop for StreamPresence {
    fn drop(&mut self) {
        if !self.desk.open_streams.remove(self.user) {
            return;
        }
        let (store, user, now) = (self.desk.store.clone(), self.user, self.desk.clock.now());
        actix_web::rt::spawn(async move {
            let told = store.write(move |db| presence::stream_lost(db, user, now)).await;
            if let Err(error) = told {
                warn!(user.id = %user, "cannot note the lost stream of user {user}: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ChatbotId, ContactId};

    use super::*;

    #[test]
    fn the_first_and_the_last_stream_of_a_user_are_told_apart() {
        let (open, ana, rui) = (OpenStreams::default(), UserId(1), UserId(2));
        assert!(open.add(ana) && !open.add(ana) && open.add(rui));
        assert_eq!(open.users().len(), 2);
        assert!(!open.remove(ana) && open.remove(ana));
        assert_eq!(open.users(), [rui]);
    }

    #[test]
    fn one_stream_renews_all_and_the_next_waits_its_time() {
        let open = OpenStreams::default();
        let at = Duration::from_secs;
        let taken: Vec<bool> =
            [3, 3, 17, 18, 20, 33, 90_000].map(|now| open.take_renewal(at(now))).into();
        assert_eq!(taken, [true, false, false, true, false, true, true]);
        assert!(RENEWED_FOR < HEARTBEAT, "a single stream renews with each beat");
    }

    #[test]
    fn a_change_names_its_conversation_once_so_that_only_its_row_and_thread_are_fetched() {
        let now = DateTime::from_timestamp_millis(1_795_366_920_000).unwrap_or_default();
        let told = |kind, user| {
            let event = LiveEvent::of_contact(kind, ChatbotId(1), ContactId(42), 7);
            String::from_utf8_lossy(&frames(&LiveEvent { user, ..event }, now)).into_owned()
        };
        let first =
            |name: &str| format!("event: {name}\ndata: {{\"conversation\":\"1-42\",\"id\":7}}\n\n");
        let plain = |name: &str| format!("event: {name}\ndata: {{\"id\":7}}\n\n");
        assert_eq!(told(LiveKind::Arrival, None), first("arrival"));
        assert_eq!(told(LiveKind::Message, None), first("message"), "the list stays");
        assert_eq!(told(LiveKind::Seen, None), first("seen"));
        let list_too = first("conversation") + &plain("conversations");
        assert_eq!(told(LiveKind::Ticket, None), list_too, "no panel of another contact");
        let of_another = first("active-messages") + &plain("counts");
        assert_eq!(told(LiveKind::ActiveMessage, None), of_another);
        let own = first("active-messages") + &plain("conversations") + &plain("counts");
        assert_eq!(told(LiveKind::ActiveMessage, Some(UserId(3))), own);
    }

    #[test]
    fn what_concerns_every_contact_of_a_chatbot_is_told_to_every_panel() {
        let now = DateTime::from_timestamp_millis(1_795_366_920_000).unwrap_or_default();
        for kind in [LiveKind::ActiveMessage, LiveKind::Settings, LiveKind::Number] {
            let event = LiveEvent { chatbot: Some(ChatbotId(1)), ..LiveEvent::of_all(kind, 0) };
            let told = String::from_utf8_lossy(&frames(&event, now)).into_owned();
            assert!(told.contains("event: gate\n"), "{kind:?}: {told}");
        }
    }
}
