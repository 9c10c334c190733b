//! `GET` and `POST /{waba}`.

use serde_json::Value;

use super::error::GraphError;
use super::paging::ListQuery;
use super::routes::{says_yes, success};
use super::subscriptions;
use crate::state::State;

/// The account, with the fields asked for.
pub(super) fn show(state: &State, id: &str, query: &ListQuery) -> Result<Value, GraphError> {
    let apps = subscriptions::list(state, id);
    query.select(&state.world.account(id, "Sandbox", &apps), &["id", "name", "timezone_id"])
}

/// Sends marketing templates by the Marketing Messages API alone, or by both again.
pub(super) fn change(state: &mut State, id: &str, order: &Value) -> Result<Value, GraphError> {
    const OFF: &str = "disable_marketing_messages_on_cloud_api";
    if order.get(OFF).is_none() {
        return Err(GraphError::parameter("Nothing to change was named."));
    }
    if says_yes(order, OFF) {
        state.world.marketing_elsewhere.insert(id.to_owned());
    } else {
        state.world.marketing_elsewhere.remove(id);
    }
    Ok(success())
}
