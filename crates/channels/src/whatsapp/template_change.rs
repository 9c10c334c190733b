//! What the platform tells of a template between two lists of them (protocol, 3.10).

use domain::channel::{
    CategoryNews, ChangedButton, ChannelEvent, PauseStage, TemplateChange, TemplateComponents,
    TemplateNews, TemplatePause, TemplateRejection, TemplateStatusEvent, TemplateStatusNews,
    UnreadableElement,
};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{Loose, lenient, lenient_list, problem, read_object};

/// The fields that tell of templates.
pub(super) const FIELDS: [&str; 4] = [
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "message_template_components_update",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateWire {
    message_template_id: Loose,
    message_template_name: Loose,
    message_template_language: Loose,
    event: Loose,
    reason: Loose,
    #[serde(deserialize_with = "lenient")]
    rejection_info: Option<RejectionWire>,
    #[serde(deserialize_with = "lenient")]
    other_info: Option<PauseWire>,
    #[serde(deserialize_with = "lenient")]
    disable_info: Option<DisableWire>,
    previous_quality_score: Loose,
    new_quality_score: Loose,
    previous_category: Loose,
    new_category: Loose,
    correct_category: Loose,
    category_update_timestamp: Loose,
    message_template_title: Loose,
    message_template_element: Loose,
    message_template_footer: Loose,
    #[serde(deserialize_with = "lenient_list")]
    message_template_buttons: Vec<ButtonWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RejectionWire {
    reason: Loose,
    recommendation: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PauseWire {
    title: Loose,
    description: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DisableWire {
    disable_date: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ButtonWire {
    message_template_button_type: Loose,
    message_template_button_text: Loose,
    message_template_button_url: Loose,
    message_template_button_phone_number: Loose,
}

/// Reads the value of one of [`FIELDS`]; its instant is that of the entry.
pub(super) fn read_template(
    field: &str,
    value: &Value,
    entry_time: &Loose,
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: TemplateWire =
        read_object(value).ok_or_else(|| problem("a template that is no object"))?;
    let name = wire.message_template_name.0.clone();
    let name = name.ok_or_else(|| problem("a template without a name"))?;
    let language = wire.message_template_language.as_str();
    let language = language.ok_or_else(|| problem("a template without a language"))?;
    // Written as in lists.
    let language = language.replace('-', "_");
    let external_id = wire.message_template_id.0.clone();
    // Changes of quality have been seen under the field of changes of status.
    let news = if wire.new_quality_score.0.is_some() {
        wire.quality()
    } else {
        match field {
            "message_template_status_update" => {
                let news = wire.status().ok_or_else(|| problem("a template without an event"))?;
                Some(TemplateNews::Status(news))
            }
            "template_category_update" => wire.category().map(TemplateNews::Category),
            "message_template_components_update" => {
                Some(TemplateNews::Components(wire.components()))
            }
            _ => None,
        }
    };
    let Some(news) = news else {
        return Ok(ChannelEvent::Other { kind: field.to_owned() });
    };
    let at = entry_time.as_instant();
    Ok(ChannelEvent::Template(TemplateChange { external_id, name, language, at, news }))
}

impl TemplateWire {
    fn status(self) -> Option<TemplateStatusNews> {
        Some(TemplateStatusNews {
            event: TemplateStatusEvent::parse(self.event.as_str()?),
            reason: self.reason.unless_none(),
            rejection: self.rejection_info.map(|rejection| TemplateRejection {
                reason: rejection.reason.0,
                recommendation: rejection.recommendation.0,
            }),
            pause: self.other_info.map(|pause| TemplatePause {
                stage: pause.title.as_str().map(PauseStage::parse),
                description: pause.description.0,
            }),
            disable_date: self.disable_info.and_then(|disable| disable.disable_date.0),
        })
    }

    fn quality(self) -> Option<TemplateNews> {
        let previous = upper(&self.previous_quality_score);
        Some(TemplateNews::Quality { previous, current: upper(&self.new_quality_score)? })
    }

    /// Of an announcement the new category is the one that still holds.
    fn category(self) -> Option<CategoryNews> {
        let current = upper(&self.new_category);
        if let Some(upcoming) = upper(&self.correct_category) {
            let from = self.category_update_timestamp.as_instant();
            return Some(CategoryNews::Announced { current, upcoming, from });
        }
        let previous = upper(&self.previous_category);
        Some(CategoryNews::Changed { previous, current: current? })
    }

    fn components(self) -> TemplateComponents {
        let button = |button: ButtonWire| ChangedButton {
            kind: upper(&button.message_template_button_type),
            text: button.message_template_button_text.0,
            url: button.message_template_button_url.0,
            phone: button.message_template_button_phone_number.0,
        };
        TemplateComponents {
            header: self.message_template_title.0,
            body: self.message_template_element.0,
            footer: self.message_template_footer.0,
            buttons: self.message_template_buttons.into_iter().map(button).collect(),
        }
    }
}

fn upper(word: &Loose) -> Option<String> {
    word.as_str().map(str::to_ascii_uppercase)
}
