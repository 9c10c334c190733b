//! What is told besides messages: that one was read, and that someone types (protocol, 2.5).

use domain::channel::{ChannelAccess, ChannelError, Signal, SignalKind};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::graph;
use crate::http::OutgoingHttp;

#[derive(Debug, Serialize)]
struct SignalWire<'a> {
    messaging_product: &'static str,
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typing_indicator: Option<IndicatorWire>,
}

#[derive(Debug, Serialize)]
struct IndicatorWire {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Debug, Deserialize)]
struct DoneWire {
    success: bool,
}

/// Tells the platform, once.
pub(super) async fn signal(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    signal: &Signal,
) -> Result<(), ChannelError> {
    let typing_indicator = match signal.kind {
        SignalKind::Read => None,
        SignalKind::Typing => Some(IndicatorWire { kind: "text" }),
    };
    let payload = SignalWire {
        messaging_product: "whatsapp",
        status: "read",
        message_id: &signal.of,
        typing_indicator,
    };
    let path = &[access.external_id.as_str(), "messages"];
    let request = graph::call(http, access, Method::POST, path, &[])
        .map_err(|broken| ChannelError::Unreachable(broken.to_string()))?;
    let done: DoneWire = graph::read(request.json(&payload)).await?.answer;
    match done.success {
        true => Ok(()),
        false => Err(ChannelError::Unreachable("the answer says nothing was done".to_owned())),
    }
}
