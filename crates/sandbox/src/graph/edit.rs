//! What changes templates: create, edit, delete, unpause, archive (protocol, 3.2 to 3.4).

use serde_json::{Value, json};

use super::call::Call;
use super::error::GraphError;
use super::routes::success;
use crate::TemplateSeed;
use crate::state::State;
use crate::template::{Template, field, variables, word};

const NAME_MAX: usize = 512;
const BODY_MAX: usize = 1_024;
const SHORT_MAX: usize = 60;
const BUTTONS_MAX: usize = 10;
/// Subcodes of a refused template (protocol, 3.9).
const TOO_LONG: u32 = 2_388_040;
const BODY_FORMAT: u32 = 2_388_072;
const VARIABLE_AT_END: u32 = 2_388_299;

/// Takes a new template over; it waits for its review.
pub(super) fn create(state: &mut State, account: &str, order: &Value) -> Result<Value, GraphError> {
    let (name, language) = (field(order, "name"), field(order, "language").replace('-', "_"));
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || NAME_MAX < name.len() || !name.chars().all(is_plain) {
        return Err(GraphError::parameter("name: lower-case letters, digits and underscores"));
    }
    if language.is_empty() {
        return Err(GraphError::parameter("language is required"));
    }
    let category = category(order)?;
    let components = components(&order["components"])?;
    let twin = state.templates.iter().any(|known| {
        known.seed.waba_id == account && known.seed.name == name && known.seed.language == language
    });
    if twin {
        return Err(GraphError::template_refused(
            2_388_024,
            "There is already content for this template in this language.",
        ));
    }
    let format = match field(order, "parameter_format").to_ascii_uppercase().as_str() {
        "NAMED" => "NAMED",
        _ => "POSITIONAL",
    };
    let id = state.next_template_id();
    state.templates.push(Template {
        ttl_seconds: order["message_send_ttl_seconds"].as_i64(),
        ..Template::new(
            id,
            TemplateSeed {
                waba_id: account.to_owned(),
                name: name.to_owned(),
                language,
                category: category.clone(),
                status: "PENDING".to_owned(),
                components,
                parameter_format: format.to_owned(),
            },
        )
    });
    Ok(json!({ "id": id.to_string(), "status": "PENDING", "category": category }))
}

/// Changes a template, which is reviewed again.
pub(super) fn change(state: &mut State, place: usize, order: &Value) -> Result<Value, GraphError> {
    let new_components = match &order["components"] {
        Value::Null => None,
        list => Some(components(list)?),
    };
    let template = state.templates.get_mut(place).ok_or_else(|| GraphError::unknown_object(""))?;
    if !matches!(template.seed.status.as_str(), "APPROVED" | "REJECTED" | "PAUSED") {
        return Err(GraphError::parameter(
            "Only an approved, rejected or paused template changes.",
        ));
    }
    if order.get("category").is_some() {
        let category = category(order)?;
        if template.seed.status == "APPROVED" && category != template.seed.category {
            return Err(GraphError::parameter("The category of an approved template stays."));
        }
        template.seed.category = category;
    }
    if let Some(components) = new_components {
        template.seed.components = components;
        template.seed.status = "PENDING".to_owned();
    }
    if let Some(ttl) = order["message_send_ttl_seconds"].as_i64() {
        template.ttl_seconds = Some(ttl);
    }
    let id = template.id.to_string();
    Ok(json!({ "success": true, "id": id, "category": template.seed.category }))
}

/// Deletes the languages of a name, or the ones named by id.
pub(super) fn delete(state: &mut State, account: &str, call: &Call) -> Result<Value, GraphError> {
    let name = call.query.get("name");
    let ids = call.query.filter("hsm_ids").or_else(|| call.query.filter("hsm_id"));
    if name.is_none() && ids.is_none() {
        return Err(GraphError::parameter("name or hsm_id is required"));
    }
    let is_meant = |template: &Template| {
        template.seed.waba_id == account
            && name.is_none_or(|name| template.seed.name == name)
            && ids.as_ref().is_none_or(|ids| ids.contains(&template.id.to_string()))
    };
    let mut meant = state.templates.iter().filter(|template| is_meant(template)).peekable();
    if meant.peek().is_none() {
        return Err(GraphError::parameter("There is no such template."));
    }
    if meant.any(|template| template.seed.status == "DISABLED") {
        return Err(GraphError::parameter("A disabled template cannot be deleted."));
    }
    state.templates.retain(|template| !is_meant(template));
    Ok(success())
}

