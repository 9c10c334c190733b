//! A batch with an element of every type, of which one is spoilt: the others are what they were.

use proptest::sample::Index;

use super::*;

/// A change that can be made to a value, at a place in it.
#[derive(Debug, Clone)]
enum Mutation {
    /// The place is taken out.
    Drop,
    /// Something else stands there.
    Replace(Value),
    /// It stands inside two lists.
    Nest,
    /// An object there gets a key more.
    Extend(String, Value),
}

fn messages() -> Vec<Value> {
    [
        json!({"type": "text", "text": {"body": "Is Friday free?"}, "context": {"id": "wamid.2"},
               "referral": {"source_type": "ad", "welcome_message": {"text": "Hello"}}}),
        json!({"type": "image", "image": {"id": "881001", "mime_type": "image/jpeg", "caption": "Crack"}}),
        json!({"type": "video", "video": {"id": "881002", "mime_type": "video/mp4"}}),
        json!({"type": "audio", "audio": {"id": "881003", "voice": true}}),
        json!({"type": "document", "document": {"id": "881006", "filename": "quote.pdf"}}),
        json!({"type": "sticker", "sticker": {"id": "881007", "animated": false}}),
        json!({"type": "location", "location": {"latitude": 51.07, "longitude": -4.05, "name": "Quay"}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Noor"},
               "phones": [{"phone": "+44 7700 900333"}], "org": {"company": "Castell"}}]}),
        json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "A"}}}),
        json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "b", "title": "B"}}}),
        json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}}),
        json!({"type": "interactive", "interactive": {"type": "call_permission_reply",
               "call_permission_reply": {"response": "accept"}}}),
        json!({"type": "button", "button": {"payload": "P", "text": "T"}}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.2", "emoji": "\u{2764}"}}),
        json!({"type": "order", "order": {"product_items": [{"quantity": 2, "item_price": 24.5}]}}),
        json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": "447700900778"}}),
        json!({"type": "system", "system": {"type": "customer_identity_changed", "identity": {"hash": "aGFzaA=="}}}),
        json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131_051}]}),
        json!({"type": "edit", "edit": {"original_message_id": "wamid.2",
               "message": {"type": "text", "text": {"body": "Saturday?"}}}}),
        json!({"type": "revoke", "revoke": {"original_message_id": "wamid.2"}}),
        json!({"type": "request_welcome"}),
        json!({"type": "text", "group_id": "R1JPVVA=", "text": {"body": "all"}}),
        json!({"type": "hologram", "hologram": {"depth": 3}}),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, extra)| with(message(extra), json!({"id": format!("wamid.m{place}")})))
    .collect()
}

fn statuses() -> Vec<Value> {
    [
        json!({"status": "sent", "pricing": {"pricing_model": "PMP", "type": "regular", "category": "marketing"},
               "conversation": {"id": "c0ffee", "origin": {"type": "utility"}}}),
        json!({"status": "delivered", "recipient_id": "447700900777"}),
        json!({"status": "read", "recipient_type": "group", "recipient_id": "R1JPVVA="}),
        json!({"status": "played"}),
        json!({"status": "failed", "errors": [{"code": 131_026, "title": "Undeliverable"}, {"code": 131_050}]}),
        json!({"status": "warning"}),
    ]
    .into_iter()
    .map(|extra| with(json!({"id": "wamid.s", "timestamp": "1789000101"}), extra))
    .collect()
}

