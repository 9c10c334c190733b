//! Messages with buttons, lists, links and the like (protocol, 2.4).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::graph::error::GraphError;
use crate::message::{Button, ButtonKind, Content, MediaKind};
use crate::template::{field, media_of};

const BODY_MAX: usize = 1_024;
const LIST_BODY_MAX: usize = 4_096;
const SHORT_MAX: usize = 60;

/// Reads `interactive` into what the customer sees.
///
/// # Errors
///
/// 131008 for what is missing, 131009 for what is too long or too many, 100 for an unknown type.
pub(super) fn read(object: &Value) -> Result<Content, GraphError> {
    let kind = field(object, "type");
    let action = &object["action"];
    if kind.is_empty() || !action.is_object() {
        return Err(GraphError::missing("interactive.type and interactive.action are required."));
    }
    let buttons = match kind {
        "button" => replies(action)?,
        "list" => rows(action)?,
        "cta_url" => vec![link(action)?],
        "flow" => {
            let parameters = &action["parameters"];
            let named =
                ["flow_id", "flow_name"].iter().any(|name| !field(parameters, name).is_empty());
            if !named {
                return Err(GraphError::missing(
                    "action.parameters: flow_id or flow_name is required.",
                ));
            }
            text_of(parameters, "flow_cta", 30)?;
            vec![Button::new(ButtonKind::Other, field(parameters, "flow_cta"), "")]
        }
        "carousel" => cards(action)?,
        "location_request_message"
        | "request_contact_info"
        | "call_permission_request"
        | "voice_call"
        | "address_message"
        | "product"
        | "product_list"
        | "catalog_message" => {
            if action.as_object().is_some_and(serde_json::Map::is_empty) {
                return Err(GraphError::missing("interactive.action is empty."));
            }
            Vec::new()
        }
        _ => {
            return Err(GraphError::parameter(format!("interactive.type: {kind} is not known")));
        }
    };
    let body_max = if kind == "list" { LIST_BODY_MAX } else { BODY_MAX };
    // A product speaks for itself; everything else needs words.
    let text = match (kind, object["body"].is_null()) {
        ("product", true) => String::new(),
        _ => text_of(&object["body"], "text", body_max)?,
    };
    let mut content = Content { buttons, ..Content::text(text) };
    if !object["footer"].is_null() {
        content.footer = Some(text_of(&object["footer"], "text", SHORT_MAX)?);
    }
    header(kind, &object["header"], &mut content)?;
    Ok(content)
}

fn header(kind: &str, header: &Value, content: &mut Content) -> Result<(), GraphError> {
    if header.is_null() {
        return match kind {
            "product_list" => Err(GraphError::missing("interactive.header is required.")),
            _ => Ok(()),
        };
    }
    let form = field(header, "type");
    if form == "text" {
        content.header = Some(text_of(header, "text", SHORT_MAX)?);
        return Ok(());
    }
    match MediaKind::parse(form) {
        Some(media @ (MediaKind::Image | MediaKind::Video | MediaKind::Document))
            if kind != "list" =>
        {
            content.media = Some(media_of(media, &header[form])?);
            Ok(())
        }
        _ => Err(GraphError::value(format!("interactive.header: {form} is not allowed here"))),
    }
}

fn replies(action: &Value) -> Result<Vec<Button>, GraphError> {
    let list = items(action, "buttons", 1, 3)?;
    let mut ids = BTreeSet::new();
    list.iter()
        .map(|button| {
            let reply = &button["reply"];
            let (id, title) = (text_of(reply, "id", 256)?, text_of(reply, "title", 20)?);
            unique(&mut ids, &id)?;
            Ok(Button::new(ButtonKind::Reply, title, id))
        })
        .collect()
}

fn rows(action: &Value) -> Result<Vec<Button>, GraphError> {
    text_of(action, "button", 20)?;
    let sections = items(action, "sections", 1, 10)?;
    let mut ids = BTreeSet::new();
    let mut buttons = Vec::new();
    for section in sections {
        if 1 < sections.len() || !section["title"].is_null() {
            text_of(section, "title", 24)?;
        }
        for row in items(section, "rows", 1, 10)? {
            let (id, title) = (text_of(row, "id", 200)?, text_of(row, "title", 24)?);
            unique(&mut ids, &id)?;
            let description = match row["description"] {
                Value::Null => None,
                _ => Some(text_of(row, "description", 72)?),
            };
            buttons.push(Button { description, ..Button::new(ButtonKind::Row, title, id) });
        }
    }
    if 10 < buttons.len() {
        return Err(GraphError::value("action.sections: more than 10 rows in all"));
    }
    Ok(buttons)
}

