//! A message template: what it asks of a send, and what the customer then sees.

use serde_json::Value;

use crate::TemplateSeed;
use crate::graph::error::GraphError;
use crate::message::{Button, ButtonKind, Content, Media, MediaKind};

/// The longest body after filling in.
const BODY_MAX: usize = 1_024;
/// The longest coupon code.
const COUPON_MAX: usize = 20;

/// One language of a template, with its place in the account.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// Text in the Graph API, a number in webhooks.
    pub id: u64,
    pub seed: TemplateSeed,
    pub rejected_reason: &'static str,
    /// The colour its recipients gave it.
    pub quality: String,
    /// How long an undelivered message is kept; the platform's default when absent.
    pub ttl_seconds: Option<i64>,
}

impl Template {
    /// A template that nobody rejected or rated yet.
    pub(crate) fn new(id: u64, seed: TemplateSeed) -> Self {
        let quality = "UNKNOWN".to_owned();
        Self { id, seed, rejected_reason: "NONE", quality, ttl_seconds: None }
    }

    /// Checks that it may be sent now (protocol, 3.5).
    ///
    /// # Errors
    ///
    /// 132015 paused, 132016 disabled, 132001 anything else but approved.
    pub(crate) fn check_sendable(&self) -> Result<(), GraphError> {
        match self.seed.status.as_str() {
            "APPROVED" | "REINSTATED" => Ok(()),
            "PAUSED" => Err(GraphError::template_paused()),
            "DISABLED" => Err(GraphError::template_disabled()),
            _ => Err(GraphError::template_missing(&self.seed.name, &self.seed.language)),
        }
    }

    /// Fills the template with the `components` of a send; strict, as the platform is (protocol, 2.6).
    ///
    /// # Errors
    ///
    /// 132000 for a wrong count, 132012 for a wrong format, 132018 for an unfit text, 132005 for too long a result.
    pub(crate) fn fill(&self, components: &Value) -> Result<Content, GraphError> {
        let sent = SentComponents::read(components)?;
        let mut content = Content::default();
        for component in self.components() {
            match word(component, "type").as_str() {
                "HEADER" => self.fill_header(component, &sent, &mut content)?,
                "BODY" => {
                    let text = field(component, "text");
                    content.text = self.fill_text("body", text, sent.body)?;
                    if BODY_MAX < content.text.chars().count() {
                        return Err(GraphError::text_too_long());
                    }
                }
                "FOOTER" => content.footer = non_empty(field(component, "text")),
                "BUTTONS" => content.buttons = fill_buttons(component, &sent)?,
                "CAROUSEL" => self.fill_cards(component, sent.cards, &mut content)?,
                "LIMITED_TIME_OFFER" => check_offer(component, sent.offer)?,
                _ => {}
            }
        }
        let unasked = [
            ("HEADER", !sent.header.is_empty()),
            ("BUTTONS", !sent.buttons.is_empty()),
            ("CAROUSEL", !sent.cards.is_empty()),
            ("LIMITED_TIME_OFFER", sent.offer.is_some()),
        ];
        for (kind, is_sent) in unasked {
            if is_sent && !self.has(kind) {
                let details = format!("{}: the template has none.", kind.to_ascii_lowercase());
                return Err(GraphError::parameter_count(details));
            }
        }
        Ok(content)
    }

    /// Fills every card as the small template it is; the customer sees one line for each.
    fn fill_cards(
        &self,
        component: &Value,
        sent: &[Value],
        content: &mut Content,
    ) -> Result<(), GraphError> {
        let cards = component["cards"].as_array().map_or(&[][..], Vec::as_slice);
        if cards.len() != sent.len() {
            let details = format!("carousel: {} cards, expected {}", sent.len(), cards.len());
            return Err(GraphError::parameter_count(details));
        }
        for (card, sent) in cards.iter().zip(sent) {
            let seed = TemplateSeed { components: card["components"].clone(), ..self.seed.clone() };
            let filled = Self::new(self.id, seed).fill(&sent["components"])?;
            content.text = format!("{}\n{}", content.text, filled.text).trim().to_owned();
            content.buttons.extend(filled.buttons);
        }
        Ok(())
    }

    fn components(&self) -> &[Value] {
        self.seed.components.as_array().map_or(&[], Vec::as_slice)
    }

