//! What a test makes the world do: messages of every type, account events, refusals, tokens, files' pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{problem, refused};
use crate::core::Core;
use crate::message::Status;
use crate::state::{Refusal, SendOrder};

#[derive(Debug, Deserialize)]
struct EditOrder {
    message: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct RevokeOrder {
    message: String,
}

/// Who a customer is from now on; absent keys stay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityOrder {
    user_id: Option<String>,
    username: Option<String>,
    hides: Option<bool>,
    absent: Option<bool>,
    key_hash: Option<String>,
    name: Option<String>,
}

/// A change to be told as it stands.
#[derive(Debug, Deserialize)]
struct ChangeOrder {
    /// A phone-number id or an account id.
    subject: String,
    field: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct RefusalOrder {
    /// A phone-number id or an account id.
    subject: String,
    /// Refused with this code; none ends it.
    code: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct TokenOrder {
    token: String,
    expired: bool,
}

#[derive(Debug, Deserialize)]
struct TestListOrder {
    /// At most five; none makes it an ordinary number again.
    recipients: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct StatusOrder {
    /// `sent`, `delivered`, `read`, `failed`, or `release` for a held message.
    status: String,
    #[serde(default)]
    code: Option<u32>,
}

/// So many recipients a test number has.
const TEST_RECIPIENTS_MAX: usize = 5;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/phones/{id}/send", web::post().to(submit_message))
        .route("/phones/{id}/edit", web::post().to(submit_edit))
        .route("/phones/{id}/revoke", web::post().to(submit_revocation))
        .route("/phones/{id}/identity", web::post().to(submit_identity))
        .route("/messages/{id}/status", web::post().to(submit_status))
        .route("/numbers/{id}/recipients", web::post().to(submit_test_list))
        .route("/changes", web::post().to(submit_change))
        .route("/refusals", web::post().to(submit_refusal))
        .route("/tokens", web::post().to(submit_token));
}

async fn submit_message(
    core: Data<Core>,
    id: Path<String>,
    order: Json<SendOrder>,
) -> HttpResponse {
    with_id(core.act(|state, now_ms| state.customer_sends(&id, &order, now_ms)))
}

async fn submit_edit(core: Data<Core>, id: Path<String>, order: Json<EditOrder>) -> HttpResponse {
    let EditOrder { message, text } = order.into_inner();
    with_id(core.act(|state, now_ms| state.customer_edits(&id, &message, &text, now_ms)))
}

async fn submit_revocation(
    core: Data<Core>,
    id: Path<String>,
    order: Json<RevokeOrder>,
) -> HttpResponse {
    with_id(core.act(|state, now_ms| state.customer_revokes(&id, &order.message, now_ms)))
}

/// A new customer appears.
async fn submit_identity(
    core: Data<Core>,
    id: Path<String>,
    order: Json<IdentityOrder>,
) -> HttpResponse {
    let order = order.into_inner();
    if !(7..=15).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return refused(&Refusal::PhoneId);
    }
    let user_id = core.act(|state, _| {
        let phone = state.phone_of(&id);
        if let Some(name) = order.name {
            phone.name = name;
        }
        let identity = &mut phone.identity;
        identity.user_id = order.user_id.or(identity.user_id.take());
        identity.username = order.username.or(identity.username.take());
        identity.key_hash = order.key_hash.or(identity.key_hash.take());
        identity.hides = order.hides.unwrap_or(identity.hides);
        identity.absent = order.absent.unwrap_or(identity.absent);
        phone.user_id()
    });
    HttpResponse::Ok().json(json!({ "user_id": user_id }))
}

async fn submit_status(
    core: Data<Core>,
    id: Path<String>,
    order: Json<StatusOrder>,
) -> HttpResponse {
    let status = match order.status.as_str() {
        "release" => None,
        "sent" => Some(Status::Sent),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "failed" => Some(Status::Failed),
        _ => {
            let text = "status is sent, delivered, read, failed or release";
            return problem(StatusCode::UNPROCESSABLE_ENTITY, text);
        }
    };
    let done = core.act(|state, now_ms| match status {
        None => state.release_held(&id, order.code, now_ms),
        Some(status) => state.push_status(&id, (status, order.code), now_ms),
    });
    known(done, json!({ "status": order.status }))
}

async fn submit_test_list(
    core: Data<Core>,
    id: Path<String>,
    order: Json<TestListOrder>,
) -> HttpResponse {
    let recipients = order.into_inner().recipients;
    if recipients.as_ref().is_some_and(|list| TEST_RECIPIENTS_MAX < list.len()) {
        return problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "a test number has five recipients at most",
        );
    }
    let answer = json!({ "recipients": recipients });
    let done = core.act(|state, _| {
        let number = state.numbers.get_mut(id.as_str());
        number.map(|number| number.setup.test_recipients = recipients).is_some()
    });
    known(done, answer)
}

/// Tells any change, those of section 5 among them; a ban or a restriction then refuses the account's sends.
async fn submit_change(core: Data<Core>, order: Json<ChangeOrder>) -> HttpResponse {
    let ChangeOrder { subject, field, value } = order.into_inner();
    let done = core.act(|state, now_ms| {
        state.follow_event(&subject, &field, &value);
        state.tell_change(&subject, &field, &value, now_ms)
    });
    known(done, json!({ "field": field }))
}

async fn submit_refusal(core: Data<Core>, order: Json<RefusalOrder>) -> HttpResponse {
    let RefusalOrder { subject, code } = order.into_inner();
    let done = core.act(|state, _| {
        let is_there = state.numbers.contains_key(&subject) || state.has_account(&subject);
        match code {
            Some(code) if is_there => state.world.refusals.insert(subject, code),
            _ => state.world.refusals.remove(&subject),
        };
        is_there
    });
    known(done, json!({ "code": code }))
}

async fn submit_token(core: Data<Core>, order: Json<TokenOrder>) -> HttpResponse {
    let TokenOrder { token, expired } = order.into_inner();
    core.act(|state, _| {
        if expired {
            state.world.expired_tokens.insert(token);
        } else {
            state.world.expired_tokens.remove(&token);
        }
    });
    HttpResponse::Ok().json(json!({ "expired": expired }))
}

fn with_id(done: Result<String, Refusal>) -> HttpResponse {
    match done {
        Ok(id) => HttpResponse::Ok().json(json!({ "id": id })),
        Err(refusal) => refused(&refusal),
    }
}

fn known(is_known: bool, answer: Value) -> HttpResponse {
    if is_known {
        HttpResponse::Ok().json(answer)
    } else {
        problem(StatusCode::NOT_FOUND, "there is no such number, account or message")
    }
}
