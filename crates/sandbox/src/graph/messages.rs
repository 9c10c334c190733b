//! `POST /{phone}/messages`.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::access::{self, Subject};
use super::error::GraphError;
use super::routes::{self, ObjectPath};
use super::send::{self, Request};
use crate::core::Core;
use crate::faults::{SendFault, When};
use crate::server::reset_connection;

/// Answers a send, in the order of section 11.4; faults asked for come first.
pub(super) async fn submit_message(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
    body: Bytes,
) -> HttpResponse {
    let token = access::token(&request);
    let fault = core.act(|state, _| state.faults.take_send());
    match fault {
        Some(SendFault::Refuse { status, code: Some(code) }) => {
            return GraphError::asked_for(status, code).respond();
        }
        Some(SendFault::Refuse { status, code: None }) => return routes::not_json(status),
        Some(SendFault::Reset(When::Before)) => return reset_connection(&request),
        Some(SendFault::Delay { ms, when: When::Before }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        Some(SendFault::Reset(When::After) | SendFault::Delay { when: When::After, .. }) | None => {
        }
    }
    let answer = answer(&core, token.as_deref(), &path.id, &body);
    match fault {
        Some(SendFault::Reset(When::After)) => return reset_connection(&request),
        Some(SendFault::Delay { ms, when: When::After }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        _ => {}
    }
    routes::respond(answer)
}

fn answer(core: &Core, token: Option<&str>, id: &str, body: &[u8]) -> Result<Value, GraphError> {
    core.act(|state, now_ms| {
        let Subject::Number(number) = access::subject(state, token, id)? else {
            return Err(GraphError::unknown_object(id));
        };
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| GraphError::parameter("The body is no JSON."))?;
        let draft = match send::read(&body)? {
            Request::Message(draft) => draft,
            Request::Read(message) => {
                state.looked_at(&message, &number);
                return Ok(json!({ "success": true }));
            }
        };
        let input = draft.input.clone();
        let accepted = state.send_message(&number, *draft, now_ms)?;
        let message = if accepted.is_template {
            json!({ "id": accepted.id, "message_status": "accepted" })
        } else {
            json!({ "id": accepted.id })
        };
        Ok(json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": input, "wa_id": accepted.wa_id }],
            "messages": [message],
        }))
    })
}