    fn has(&self, kind: &str) -> bool {
        self.components().iter().any(|component| word(component, "type") == kind)
    }

    fn fill_header(
        &self,
        component: &Value,
        sent: &SentComponents<'_>,
        content: &mut Content,
    ) -> Result<(), GraphError> {
        let format = word(component, "format");
        if format.is_empty() || format == "TEXT" {
            let text = self.fill_text("header", field(component, "text"), sent.header)?;
            content.header = non_empty(&text);
            return Ok(());
        }
        let [parameter] = sent.header else {
            let details = format!("header: number of params ({}), expected 1", sent.header.len());
            return Err(GraphError::parameter_count(details));
        };
        let kind = word(parameter, "type");
        if kind != format {
            let details = format!("header: expected {format}, received {kind}");
            return Err(GraphError::parameter_format(details));
        }
        let Some(media) = MediaKind::parse(&kind) else {
            let place = &parameter["location"];
            if kind == "LOCATION"
                && ["latitude", "longitude"].iter().any(|name| place[*name].is_null())
            {
                let details = "header: a location needs latitude and longitude";
                return Err(GraphError::parameter_format(details));
            }
            content.header = non_empty(field(place, "name")).or(Some(kind));
            return Ok(());
        };
        content.media = Some(media_of(media, &parameter[media.as_str()])?);
        Ok(())
    }

    /// Puts `parameters` into the variables of `text`.
    fn fill_text(
        &self,
        part: &str,
        text: &str,
        parameters: &[Value],
    ) -> Result<String, GraphError> {
        let variables = variables(text);
        if variables.len() != parameters.len() {
            let details = format!(
                "{part}: number of params ({}) does not match the expected number of params ({})",
                parameters.len(),
                variables.len()
            );
            return Err(GraphError::parameter_count(details));
        }
        let named = self.seed.parameter_format.eq_ignore_ascii_case("NAMED");
        let mut filled = text.to_owned();
        for (position, variable) in variables.iter().enumerate() {
            let parameter = if named {
                parameters.iter().find(|p| field(p, "parameter_name") == variable)
            } else {
                // Positional variables are numbered from 1 and may repeat or come in any order.
                let index = variable.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                parameters.get(index.unwrap_or(position))
            };
            let Some(parameter) = parameter else {
                let details = format!("{part}: no parameter for {{{{{variable}}}}}");
                return Err(GraphError::parameter_format(details));
            };
            filled =
                filled.replace(&format!("{{{{{variable}}}}}"), &parameter_text(part, parameter)?);
        }
        Ok(filled)
    }
}

/// The distinct names between double braces, in the order of first sight.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once("{{") {
        let Some((name, after)) = tail.split_once("}}") else { break };
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
        rest = after;
    }
    found
}

/// A link to a file out of a message or a header parameter.
pub(crate) fn media_of(kind: MediaKind, object: &Value) -> Result<Media, GraphError> {
    let link = field(object, "link");
    let id = field(object, "id");
    match (link.is_empty(), id.is_empty()) {
        (true, true) => {
            Err(GraphError::missing(format!("{}: link or id is needed", kind.as_str())))
        }
        (false, false) => {
            Err(GraphError::parameter(format!("{}: only one of link and id", kind.as_str())))
        }
        (true, false) => Ok(Media {
            kind,
            link: String::new(),
            id: Some(id.to_owned()),
            filename: non_empty(field(object, "filename")),
        }),
        (false, true) if !link.starts_with("http://") && !link.starts_with("https://") => {
            Err(GraphError::value(format!("{}: link is no http(s) address", kind.as_str())))
        }
        (false, true) => Ok(Media {
            kind,
            link: link.to_owned(),
            id: None,
            filename: non_empty(field(object, "filename")),
        }),
    }
}

/// The components of a send, sorted by what they fill.
struct SentComponents<'a> {
    header: &'a [Value],
    body: &'a [Value],
    buttons: Vec<(usize, &'a Value)>,
    cards: &'a [Value],
    offer: Option<&'a Value>,
}

