//! Active messages: send one, ask whether one may be sent, and follow one.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
    web::{Data, Path, Payload},
};
use domain::{
    active_message::ActiveMessageState,
    admission::{Refusal, RefusalCode},
    channel::{ChannelKind, MediaProblem},
    delivery::{DeliveryEventKind, EventSource, Failure},
    ids::MessageId,
    template::{MediaKind, VariableKind, VariableProblem},
};
use persistence::{
    admission::{self, Door, Draft, Forecast, Outcome, Queued},
    api::{self, SendTarget, SentMessage},
    compose::{find_recent_media, save_media},
    idempotency::IdempotencyKey,
};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::{
    body::{idempotency_key, read_json},
    client::{ApiClient, MessageReader, Sender},
    instant,
    problem::{ApiError, PROBLEM_JSON, Problem, problem_type},
    request::{SendRequest, read_id},
};
use crate::{
    compose::{MEDIA_HOLDS, media_problem, variable_problem},
    conversation::failure_words,
    desk::Desk,
    error::WebError,
    refusal::{RefusalView, Surroundings},
    visit::Visit,
};

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

/// One thing that stands against a send.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// Such as `agent_contact_cap`.
    code: &'static str,
    /// What stands against it and what to do, as a sentence.
    message: String,
    /// From when this reason alone no longer holds; null when waiting does not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
}

/// What admission would say.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// Whether it may be sent now.
    allowed: bool,
    /// In the order of the rules; empty when it may be sent.
    reasons: Vec<Reason>,
    /// From when the whole send may go if nothing else happens; null when it may now, and when waiting does
    /// not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
    /// What is wrong with which variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    fields: BTreeMap<String, String>,
}

/// A send that may not go now; nothing was consumed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalProblem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:janela:problem:refused")]
    kind: String,
    /// The first reason, in a few words.
    title: String,
    /// 409.
    #[schema(example = 409)]
    status: u16,
    /// The first reason's code.
    code: &'static str,
    /// Names the request in the log of the installation.
    correlation_id: String,
    /// Everything that stands against it, in the order of the rules.
    reasons: Vec<Reason>,
    /// From when the whole send may go if nothing else happens; null when waiting does not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
    /// What is wrong with which variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    fields: BTreeMap<String, String>,
}

/// An active message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveMessageAnswer {
    #[schema(example = "4711")]
    id: String,
    /// `scheduled`, `sending`, `sent`, `delivered`, `read`, `replied`, `failed`, `expired` or `cancelled`.
    #[schema(example = "delivered")]
    state: &'static str,
    /// Why it failed; null unless it did.
    #[schema(required = true)]
    failure: Option<FailureAnswer>,
    /// The states it reached, by the instant they were first known for.
    history: Vec<HistoryEntry>,
}

/// Why an active message failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureAnswer {
    /// The platform's code, or one of ours.
    #[schema(example = "131026")]
    code: String,
    /// What to do, as a sentence.
    message: String,
}

/// One state an active message reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    #[schema(example = "delivered")]
    state: &'static str,
    #[schema(format = DateTime, example = "2026-11-22T12:00:01.000Z")]
    at: String,
    /// Who said so: `platform`, `dispatcher`, `job`, or the door it came by, such as `api`.
    #[schema(example = "platform")]
    source: &'static str,
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
    let mut send = Send::find(&desk, &client, &asked, key).await?;
    let media = send.look_at_media(&desk, &client, &visit, Keep::Yes).await?;
    if !media.is_empty() {
        let forecast = send.forecast(&desk, &client, &visit).await?;
        let verdict = Verdict::new(forecast, media, &send.target, &visit);
        return Ok(verdict.refuse(&visit));
    }
    let Send { target, draft } = send;
    let (actor, clock) = (client.actor.clone(), desk.clock.clone());
    let outcome =
        desk.store.write(move |db| admission::admit_and_queue(db, &actor, &draft, &*clock)).await?;
    if let Outcome::Queued(queued) = &outcome {
        desk.nudges.dispatch.notify_one();
        info!(message.id = %queued.message, "queued active message {} by the API", queued.message);
    }
    respond(outcome, Some(&target), &visit)
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
    let mut send = Send::find(&desk, &client, &asked, None).await?;
    let media = send.look_at_media(&desk, &client, &visit, Keep::No).await?;
    let forecast = send.forecast(&desk, &client, &visit).await?;
    let verdict = Verdict::new(forecast, media, &send.target, &visit);
    Ok(HttpResponse::Ok().json(CheckAnswer {
        allowed: verdict.reasons.is_empty(),
        reasons: verdict.reasons,
        until: verdict.until,
        fields: verdict.fields,
    }))
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

