//! `/{waba}/subscribed_apps` and the handshake with a webhook's address (protocol, 4.1, 4.7, 4.8).

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::GraphError;
use super::routes::success;
use crate::core::Core;
use crate::state::State;
use crate::template::field;
use crate::world::APP_ID;

/// How often the handshake is tried, and how long it rests in between.
const TRIES: u32 = 5;
const REST: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest address of an override.
const ADDRESS_MAX: usize = 200;

/// The app that is subscribed to the account, if it is.
pub(super) fn list(state: &State, account: &str) -> Value {
    if state.world.unsubscribed.contains(account) {
        return json!({ "data": [] });
    }
    let mut app = json!({
        "whatsapp_business_api_data": { "id": APP_ID, "name": "Sandbox", "link": "https://localhost/" },
    });
    if let (Some(to), Some(fields)) = (state.subscriptions.get(account), app.as_object_mut()) {
        fields.insert("override_callback_uri".to_owned(), json!(to.callback_url));
    }
    json!({ "data": [app] })
}

/// Subscribes the account: to an address of its own after the handshake, without one to the app's.
pub(super) async fn submit(core: &Core, account: &str, call: &Call) -> Result<Value, GraphError> {
    let order = call.parameters()?;
    if field(order, "override_callback_uri").is_empty() {
        core.act(|state, _| {
            state.world.unsubscribed.remove(account);
            state.subscriptions.remove(account)
        });
        return Ok(success());
    }
    let done = set_override(core, account, order).await?;
    core.act(|state, _| state.world.unsubscribed.remove(account));
    Ok(done)
}

/// Sets, or with an empty address ends, a number's own webhook address (protocol, 4.8).
pub(super) async fn submit_number(
    core: &Core,
    number: &str,
    order: &Value,
) -> Result<Value, GraphError> {
    let configuration = &order["webhook_configuration"];
    if field(configuration, "override_callback_uri").is_empty() {
        core.act(|state, _| state.subscriptions.remove(number));
        return Ok(success());
    }
    set_override(core, number, configuration).await
}

async fn set_override(core: &Core, subject: &str, order: &Value) -> Result<Value, GraphError> {
    let (url, word) = (field(order, "override_callback_uri"), field(order, "verify_token"));
    if ADDRESS_MAX < url.chars().count() {
        return Err(GraphError::parameter("override_callback_uri has more than 200 characters"));
    }
    shake_hands(core, url, word).await.map_err(GraphError::parameter)?;
    core.subscribe(subject, url);
    Ok(success())
}

/// Ends the account's subscription: nothing of it is delivered from now on.
pub(super) fn delete(state: &mut State, account: &str) -> Value {
    state.subscriptions.remove(account);
    state.world.unsubscribed.insert(account.to_owned());
    success()
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