impl<'a> SentComponents<'a> {
    fn read(components: &'a Value) -> Result<Self, GraphError> {
        let mut sent =
            Self { header: &[], body: &[], buttons: Vec::new(), cards: &[], offer: None };
        let list = match components {
            Value::Null => return Ok(sent),
            Value::Array(list) => list,
            _ => return Err(GraphError::parameter("template.components must be an array")),
        };
        for component in list {
            let parameters = component["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            match word(component, "type").as_str() {
                "HEADER" => sent.header = parameters,
                "BODY" => sent.body = parameters,
                "BUTTON" => sent.buttons.push((button_index(component)?, component)),
                "CAROUSEL" => {
                    sent.cards = component["cards"].as_array().map_or(&[][..], Vec::as_slice);
                }
                "LIMITED_TIME_OFFER" => sent.offer = component["parameters"].get(0),
                "TAP_TARGET_CONFIGURATION" => {}
                other => {
                    let details = format!("template.components: unknown type {other}");
                    return Err(GraphError::parameter(details));
                }
            }
        }
        Ok(sent)
    }

    /// The first parameter for the button at `index`.
    fn button(&self, index: usize) -> Option<&'a Value> {
        let (_, component) = self.buttons.iter().find(|(at, _)| *at == index)?;
        component["parameters"].get(0)
    }
}

