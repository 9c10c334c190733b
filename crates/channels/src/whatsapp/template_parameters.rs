//! The values of a template in the platform's components (protocol, 2.6).

use std::collections::BTreeSet;

use domain::template::{
    MediaKind, MessageTemplate, TemplateButton, TemplateHeader, VariableName, VariableValues,
};
use serde::Serialize;
use thiserror::Error;

use crate::media::file_name;

/// A part of a template that takes values.
#[derive(Debug, Serialize)]
pub(super) struct ComponentWire {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    parameters: Vec<ParameterWire>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ParameterWire {
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        parameter_name: Option<String>,
        text: String,
    },
    Image {
        image: LinkWire,
    },
    Video {
        video: LinkWire,
    },
    Document {
        document: LinkWire,
    },
    Location {
        location: PlaceWire,
    },
    CouponCode {
        coupon_code: String,
    },
    Payload {
        payload: String,
    },
}

#[derive(Debug, Serialize)]
struct LinkWire {
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
}

#[derive(Debug, Serialize)]
struct PlaceWire {
    latitude: String,
    longitude: String,
    name: String,
    address: String,
}

/// A variable of the template has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the variable `{0}` has no value")]
pub(super) struct UnfilledVariable(String);

/// The components of `template` that take values, filled.
///
/// # Errors
/// [`UnfilledVariable`] for the first variable without a value.
pub(super) fn components(
    template: &MessageTemplate,
    values: &VariableValues,
) -> Result<Vec<ComponentWire>, UnfilledVariable> {
    let content = &template.content;
    let mut components = Vec::new();
    if let Some(header) = &content.header {
        components.extend(header_component(header, template.named_parameters, values)?);
    }
    components.extend(body_component(&content.body, template.named_parameters, values)?);
    for (index, button) in content.buttons.iter().enumerate() {
        components.extend(button_component(index, button, values)?);
    }
    Ok(components)
}

fn header_component(
    header: &TemplateHeader,
    named: bool,
    values: &VariableValues,
) -> Result<Option<ComponentWire>, UnfilledVariable> {
    let parameter = match header {
        TemplateHeader::Text(text) => {
            let Some(name) = placeholders(text).into_iter().next() else { return Ok(None) };
            let text = value(values, "header")?;
            ParameterWire::Text { parameter_name: named.then(|| name.to_owned()), text }
        }
        TemplateHeader::Media(kind) => media_parameter(*kind, value(values, "header")?),
        TemplateHeader::Location => ParameterWire::Location {
            location: PlaceWire {
                latitude: value(values, "header_latitude")?.trim().to_owned(),
                longitude: value(values, "header_longitude")?.trim().to_owned(),
                name: value(values, "header_name")?,
                address: value(values, "header_address")?,
            },
        },
    };
    Ok(Some(component("header", vec![parameter])))
}

fn media_parameter(kind: MediaKind, link: String) -> ParameterWire {
    match kind {
        MediaKind::Image => ParameterWire::Image { image: LinkWire { link, filename: None } },
        MediaKind::Video => ParameterWire::Video { video: LinkWire { link, filename: None } },
        MediaKind::Document => {
            let filename = Some(file_name(&link));
            ParameterWire::Document { document: LinkWire { link, filename } }
        }
    }
}

fn body_component(
    body: &str,
    named: bool,
    values: &VariableValues,
) -> Result<Option<ComponentWire>, UnfilledVariable> {
    let mut names = placeholders(body);
    if !named {
        // The platform takes the values by position, whatever the order in the text.
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    }
    let parameters = names
        .into_iter()
        .map(|name| {
            let parameter_name = named.then(|| name.to_owned());
            Ok(ParameterWire::Text { parameter_name, text: value(values, name)? })
        })
        .collect::<Result<Vec<_>, UnfilledVariable>>()?;
    Ok((!parameters.is_empty()).then(|| component("body", parameters)))
}