/// Changes of one element each.
fn account_changes() -> Vec<Value> {
    let template = |field: &str, extra: Value| {
        let named =
            json!({"message_template_name": "kiln_ready", "message_template_language": "en"});
        json!({"field": field, "value": with(named, extra)})
    };
    vec![
        template(
            "message_template_status_update",
            json!({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE"}}),
        ),
        template("message_template_quality_update", json!({"new_quality_score": "RED"})),
        template("template_category_update", json!({"new_category": "MARKETING"})),
        template("message_template_components_update", json!({"message_template_buttons": [{}]})),
        json!({"field": "user_preferences", "value": {"contacts": [{"wa_id": "447700900777"}],
               "user_preferences": [{"wa_id": "447700900777", "value": "stop", "timestamp": 1_789_000_400}]}}),
        json!({"field": "smb_message_echoes", "value": {"message_echoes": [
               {"to": "447700900777", "id": "wamid.32", "timestamp": "1789000300", "type": "text", "text": {"body": "Hi"}}]}}),
        json!({"field": "phone_number_quality_update", "value": {"event": "FLAGGED", "current_limit": "TIER_1K"}}),
        json!({"field": "business_capability_update", "value": {"max_daily_conversation_per_phone": 250}}),
        json!({"field": "account_update", "value": {"event": "ACCOUNT_RESTRICTION",
               "restriction_info": [{"restriction_type": "RESTRICTED_UTILITY_TEMPLATES"}]}}),
        json!({"field": "account_alerts", "value": {"alert_info": {"alert_severity": "WARNING"}}}),
        json!({"field": "account_review_update", "value": {"decision": "APPROVED"}}),
        json!({"field": "phone_number_name_update", "value": {"decision": "APPROVED"}}),
        json!({"field": "security", "value": {"event": "PIN_CHANGED"}}),
        json!({"field": "business_username_update", "value": {"status": "approved"}}),
        json!({"field": "history", "value": {"history": [{"threads": []}]}}),
        json!({"field": "astrology", "value": {"sign": "crab"}}),
    ]
}

/// The elements of a batch, in the order in which they are read.
#[derive(Debug, Clone)]
struct Batch {
    messages: Vec<Value>,
    statuses: Vec<Value>,
    errors: Vec<Value>,
    changes: Vec<Value>,
}

impl Batch {
    fn of_all() -> Self {
        let errors = vec![json!({"code": 130_429, "title": "Rate limit hit"}), json!({"code": 1})];
        Self { messages: messages(), statuses: statuses(), errors, changes: account_changes() }
    }

    fn elements(&mut self) -> Vec<&mut Value> {
        let lists = [&mut self.messages, &mut self.statuses, &mut self.errors, &mut self.changes];
        lists.into_iter().flatten().collect()
    }

    /// What is read of it: the text of each element, and what it says.
    fn read(&self) -> Vec<(String, Option<ChannelEvent>)> {
        let contacts = json!([{"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777"}]);
        let mut body = envelope(json!({"contacts": contacts, "messages": self.messages,
                                       "statuses": self.statuses, "errors": self.errors}));
        let entry = json!({"id": "1", "time": 1_789_000_000, "changes": self.changes});
        body["entry"].as_array_mut().unwrap().push(entry);
        parsed(&body).into_iter().map(|element| (element.raw, element.event.ok())).collect()
    }
}

/// The places in `value`, as pointers; the first is all of it.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(parts) => parts.iter().map(|(key, part)| (key.clone(), part)).collect(),
        Value::Array(parts) => {
            parts.iter().enumerate().map(|(place, part)| (place.to_string(), part)).collect()
        }
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(key, part)| {
        places(part).into_iter().map(move |place| format!("/{key}{place}"))
    });
    std::iter::once(String::new()).chain(below).collect()
}

impl Mutation {
    fn apply(self, value: &mut Value, place: Index) {
        let places = places(value);
        let place = &places[place.index(places.len())];
        match self {
            Self::Drop => {
                let Some((parent, key)) = place.rsplit_once('/') else { return };
                match value.pointer_mut(parent) {
                    Some(Value::Object(parts)) => drop(parts.remove(key)),
                    Some(Value::Array(parts)) => drop(parts.remove(key.parse().unwrap())),
                    _ => unreachable!("{place} has a parent"),
                }
            }
            Self::Replace(other) => *value.pointer_mut(place).unwrap() = other,
            Self::Nest => {
                let part = value.pointer_mut(place).unwrap();
                *part = json!([[part.take()]]);
            }
            Self::Extend(key, extra) => {
                if let Some(Value::Object(parts)) = value.pointer_mut(place) {
                    parts.entry(key).or_insert(extra);
                }
            }
        }
    }
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        Just(Mutation::Drop),
        any_json().prop_map(Mutation::Replace),
        Just(Mutation::Nest),
        ("[a-z_]{1,8}", any_json()).prop_map(|(key, extra)| Mutation::Extend(key, extra)),
    ]
}

#[test]
fn every_element_of_the_batch_is_read() {
    let read = Batch::of_all().read();
    assert_eq!(read.len(), Batch::of_all().elements().len());
    for (raw, event) in read {
        assert!(event.is_some(), "{raw}");
    }
}

proptest! {
    #[test]
    fn a_spoilt_element_is_kept_and_spoils_no_other(
        chosen in any::<Index>(),
        mutations in prop::collection::vec((any::<Index>(), any_mutation()), 1..4),
    ) {
        let mut batch = Batch::of_all();
        let whole = batch.read();
        let count = whole.len();
        let chosen = chosen.index(count);
        let spoilt = batch.elements().swap_remove(chosen);
        for (place, mutation) in mutations {
            mutation.apply(spoilt, place);
        }
        let spoilt = spoilt.to_string();
        let read = batch.read();
        // A change may come to hold more elements than one, a message never.
        prop_assert!(count <= read.len());
        let after = count - chosen - 1;
        let rest = read.len() - after;
        prop_assert_eq!(&read[..chosen], &whole[..chosen]);
        prop_assert_eq!(&read[rest..], &whole[chosen + 1..]);
        let is_change = count - account_changes().len() <= chosen;
        if !is_change {
            prop_assert_eq!(rest - chosen, 1);
            prop_assert_eq!(&read[chosen].0, &spoilt);
        }
    }
}
