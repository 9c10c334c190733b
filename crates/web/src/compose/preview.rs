//! The template as the customer will see it, beside the steps and in the full model (AM-03, AM-06).

use std::collections::BTreeMap;

use domain::template::{
    FilledHeader, MediaKind, MessageTemplate, Segment, VariableName, VariableValues, expand_values,
};

use super::{
    form::{ComposeForm, Step},
    load::Loaded,
    words,
};
use crate::{moment::Viewer, page::initials};

/// A template in a phone's frame.
pub struct Preview {
    /// Its name.
    pub name: String,
    /// `order_ready · Portuguese (Brazil)`.
    pub title: String,
    /// `Portuguese (Brazil) · utility · approved`.
    pub facts: String,
    /// Who writes.
    pub sender: String,
    /// The sender's letters.
    pub initials: String,
    /// A text header; empty when there is none.
    pub heading: Vec<Piece>,
    /// A media header.
    pub media: Option<Media>,
    /// A place.
    pub place: Option<Place>,
    /// The text.
    pub body: Vec<Piece>,
    /// Below it.
    pub footer: Option<String>,
    /// The texts on the buttons.
    pub buttons: Vec<String>,
}

/// A piece of text; a slot where a variable stands.
pub struct Piece {
    /// What is shown.
    pub text: String,
    /// The variable's name; `None` for the template's own text.
    pub slot: Option<String>,
    /// Whether the slot has no value yet.
    pub empty: bool,
}

/// A media header.
pub struct Media {
    /// Its icon.
    pub icon: &'static str,
    /// Our own address of the image; `None` for what is shown by name.
    pub image: Option<String>,
    /// The file's name; `None` before it was looked at.
    pub name: Option<String>,
    /// Kind and size.
    pub facts: String,
}

/// A place in the header.
pub struct Place {
    /// What it is called.
    pub name: Piece,
    /// Where it is.
    pub address: Piece,
}

impl Preview {
    /// The chosen template; `None` while none is.
    pub fn new(form: &ComposeForm, loaded: &Loaded, viewer: &Viewer) -> Option<Self> {
        let template = loaded.template.as_ref()?;
        let from = loaded.from.as_ref()?;
        let t = viewer.words();
        let values = shown_values(form, loaded, template);
        let filled = template.content.fill(&values);
        let language = t.template_language(&template.language);
        let category = words::category(template.category, t);
        let status = words::status(template.status, t);
        let (mut heading, mut media, mut place) = (Vec::new(), None, None);
        match filled.header {
            Some(FilledHeader::Text(segments)) => heading = pieces(segments),
            Some(FilledHeader::Media { kind, .. }) => {
                media = Some(media_header(kind, loaded, viewer));
            }
            Some(FilledHeader::Location { name, address, .. }) => {
                place = Some(Place {
                    name: slot(&VariableName("header_name".to_owned()), name),
                    address: slot(&VariableName("header_address".to_owned()), address),
                });
            }
            None => {}
        }
        Some(Self {
            title: format!("{} · {language}", template.name),
            facts: format!("{language} · {category} · {status}"),
            name: template.name.clone(),
            initials: initials(&from.chatbot_name),
            sender: from.chatbot_name.clone(),
            heading,
            media,
            place,
            body: pieces(filled.body),
            footer: filled.footer,
            buttons: filled.buttons.into_iter().map(|button| button.text).collect(),
        })
    }
}

/// The values with their fields filled in as far as they can be; none before step 3.
fn shown_values(form: &ComposeForm, loaded: &Loaded, template: &MessageTemplate) -> VariableValues {
    if form.step != Step::Variables {
        return VariableValues::new();
    }
    let names = template.content.variables().into_iter().map(|variable| variable.name);
    form.values_for(names)
        .into_iter()
        .map(|(name, value)| {
            let alone = BTreeMap::from([(name.clone(), value.clone())]);
            let expanded = expand_values(&alone, &loaded.fields).ok();
            let shown = expanded.and_then(|mut values| values.remove(&name)).unwrap_or(value);
            (name, shown)
        })
        .collect()
}

fn media_header(kind: MediaKind, loaded: &Loaded, viewer: &Viewer) -> Media {
    let icon = match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Document => "file-text",
    };
    let found = loaded.media.get(&VariableName("header".to_owned()));
    Media {
        icon,
        image: found
            .filter(|found| found.file.preview.is_some())
            .map(|found| format!("/media/{}", found.id)),
        name: found.map(|found| found.file.name.clone()),
        facts: found.map(|found| words::file_facts(&found.file, viewer.locale)).unwrap_or_default(),
    }
}

fn pieces(segments: Vec<Segment>) -> Vec<Piece> {
    segments
        .into_iter()
        .map(|segment| match segment {
            Segment::Literal(text) => Piece { text, slot: None, empty: false },
            Segment::Slot { name, value } => slot(&name, value),
        })
        .collect()
}

fn slot(name: &VariableName, value: Option<String>) -> Piece {
    let empty = value.is_none();
    let text = value.unwrap_or_else(|| format!("{{{{{}}}}}", name.0));
    Piece { text, slot: Some(name.0.clone()), empty }
}