/// `target` is absent only where nothing can be refused any more.
fn respond(
    outcome: Outcome,
    target: Option<&SendTarget>,
    visit: &Visit,
) -> Result<HttpResponse, ApiError> {
    match (outcome, target) {
        (Outcome::Queued(queued) | Outcome::Replayed(queued), _) => Ok(accepted(queued)),
        (Outcome::KeyReused, _) => Err(ApiError::KeyReused),
        (Outcome::Refused(refused), Some(target)) => {
            let forecast = Forecast {
                reasons: refused.reasons,
                until: refused.until,
                variable_problems: refused.variable_problems,
            };
            Ok(Verdict::new(forecast, BTreeMap::new(), target, visit).refuse(visit))
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

/// Whether what was found at an address is kept for the next send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    No,
}

/// Files that cannot be sent, by the variable that names them.
type MediaProblems = BTreeMap<String, (MediaKind, MediaProblem)>;

/// A send whose names are known.
struct Send {
    target: SendTarget,
    draft: Draft,
}

impl Send {
    async fn find(
        desk: &Desk,
        client: &ApiClient,
        asked: &SendRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<Self, ApiError> {
        let (actor, named) = (client.actor.clone(), asked.named()?);
        let found = desk.store.read(move |db| api::find_target(db, &actor, &named)).await?;
        let target = found.map_err(ApiError::Unknown)?;
        let draft = Draft {
            channel: target.channel,
            template: target.template.id,
            to: target.to.clone(),
            values: asked.values(),
            agent: target.agent,
            door: Door::Api,
            ticket: None,
            key,
        };
        Ok(Self { target, draft })
    }

    /// Judges the files that media variables name by what the server finds there (AM-07). What was looked
    /// at a short while ago is not looked at again.
    async fn look_at_media(
        &mut self,
        desk: &Desk,
        client: &ApiClient,
        visit: &Visit,
        keep: Keep,
    ) -> Result<MediaProblems, ApiError> {
        let mut problems = MediaProblems::new();
        for variable in self.target.template.content.variables() {
            let VariableKind::Media(kind) = variable.kind else { continue };
            let Some(value) = self.draft.values.get_mut(&variable.name) else { continue };
            *value = value.trim().to_owned();
            let is_for_the_rules = value.is_empty() || value.contains(char::is_control);
            if is_for_the_rules {
                continue;
            }
            let url = value.clone();
            let looked = look(desk, client, visit, self.target.kind, &url, kind, keep).await?;
            if let Err(problem) = looked {
                problems.insert(variable.name.0, (kind, problem));
            }
        }
        Ok(problems)
    }

    async fn forecast(
        &self,
        desk: &Desk,
        client: &ApiClient,
        visit: &Visit,
    ) -> Result<Forecast, ApiError> {
        let (actor, draft, now) = (client.actor.clone(), self.draft.clone(), visit.now);
        Ok(desk.store.read(move |db| admission::check(db, &actor, &draft, now)).await?)
    }
}

async fn look(
    desk: &Desk,
    client: &ApiClient,
    visit: &Visit,
    platform: ChannelKind,
    url: &str,
    kind: MediaKind,
    keep: Keep,
) -> Result<Result<(), MediaProblem>, ApiError> {
    let (owner, now) = (client.actor.id(), visit.now);
    let (asked, since) = (url.to_owned(), now - MEDIA_HOLDS);
    let recent =
        desk.store.read(move |db| find_recent_media(db, owner, &asked, kind, since)).await?;
    if recent.is_some() {
        return Ok(Ok(()));
    }
    let channel = desk.channels.get(&platform).ok_or(WebError::Unavailable)?;
    match channel.inspect_media(url, kind).await {
        Ok(file) if keep == Keep::Yes => {
            let url = url.to_owned();
            desk.store.write(move |db| save_media(db, owner, &url, kind, file, now)).await?;
            Ok(Ok(()))
        }
        Ok(_) => Ok(Ok(())),
        Err(problem) => Ok(Err(problem)),
    }
}

/// What admission says, in words.
struct Verdict {
    reasons: Vec<Reason>,
    title: String,
    until: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Verdict {
    /// What the server found at an address counts as a reason like those of the rules, in their order.
    fn new(forecast: Forecast, media: MediaProblems, target: &SendTarget, visit: &Visit) -> Self {
        let Forecast { mut reasons, mut until, variable_problems } = forecast;
        let is_told = reasons.iter().any(|it| it.code == RefusalCode::VariablesInvalid);
        if !media.is_empty() {
            until = None;
            if !is_told {
                reasons.push(Refusal { code: RefusalCode::VariablesInvalid, until: None });
                reasons.sort_by_key(|reason| reason.code);
            }
        }
        let fields = told_fields(&variable_problems, &media, visit);
        let surroundings =
            Surroundings { chatbot: &target.chatbot_name, cap_sends: target.cap_sends };
        let viewer = visit.viewer();
        let views = reasons.iter().map(|reason| RefusalView::new(*reason, surroundings, &viewer));
        let views: Vec<RefusalView> = views.collect();
        Self {
            title: views.first().map(|view| view.headline.clone()).unwrap_or_default(),
            until: until.filter(|_| !reasons.is_empty()).map(instant),
            reasons: reasons.iter().zip(&views).map(|(it, view)| Reason::new(*it, view)).collect(),
            fields,
        }
    }

    fn refuse(self, visit: &Visit) -> HttpResponse {
        let code = self.reasons.first().map_or("refused", |reason| reason.code);
        let problem = RefusalProblem {
            kind: problem_type("refused"),
            title: self.title,
            status: StatusCode::CONFLICT.as_u16(),
            code,
            correlation_id: visit.correlation_id.clone(),
            reasons: self.reasons,
            until: self.until,
            fields: self.fields,
        };
        HttpResponse::Conflict().insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(problem)
    }
}

impl Reason {
    fn new(refusal: Refusal, view: &RefusalView) -> Self {
        let message = view.sentence();
        Self { code: view.code, message, until: refusal.until.map(instant) }
    }
}

fn told_fields(
    problems: &[VariableProblem],
    media: &MediaProblems,
    visit: &Visit,
) -> BTreeMap<String, String> {
    let t = visit.t();
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for problem in problems {
        let words = variable_problem(problem.code, t);
        fields.entry(problem.name.0.clone()).or_insert(words);
    }
    // What the server found at the address says more than the rules, which judge its form alone.
    let found = media.iter();
    fields.extend(
        found.map(|(name, (kind, problem))| (name.clone(), media_problem(problem, *kind, t))),
    );
    fields
}

impl ActiveMessageAnswer {
    fn new(message: &SentMessage, visit: &Visit) -> Self {
        let failure = message.life.failure.as_ref().map(Failure::code);
        Self {
            id: message.id.to_string(),
            state: message.life.state.as_str(),
            failure: failure.map(|code| FailureAnswer {
                message: failure_words(Some(code), &message.chatbot_name, &visit.viewer()),
                code: code.to_owned(),
            }),
            history: history(message),
        }
    }
}

/// Each state once, at the earliest instant it is known for.
fn history(message: &SentMessage) -> Vec<HistoryEntry> {
    let sending = (message.queued_at, ActiveMessageState::Sending, message.door.as_str());
    let mut reached = vec![sending];
    for event in &message.events {
        reached.push((event.at, state_of(&event.kind), event.source.as_str()));
    }
    if message.life.state == ActiveMessageState::Expired {
        let job = EventSource::Job.as_str();
        reached.push((message.life.window.ends_at, ActiveMessageState::Expired, job));
    }
    // Stable: what was written first stays first within one instant.
    reached[1..].sort_by_key(|(at, ..)| *at);
    let mut seen = Vec::new();
    reached.retain(|(_, state, _)| {
        let is_new = !seen.contains(state);
        seen.push(*state);
        is_new
    });
    let entry = |(at, state, source): (_, ActiveMessageState, _)| HistoryEntry {
        state: state.as_str(),
        at: instant(at),
        source,
    };
    reached.into_iter().map(entry).collect()
}

fn state_of(kind: &DeliveryEventKind) -> ActiveMessageState {
    match kind {
        DeliveryEventKind::Accepted | DeliveryEventKind::Sent => ActiveMessageState::Sent,
        DeliveryEventKind::Delivered => ActiveMessageState::Delivered,
        DeliveryEventKind::Read => ActiveMessageState::Read,
        DeliveryEventKind::Replied => ActiveMessageState::Replied,
        DeliveryEventKind::Unsettled => ActiveMessageState::Sending,
        DeliveryEventKind::Failed(_) => ActiveMessageState::Failed,
    }
}
