//! `/events`: what changed, by id, to the pages that show it. A page then fetches its fragments anew.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, PoisonError},
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
    live::{LiveEvent, LiveKind},
    presence, session,
    user::Actor,
};
use serde_json::json;
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

/// Keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How often a stream asks whether its session still holds, and what its user may see (C12: within 5 s).
const RECHECK: Duration = Duration::from_secs(4);

/// The event stream.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/events").get(stream_events));
}

/// How many streams each user has open in this process; the first and the last are told to presence.
#[derive(Default)]
pub struct OpenStreams(Mutex<HashMap<UserId, usize>>);

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
                        return Some(frames(&event, self.desk.clock.now()));
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(resync()),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(b": beat\n\n")),
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
            LiveKind::Message
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

/// A change under the names that pages listen to (`static/js/live.js`).
fn frames(event: &LiveEvent, now: DateTime<Utc>) -> Bytes {
    let names: &[&str] = match event.kind {
        LiveKind::Message => &["message", "conversations"],
        LiveKind::Ticket => &["conversation", "conversations", "gate"],
        LiveKind::ActiveMessage => &["active-messages", "gate"],
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
    let data = json!({ "id": event.id });
    names.iter().map(|name| format!("event: {name}\ndata: {data}\n\n")).collect::<String>().into()
}

/// Says while it lives that the user's desk is there (RO-06).
struct StreamPresence {
    desk: Data<Desk>,
    user: UserId,
}

impl StreamPresence {
    async fn open(desk: &Data<Desk>, user: UserId) -> Result<Self, WebError> {
        let is_first = {
            let mut open = desk.open_streams.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(user).or_default();
            *count += 1;
            *count == 1
        };
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
        let is_last = {
            let mut open = self.desk.open_streams.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.get(&self.user).copied().unwrap_or(1);
            if count <= 1 {
                open.remove(&self.user);
            } else {
                open.insert(self.user, count - 1);
            }
            count <= 1
        };
        if !is_last {
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
