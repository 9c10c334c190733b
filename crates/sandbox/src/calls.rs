//! The calls the sandbox was asked for, newest last, for tests that count them.

use std::collections::VecDeque;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use serde::Serialize;

use crate::clock::instant;
use crate::core::Core;

/// So many calls are remembered.
const REMEMBERED: usize = 2_000;

/// One call, without anything of its body.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    at: String,
    method: String,
    path: String,
    status: u16,
}

/// The latest calls of the Graph API.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: VecDeque<Call>,
}

impl CallLog {
    pub(crate) fn list(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter()
    }

    fn note(&mut self, call: Call) {
        if self.calls.len() == REMEMBERED {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }
}

/// Notes every call of the Graph API once it is answered; the pages' and the control API's are none.
pub(crate) async fn log<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let path = request.path().to_owned();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_of_graph = first.starts_with(|c: char| c.is_ascii_digit())
        || first.strip_prefix('v').is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
        || first.starts_with("upload:")
        || matches!(first, "oauth" | "whatsapp_business" | "redirected");
    let core = request.app_data::<Data<Core>>().cloned();
    let method = request.method().to_string();
    let response = next.call(request).await?;
    if let (true, Some(core)) = (is_of_graph, core) {
        let status = response.status().as_u16();
        core.act(|state, now_ms| {
            state.calls.note(Call { at: instant(now_ms), method, path, status });
        });
    }
    Ok(response)
}
