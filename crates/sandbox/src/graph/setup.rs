//! The edges by which a number is set up: registration, profile, settings, block list (protocol, 2.8).

use serde_json::{Value, json};

use super::call::Call;
use super::error::GraphError;
use super::routes::success;
use crate::number::setup::Setup;
use crate::state::State;
use crate::template::field;

/// So many customers fit into one call.
const BLOCKS_MAX: usize = 1_000;
/// A failure to block one customer.
const NOT_BLOCKED: u32 = 139_100;

/// The number's set-up, which exists wherever the number does.
fn setup<'a>(state: &'a mut State, number: &str) -> Result<&'a mut Setup, GraphError> {
    let number = state.numbers.get_mut(number).ok_or_else(|| GraphError::unknown_object(number))?;
    Ok(&mut number.setup)
}

/// What `GET /{phone}/{edge}` answers; `None` for an edge that is not about the set-up.
pub(super) fn show(
    state: &mut State,
    (number, edge): (&str, &str),
    call: &Call,
) -> Option<Result<Value, GraphError>> {
    let answer = match edge {
        "whatsapp_business_profile" => setup(state, number).and_then(|setup| {
            let usual = ["about", "address", "description", "email", "vertical", "websites"];
            let profile = call.query.select(&setup.profile(), &usual)?;
            Ok(json!({ "data": [profile] }))
        }),
        "settings" => setup(state, number).and_then(|setup| {
            let usual: Vec<&str> = setup.settings.keys().map(String::as_str).collect();
            call.query.select(&Value::Object(setup.settings.clone()), &usual)
        }),
        "whatsapp_commerce_settings" => {
            setup(state, number).map(|setup| json!({ "data": [setup.commerce] }))
        }
        "conversational_automation" => setup(state, number).map(|setup| setup.automation.clone()),
        "whatsapp_business_encryption" => setup(state, number).map(|setup| {
            json!({ "data": [{
                "business_public_key": setup.public_key,
                "business_public_key_signature_status": "VALID",
            }] })
        }),
        "block_users" => list_blocked(state, number, call),
        _ => return None,
    };
    Some(answer)
}

/// What `POST /{phone}/{edge}` does; `None` for an edge that is not about the set-up.
pub(super) fn submit(
    state: &mut State,
    (number, edge): (&str, &str),
    call: &Call,
    now_ms: i64,
) -> Option<Result<Value, GraphError>> {
    let act = |state: &mut State, act: &dyn Fn(&mut Setup, &Value) -> Result<(), GraphError>| {
        let order = call.parameters()?;
        act(setup(state, number)?, order).map(|()| success())
    };
    let answer = match edge {
        "register" => act(state, &|setup, order| {
            needs_product(order)?;
            setup.register(order, now_ms)
        }),
        "deregister" => act(state, &|setup, _| setup.deregister(now_ms)),
        "request_code" => act(state, &|setup, order| setup.request_code(order)),
        "verify_code" => act(state, &|setup, order| setup.verify_code(order)),
        "whatsapp_business_profile" => act(state, &|setup, order| {
            needs_product(order)?;
            setup.change_profile(order)
        }),
        "settings" => act(state, &|setup, order| {
            Setup::merge(&mut setup.settings, order);
            Ok(())
        }),
        "whatsapp_commerce_settings" => act(state, &|setup, order| {
            Setup::merge(&mut setup.commerce, order);
            Ok(())
        }),
        "conversational_automation" => act(state, &|setup, order| {
            if let Some(known) = setup.automation.as_object_mut() {
                Setup::merge(known, order);
            }
            Ok(())
        }),
        "whatsapp_business_encryption" => {
            act(state, &|setup, order| match field(order, "business_public_key") {
                "" => Err(GraphError::parameter("business_public_key is required")),
                key => {
                    setup.public_key = Some(key.to_owned());
                    Ok(())
                }
            })
        }
        "block_users" => block(state, number, call, now_ms),
        _ => return None,
    };
    Some(answer)
}

