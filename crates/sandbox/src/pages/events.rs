//! The event stream of the pages: what changed, never how it looks.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::{StreamExt, stream};
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{BroadcastStream, IntervalStream};

use crate::core::{Change, Core};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams changes until the page or the sandbox goes.
pub(super) async fn stream_changes(core: Data<Core>) -> HttpResponse {
    let changes = BroadcastStream::new(core.changes.subscribe()).map(|change| match change {
        Ok(Change::Phone(id)) => format!("event: phone\ndata: {id}\n\n"),
        Ok(Change::Mail) => "event: mail\ndata: new\n\n".to_owned(),
        Ok(Change::Clock) => "event: clock\ndata: moved\n\n".to_owned(),
        // Too many at once: the page looks at everything again.
        Err(BroadcastStreamRecvError::Lagged(_)) => "event: all\ndata: all\n\n".to_owned(),
    });
    let beats =
        IntervalStream::new(tokio::time::interval(HEARTBEAT)).map(|_| ": on\n\n".to_owned());
    let stop = core.stop.clone();
    let run = core.act(|state, _| state.started_ms());
    let hello = stream::once(async move { format!("event: run\ndata: {run}\n\n") });
    let events = hello
        .chain(stream::select(changes, beats))
        .take_until(async move { stop.cancelled().await })
        .map(|event| Ok::<_, std::convert::Infallible>(Bytes::from(event)));
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}
