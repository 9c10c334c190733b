//! What contacts change about messages, themselves and their wishes, and echoes of the phone app.

use domain::channel::{
    IdentityChange, IdentityNews, MessageEcho, MessageEdit, MessageRevocation, PreferenceCategory,
    PreferenceChoice, UserPreference,
};

use super::*;

fn person(phone: Option<&str>, scoped: Option<&str>) -> SenderIdentity {
    SenderIdentity {
        phone_digits: phone.and_then(some),
        scoped_id: scoped.and_then(some),
        ..SenderIdentity::default()
    }
}

#[test]
fn a_message_is_rewritten_or_taken_back() {
    let edit = json!({"type": "edit", "edit": {"original_message_id": "wamid.5",
        "message": {"context": {"id": "M0"}, "type": "text", "text": {"body": "Is Saturday still free?"}}}});
    let expected = MessageEdit {
        provider_id: "wamid.1".into(),
        sender: imani(),
        at: at(1_789_000_000),
        edited: "wamid.5".into(),
        content: InboundContent::Text("Is Saturday still free?".into()),
    };
    assert_eq!(message_event(message(edit)), ChannelEvent::Edited(expected));
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.5"}});
    let expected = MessageRevocation {
        provider_id: "wamid.1".into(),
        sender: imani(),
        at: at(1_789_000_000),
        revoked: "wamid.5".into(),
    };
    assert_eq!(message_event(message(revoke)), ChannelEvent::Revoked(expected));
}

#[test]
fn an_edit_to_something_unknown_is_an_edit() {
    let edit = json!({"type": "edit", "edit": {"original_message_id": "wamid.5", "message": {}}});
    let ChannelEvent::Edited(edit) = message_event(message(edit)) else { panic!() };
    let InboundContent::Other { kind, .. } = edit.content else { panic!("{edit:?}") };
    assert_eq!(kind, "untyped");
}

#[test]
fn each_change_of_identity_is_read() {
    let number = |phone, scoped| IdentityNews::Number { now: person(phone, scoped) };
    let cases = [
        (
            json!({"type": "user_changed_number", "wa_id": "447700900778", "body": "moved"}),
            number(Some("447700900778"), None),
        ),
        (
            json!({"type": "user_changed_number", "wa_id": "", "user_id": "GB.77", "body": "moved"}),
            number(None, Some("GB.77")),
        ),
        (
            json!({"type": "customer_changed_number", "new_wa_id": "447700900778", "body": "moved"}),
            number(Some("447700900778"), None),
        ),
        (
            json!({"type": "user_changed_user_id", "user_id": "GB.77", "body": "moved"}),
            IdentityNews::ScopedId { now: person(None, Some("GB.77")) },
        ),
        (
            json!({"type": "customer_identity_changed", "body": "moved", "identity":
                   {"acknowledged": "false", "created_timestamp": 1_789_000_020, "hash": "aGFzaA=="}}),
            IdentityNews::Key {
                hash: some("aGFzaA=="),
                created_at: Some(at(1_789_000_020)),
                is_acknowledged: Some(false),
            },
        ),
        (
            json!({"type": "customer_identity_changed", "body": "moved"}),
            IdentityNews::Key { hash: None, created_at: None, is_acknowledged: None },
        ),
    ];
    for (system, what) in cases {
        // The platform sends no contacts along.
        let message = message(json!({"type": "system", "system": system}));
        let expected = IdentityChange {
            provider_id: some("wamid.1"),
            contact: person(Some("447700900777"), None),
            at: at(1_789_000_000),
            what,
            note: some("moved"),
        };
        let event = only(&envelope(json!({"messages": [message]})));
        assert_eq!(event, ChannelEvent::IdentityChanged(expected), "{system}");
    }
}

#[test]
fn a_change_that_does_not_say_of_what_is_kept() {
    let cases = [
        ("system", json!({"system": {"type": "user_grew_wings", "body": "b"}})),
        ("system", json!({"system": {"body": "b"}})),
        ("system", json!({})),
        ("system", json!({"system": {"type": "user_changed_number"}, "from": null})),
        ("system", json!({"system": {"type": "user_changed_number"}, "timestamp": []})),
        ("edit", json!({"edit": {"message": {"type": "text"}}})),
        ("edit", json!({"edit": {"original_message_id": "wamid.5"}, "id": ""})),
        ("revoke", json!({"revoke": {}})),
        ("revoke", json!({"revoke": {"original_message_id": "wamid.5"}, "from": ""})),
    ];
    for (kind, extra) in cases {
        let message = with(message(json!({"type": kind})), extra);
        assert_eq!(message_event(message.clone()), other_event(kind), "{message}");
    }
}

