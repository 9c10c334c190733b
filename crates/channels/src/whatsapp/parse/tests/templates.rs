//! What the platform tells of templates.

use domain::channel::{
    CategoryNews, ChangedButton, PauseStage, TemplateChange, TemplateComponents, TemplateNews,
    TemplatePause, TemplateRejection, TemplateStatusEvent, TemplateStatusNews,
};

use super::*;

fn template(field: &str, extra: Value) -> ChannelEvent {
    let named = json!({"message_template_id": 1_540_088_120_394_477_u64,
        "message_template_name": "kiln_ready_v2", "message_template_language": "en-GB"});
    change_event(field, with(named, extra))
}

fn told(news: TemplateNews) -> ChannelEvent {
    ChannelEvent::Template(TemplateChange {
        external_id: some("1540088120394477"),
        name: "kiln_ready_v2".into(),
        language: "en_GB".into(),
        at: Some(at(1_789_000_000)),
        news,
    })
}

#[test]
fn each_status_of_a_template_is_read_with_its_reason() {
    use TemplateStatusEvent as Event;
    let plain = TemplateStatusNews::of;
    let disabled_on =
        |date: &str| TemplateStatusNews { disable_date: some(date), ..plain(Event::Flagged) };
    let cases = [
        (json!({"event": "APPROVED", "reason": "NONE"}), plain(Event::Approved)),
        (json!({"event": "approved", "reason": null}), plain(Event::Approved)),
        (
            json!({"event": "REJECTED", "reason": "INVALID_FORMAT", "rejection_info":
                   {"reason": "A variable has no sample.", "recommendation": "Add one."}}),
            TemplateStatusNews {
                reason: some("INVALID_FORMAT"),
                rejection: Some(TemplateRejection {
                    reason: some("A variable has no sample."),
                    recommendation: some("Add one."),
                }),
                ..plain(Event::Rejected)
            },
        ),
        (
            json!({"event": "PAUSED", "reason": "NONE",
                   "other_info": {"title": "FIRST_PAUSE", "description": "Paused for three hours."}}),
            TemplateStatusNews {
                pause: Some(TemplatePause {
                    stage: Some(PauseStage::First),
                    description: some("Paused for three hours."),
                }),
                ..plain(Event::Paused)
            },
        ),
        (
            json!({"event": "FLAGGED", "disable_info": {"disable_date": "1789086400"}}),
            disabled_on("1789086400"),
        ),
        (
            json!({"event": "FLAGGED", "disable_info": {"disable_date": 1_789_086_400}}),
            disabled_on("1789086400"),
        ),
        (
            json!({"event": "FLAGGED", "disable_info": {"disable_date": "September 20, 2026"}}),
            disabled_on("September 20, 2026"),
        ),
        (json!({"event": "IN_APPEAL"}), plain(Event::InAppeal)),
        (json!({"event": "UNARCHIVED"}), plain(Event::Unarchived)),
        (json!({"event": "ENCHANTED"}), plain(Event::Other("ENCHANTED".into()))),
    ];
    for (extra, news) in cases {
        let event = template("message_template_status_update", extra.clone());
        assert_eq!(event, told(TemplateNews::Status(news)), "{extra}");
    }
}

#[test]
fn the_quality_of_a_template_is_read_under_either_field() {
    let scores = json!({"previous_quality_score": "green", "new_quality_score": "YELLOW"});
    let expected = TemplateNews::Quality { previous: some("GREEN"), current: "YELLOW".to_owned() };
    for field in ["message_template_quality_update", "message_template_status_update"] {
        assert_eq!(template(field, scores.clone()), told(expected.clone()), "{field}");
    }
    let event = template("message_template_quality_update", json!({}));
    assert_eq!(event, other_event("message_template_quality_update"));
}

#[test]
fn a_new_category_is_announced_and_then_holds() {
    let cases = [
        (
            json!({"new_category": "UTILITY", "correct_category": "marketing",
                   "category_update_timestamp": 1_789_086_400}),
            CategoryNews::Announced {
                current: some("UTILITY"),
                upcoming: "MARKETING".into(),
                from: Some(at(1_789_086_400)),
            },
        ),
        (
            json!({"previous_category": "UTILITY", "new_category": "MARKETING"}),
            CategoryNews::Changed { previous: some("UTILITY"), current: "MARKETING".into() },
        ),
        (
            json!({"new_category": "MARKETING"}),
            CategoryNews::Changed { previous: None, current: "MARKETING".into() },
        ),
    ];
    for (extra, news) in cases {
        let event = template("template_category_update", extra.clone());
        assert_eq!(event, told(TemplateNews::Category(news)), "{extra}");
    }
    let event = template("template_category_update", json!({"previous_category": "UTILITY"}));
    assert_eq!(event, other_event("template_category_update"));
}

#[test]
fn what_a_template_says_now_is_read() {
    let url = "https://harbourlane.example/o/{{1}}";
    let extra = json!({"message_template_title": "Kiln news", "message_template_element": "Hi {{1}}",
        "message_template_footer": "Harbour Lane", "message_template_buttons": [
            {"message_template_button_type": "url", "message_template_button_text": "Track",
             "message_template_button_url": url},
            7,
            {"message_template_button_type": "PHONE_NUMBER", "message_template_button_text": "Call us",
             "message_template_button_phone_number": "+447700900101"}]});
    let button = |kind: &str, text: &str| ChangedButton {
        kind: some(kind),
        text: some(text),
        ..ChangedButton::default()
    };
    let expected = TemplateComponents {
        header: some("Kiln news"),
        body: some("Hi {{1}}"),
        footer: some("Harbour Lane"),
        buttons: vec![
            ChangedButton { url: some(url), ..button("URL", "Track") },
            ChangedButton { phone: some("+447700900101"), ..button("PHONE_NUMBER", "Call us") },
        ],
    };
    let event = template("message_template_components_update", extra);
    assert_eq!(event, told(TemplateNews::Components(expected)));
}

#[test]
fn a_template_that_is_not_named_is_put_aside() {
    let cases = [
        json!({"event": "PAUSED", "message_template_language": "en_GB"}),
        json!({"event": "PAUSED", "message_template_name": "kiln_ready_v2"}),
        json!({"message_template_name": "kiln_ready_v2", "message_template_language": "en_GB"}),
        json!("PAUSED"),
        json!(null),
    ];
    for value in cases {
        let change = json!({"field": "message_template_status_update", "value": value});
        let elements = parsed(&changes(json!([change])));
        assert_eq!(elements.len(), 1);
        assert!(elements[0].event.is_err(), "{value}");
        assert_eq!(elements[0].raw, change.to_string());
    }
}
