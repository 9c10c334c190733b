//! Active messages: send one, ask whether one may be sent, and follow one.

pub mod answer;
pub mod media;
mod send;
pub mod verdict;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use domain::{
    active_message::ActiveMessageState,
    admission::{Refusal, RefusalCode},
    ids::MessageId,
};
use persistence::{
    admission::{self, Forecast, Outcome, Queued},
    api::{self, SendTarget},
    idempotency::IdempotencyKey,
};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

pub use self::media::LookedAt;
use self::{
    answer::ActiveMessageAnswer,
    media::MediaProblems,
    send::Send,
    verdict::{CheckAnswer, RefusalProblem, Verdict},
};
use super::{
    body::{idempotency_key, read_json},
    client::{ApiClient, MessageReader, Sender},
    problem::{ApiError, Problem},
    request::{SendRequest, read_id},
};
use crate::{desk::Desk, error::WebError, visit::Visit};

/// A send that is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// The active message's id.
    #[schema(example = "4711")]
    id: String,
    /// Always `sending`: follow it by its id.
    #[schema(example = "sending")]
    state: &'static str,
    /// Who it goes to.
    #[schema(example = "57")]
    contact: String,
    /// The decision that admitted it.
    #[schema(example = "9001")]
    decision: String,
}

/// Send an active message
///
/// To one recipient. With an `Idempotency-Key` a repetition within 24 h gets the first answer and sends
/// nothing; a refusal is not kept, so the same request may pass later.
#[utoipa::path(
    post,
    path = "/api/v1/active-messages",
    operation_id = "sendActiveMessage",
    tag = "active messages",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible characters",
        min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = SendRequest,
    responses(
        (status = 202, description = "It is on its way", body = Accepted),
        (status = 404, description = "Something it names is unknown", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "It may not go now", body = RefusalProblem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["active_messages:send"])),
)]
pub async fn submit(
    desk: Data<Desk>,
    client: Sender,
    visit: Visit,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = SendRequest::parse(read_json(&request, payload).await?)?;
    let key = idempotency_key(&request)?.map(|key| asked.key(&client, key)).transpose()?;
    if let Some(outcome) = find_earlier(&desk, key.as_ref(), &visit).await? {
        return respond(outcome, None, &visit);
    }
    let send = Send::find(&desk, &client, &asked, key).await?;
    let Send { target, draft, media } = send.look_at_media(&desk, &client, &visit).await?;
    let (actor, clock) = (client.actor.clone(), desk.clock.clone());
    let outcome =
        desk.store.write(move |db| admission::admit_and_queue(db, &actor, &draft, &*clock)).await?;
    if let Outcome::Queued(queued) = &outcome {
        desk.nudges.dispatch.notify_one();
        info!(message.id = %queued.message, "queued active message {} by the API", queued.message);
    }
    let lacking = match &outcome {
        Outcome::Refused(refused) => {
            find_lacking(&desk, &client, &target, &refused.reasons).await?
        }
        Outcome::Queued(_) | Outcome::Replayed(_) | Outcome::KeyReused => None,
    };
    respond(outcome, Some((&target, &media, lacking.as_deref())), &visit)
}

/// Ask whether an active message may be sent
///
/// The same body as a send; nothing is consumed, nothing is logged.
#[utoipa::path(
    post,
    path = "/api/v1/active-messages/check",
    operation_id = "checkActiveMessage",
    tag = "active messages",
    request_body = SendRequest,
    responses(
        (status = 200, description = "What admission would say now", body = CheckAnswer),
        (status = 404, description = "Something it names is unknown", body = Problem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["active_messages:send"])),
)]
pub async fn check(
    desk: Data<Desk>,
    client: Sender,
    visit: Visit,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = SendRequest::parse(read_json(&request, payload).await?)?;
    let send = Send::find(&desk, &client, &asked, None).await?;
    let Send { target, draft, media } = send.look_at_media(&desk, &client, &visit).await?;
    let (actor, now) = (client.actor.clone(), visit.now);
    let forecast = desk.store.read(move |db| admission::check(db, &actor, &draft, now)).await?;
    let lacking = find_lacking(&desk, &client, &target, &forecast.reasons).await?;
    let verdict = Verdict::new(forecast, &media, &target, lacking.as_deref(), &visit);
    Ok(HttpResponse::Ok().json(CheckAnswer::from(verdict)))
}

/// Follow an active message
#[utoipa::path(
    get,
    path = "/api/v1/active-messages/{id}",
    operation_id = "getActiveMessage",
    tag = "active messages",
    params(("id" = String, Path, description = "The active message's id")),
    responses(
        (status = 200, description = "Its state and history", body = ActiveMessageAnswer),
        (status = 404, description = "Unknown", body = Problem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["active_messages:read"])),
)]
pub async fn show(
    desk: Data<Desk>,
    client: MessageReader,
    visit: Visit,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = read_id(&id).map(MessageId).ok_or(WebError::NotFound)?;
    let (actor, now) = (client.actor.clone(), visit.now);
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| api::get_active_message(db, &actor, id, now))
    };
    let message = desk.store.read(read).await?;
    Ok(HttpResponse::Ok().json(ActiveMessageAnswer::new(&message, &visit)))
}

/// The name of the agent who lacks the permission, where they and not the token's user are why `reasons` say
/// that somebody does.
async fn find_lacking(
    desk: &Desk,
    client: &ApiClient,
    target: &SendTarget,
    reasons: &[Refusal],
) -> Result<Option<String>, ApiError> {
    if !reasons.iter().any(|reason| reason.code == RefusalCode::NotPermitted) {
        return Ok(None);
    }
    let (actor, target) = (client.actor.clone(), target.clone());
    Ok(desk.store.read(move |db| api::find_lacking_agent(db, &actor, &target)).await?)
}

/// What the key was used for before: asked first, so that a repetition is told the same whatever became of
/// the template or the contact since.
async fn find_earlier(
    desk: &Desk,
    key: Option<&IdempotencyKey>,
    visit: &Visit,
) -> Result<Option<Outcome>, ApiError> {
    let Some(key) = key.cloned() else { return Ok(None) };
    let now = visit.now;
    Ok(desk.store.read(move |db| api::find_earlier(db, &key, now)).await?)
}

/// What was `asked` is absent only where nothing can be refused any more.
fn respond(
    outcome: Outcome,
    asked: Option<(&SendTarget, &MediaProblems, Option<&str>)>,
    visit: &Visit,
) -> Result<HttpResponse, ApiError> {
    match (outcome, asked) {
        (Outcome::Queued(queued) | Outcome::Replayed(queued), _) => Ok(accepted(queued)),
        (Outcome::KeyReused, _) => Err(ApiError::KeyReused),
        (Outcome::Refused(refused), Some((target, media, lacking))) => {
            let forecast = Forecast {
                reasons: refused.reasons,
                until: refused.until,
                variable_problems: refused.variable_problems,
            };
            Ok(Verdict::new(forecast, media, target, lacking, visit).refuse(visit))
        }
        (Outcome::Refused(_), None) => Err(WebError::Misrouted.into()),
    }
}

fn accepted(queued: Queued) -> HttpResponse {
    HttpResponse::Accepted().json(Accepted {
        id: queued.message.to_string(),
        state: ActiveMessageState::Sending.as_str(),
        contact: queued.contact.to_string(),
        decision: queued.decision.to_string(),
    })
}