fn preference(extra: Value) -> ChannelEvent {
    let preference = json!({"wa_id": "447700900777", "category": "marketing_messages",
                            "detail": "User asked for it", "value": "stop", "timestamp": 1_789_000_400});
    let value = json!({"metadata": {"phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Imani Okoro"}, "wa_id": "447700900777"}],
        "user_preferences": [with(preference, extra)]});
    change_event("user_preferences", value)
}

#[test]
fn each_preference_is_read() {
    let told = |choice| UserPreference {
        contact: imani(),
        at: at(1_789_000_400),
        category: Some(PreferenceCategory::Marketing),
        choice,
        detail: some("User asked for it"),
    };
    let stop = || told(PreferenceChoice::Stop);
    let surveys = PreferenceCategory::Other("surveys".into());
    let cases = [
        (json!({}), stop(), true),
        (json!({"value": "resume"}), told(PreferenceChoice::Resume), true),
        (
            json!({"value": "signup", "signup_id": 771}),
            told(PreferenceChoice::SignUp { signup_id: some("771") }),
            true,
        ),
        (json!({"value": "signup"}), told(PreferenceChoice::SignUp { signup_id: None }), true),
        (json!({"category": null}), UserPreference { category: None, ..stop() }, true),
        (
            json!({"category": "surveys"}),
            UserPreference { category: Some(surveys), ..stop() },
            false,
        ),
        (
            json!({"wa_id": null, "user_id": "GB.66"}),
            UserPreference { contact: person(None, Some("GB.66")), ..stop() },
            true,
        ),
    ];
    for (extra, expected, is_about_marketing) in cases {
        assert_eq!(expected.is_about_marketing(), is_about_marketing, "{extra}");
        assert_eq!(preference(extra.clone()), ChannelEvent::Preference(expected), "{extra}");
    }
    assert_eq!(preference(json!({"value": "ponder"})), other_event("user_preferences"));
}

#[test]
fn each_preference_of_a_batch_is_an_element() {
    let one =
        |value: &str| json!({"wa_id": "447700900777", "value": value, "timestamp": 1_789_000_400});
    let value = json!({"user_preferences": [one("stop"), {"value": "stop"}, one("resume")]});
    let elements = parsed(&changes(json!([{"field": "user_preferences", "value": value}])));
    let readable: Vec<bool> = elements.iter().map(|element| element.event.is_ok()).collect();
    assert_eq!(readable, [true, false, true]);
}

#[test]
fn an_echo_of_the_phone_app_is_no_message_of_a_contact() {
    let echo = |extra: Value| {
        let echo = json!({"from": "447700900101", "to": "447700900777", "id": "wamid.32",
                          "timestamp": "1789000300", "type": "text", "text": {"body": "Teodor here"}});
        json!({"metadata": {"phone_number_id": NUMBER}, "message_echoes": [with(echo, extra)]})
    };
    let expected = |recipient, content| {
        ChannelEvent::Echo(MessageEcho {
            provider_id: "wamid.32".into(),
            recipient,
            at: at(1_789_000_300),
            content,
        })
    };
    let text = InboundContent::Text("Teodor here".into());
    let cases = [
        (json!({}), expected(person(Some("447700900777"), None), text.clone())),
        (json!({"to": "", "to_user_id": "GB.55"}), expected(person(None, Some("GB.55")), text)),
        (
            json!({"type": "reaction", "reaction": {"message_id": "wamid.5", "emoji": "\u{1f44d}"}}),
            expected(
                person(Some("447700900777"), None),
                InboundContent::Reaction { to: "wamid.5".into(), emoji: "\u{1f44d}".into() },
            ),
        ),
        (json!({"to": null}), other_event("smb_message_echoes")),
        (json!({"id": null}), other_event("smb_message_echoes")),
    ];
    for (extra, expected) in cases {
        let event = change_event("smb_message_echoes", echo(extra.clone()));
        assert_eq!(event, expected, "{extra}");
    }
}