fn button_index(component: &Value) -> Result<usize, GraphError> {
    let index = match &component["index"] {
        Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    index.ok_or_else(|| GraphError::missing("button: index is needed"))
}

fn fill_buttons(component: &Value, sent: &SentComponents<'_>) -> Result<Vec<Button>, GraphError> {
    let defined = component["buttons"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some((index, _)) = sent.buttons.iter().find(|(index, _)| defined.len() <= *index) {
        return Err(GraphError::parameter_count(format!("button {index}: the template has none.")));
    }
    defined.iter().enumerate().map(|(index, button)| fill_button(index, button, sent)).collect()
}

fn fill_button(
    index: usize,
    button: &Value,
    sent: &SentComponents<'_>,
) -> Result<Button, GraphError> {
    let text = field(button, "text").to_owned();
    let parameter = sent.button(index);
    match word(button, "type").as_str() {
        "QUICK_REPLY" => {
            let payload = parameter.map_or("", |p| field(p, "payload"));
            let value = if payload.is_empty() { text.clone() } else { payload.to_owned() };
            Ok(Button::new(ButtonKind::QuickReply, text, value))
        }
        // A code is read back as a link whose variable it is.
        "OTP" => match parameter.map(|parameter| parameter_text("button", parameter)) {
            Some(code) => Ok(Button::new(ButtonKind::CopyCode, text, code?)),
            None => {
                let details = format!("button {index}: the code is needed");
                Err(GraphError::parameter_count(details))
            }
        },
        "URL" => {
            let address = field(button, "url");
            let Some(variable) = variables(address).into_iter().next() else {
                return Ok(Button::new(ButtonKind::Url, text, address.to_owned()));
            };
            let Some(parameter) = parameter else {
                let details =
                    format!("button {index}: the address has a variable, no parameter came");
                return Err(GraphError::parameter_count(details));
            };
            let suffix = parameter_text("button", parameter)?;
            let value = address.replace(&format!("{{{{{variable}}}}}"), &suffix);
            Ok(Button::new(ButtonKind::Url, text, value))
        }
        "PHONE_NUMBER" => {
            let value = field(button, "phone_number").to_owned();
            Ok(Button::new(ButtonKind::PhoneNumber, text, value))
        }
        "COPY_CODE" => {
            let code = parameter.map_or("", |p| field(p, "coupon_code"));
            if code.is_empty() {
                let details = format!("button {index}: a coupon code is needed");
                return Err(GraphError::parameter_count(details));
            }
            if COUPON_MAX < code.chars().count() {
                let details = format!("button {index}: more than {COUPON_MAX} characters");
                return Err(GraphError::parameter_format(details));
            }
            Ok(Button::new(ButtonKind::CopyCode, text, code.to_owned()))
        }
        _ => Ok(Button::new(ButtonKind::Other, text, String::new())),
    }
}

/// An offer that ends needs its end (protocol, 2.6).
fn check_offer(component: &Value, sent: Option<&Value>) -> Result<(), GraphError> {
    let ends = component["limited_time_offer"]["has_expiration"].as_bool().unwrap_or(true);
    let end = sent.map(|parameter| &parameter["limited_time_offer"]["expiration_time_ms"]);
    match end {
        None if ends => Err(GraphError::parameter_count("limited_time_offer: its end is needed")),
        Some(end) if !end.is_number() => {
            Err(GraphError::parameter_format("limited_time_offer: its end must be a number"))
        }
        _ => Ok(()),
    }
}

/// The text of a parameter, checked as the platform checks it.
fn parameter_text(part: &str, parameter: &Value) -> Result<String, GraphError> {
    let text = match word(parameter, "type").as_str() {
        "TEXT" => field(parameter, "text"),
        "CURRENCY" => field(&parameter["currency"], "fallback_value"),
        "DATE_TIME" => field(&parameter["date_time"], "fallback_value"),
        other => {
            let details = format!("{part}: expected TEXT, received {other}");
            return Err(GraphError::parameter_format(details));
        }
    };
    let unfit =
        text.trim().is_empty() || text.contains(['\n', '\r', '\t']) || text.contains("     ");
    if unfit { Err(GraphError::parameter_text()) } else { Ok(text.to_owned()) }
}

/// A text field of `object`; absent and non-text are empty.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// A text field in upper case, for words that come in any case.
pub(crate) fn word(object: &Value, name: &str) -> String {
    field(object, name).to_ascii_uppercase()
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(format: &str, components: Value) -> Template {
        let seed = TemplateSeed {
            waba_id: "2".into(),
            name: "kiln_ready".into(),
            language: "en_GB".into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            components,
            parameter_format: format.into(),
        };
        Template::new(1, seed)
    }

    fn full() -> Template {
        template(
            "POSITIONAL",
            json!([
                { "type": "HEADER", "format": "IMAGE" },
                { "type": "BODY", "text": "Hi {{1}}, your slot is {{2}}, {{1}}." },
                { "type": "FOOTER", "text": "Harbour Lane" },
                { "type": "BUTTONS", "buttons": [
                    { "type": "URL", "text": "Track", "url": "https://h.example/o/{{1}}" },
                    { "type": "QUICK_REPLY", "text": "Reschedule" }] }
            ]),
        )
    }

    fn sent(header: Value, body: Value, buttons: Value) -> Value {
        let mut components = vec![
            json!({ "type": "header", "parameters": header }),
            json!({ "type": "body", "parameters": body }),
        ];
        components.extend(buttons.as_array().cloned().unwrap_or_default());
        Value::Array(components)
    }

    fn image() -> Value {
        json!([{ "type": "image", "image": { "link": "https://h.example/k.jpg" } }])
    }

    fn texts(values: &[&str]) -> Value {
        values.iter().map(|text| json!({ "type": "text", "text": text })).collect()
    }

    fn track() -> Value {
        json!([{ "type": "button", "sub_type": "url", "index": "0", "parameters": [{ "type": "text", "text": "8812" }] }])
    }

    #[test]
    fn a_filled_template_shows_what_the_customer_will_see() {
        let content = full().fill(&sent(image(), texts(&["Imani", "Friday"]), track())).unwrap();
        assert_eq!(content.text, "Hi Imani, your slot is Friday, Imani.");
        assert_eq!(content.footer.as_deref(), Some("Harbour Lane"));
        assert_eq!(content.media.unwrap().link, "https://h.example/k.jpg");
        let buttons: Vec<(&str, &str)> =
            content.buttons.iter().map(|b| (b.text.as_str(), b.value.as_str())).collect();
        assert_eq!(buttons, [("Track", "https://h.example/o/8812"), ("Reschedule", "Reschedule")]);
    }

    #[test]
    fn counts_and_formats_are_strict() {
        let two = || texts(&["Imani", "Friday"]);
        let cases = [
            ("a variable is missing", sent(image(), texts(&["Imani"]), track()), 132_000),
            ("one too many", sent(image(), texts(&["a", "b", "c"]), track()), 132_000),
            ("no header", sent(json!([]), two(), track()), 132_000),
            ("a text for an image", sent(texts(&["x"]), two(), track()), 132_012),
            ("no suffix for the address", sent(image(), two(), json!([])), 132_000),
            (
                "an image in the body",
                sent(image(), json!([image()[0], image()[0]]), track()),
                132_012,
            ),
            ("five spaces", sent(image(), texts(&["a     b", "c"]), track()), 132_018),
            ("a line break", sent(image(), texts(&["a\nb", "c"]), track()), 132_018),
            ("too long", sent(image(), texts(&[&"x".repeat(1_100), "c"]), track()), 132_005),
            (
                "a button that is not there",
                sent(image(), two(), json!([track()[0], { "type": "button", "index": 7 }])),
                132_000,
            ),
        ];
        for (case, components, code) in cases {
            assert_eq!(full().fill(&components).unwrap_err().code, code, "{case}");
        }
    }

    #[test]
    fn named_parameters_are_joined_by_name() {
        let named =
            template("NAMED", json!([{ "type": "BODY", "text": "Hi {{first}}, from {{shop}}." }]));
        let parameter = |name: &str, text: &str| json!({ "type": "text", "parameter_name": name, "text": text });
        let body = |parameters: Value| json!([{ "type": "body", "parameters": parameters }]);
        let right = body(json!([parameter("shop", "HL"), parameter("first", "Imani")]));
        assert_eq!(named.fill(&right).unwrap().text, "Hi Imani, from HL.");
        let wrong = body(json!([parameter("shop", "HL"), parameter("name", "Imani")]));
        assert_eq!(named.fill(&wrong).unwrap_err().code, 132_012);
    }

    #[test]
    fn only_an_approved_template_goes() {
        let cases = [
            ("PAUSED", 132_015),
            ("DISABLED", 132_016),
            ("PENDING", 132_001),
            ("REJECTED", 132_001),
        ];
        for (status, code) in cases {
            let mut template = full();
            template.seed.status = status.into();
            assert_eq!(template.check_sendable().unwrap_err().code, code, "{status}");
        }
        assert!(full().check_sendable().is_ok());
    }

    #[test]
    fn cards_offers_codes_and_places_are_asked_for_as_the_template_has_them() {
        let body = json!({ "type": "BODY", "text": "Look" });
        let card = json!({ "components": [{ "type": "HEADER", "format": "IMAGE" }, body] });
        let carousel = json!([body, { "type": "CAROUSEL", "cards": [card, card] }]);
        let sent_card = json!({ "components": [{ "type": "header", "parameters": [
            { "type": "image", "image": { "link": "https://a.example/b.jpg" } }] }] });
        let cards =
            |count: usize| json!([{ "type": "carousel", "cards": vec![sent_card.clone(); count] }]);
        let offer = json!([body, { "type": "LIMITED_TIME_OFFER",
            "limited_time_offer": { "has_expiration": true } }]);
        let ends = |end: Value| {
            json!([{ "type": "limited_time_offer", "parameters": [{
            "type": "limited_time_offer", "limited_time_offer": { "expiration_time_ms": end } }] }])
        };
        let code =
            json!([body, { "type": "BUTTONS", "buttons": [{ "type": "OTP", "text": "Copy" }] }]);
        let otp = json!([{ "type": "button", "sub_type": "url", "index": "0",
            "parameters": [{ "type": "text", "text": "604193" }] }]);
        let place = json!([{ "type": "HEADER", "format": "LOCATION" }, body]);
        let at = |place: Value| {
            json!([{ "type": "header",
            "parameters": [{ "type": "location", "location": place }] }])
        };
        let cases = [
            ("as many cards", &carousel, cards(2), None),
            ("a card too few", &carousel, cards(1), Some(132_000)),
            ("cards nobody asked for", &place, cards(2), Some(132_000)),
            ("an offer with its end", &offer, ends(json!(1_789_000_000_000_i64)), None),
            ("an end in words", &offer, ends(json!("soon")), Some(132_012)),
            ("no end", &offer, json!([]), Some(132_000)),
            ("a code", &code, otp, None),
            ("no code", &code, json!([]), Some(132_000)),
            ("a place", &place, at(json!({ "latitude": "51.1", "longitude": "-4.1" })), None),
            ("half a place", &place, at(json!({ "latitude": "51.1" })), Some(132_012)),
        ];
        for (case, components, sent, expected) in cases {
            let filled = template("POSITIONAL", components.clone()).fill(&sent);
            assert_eq!(filled.err().map(|error| error.code), expected, "{case}");
        }
    }
}
