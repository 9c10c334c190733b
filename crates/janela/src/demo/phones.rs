//! The company's past as its customers' phones remember it: the same messages that [`history`] plays on the desk.

use chrono::{DateTime, Utc};
use sandbox::{PastContent, PastFate, PastMessage};

use crate::demo::{
    company::{self, ContactSeed},
    history,
    script::{self, Act, Fate, Letter, Sample, Scene, Trouble, Words},
};

/// The sample behind [`script::PICTURE`], which phones show; whatever its host.
const PICTURE: &str = "http://sandbox.invalid/samples/studio.jpg";

/// What `contacts` wrote and were sent in `scenes`, which end at `start`; oldest first.
pub fn past(contacts: &[ContactSeed], scenes: &[Scene], start: DateTime<Utc>) -> Vec<PastMessage> {
    let messages = scenes.iter().filter_map(|scene| {
        let (number, contact, content) = match &scene.act {
            Act::Send { number, contact, letter, fate, .. } => {
                (*number, *contact, template(letter, *contact, &contacts[*contact].name, *fate))
            }
            Act::Write { number, contact, words } => (*number, *contact, written(*words)),
            Act::Answer { number, contact, text, .. } => {
                let text = (*text).to_owned();
                (*number, *contact, PastContent::Answered(text, PastFate::Read))
            }
            Act::Arrive { .. } | Act::Leave { .. } | Act::Close { .. } => return None,
        };
        Some((scene, number, contact, content))
    });
    (1..)
        .zip(messages)
        .map(|(place, (scene, number, contact, content))| PastMessage {
            wa_id: contacts[contact].phone.trim_start_matches('+').to_owned(),
            phone_number_id: company::NUMBERS[number].phone_number_id.to_owned(),
            id: history::provider_id(place),
            at_ms: (start - scene.ago).timestamp_millis(),
            content,
        })
        .collect()
}

fn written(words: Words) -> PastContent {
    match words {
        Words::Text(text) => PastContent::Written(text.to_owned()),
        Words::Button(text) => PastContent::Tapped(text.to_owned()),
        Words::File(Sample { name, caption, .. }) => {
            PastContent::Sent { sample: name.to_owned(), caption: caption.to_owned() }
        }
    }
}

fn template(letter: &Letter, contact: usize, name: &str, fate: Fate) -> PastContent {
    let values = script::values(letter, contact, name).into_iter().map(|(key, value)| {
        let is_picture = value == script::PICTURE;
        (key, if is_picture { PICTURE.to_owned() } else { value })
    });
    PastContent::Template {
        name: letter.name.to_owned(),
        language: letter.language.to_owned(),
        values: values.collect(),
        fate: match fate {
            Fate::Taken => PastFate::Sent,
            Fate::Delivered => PastFate::Delivered,
            Fate::Read => PastFate::Read,
            Fate::Failed(trouble) => PastFate::Failed(code(trouble)),
        },
    }
}

/// The platform's code, as `history` tells it to the desk.
fn code(trouble: Trouble) -> u32 {
    match trouble {
        Trouble::NotOnPlatform => 131_026,
        Trouble::EnoughMarketing => 131_049,
        Trouble::Spam => 131_048,
    }
}
