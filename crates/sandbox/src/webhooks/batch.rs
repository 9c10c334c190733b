//! Several updates in one webhook (protocol, 4.4).

use serde_json::Value;

/// Puts the updates of `bodies` into one body, in their order: changes under the entry of their account, messages and
/// statuses of one number beside each other in one value.
pub(crate) fn merge(bodies: Vec<Value>) -> Value {
    let mut bodies = bodies.into_iter();
    let Some(mut whole) = bodies.next() else { return Value::Null };
    for mut body in bodies {
        let Some(entries) = whole["entry"].as_array_mut() else { return whole };
        for entry in body["entry"].as_array_mut().into_iter().flatten() {
            match entries.iter_mut().find(|known| known["id"] == entry["id"]) {
                Some(known) => merge_changes(known, entry),
                None => entries.push(entry.take()),
            }
        }
    }
    whole
}

fn merge_changes(known: &mut Value, more: &mut Value) {
    let Some(changes) = known["changes"].as_array_mut() else { return };
    for change in more["changes"].as_array_mut().into_iter().flatten() {
        let same = changes.last_mut().filter(|last| {
            last["field"] == change["field"]
                && last["field"] == "messages"
                && last["value"]["metadata"] == change["value"]["metadata"]
        });
        match same {
            Some(last) => merge_values(&mut last["value"], &mut change["value"]),
            None => changes.push(change.take()),
        }
    }
}

fn merge_values(known: &mut Value, more: &mut Value) {
    for list in ["contacts", "messages", "statuses", "errors"] {
        let Some(items) = more[list].as_array_mut().map(std::mem::take) else { continue };
        match known[list].as_array_mut() {
            // Contacts are one per person, not one per message.
            Some(there) if list == "contacts" => {
                let new: Vec<Value> =
                    items.into_iter().filter(|item| !there.contains(item)).collect();
                there.extend(new);
            }
            Some(there) => there.extend(items),
            None => known[list] = Value::Array(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn update(account: &str, list: &str, id: &str) -> Value {
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": account, "changes": [{
            "field": "messages", "value": { "metadata": { "phone_number_id": "1" },
            "contacts": [{ "wa_id": "2" }], list: [{ "id": id }] } }] }] })
    }

    #[test]
    fn updates_of_one_number_share_a_value_and_others_stay_apart() {
        let other = json!({ "entry": [{ "id": "a", "changes": [{ "field": "account_alerts" }] }] });
        let whole = merge(vec![
            update("a", "statuses", "s1"),
            update("a", "statuses", "s2"),
            update("a", "messages", "m1"),
            other,
            update("b", "messages", "m2"),
        ]);
        let value = &whole["entry"][0]["changes"][0]["value"];
        assert_eq!(value["statuses"], json!([{ "id": "s1" }, { "id": "s2" }]));
        assert_eq!(value["messages"], json!([{ "id": "m1" }]));
        assert_eq!(value["contacts"], json!([{ "wa_id": "2" }]));
        assert_eq!(whole["entry"][0]["changes"][1]["field"], "account_alerts");
        assert_eq!(whole["entry"][1]["id"], "b");
        assert_eq!(merge(vec![]), Value::Null);
    }
}