fn link(action: &Value) -> Result<Button, GraphError> {
    let parameters = &action["parameters"];
    let text = text_of(parameters, "display_text", 20)?;
    let url = text_of(parameters, "url", 2_000)?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(GraphError::value("action.parameters.url is no http(s) address"));
    }
    Ok(Button::new(ButtonKind::Url, text, url))
}

fn cards(action: &Value) -> Result<Vec<Button>, GraphError> {
    let mut buttons = Vec::new();
    for card in items(action, "cards", 2, 10)? {
        let action = &card["action"];
        match field(action, "name") {
            "cta_url" => buttons.push(link(action)?),
            _ if action["buttons"].is_array() => {
                let quick = action["buttons"].as_array().into_iter().flatten();
                for button in quick.map(|button| &button["quick_reply"]) {
                    let (id, title) = (text_of(button, "id", 256)?, text_of(button, "title", 20)?);
                    buttons.push(Button::new(ButtonKind::Reply, title, id));
                }
            }
            _ => {}
        }
    }
    Ok(buttons)
}

/// The list `name`, of `least` to `most` items.
fn items<'a>(
    object: &'a Value,
    name: &str,
    least: usize,
    most: usize,
) -> Result<&'a [Value], GraphError> {
    let Some(list) = object[name].as_array() else {
        return Err(GraphError::missing(format!("{name} is required.")));
    };
    if !(least..=most).contains(&list.len()) {
        return Err(GraphError::value(format!("{name}: {least} to {most} are allowed")));
    }
    Ok(list)
}

/// The text `name`, of 1 to `most` characters.
fn text_of(object: &Value, name: &str, most: usize) -> Result<String, GraphError> {
    match field(object, name) {
        "" => Err(GraphError::missing(format!("{name} is required."))),
        text if most < text.chars().count() => {
            Err(GraphError::value(format!("{name} has more than {most} characters")))
        }
        text => Ok(text.to_owned()),
    }
}

fn unique(ids: &mut BTreeSet<String>, id: &str) -> Result<(), GraphError> {
    if ids.insert(id.to_owned()) {
        return Ok(());
    }
    Err(GraphError::value(format!("the id {id} is there twice")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(kind: &str, action: Value) -> Value {
        json!({ "type": kind, "body": { "text": "Which day?" }, "action": action })
    }

    fn buttons(count: usize, title: &str) -> Value {
        let list: Vec<Value> = (0..count)
            .map(|n| json!({ "type": "reply", "reply": { "id": n.to_string(), "title": title } }))
            .collect();
        with("button", json!({ "buttons": list }))
    }

    fn list(sections: usize, rows: usize) -> Value {
        let row = |s: usize, r: usize| json!({ "id": format!("{s}-{r}"), "title": "Row" });
        let section = |s: usize| json!({ "title": "Some", "rows": (0..rows).map(|r| row(s, r)).collect::<Vec<_>>() });
        let sections: Vec<Value> = (0..sections).map(section).collect();
        with("list", json!({ "button": "See", "sections": sections }))
    }

    #[test]
    fn limits_hold_on_both_sides_of_each_edge() {
        let url = |text: &str| {
            with(
                "cta_url",
                json!({ "name": "cta_url", "parameters": { "display_text": "Open", "url": text } }),
            )
        };
        let mut twice = buttons(2, "Yes");
        twice["action"]["buttons"][1]["reply"]["id"] = json!("0");
        let mut headed = list(1, 1);
        headed["header"] = json!({ "type": "image", "image": { "id": "1" } });
        let mut wordless = buttons(1, "Yes");
        wordless["body"] = Value::Null;
        let cases = [
            ("one button", buttons(1, "Yes"), None),
            ("three buttons", buttons(3, &"x".repeat(20)), None),
            ("no button", buttons(0, "Yes"), Some(131_009)),
            ("four buttons", buttons(4, "Yes"), Some(131_009)),
            ("a long title", buttons(1, &"x".repeat(21)), Some(131_009)),
            ("an id twice", twice, Some(131_009)),
            ("no body", wordless, Some(131_008)),
            ("ten rows", list(2, 5), None),
            ("eleven rows", list(11, 1), Some(131_009)),
            ("twelve rows", list(2, 6), Some(131_009)),
            ("a picture over a list", headed, Some(131_009)),
            ("a link", url("https://a.example/"), None),
            ("no link", url("a.example"), Some(131_009)),
            (
                "a place asked for",
                with("location_request_message", json!({ "name": "send_location" })),
                None,
            ),
            (
                "a flow without a name",
                with("flow", json!({ "parameters": { "flow_cta": "Go" } })),
                Some(131_008),
            ),
            ("an unknown type", with("riddle", json!({ "name": "x" })), Some(100)),
            ("no action", json!({ "type": "button", "body": { "text": "a" } }), Some(131_008)),
        ];
        for (case, object, code) in cases {
            assert_eq!(read(&object).err().map(|error| error.code), code, "{case}");
        }
    }
}
