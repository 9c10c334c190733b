//! The templates of an account: every page of the list, in our words (protocol, 3.1 and 3.5).

use std::collections::HashSet;

use domain::{
    channel::{ChannelAccess, ChannelError},
    template::{
        MediaKind, PlatformTemplate, TemplateButton, TemplateCategory, TemplateContent,
        TemplateHeader, TemplateStatus, UnfillablePart,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    graph::{self, Read},
    wire::{Loose, lenient, lenient_list},
};
use crate::http::OutgoingHttp;

const FIELDS: &str = "id,name,language,status,category,parameter_format,quality_score,components";
/// Small enough that a page of the largest templates stays below the limit of an answer.
const PAGE_SIZE: &str = "50";
/// An account holds at most 6,000 templates; more pages than this are a loop.
const PAGES_MAX: usize = 500;
/// The platform's code for a cursor that ran out: the list starts again.
const CURSOR_EXPIRED: &str = "131059";
const RESTARTS_MAX: usize = 3;

#[derive(Debug, Deserialize)]
struct PageWire {
    data: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    paging: Option<PagingWire>,
}

#[derive(Debug, Deserialize)]
struct PagingWire {
    #[serde(default, deserialize_with = "lenient")]
    cursors: Option<CursorsWire>,
    #[serde(default)]
    next: Loose,
}

#[derive(Debug, Deserialize)]
struct CursorsWire {
    #[serde(default)]
    after: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateWire {
    id: Loose,
    name: Loose,
    language: Loose,
    status: Loose,
    category: Loose,
    parameter_format: Loose,
    #[serde(deserialize_with = "lenient")]
    quality_score: Option<QualityWire>,
    #[serde(deserialize_with = "lenient_list")]
    components: Vec<TemplateComponentWire>,
}

#[derive(Debug, Deserialize)]
struct QualityWire {
    #[serde(default)]
    score: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateComponentWire {
    #[serde(rename = "type")]
    kind: Loose,
    format: Loose,
    text: Loose,
    #[serde(deserialize_with = "lenient_list")]
    buttons: Vec<ButtonWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ButtonWire {
    #[serde(rename = "type")]
    kind: Loose,
    text: Loose,
    url: Loose,
    phone_number: Loose,
}

/// Every template of the account; an error of any page is an error of the whole.
pub(super) async fn list_templates(
    http: &OutgoingHttp,
    access: &ChannelAccess,
) -> Result<Vec<PlatformTemplate>, ChannelError> {
    let mut restarts = 0;
    loop {
        match list_once(http, access).await {
            Err(ChannelError::Refused(refusal))
                if refusal.code == CURSOR_EXPIRED && restarts < RESTARTS_MAX =>
            {
                restarts += 1;
            }
            listed => return listed,
        }
    }
}

async fn list_once(
    http: &OutgoingHttp,
    access: &ChannelAccess,
) -> Result<Vec<PlatformTemplate>, ChannelError> {
    let path = &[access.account_id.as_str(), "message_templates"];
    let mut templates = Vec::new();
    let mut cursors = HashSet::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut query = vec![("fields", FIELDS), ("limit", PAGE_SIZE)];
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let Read { answer: page, rest } =
            graph::get::<PageWire>(http, access, path, &query).await?;
        for value in page.data {
            templates.push(read_template(value)?);
        }
        let Some(paging) = page.paging.filter(|paging| paging.next.0.is_some()) else {
            return Ok(templates);
        };
        let cursor = paging.cursors.and_then(|cursors| cursors.after.0);
        let cursor = cursor.ok_or_else(|| unreadable("a page without a cursor to the next"))?;
        if !cursors.insert(cursor.clone()) {
            return Err(unreadable("a cursor that leads back"));
        }
        // Half a list is no list: the rest of it is read when the account may ask on.
        if let Some(rest) = rest {
            return Err(ChannelError::Busy(rest));
        }
        after = Some(cursor);
    }
    Err(unreadable("a list without an end"))
}

fn unreadable(what: &str) -> ChannelError {
    ChannelError::Unreachable(what.to_owned())
}

fn read_template(value: Value) -> Result<PlatformTemplate, ChannelError> {
    let wire: TemplateWire =
        serde_json::from_value(value).map_err(|_| unreadable("a template that is no object"))?;
    let id = wire.id.0.ok_or_else(|| unreadable("a template without an id"))?;
    let name = wire.name.0.ok_or_else(|| unreadable("a template without a name"))?;
    let language = wire.language.0.ok_or_else(|| unreadable("a template without a language"))?;
    let (content, unfillable) = content_of(wire.components);
    Ok(PlatformTemplate {
        external_id: id,
        name,
        language: language.replace('-', "_"),
        category: category_of(&wire.category.upper()),
        status: status_of(&wire.status.upper()),
        named_parameters: wire.parameter_format.upper() == "NAMED",
        content,
        quality: wire.quality_score.and_then(|quality| quality.score.0),
        unfillable,
    })
}

/// A category this program does not know counts as marketing, the one with the most scruples.
fn category_of(word: &str) -> TemplateCategory {
    match word {
        "UTILITY" => TemplateCategory::Utility,
        "AUTHENTICATION" => TemplateCategory::Authentication,
        _ => TemplateCategory::Marketing,
    }
}

fn status_of(word: &str) -> TemplateStatus {
    match word {
        "APPROVED" | "REINSTATED" => TemplateStatus::Approved,
        "PENDING" | "IN_APPEAL" => TemplateStatus::Pending,
        "REJECTED" | "LIMIT_EXCEEDED" => TemplateStatus::Rejected,
        "PAUSED" => TemplateStatus::Paused { until: None },
        "DISABLED" => TemplateStatus::Disabled,
        "ARCHIVED" => TemplateStatus::Archived,
        _ => TemplateStatus::Gone,
    }
}

/// The content, and what of it a send cannot fill.
fn content_of(components: Vec<TemplateComponentWire>) -> (TemplateContent, Option<UnfillablePart>) {
    let mut content =
        TemplateContent { header: None, body: String::new(), footer: None, buttons: Vec::new() };
    let mut unfillable = None;
    for component in components {
        match component.kind.upper().as_str() {
            "HEADER" => {
                content.header = header_of(&component.format.upper(), component.text.0);
                if content.header.is_none() {
                    unfillable = Some(UnfillablePart::Header);
                }
            }
            "BODY" => content.body = component.text.0.unwrap_or_default(),
            "FOOTER" => content.footer = component.text.0,
            "BUTTONS" => {
                let part = component.buttons.iter().find_map(unfillable_button);
                unfillable = unfillable.or(part);
                content.buttons = component.buttons.into_iter().map(button_of).collect();
            }
            "CAROUSEL" => unfillable = Some(UnfillablePart::Carousel),
            "LIMITED_TIME_OFFER" => unfillable = Some(UnfillablePart::LimitedTimeOffer),
            _ => unfillable = Some(UnfillablePart::Other),
        }
    }
    (content, unfillable)
}

/// What a send must fill of a button and cannot: a code that programs make, products to choose from.
fn unfillable_button(wire: &ButtonWire) -> Option<UnfillablePart> {
    match wire.kind.upper().as_str() {
        "OTP" => Some(UnfillablePart::OneTimeCode),
        "MPM" | "SPM" => Some(UnfillablePart::Other),
        _ => None,
    }
}

fn header_of(format: &str, text: Option<String>) -> Option<TemplateHeader> {
    match format {
        "TEXT" | "" => text.map(TemplateHeader::Text),
        "IMAGE" => Some(TemplateHeader::Media(MediaKind::Image)),
        "VIDEO" => Some(TemplateHeader::Media(MediaKind::Video)),
        "DOCUMENT" => Some(TemplateHeader::Media(MediaKind::Document)),
        "LOCATION" => Some(TemplateHeader::Location),
        _ => None,
    }
}

fn button_of(wire: ButtonWire) -> TemplateButton {
    let text = wire.text.0.unwrap_or_default();
    match (wire.kind.upper().as_str(), wire.url.0, wire.phone_number.0) {
        ("QUICK_REPLY", _, _) => TemplateButton::QuickReply { text },
        ("URL", Some(url), _) => TemplateButton::Url { text, url },
        ("PHONE_NUMBER", _, Some(phone)) => TemplateButton::Phone { text, phone },
        ("COPY_CODE", _, _) => TemplateButton::CopyCode { text },
        _ => TemplateButton::Other { text },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_of_the_protocol_reads_whole() {
        let template = read_template(json!({
            "id": "1540088120394477", "name": "kiln_ready_v2", "language": "en_GB", "status": "APPROVED",
            "category": "UTILITY", "previous_category": "MARKETING", "parameter_format": "POSITIONAL",
            "quality_score": {"score": "GREEN", "date": 1_788_913_600}, "rejected_reason": "NONE",
            "components": [
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://a.example/s.jpg"]}},
                {"type": "BODY", "text": "Hi {{1}}, your kiln slot is {{2}}. See you soon."},
                {"type": "FOOTER", "text": "Harbour Lane Ceramics"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Track", "url": "https://harbourlane.example/o/{{1}}"},
                    {"type": "QUICK_REPLY", "text": "Reschedule"}]}]
        }));
        let expected = PlatformTemplate {
            external_id: "1540088120394477".into(),
            name: "kiln_ready_v2".into(),
            language: "en_GB".into(),
            category: TemplateCategory::Utility,
            status: TemplateStatus::Approved,
            named_parameters: false,
            content: TemplateContent {
                header: Some(TemplateHeader::Media(MediaKind::Image)),
                body: "Hi {{1}}, your kiln slot is {{2}}. See you soon.".into(),
                footer: Some("Harbour Lane Ceramics".into()),
                buttons: vec![
                    TemplateButton::Url {
                        text: "Track".into(),
                        url: "https://harbourlane.example/o/{{1}}".into(),
                    },
                    TemplateButton::QuickReply { text: "Reschedule".into() },
                ],
            },
            quality: Some("GREEN".into()),
            unfillable: None,
        };
        assert_eq!(template.unwrap(), expected);
    }

    #[test]
    fn words_are_read_whatever_their_case_and_numbers_as_text() {
        let template = read_template(json!({
            "id": 1_540_088_120_394_478_u64, "name": "order_shipped_v1", "language": "pt-BR", "status": "approved",
            "category": "marketing", "parameter_format": "named",
            "components": [
                {"type": "header", "format": "text", "text": "News from {{shop_name}}"},
                {"type": "body", "text": "Hello {{first_name}}"},
                {"type": "buttons", "buttons": [
                    {"type": "phone_number", "text": "Call us", "phone_number": "+447700900101"},
                    {"type": "copy_code", "text": "Copy", "example": "KILN15"},
                    {"type": "flow", "text": "Book"}]}]
        }))
        .unwrap();
        assert_eq!(template.external_id, "1540088120394478");
        assert_eq!(template.language, "pt_BR");
        assert_eq!(template.status, TemplateStatus::Approved);
        assert_eq!(template.category, TemplateCategory::Marketing);
        assert!(template.named_parameters);
        assert_eq!(
            template.content.header,
            Some(TemplateHeader::Text("News from {{shop_name}}".into()))
        );
        let buttons = vec![
            TemplateButton::Phone { text: "Call us".into(), phone: "+447700900101".into() },
            TemplateButton::CopyCode { text: "Copy".into() },
            TemplateButton::Other { text: "Book".into() },
        ];
        assert_eq!(template.content.buttons, buttons);
    }

    #[test]
    fn only_what_is_known_as_approved_may_be_sent() {
        let cases = [
            ("APPROVED", TemplateStatus::Approved),
            ("REINSTATED", TemplateStatus::Approved),
            ("PENDING", TemplateStatus::Pending),
            ("IN_APPEAL", TemplateStatus::Pending),
            ("REJECTED", TemplateStatus::Rejected),
            ("LIMIT_EXCEEDED", TemplateStatus::Rejected),
            ("PAUSED", TemplateStatus::Paused { until: None }),
            ("DISABLED", TemplateStatus::Disabled),
            ("PENDING_DELETION", TemplateStatus::Gone),
            ("DELETED", TemplateStatus::Gone),
            ("FLAGGED", TemplateStatus::Gone),
            ("LOCKED", TemplateStatus::Gone),
            ("ARCHIVED", TemplateStatus::Archived),
            ("SOMETHING_NEW", TemplateStatus::Gone),
            ("", TemplateStatus::Gone),
        ];
        for (word, expected) in cases {
            assert_eq!(status_of(word), expected, "{word}");
        }
    }

    #[test]
    fn am_02_what_cannot_be_filled_of_a_template_is_named() {
        let body = json!({"type": "BODY", "text": "Hi"});
        let with_button =
            |kind: &str| json!({"type": "BUTTONS", "buttons": [{"type": kind, "text": "b"}]});
        let cases = [
            (json!([body, {"type": "CAROUSEL", "cards": []}]), Some(UnfillablePart::Carousel)),
            (json!([{"type": "limited_time_offer"}, body]), Some(UnfillablePart::LimitedTimeOffer)),
            (json!([{"type": "HEADER", "format": "PRODUCT"}, body]), Some(UnfillablePart::Header)),
            (json!([body, with_button("OTP")]), Some(UnfillablePart::OneTimeCode)),
            (json!([body, with_button("MPM")]), Some(UnfillablePart::Other)),
            (json!([body, {"type": "CALL_PERMISSION_REQUEST"}]), Some(UnfillablePart::Other)),
            (json!([body, with_button("QUICK_REPLY")]), None),
            (json!([body, with_button("FLOW")]), None),
        ];
        for (components, expected) in cases {
            let value = json!({"id": "1", "name": "n", "language": "en", "status": "APPROVED",
                               "category": "MARKETING", "components": components});
            let template = read_template(value).unwrap();
            assert_eq!(template.unfillable, expected, "{components}");
            assert_eq!(template.status, TemplateStatus::Approved, "as the platform says");
        }
    }

    #[test]
    fn a_template_without_its_name_spoils_the_list() {
        for value in [
            json!({"name": "n", "language": "en"}),
            json!({"id": "1", "language": "en"}),
            json!({"id": "1", "name": "n"}),
            json!("kiln_ready_v2"),
        ] {
            assert!(read_template(value).is_err());
        }
    }
}