fn needs_product(order: &Value) -> Result<(), GraphError> {
    if field(order, "messaging_product") == "whatsapp" {
        return Ok(());
    }
    Err(GraphError::parameter("messaging_product must be whatsapp"))
}

/// What a number's own node takes: a PIN, a new name; anything else is none of ours.
pub(super) fn change(state: &mut State, number: &str, order: &Value) -> Result<Value, GraphError> {
    let setup = setup(state, number)?;
    match (field(order, "pin"), field(order, "new_display_name")) {
        ("", "") => Err(GraphError::parameter("Nothing to change was named.")),
        ("", name) => {
            setup.new_display_name = Some(name.to_owned());
            Ok(success())
        }
        (pin, _) => setup.set_pin(pin).map(|()| success()),
    }
}

fn list_blocked(state: &State, number: &str, call: &Call) -> Result<Value, GraphError> {
    let number = state.numbers.get(number).ok_or_else(|| GraphError::unknown_object(number))?;
    let blocked = number.setup.blocked.iter().map(
        |(wa_id, input)| json!({ "messaging_product": "whatsapp", "wa_id": wa_id, "input": input }),
    );
    call.query.page(blocked.collect(), &call.address)
}

/// Blocks customers; only who wrote within a day can be.
fn block(state: &mut State, number: &str, call: &Call, now_ms: i64) -> Result<Value, GraphError> {
    let mut added = Vec::new();
    let mut failed = Vec::new();
    for (input, wa_id) in named(state, call)? {
        let wrote = wa_id.as_ref().is_some_and(|wa_id| {
            state.phones.get(wa_id).is_some_and(|phone| phone.window_open(number, now_ms))
        });
        match wa_id {
            Some(wa_id) if wrote => {
                setup(state, number)?.blocked.insert(wa_id.clone(), input.clone());
                added.push(json!({ "input": input, "wa_id": wa_id }));
            }
            _ => failed.push(json!({ "input": input, "errors": [{
                "message": "The user did not write within 24 hours.",
                "code": NOT_BLOCKED,
                "error_data": { "details": "Only who wrote within 24 hours can be blocked." },
            }] })),
        }
    }
    let mut users = json!({ "added_users": added });
    if failed.is_empty() {
        return Ok(json!({ "messaging_product": "whatsapp", "block_users": users }));
    }
    users["failed_users"] = json!(failed);
    Ok(json!({
        "messaging_product": "whatsapp",
        "block_users": users,
        "errors": {
            "message": "(#139100) Failed to block or unblock some users",
            "type": "OAuthException",
            "code": NOT_BLOCKED,
            "error_data": { "details": "Some users could not be blocked." },
        },
    }))
}

/// What `DELETE /{phone}/block_users` does.
pub(super) fn unblock(state: &mut State, number: &str, call: &Call) -> Result<Value, GraphError> {
    let mut removed = Vec::new();
    for (input, wa_id) in named(state, call)? {
        let Some(wa_id) = wa_id else { continue };
        setup(state, number)?.blocked.remove(&wa_id);
        removed.push(json!({ "input": input, "wa_id": wa_id }));
    }
    Ok(json!({ "messaging_product": "whatsapp", "block_users": { "removed_users": removed } }))
}

/// The customers a call names: as they were written, and who that is.
fn named(state: &State, call: &Call) -> Result<Vec<(String, Option<String>)>, GraphError> {
    let order = call.parameters()?;
    needs_product(order)?;
    let Some(users) = order["block_users"].as_array().filter(|users| !users.is_empty()) else {
        return Err(GraphError::parameter("block_users must be a list of users"));
    };
    if BLOCKS_MAX < users.len() {
        return Err(GraphError::parameter("block_users: at most 1,000 users"));
    }
    let person = |user: &Value| match (field(user, "user"), field(user, "user_id")) {
        ("", id) => (id.to_owned(), state.person_named(id)),
        (number, _) => {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            (number.to_owned(), (!digits.is_empty()).then_some(digits))
        }
    };
    Ok(users.iter().map(person).collect())
}
