//! `/metrics` on a listener of its own, so that it is never reachable where people sign in.

use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

/// Why there are no metrics.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// The recorder is installed already, or cannot be.
    #[error("cannot record metrics")]
    Recorder(#[from] BuildError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for metrics")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Starts recording and serving on `address`; returns the server and where it listens.
///
/// # Errors
/// [`MetricsError`].
pub fn start(address: SocketAddr) -> Result<(Server, SocketAddr), MetricsError> {
    let recorder = PrometheusBuilder::new().install_recorder()?;
    let failed = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let recorder = web::Data::new(recorder);
    let server = HttpServer::new(move || {
        App::new().app_data(recorder.clone()).route("/metrics", web::get().to(show_metrics))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .map_err(failed)?
    .run();
    Ok((server, bound))
}

async fn show_metrics(recorder: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(recorder.render())
}