fn button_component(
    index: usize,
    button: &TemplateButton,
    values: &VariableValues,
) -> Result<Option<ComponentWire>, UnfilledVariable> {
    let value = || value(values, &format!("button_{index}"));
    let (sub_type, parameter) = match button {
        TemplateButton::Url { url, .. } if !placeholders(url).is_empty() => {
            ("url", ParameterWire::Text { parameter_name: None, text: value()? })
        }
        TemplateButton::CopyCode { .. } => {
            ("copy_code", ParameterWire::CouponCode { coupon_code: value()? })
        }
        // Answered with, so that a tap says the same whatever the platform makes of a button without one.
        TemplateButton::QuickReply { text } => {
            ("quick_reply", ParameterWire::Payload { payload: text.clone() })
        }
        TemplateButton::Url { .. }
        | TemplateButton::Phone { .. }
        | TemplateButton::Other { .. } => return Ok(None),
    };
    Ok(Some(ComponentWire {
        sub_type: Some(sub_type),
        index: Some(index.to_string()),
        ..component("button", vec![parameter])
    }))
}

fn component(kind: &'static str, parameters: Vec<ParameterWire>) -> ComponentWire {
    ComponentWire { kind, sub_type: None, index: None, parameters }
}

fn value(values: &VariableValues, name: &str) -> Result<String, UnfilledVariable> {
    let name = VariableName(name.to_owned());
    values.get(&name).cloned().ok_or(UnfilledVariable(name.0))
}

