//! The HTTP server over a desk, with the limits every request meets.

use std::{net::TcpListener, thread, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{Compress, from_fn},
    web::Data,
};
use tracing_actix_web::TracingLogger;

use crate::{
    desk::Desk, error, head_request, headers, request_span::RequestSpan, routes, same_origin, visit,
};

/// How long a request's head may take to arrive.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long requests under way may take to end once the process stops.
const STOP_DEADLINE_SECONDS: u64 = 20;

/// A server on `listener`, running once it is awaited. It stops when [`Desk::stopping`] is cancelled:
/// event streams end at once, other requests are answered first. Signals are the caller's.
///
/// # Errors
/// When the listener cannot be used.
pub fn server(desk: Data<Desk>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let stopping = desk.stopping.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(desk.clone())
            .wrap(from_fn(same_origin::refuse_foreign_changes))
            .wrap(from_fn(error::dress))
            .wrap(from_fn(visit::note))
            .wrap(Compress::default())
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(head_request::answer_as_get))
            .wrap(TracingLogger::<RequestSpan>::new())
            .configure(routes)
    })
    .workers(workers)
    .client_request_timeout(HEAD_DEADLINE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(STOP_DEADLINE_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(async move {
        stopping.cancelled().await;
        handle.stop(true).await;
    });
    Ok(server)
}
