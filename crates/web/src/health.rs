//! For machines: whether the process lives, and whether it can do its work.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::RETRY_AFTER,
    web::{self, Data, ServiceConfig},
};
use persistence::health;
use tracing::warn;

use crate::desk::Desk;

/// A probe that takes longer has failed.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

/// The probes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/livez").get(show_alive))
        .service(web::resource("/readyz").get(show_ready));
}

/// The process only.
async fn show_alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// Writes to the database; says no more than yes or no, because anyone may ask.
async fn show_ready(desk: Data<Desk>) -> HttpResponse {
    if desk.stopping.is_cancelled() {
        return not_ready();
    }
    let probe = desk.store.write(health::probe_write);
    match tokio::time::timeout(PROBE_DEADLINE, probe).await {
        Ok(Ok(())) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Ok(Err(error)) => {
            warn!("not ready: {error}");
            not_ready()
        }
        Err(_) => {
            warn!("not ready: the write probe took too long");
            not_ready()
        }
    }
}

fn not_ready() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, "2"))
        .content_type("text/plain; charset=utf-8")
        .body("not ready\n")
}
