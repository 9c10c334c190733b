//! Webhooks of the platforms: verified over the raw bytes, durable before they are answered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CONTENT_LENGTH,
    web::{self, Bytes, Data, Path, Payload, Query, ServiceConfig},
};
use domain::{
    channel::{ChannelAccess, ChannelKind},
    ids::ChannelId,
};
use metrics::{counter, histogram};
use persistence::{channel, seldom::Seldom};
use serde::{Deserialize, de::IgnoredAny};
use subtle::ConstantTimeEq;
use tracing::{info, warn};

use crate::{desk::Desk, error::WebError};

/// Most bytes of one webhook.
pub const WEBHOOK_LIMIT: usize = 4 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// How long what a channel is verified by is kept: a changed secret holds after it.
const ACCESS_KEPT: Duration = Duration::from_secs(5);

const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// What webhooks are verified by, kept so that a busy hour does not ask the database for each.
#[derive(Default)]
pub struct KnownChannels(Mutex<HashMap<ChannelId, (Instant, Arc<KnownChannel>)>>);

struct KnownChannel {
    kind: ChannelKind,
    access: ChannelAccess,
}

/// The platforms' webhooks.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/webhooks/whatsapp/{channel}").get(answer_handshake).post(receive_whatsapp),
    );
}

/// What WhatsApp asks before it trusts the address.
#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

/// Echoes the challenge to whoever knows the token (C4).
async fn answer_handshake(
    desk: Data<Desk>,
    path: Path<i64>,
    handshake: Query<Handshake>,
) -> Result<HttpResponse, WebError> {
    let id = ChannelId(path.into_inner());
    let known = find(&desk, id, ChannelKind::WhatsApp).await?;
    let expected = known.access.verify_token.as_bytes();
    let fits: bool = expected.ct_eq(handshake.verify_token.as_bytes()).into();
    if handshake.mode != "subscribe" || expected.is_empty() || !fits {
        counter!("janela_webhook_rejected_total", "cause" => "handshake").increment(1);
        return Err(WebError::Forbidden);
    }
    let now = desk.clock.now();
    desk.store.write(move |db| channel::mark_webhook_verified(db, id, now)).await?;
    info!(channel.id = %id, "verified the webhook of channel {id}");
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(handshake.challenge.clone()))
}

/// Takes a webhook in: 200 only once it is on disk.
async fn receive_whatsapp(
    desk: Data<Desk>,
    request: HttpRequest,
    path: Path<i64>,
    payload: Payload,
) -> Result<HttpResponse, WebError> {
    let began = desk.clock.monotonic();
    let id = ChannelId(path.into_inner());
    let body = read_body(&request, payload).await.inspect_err(|error| reject(error.code()))?;
    let known = find(&desk, id, ChannelKind::WhatsApp).await?;
    let channel = desk.channels.get(&known.kind).ok_or(WebError::NotFound)?;
    let signature = request.headers().get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    if channel.verify(&known.access, signature, &body).is_err() {
        reject("signature");
        warn!(channel.id = %id, "turned away a webhook with a bad signature for channel {id}");
        return Err(WebError::BadSignature);
    }
    if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        reject("json");
        warn!(channel.id = %id, "turned away a webhook that is no JSON for channel {id}");
        return Err(WebError::BadRequest);
    }
    let appended = desk.inbox.append(id, desk.clock.now(), body.into());
    let durable = match appended {
        Ok(appended) => appended.durable().await,
        Err(error) => Err(error),
    };
    durable.map_err(|error| {
        static TOLD: Seldom = Seldom::new();
        reject("inbox");
        if TOLD.is_due() {
            warn!(channel.id = %id, "cannot take a webhook: {error}");
        }
        WebError::Unavailable
    })?;
    let took = desk.clock.monotonic().saturating_sub(began);
    histogram!("janela_webhook_seconds").record(took.as_secs_f64());
    Ok(HttpResponse::Ok().finish())
}

fn reject(cause: &'static str) {
    counter!("janela_webhook_rejected_total", "cause" => cause).increment(1);
}

async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes, WebError> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|it| it > WEBHOOK_LIMIT) {
        return Err(WebError::TooLarge);
    }
    let body = tokio::time::timeout(BODY_DEADLINE, payload.to_bytes_limited(WEBHOOK_LIMIT)).await;
    match body {
        Err(_) => Err(WebError::TooSlow),
        Ok(Err(_)) => Err(WebError::TooLarge),
        Ok(Ok(Err(_))) => Err(WebError::BadRequest),
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// What `id` is verified by; `NotFound` when there is no such channel of that platform.
async fn find(
    desk: &Desk,
    id: ChannelId,
    kind: ChannelKind,
) -> Result<Arc<KnownChannel>, WebError> {
    let kept = {
        let known = desk.known_channels.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).filter(|(since, _)| since.elapsed() < ACCESS_KEPT).map(|(_, it)| it.clone())
    };
    let known = match kept {
        Some(known) => known,
        None => {
            let vault = desk.store.vault()?;
            let (kind, access) =
                desk.store.read(move |db| channel::get_access(db, &vault, id)).await?;
            let read = Arc::new(KnownChannel { kind, access });
            let mut known = desk.known_channels.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(id, (Instant::now(), read.clone()));
            read
        }
    };
    if known.kind == kind { Ok(known) } else { Err(WebError::NotFound) }
}
