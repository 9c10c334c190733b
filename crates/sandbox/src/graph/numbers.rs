//! `GET /{phone}` and `GET /{waba}/phone_numbers` (protocol, 6.5).

use serde_json::{Value, json};

use super::error::GraphError;
use super::paging::ListQuery;
use crate::number::setup::Ownership;
use crate::number::{Limit, Number};
use crate::state::State;

/// What comes without `fields`.
const USUAL: [&str; 8] = [
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
    "code_verification_status",
    "platform_type",
    "throughput",
    "webhook_configuration",
];

/// The number `id`, with the fields asked for.
pub(super) fn show(state: &State, id: &str, query: &ListQuery) -> Result<Value, GraphError> {
    let number = state.numbers.get(id).ok_or_else(|| GraphError::unknown_object(id))?;
    query.select(&node(state, number), &USUAL)
}

/// The numbers of the account, in pages.
pub(super) fn list(
    state: &State,
    account: &str,
    query: &ListQuery,
    address: &str,
) -> Result<Value, GraphError> {
    let numbers = state.numbers.values().filter(|number| number.seed.waba_id == account);
    let nodes: Result<Vec<Value>, GraphError> =
        numbers.map(|number| query.select(&node(state, number), &USUAL)).collect();
    query.page(nodes?, address)
}

/// Every field; those not set are null and left out of answers.
fn node(state: &State, number: &Number) -> Value {
    let seed = &number.seed;
    let rating = number.rating.as_str();
    let tier = number.limit.map(Limit::tier);
    let setup = &number.setup;
    let can_send = match state.world.health(&seed.phone_number_id, &seed.waba_id) {
        "AVAILABLE" if setup.registered => "AVAILABLE",
        _ => "BLOCKED",
    };
    let ownership = match setup.ownership {
        Ownership::Verified => "VERIFIED",
        Ownership::CodeSent => "NOT_VERIFIED",
    };
    let mut automation = setup.automation.clone();
    automation["id"] = json!(seed.phone_number_id);
    let app = state.world.app_hooks.get(&seed.app_secret).map(|hook| hook.callback_url.clone());
    let hooks = |subject: &str| state.subscriptions.get(subject).map(|to| to.callback_url.clone());
    let mut webhooks = serde_json::Map::new();
    for (level, url) in [
        ("phone_number", hooks(&seed.phone_number_id)),
        ("whatsapp_business_account", hooks(&seed.waba_id)),
        ("application", app),
    ] {
        if let Some(url) = url {
            webhooks.insert(level.to_owned(), json!(url));
        }
    }
    json!({
        "id": seed.phone_number_id,
        "display_phone_number": seed.display_phone_number,
        "verified_name": seed.verified_name,
        "quality_rating": rating,
        "quality_score": { "score": rating },
        "whatsapp_business_manager_messaging_limit": tier,
        "messaging_limit_tier": tier,
        "throughput": { "level": number.throughput_level() },
        "status": if setup.registered { "CONNECTED" } else { "DISCONNECTED" },
        "name_status": "APPROVED",
        "new_name_status": setup.new_display_name.as_ref().map(|_| "PENDING_REVIEW"),
        "new_display_name": setup.new_display_name,
        "code_verification_status": ownership,
        "platform_type": if setup.registered { "CLOUD_API" } else { "NOT_APPLICABLE" },
        "account_mode": if setup.test_recipients.is_some() { "SANDBOX" } else { "LIVE" },
        "is_official_business_account": false,
        "is_on_biz_app": false,
        "is_pin_enabled": setup.pin.is_some(),
        "is_preverified_number": false,
        "search_visibility": "NON_VISIBLE",
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "certificate": null,
        "new_certificate": null,
        "last_onboarded_time": null,
        "country_code": null,
        "country_dial_code": null,
        "username": null,
        "conversational_automation": automation,
        "webhook_configuration": webhooks,
        "health_status": {
            "can_send_message": can_send,
            "entities": [
                { "entity_type": "PHONE_NUMBER", "id": seed.phone_number_id, "can_send_message": can_send },
                { "entity_type": "WABA", "id": seed.waba_id, "can_send_message": "AVAILABLE" },
            ],
        },
    })
}