/// Ends a pause, unless there is none.
pub(super) fn unpause(state: &mut State, place: usize, now_ms: i64) -> Result<Value, GraphError> {
    let template = state.templates.get(place).ok_or_else(|| GraphError::unknown_object(""))?;
    if template.seed.status != "PAUSED" {
        return Ok(json!({ "success": false, "reason": "The template is not paused." }));
    }
    let (name, language) = (template.seed.name.clone(), template.seed.language.clone());
    state.set_template_status(&name, Some(&language), "APPROVED", now_ms);
    Ok(success())
}

/// Puts templates away, or takes them out again.
pub(super) fn archive(
    state: &mut State,
    account: &str,
    order: &Value,
    away: bool,
    now_ms: i64,
) -> Result<Value, GraphError> {
    let ids = order["hsm_ids"].as_array().or_else(|| order["template_ids"].as_array());
    let ids = ids.ok_or_else(|| GraphError::parameter("hsm_ids is required"))?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for id in ids {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let own = state
            .templates
            .iter()
            .find(|template| template.seed.waba_id == account && template.id.to_string() == text);
        let Some(template) = own else {
            failed.push(json!({ "id": text, "reason": "There is no such template." }));
            continue;
        };
        let (name, language) = (template.seed.name.clone(), template.seed.language.clone());
        let status = if away { "ARCHIVED" } else { "APPROVED" };
        state.set_template_status(&name, Some(&language), status, now_ms);
        done.push(json!({ "id": text }));
    }
    let key = if away { "archived_templates" } else { "unarchived_templates" };
    Ok(json!({ key: done, "failed_templates": failed }))
}

fn category(order: &Value) -> Result<String, GraphError> {
    let category = field(order, "category").to_ascii_uppercase();
    let known = matches!(category.as_str(), "MARKETING" | "UTILITY" | "AUTHENTICATION");
    known.then_some(category).ok_or_else(|| {
        GraphError::parameter("category must be MARKETING, UTILITY or AUTHENTICATION")
    })
}

/// The components as the platform keeps them, words in upper case (protocol, 3.1 and 3.3).
fn components(list: &Value) -> Result<Value, GraphError> {
    // One client writes the list as text inside of the JSON.
    let parsed = list.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(list) = parsed.as_ref().unwrap_or(list).as_array() else {
        return Err(GraphError::parameter("components must be a list"));
    };
    let mut kept = list.clone();
    for component in &mut kept {
        let kind = word(component, "type");
        let text = field(component, "text").to_owned();
        let most = if kind == "BODY" { BODY_MAX } else { SHORT_MAX };
        if most < text.chars().count() {
            return Err(GraphError::template_refused(TOO_LONG, format!("{kind} is too long.")));
        }
        if kind == "BODY" && (text.trim().starts_with("{{") || text.trim().ends_with("}}")) {
            let details = "A variable can't be at the start or end of the body.";
            return Err(GraphError::template_refused(VARIABLE_AT_END, details));
        }
        if kind == "FOOTER" && !variables(&text).is_empty() {
            return Err(GraphError::template_refused(2_388_073, "The footer has a variable."));
        }
        if BUTTONS_MAX < component["buttons"].as_array().map_or(0, Vec::len) {
            return Err(GraphError::template_refused(TOO_LONG, "There are too many buttons."));
        }
        for key in ["type", "format"] {
            let upper = word(component, key);
            if !upper.is_empty() {
                component[key] = json!(upper);
            }
        }
        for button in component["buttons"].as_array_mut().into_iter().flatten() {
            button["type"] = json!(word(button, "type"));
            // What it says is the platform's own word for a code.
            if button["type"] == "COPY_CODE" && button["text"].is_null() {
                button["text"] = json!("Copy offer code");
            }
        }
        if component["buttons"].is_null()
            && let Some(fields) = component.as_object_mut()
        {
            fields.remove("buttons");
        }
    }
    if !kept.iter().any(|component| component["type"] == "BODY") {
        return Err(GraphError::template_refused(BODY_FORMAT, "A body is needed."));
    }
    Ok(Value::Array(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_may_not_have_is_refused_with_its_subcode() {
        let body = |text: &str| json!([{ "type": "body", "text": text }]);
        let cases = [
            ("a plain one", body("Hello {{1}}, good day."), None),
            ("no body", json!([{ "type": "FOOTER", "text": "x" }]), Some(Some(BODY_FORMAT))),
            ("a variable at the end", body("Hello {{1}}"), Some(Some(VARIABLE_AT_END))),
            ("too long", body(&"x".repeat(1_025)), Some(Some(TOO_LONG))),
            ("no list", json!({}), Some(None)),
        ];
        for (case, list, refused) in cases {
            assert_eq!(components(&list).err().map(|error| error.subcode), refused, "{case}");
        }
        let kept = components(&body("Hello {{1}}, good day.")).unwrap();
        assert_eq!(kept[0]["type"], "BODY");
        assert!(kept[0].get("buttons").is_none() && kept[0].get("format").is_none());
    }
}
