//! `/{waba}/subscribed_apps` and the handshake with a webhook's address (protocol, 4.1, 4.7, 4.8).

use std::time::Duration;

use serde_json::{Value, json};

use super::error::GraphError;
use crate::core::Core;
use crate::state::State;
use crate::template::field;

/// How often the handshake is tried, and how long it rests in between.
const TRIES: u32 = 5;
const REST: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(5);

/// The app that is subscribed to the account.
pub(super) fn list(state: &State, account: &str) -> Value {
    let mut app = json!({
        "whatsapp_business_api_data": { "id": "221007734100", "name": "Sandbox", "link": "https://localhost/" },
    });
    if let (Some(to), Some(fields)) = (state.subscriptions.get(account), app.as_object_mut()) {
        fields.insert("override_callback_uri".to_owned(), json!(to.callback_url));
    }
    json!({ "data": [app] })
}

/// Subscribes the account; with an address of its own only after the handshake.
pub(super) async fn submit(core: &Core, account: &str, body: &[u8]) -> Result<Value, GraphError> {
    let body: Value = match body {
        [] => Value::Null,
        body => read(body)?,
    };
    set_override(core, account, &body).await
}

/// Sets, or with an empty address ends, a number's own webhook address (protocol, 4.8).
pub(super) async fn submit_number(
    core: &Core,
    number: &str,
    body: &[u8],
) -> Result<Value, GraphError> {
    let body = read(body)?;
    let configuration = &body["webhook_configuration"];
    if configuration.is_object() && field(configuration, "override_callback_uri").is_empty() {
        core.act(|state, _| state.subscriptions.remove(number));
        return Ok(json!({ "success": true }));
    }
    set_override(core, number, configuration).await
}

async fn set_override(core: &Core, subject: &str, order: &Value) -> Result<Value, GraphError> {
    let (url, word) = (field(order, "override_callback_uri"), field(order, "verify_token"));
    if !url.is_empty() {
        shake_hands(core, url, word).await.map_err(GraphError::parameter)?;
        core.subscribe(subject, url);
    }
    Ok(json!({ "success": true }))
}

fn read(body: &[u8]) -> Result<Value, GraphError> {
    serde_json::from_slice(body).map_err(|_| GraphError::parameter("The body is no JSON."))
}

/// Ends the account's subscription.
pub(super) fn delete(state: &mut State, account: &str) -> Value {
    state.subscriptions.remove(account);
    json!({ "success": true })
}

/// Asks `url` to repeat a challenge, as the platform does before it sends anything there.
///
/// # Errors
///
/// A sentence on what went wrong at the last of a few tries.
pub(crate) async fn shake_hands(core: &Core, url: &str, word: &str) -> Result<(), String> {
    let mut problem = String::new();
    for attempt in 0..TRIES {
        if 0 < attempt {
            tokio::time::sleep(REST).await;
        }
        match challenge(core, url, word).await {
            Ok(()) => return Ok(()),
            Err(why) => problem = why,
        }
    }
    Err(problem)
}

async fn challenge(core: &Core, url: &str, word: &str) -> Result<(), String> {
    let mut digits = [0_u8; 4];
    getrandom::fill(&mut digits).map_err(|error| error.to_string())?;
    let challenge = u32::from_le_bytes(digits).to_string();
    let query =
        [("hub.mode", "subscribe"), ("hub.challenge", &challenge), ("hub.verify_token", word)];
    let answer = core
        .client
        .get(url)
        .query(&query)
        .timeout(PATIENCE)
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.without_url().to_string())?;
    if status != reqwest::StatusCode::OK {
        return Err(format!("it answered {status}"));
    }
    if text == challenge { Ok(()) } else { Err("it did not repeat the challenge".to_owned()) }
}