/// The distinct names between double braces, in the order of first sight. Braces that hold no name are text.
fn placeholders(text: &str) -> Vec<&str> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut seen = BTreeSet::new();
    text.split_inclusive("}}")
        .filter_map(|part| part.strip_suffix("}}")?.rsplit_once("{{"))
        .map(|(_, name)| name.trim())
        .filter(|name| !name.is_empty() && name.bytes().all(is_sign) && seen.insert(*name))
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::TemplateId,
        template::{TemplateCategory, TemplateContent, TemplateStatus},
    };
    use serde_json::{Value, json};

    use super::*;

    fn template(content: TemplateContent, named_parameters: bool) -> MessageTemplate {
        MessageTemplate {
            id: TemplateId(1),
            account_id: "884120037765421".into(),
            name: "kiln_ready_v2".into(),
            language: "en_GB".into(),
            category: TemplateCategory::Utility,
            status: TemplateStatus::Approved,
            named_parameters,
            content,
        }
    }

    fn content(body: &str) -> TemplateContent {
        TemplateContent { header: None, body: body.into(), footer: None, buttons: Vec::new() }
    }

    fn values<const N: usize>(pairs: [(&str, &str); N]) -> VariableValues {
        pairs.into_iter().map(|(name, value)| (VariableName(name.into()), value.into())).collect()
    }

    fn wire(template: &MessageTemplate, values: &VariableValues) -> Value {
        serde_json::to_value(components(template, values).unwrap()).unwrap()
    }

    #[test]
    fn positional_values_an_image_and_a_link_are_sent_as_in_the_protocol() {
        let template = template(
            TemplateContent {
                header: Some(TemplateHeader::Media(MediaKind::Image)),
                buttons: vec![
                    TemplateButton::Url {
                        text: "Track".into(),
                        url: "https://harbourlane.example/o/{{1}}".into(),
                    },
                    TemplateButton::QuickReply { text: "Reschedule".into() },
                ],
                ..content("On {{2}} your slot is ready, {{1}}. Yes, {{2}}.")
            },
            false,
        );
        let values = values([
            ("1", "Imani"),
            ("2", "Friday 15:00"),
            ("header", "https://cdn.harbourlane.example/k.jpg"),
            ("button_0", "8812"),
        ]);
        let expected = json!([
            {"type": "header", "parameters": [
                {"type": "image", "image": {"link": "https://cdn.harbourlane.example/k.jpg"}}]},
            {"type": "body", "parameters": [
                {"type": "text", "text": "Imani"}, {"type": "text", "text": "Friday 15:00"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [
                {"type": "text", "text": "8812"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [
                {"type": "payload", "payload": "Reschedule"}]}
        ]);
        assert_eq!(wire(&template, &values), expected);
    }

    #[test]
    fn named_values_carry_their_names() {
        let template = template(
            TemplateContent {
                header: Some(TemplateHeader::Text("News from {{shop_name}}".into())),
                ..content("Hello {{first_name}}, {{courier}} has your parcel.")
            },
            true,
        );
        let values =
            values([("header", "Harbour Lane"), ("first_name", "Imani"), ("courier", "Parcelway")]);
        let expected = json!([
            {"type": "header", "parameters": [
                {"type": "text", "parameter_name": "shop_name", "text": "Harbour Lane"}]},
            {"type": "body", "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Imani"},
                {"type": "text", "parameter_name": "courier", "text": "Parcelway"}]}
        ]);
        assert_eq!(wire(&template, &values), expected);
    }

    #[test]
    fn ten_positions_are_in_the_order_of_numbers() {
        let body: String = (1..=10).rev().map(|n| format!("{{{{{n}}}}} and ")).collect();
        let template = template(content(&body), false);
        let values: VariableValues =
            (1..=10).map(|n| (VariableName(n.to_string()), format!("v{n}"))).collect();
        let sent = wire(&template, &values);
        let texts: Vec<&str> = sent[0]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| parameter["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10"]);
    }

    #[test]
    fn a_place_and_a_coupon_are_sent_as_in_the_protocol() {
        let template = template(
            TemplateContent {
                header: Some(TemplateHeader::Location),
                buttons: vec![TemplateButton::CopyCode { text: "Copy".into() }],
                ..content("Come and see us")
            },
            false,
        );
        let values = values([
            ("header_latitude", "51.0724"),
            ("header_longitude", "-4.0586"),
            ("header_name", "Studio"),
            ("header_address", "3 Harbour Lane"),
            ("button_0", "KILN15"),
        ]);
        let expected = json!([
            {"type": "header", "parameters": [{"type": "location", "location": {
                "latitude": "51.0724", "longitude": "-4.0586", "name": "Studio", "address": "3 Harbour Lane"}}]},
            {"type": "button", "sub_type": "copy_code", "index": "0", "parameters": [
                {"type": "coupon_code", "coupon_code": "KILN15"}]}
        ]);
        assert_eq!(wire(&template, &values), expected);
    }

    #[test]
    fn a_document_carries_its_file_name() {
        let header = Some(TemplateHeader::Media(MediaKind::Document));
        let template = template(TemplateContent { header, ..content("Your quote") }, false);
        let sent =
            wire(&template, &values([("header", "https://a.example/q/quote%208812.pdf?v=2")]));
        let expected = json!({"link": "https://a.example/q/quote%208812.pdf?v=2", "filename": "quote 8812.pdf"});
        assert_eq!(sent[0]["parameters"][0]["document"], expected);
    }

    #[test]
    fn parts_without_variables_are_left_out() {
        let template = template(
            TemplateContent {
                header: Some(TemplateHeader::Text("News".into())),
                buttons: vec![
                    TemplateButton::Url { text: "Site".into(), url: "https://a.example/".into() },
                    TemplateButton::Phone { text: "Call".into(), phone: "+447700900101".into() },
                    TemplateButton::Other { text: "Flow".into() },
                ],
                ..content("Nothing to fill")
            },
            false,
        );
        assert_eq!(wire(&template, &VariableValues::new()), json!([]));
    }

    #[test]
    fn placeholders_are_names_between_double_braces() {
        let cases: [(&str, &[&str]); 7] = [
            ("Hi {{1}} and {{ 2 }}, {{1}}", &["1", "2"]),
            ("{{first_name}}", &["first_name"]),
            ("{{{1}}}", &["1"]),
            ("{{ {{1}}", &["1"]),
            ("{{}} {{a b}} {{1", &[]),
            ("}} {{", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(placeholders(text), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let template = template(content("Hi {{1}}, it is {{2}}"), false);
        let error = components(&template, &values([("1", "Imani")])).unwrap_err();
        assert_eq!(error, UnfilledVariable("2".into()));
    }
}
