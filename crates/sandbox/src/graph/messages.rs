//! `POST /{phone}/messages` and `/marketing_messages`.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, Subject};
use super::error::GraphError;
use super::routes;
use super::send::{self, Request, Way};
use super::spoilt;
use crate::core::Core;
use crate::faults::{Fate, SendFault, When};
use crate::server::reset_connection;

/// The number and the call.
#[derive(Debug, Deserialize)]
pub(super) struct SendPath {
    id: String,
    edge: String,
}

/// Answers a send, in the order of section 11.4; faults asked for come first.
pub(super) async fn submit_message(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<SendPath>,
    body: Bytes,
) -> HttpResponse {
    let token = access::token(&request);
    let way = if path.edge == "messages" { Way::Messages } else { Way::MarketingMessages };
    let fault = core.act(|state, _| state.faults.take_send(&path.id));
    let mut fate = None;
    match &fault {
        Some(SendFault::Refuse { status, code, retry_after }) => {
            return spoilt::refusal(*status, *code, *retry_after);
        }
        Some(SendFault::Redirect { location }) => {
            return spoilt::redirect(location.as_deref(), core.address);
        }
        Some(SendFault::Reset(When::Before)) => return reset_connection(&request),
        Some(SendFault::Delay { ms, when: When::Before }) => {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
        }
        Some(SendFault::Fate(own)) => fate = Some(*own),
        Some(SendFault::Reset(When::After) | SendFault::Delay { .. } | SendFault::Spoil(_))
        | None => {}
    }
    let answer = answer(&core, token.as_deref(), (&path.id, way, fate), &body);
    match fault {
        Some(SendFault::Reset(When::After)) => return reset_connection(&request),
        Some(SendFault::Delay { ms, when: When::After }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        Some(SendFault::Spoil(how)) => {
            let text = match &answer {
                Ok(value) => value.to_string(),
                Err(error) => error.body().to_string(),
            };
            return spoilt::answer(&request, how, text.into());
        }
        _ => {}
    }
    routes::respond(answer)
}

fn answer(
    core: &Core,
    token: Option<&str>,
    (id, way, fate): (&str, Way, Option<Fate>),
    body: &[u8],
) -> Result<Value, GraphError> {
    core.act(|state, now_ms| {
        let Subject::Number(number) = access::subject(state, token, id)? else {
            return Err(GraphError::unknown_object(id));
        };
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| GraphError::parameter("The body is no JSON."))?;
        let draft = match send::read(&body, way)? {
            Request::Message(draft) => draft,
            Request::Read { message, typing } => {
                state.looked_at(&message, &number, typing, now_ms);
                return Ok(routes::success());
            }
        };
        let input = draft.input.clone();
        let accepted = state.send_message(&number, *draft, fate, now_ms)?;
        let mut message = json!({ "id": accepted.id });
        if let Some(status) = accepted.status {
            message["message_status"] = json!(status);
        }
        let mut contact = json!({ "input": input });
        if let Some(wa_id) = accepted.wa_id {
            contact["wa_id"] = json!(wa_id);
        }
        if let Some(user_id) = accepted.user_id {
            contact["user_id"] = json!(user_id);
        }
        Ok(json!({
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [message],
        }))
    })
}
