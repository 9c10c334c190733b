//! The ledger, the clock, the mailbox, the faults, the settings and the state of the webhooks.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;

use super::problem;
use crate::clock::instant;
use crate::core::{Change, Core};
use crate::duration::parse_iso_duration;
use crate::faults::Fault;
use crate::settings::SettingsOrder;

#[derive(Debug, Deserialize)]
struct LedgerQuery {
    /// A phone-number id, or the last part of the address its webhooks go to.
    channel: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ClockOrder {
    advance: String,
}

#[derive(Debug, Deserialize)]
struct OutageOrder {
    /// Milliseconds of real time.
    ms: u64,
}

/// How long the answer to an order for an outage has to reach the caller.
const ANSWERED: Duration = Duration::from_millis(50);

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/ledger", web::get().to(list_ledger))
        .route("/clock", web::get().to(show_clock))
        .route("/clock", web::post().to(submit_clock))
        .route("/mailbox", web::get().to(list_mails))
        .route("/mailbox", web::delete().to(delete_mails))
        .route("/faults", web::get().to(list_faults))
        .route("/faults", web::post().to(submit_fault))
        .route("/faults", web::delete().to(delete_faults))
        .route("/settings", web::get().to(show_settings))
        .route("/settings", web::post().to(submit_settings))
        .route("/outage", web::post().to(submit_outage))
        .route("/calls", web::get().to(list_calls))
        .route("/webhooks", web::get().to(show_webhooks))
        .route("/deliveries", web::get().to(list_deliveries));
}

async fn list_ledger(core: Data<Core>, query: Query<LedgerQuery>) -> HttpResponse {
    core.act(|state, _| {
        let channel = query.channel.as_deref().map(|channel| state.channel_named(channel));
        HttpResponse::Ok().json(state.ledger.list(channel.as_deref()))
    })
}

async fn show_clock(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "now": instant(core.clock.now_ms()) }))
}

async fn submit_clock(core: Data<Core>, order: Json<ClockOrder>) -> HttpResponse {
    match parse_iso_duration(&order.advance) {
        Ok(step) => {
            core.advance(step);
            show_clock(core).await
        }
        Err(why) => problem(StatusCode::UNPROCESSABLE_ENTITY, &format!("advance: {why}")),
    }
}

async fn list_mails(core: Data<Core>) -> HttpResponse {
    core.act(|state, _| HttpResponse::Ok().json(state.mailbox.newest_first().collect::<Vec<_>>()))
}

async fn delete_mails(core: Data<Core>) -> HttpResponse {
    core.act(|state, _| state.mailbox.clear());
    core.announce(Change::Mail);
    HttpResponse::NoContent().finish()
}

async fn list_faults(core: Data<Core>) -> HttpResponse {
    core.act(|state, _| HttpResponse::Ok().json(state.faults.list().collect::<Vec<_>>()))
}

async fn submit_fault(core: Data<Core>, fault: Json<Fault>) -> HttpResponse {
    core.act(|state, _| {
        state.faults.add(fault.into_inner());
        HttpResponse::Ok().json(state.faults.list().collect::<Vec<_>>())
    })
}

async fn delete_faults(core: Data<Core>) -> HttpResponse {
    core.act(|state, _| state.clear_faults());
    HttpResponse::NoContent().finish()
}

async fn show_settings(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(core.act(|state, _| state.settings))
}

async fn submit_settings(core: Data<Core>, order: Json<SettingsOrder>) -> HttpResponse {
    let settings = core.act(|state, now_ms| {
        state.settings = state.settings.changed(&order);
        if state.settings.batch == 1 {
            state.flush_batches(now_ms);
        }
        state.settings
    });
    HttpResponse::Ok().json(settings)
}

/// Refuses every connection for a while, once this call is answered.
async fn submit_outage(core: Data<Core>, order: Json<OutageOrder>) -> HttpResponse {
    let pause = Duration::from_millis(order.ms);
    tokio::spawn(async move {
        tokio::time::sleep(ANSWERED).await;
        if core.outage.send(pause).is_err() {
            tracing::debug!("an outage after the stop is none");
        }
    });
    HttpResponse::Ok().json(json!({ "ms": order.ms }))
}

async fn list_deliveries(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(core.dispatcher.attempts())
}

async fn list_calls(core: Data<Core>) -> HttpResponse {
    core.act(|state, _| HttpResponse::Ok().json(state.calls.list().collect::<Vec<_>>()))
}

/// What is behind the sandbox's own redirects; a caller that comes here has followed one.
async fn show_trap() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "messaging_product": "whatsapp" }))
}

/// Serves where a redirect leads unless told otherwise.
pub(crate) fn trap(config: &mut ServiceConfig) {
    config.route("/redirected", web::to(show_trap));
}

async fn show_webhooks(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(core.dispatcher.counts())
}
