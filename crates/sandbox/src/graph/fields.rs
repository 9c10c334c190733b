//! The choice of keys by `fields=a,b{c,d}` (protocol, 11.3).

use serde_json::{Map, Value};

use super::error::GraphError;

/// One name asked for, and what is asked for inside of it; nothing means all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    name: String,
    inner: Vec<Field>,
}

/// Whether a choice is made in the object itself or inside of one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The id is always part of it.
    Top,
    Inner,
}

impl Field {
    /// The whole of `name`.
    pub(super) fn whole(name: &str) -> Self {
        Self { name: name.to_owned(), inner: Vec::new() }
    }
}

/// Reads `a,b{c,d{e}},f.format(SVG)`; a modifier after a point changes nothing here.
///
/// Braces that do not match are read as if they did.
pub(super) fn read(text: &str) -> Vec<Field> {
    let mut levels: Vec<Vec<Field>> = vec![Vec::new()];
    let mut name = String::new();
    let end_name = |name: &mut String, levels: &mut Vec<Vec<Field>>| {
        let whole = std::mem::take(name);
        let plain = whole.split('.').next().unwrap_or_default().trim();
        if let (false, Some(level)) = (plain.is_empty(), levels.last_mut()) {
            level.push(Field::whole(plain));
        }
    };
    for character in text.chars() {
        match character {
            ',' => end_name(&mut name, &mut levels),
            '{' => {
                end_name(&mut name, &mut levels);
                levels.push(Vec::new());
            }
            '}' => {
                end_name(&mut name, &mut levels);
                close(&mut levels);
            }
            _ => name.push(character),
        }
    }
    end_name(&mut name, &mut levels);
    while 1 < levels.len() {
        close(&mut levels);
    }
    levels.pop().unwrap_or_default()
}

/// Ends the innermost level, which belongs to the last name before it.
fn close(levels: &mut Vec<Vec<Field>>) {
    if levels.len() < 2 {
        return;
    }
    let inner = levels.pop().unwrap_or_default();
    if let Some(outer) = levels.last_mut().and_then(|level| level.last_mut()) {
        outer.inner = inner;
    }
}

/// Keeps of `object` what `fields` name; of a list, of each of its elements.
///
/// # Errors
///
/// Code 100 for a field the object cannot have.
pub(super) fn select(object: &Value, fields: &[Field], depth: Depth) -> Result<Value, GraphError> {
    let all = match object {
        Value::Array(items) => {
            let chosen: Result<Vec<Value>, GraphError> =
                items.iter().map(|item| select(item, fields, depth)).collect();
            return chosen.map(Value::Array);
        }
        Value::Object(all) => all,
        other => return Ok(other.clone()),
    };
    // A list inside of an object is asked for by the names of its elements.
    if depth == Depth::Inner && all.contains_key("data") && !fields.iter().any(|f| f.name == "data")
    {
        let mut chosen = all.clone();
        if let Some(data) = all.get("data") {
            chosen.insert("data".to_owned(), select(data, fields, depth)?);
        }
        return Ok(Value::Object(chosen));
    }
    let mut chosen = Map::new();
    if let (Depth::Top, Some(id)) = (depth, all.get("id")) {
        chosen.insert("id".to_owned(), id.clone());
    }
    for Field { name, inner } in fields {
        let value = match all.get(name) {
            // A field that exists but is not set is left out, as the platform does.
            Some(Value::Null) => continue,
            Some(value) if inner.is_empty() => value.clone(),
            Some(value) => select(value, inner, Depth::Inner)?,
            None => {
                let details = format!("Tried accessing nonexisting field ({name})");
                return Err(GraphError::parameter(details));
            }
        };
        chosen.insert(name.clone(), value);
    }
    Ok(Value::Object(chosen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn braces_choose_inside_of_objects_and_lists() {
        let object = json!({
            "id": "1", "a": 1, "b": { "c": 2, "d": { "e": 3, "f": 4 } },
            "l": [{ "x": 1, "y": 2 }], "p": { "data": [{ "x": 1, "y": 2 }] },
        });
        let cases = [
            ("a", json!({ "id": "1", "a": 1 })),
            ("b{d{e}}", json!({ "id": "1", "b": { "d": { "e": 3 } } })),
            ("b{c,d{f}},a", json!({ "id": "1", "b": { "c": 2, "d": { "f": 4 } }, "a": 1 })),
            ("l{x}", json!({ "id": "1", "l": [{ "x": 1 }] })),
            ("p{y}", json!({ "id": "1", "p": { "data": [{ "y": 2 }] } })),
            ("a.format(SVG)", json!({ "id": "1", "a": 1 })),
            (" a , b{ c }", json!({ "id": "1", "a": 1, "b": { "c": 2 } })),
            ("b{c", json!({ "id": "1", "b": { "c": 2 } })),
            ("a}}", json!({ "id": "1", "a": 1 })),
            ("", json!({ "id": "1" })),
        ];
        for (text, expected) in cases {
            assert_eq!(select(&object, &read(text), Depth::Top).unwrap(), expected, "{text}");
        }
        assert_eq!(select(&object, &read("b{z}"), Depth::Top).unwrap_err().code, 100);
    }
}
