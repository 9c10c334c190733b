//! The dialog's words for what the rules name: statuses, platforms, variables and what is wrong with them.

use domain::{
    channel::{ChannelKind, MediaFile, MediaProblem},
    phone::PhoneNumberProblem,
    presence::Presence,
    template::{
        MediaKind, MessageTemplate, MistakenField, TemplateButton, TemplateCategory,
        TemplateStatus, UnfillablePart, ValueField, Variable, VariableKind, VariableProblemCode,
        VariableRole, mistaken_fields,
    },
};

use crate::{
    locale::{Locale, Words, isolated},
    moment::Viewer,
};

const MEGABYTE: u64 = 1024 * 1024;

/// Why the button is not there (AM-01); `None` while the agent is online.
pub fn not_online(presence: Presence, t: Words) -> Option<String> {
    match presence {
        Presence::Online => None,
        Presence::Invisible => Some(t.compose_invisible()),
        Presence::OnBreak => Some(t.compose_on_break()),
        Presence::Offline => Some(t.compose_offline()),
    }
}

pub fn channel(kind: ChannelKind, t: Words) -> String {
    match kind {
        ChannelKind::WhatsApp => t.compose_whatsapp(),
        ChannelKind::WeChat => t.compose_wechat(),
        ChannelKind::WeCom => t.compose_wecom(),
        ChannelKind::Sms => t.compose_sms(),
    }
}

pub fn category(category: TemplateCategory, t: Words) -> String {
    match category {
        TemplateCategory::Marketing => t.compose_marketing(),
        TemplateCategory::Utility => t.compose_utility(),
        TemplateCategory::Authentication => t.compose_authentication(),
    }
}

pub fn status(status: TemplateStatus, t: Words) -> String {
    match status {
        TemplateStatus::Approved => t.compose_approved(),
        TemplateStatus::Pending => t.compose_pending(),
        TemplateStatus::Rejected => t.compose_rejected(),
        TemplateStatus::Paused { .. } => t.compose_paused(),
        TemplateStatus::Disabled => t.compose_disabled(),
        TemplateStatus::Archived => t.compose_archived(),
        TemplateStatus::Unfillable(_) => t.compose_unfillable(),
        TemplateStatus::Gone => t.compose_gone(),
    }
}

/// Why a template cannot be picked (AM-02); `None` for one that can.
pub fn not_approved(status: TemplateStatus, viewer: &Viewer) -> Option<String> {
    let t = viewer.words();
    match status {
        TemplateStatus::Approved => None,
        TemplateStatus::Pending => Some(t.compose_pending_why()),
        TemplateStatus::Rejected => Some(t.compose_rejected_why()),
        TemplateStatus::Paused { until: None } => Some(t.compose_paused_why()),
        TemplateStatus::Paused { until: Some(until) } => {
            Some(t.compose_paused_until_why(&viewer.from_when(until).text))
        }
        TemplateStatus::Disabled => Some(t.compose_disabled_why()),
        TemplateStatus::Archived => Some(t.compose_archived_why()),
        TemplateStatus::Unfillable(part) => Some(match part {
            UnfillablePart::Carousel => t.compose_unfillable_carousel(),
            UnfillablePart::LimitedTimeOffer => t.compose_unfillable_offer(),
            UnfillablePart::OneTimeCode => t.compose_unfillable_code(),
            UnfillablePart::Header => t.compose_unfillable_header(),
            UnfillablePart::Other => t.compose_unfillable_other(),
        }),
        TemplateStatus::Gone => Some(t.compose_gone_why()),
    }
}

pub fn number_problem(problem: PhoneNumberProblem, t: Words) -> String {
    match problem {
        PhoneNumberProblem::Empty => t.compose_number_empty(),
        PhoneNumberProblem::NoCountryCode => t.compose_number_no_country(),
        PhoneNumberProblem::UnknownCountry { code } => {
            t.compose_number_unknown_country(format!("+{code}"))
        }
        PhoneNumberProblem::TooShort => t.compose_number_too_short(),
        PhoneNumberProblem::TooLong => t.compose_number_too_long(),
        PhoneNumberProblem::Invalid => t.compose_number_invalid(),
    }
}

/// What a variable's field is called: its own name in the body, what it is elsewhere.
pub fn variable(template: &MessageTemplate, variable: &Variable, t: Words) -> String {
    let button = match variable.role {
        VariableRole::Button(index) => template.content.buttons.get(index).map(button_text),
        VariableRole::Header | VariableRole::Body => None,
    };
    let button = isolated(button.unwrap_or_default());
    match (variable.kind, variable.role) {
        (VariableKind::Media(MediaKind::Image), _) => t.compose_header_image(),
        (VariableKind::Media(MediaKind::Video), _) => t.compose_header_video(),
        (VariableKind::Media(MediaKind::Document), _) => t.compose_header_document(),
        (VariableKind::Latitude, _) => t.compose_latitude(),
        (VariableKind::Longitude, _) => t.compose_longitude(),
        (VariableKind::UrlSuffix, _) => t.compose_link_end(&button),
        (VariableKind::CouponCode, _) => t.compose_code(&button),
        (VariableKind::Text, VariableRole::Header) => match variable.name.0.as_str() {
            "header_name" => t.compose_place_name(),
            "header_address" => t.compose_place_address(),
            _ => t.compose_header_text(),
        },
        (VariableKind::Text, VariableRole::Body | VariableRole::Button(_)) => {
            variable.name.0.clone()
        }
    }
}

pub fn button_text(button: &TemplateButton) -> &str {
    match button {
        TemplateButton::QuickReply { text }
        | TemplateButton::Url { text, .. }
        | TemplateButton::Phone { text, .. }
        | TemplateButton::CopyCode { text }
        | TemplateButton::Other { text } => text,
    }
}

/// What may be typed there; `None` where anything may.
pub fn variable_hint(kind: VariableKind, t: Words) -> Option<String> {
    match kind {
        VariableKind::Media(MediaKind::Image) => Some(t.compose_header_image_hint()),
        VariableKind::Media(MediaKind::Video) => Some(t.compose_header_video_hint()),
        VariableKind::Media(MediaKind::Document) => Some(t.compose_header_document_hint()),
        VariableKind::Text
        | VariableKind::UrlSuffix
        | VariableKind::CouponCode
        | VariableKind::Latitude
        | VariableKind::Longitude => None,
    }
}

pub fn field(field: ValueField, t: Words) -> String {
    match field {
        ValueField::ContactName => t.compose_field_contact_name(),
        ValueField::ContactPhone => t.compose_field_contact_phone(),
        ValueField::ContactProtocol => t.compose_field_contact_protocol(),
        ValueField::AgentName => t.compose_field_agent_name(),
    }
}

/// What is wrong with a value, and what to do (AM-08).
pub fn variable_problem(code: VariableProblemCode, t: Words) -> String {
    match code {
        VariableProblemCode::Missing => t.compose_problem_missing(),
        VariableProblemCode::UnknownVariable => t.compose_problem_unknown(),
        VariableProblemCode::TooLong { most } => {
            t.compose_problem_too_long(u32::try_from(most).unwrap_or(u32::MAX))
        }
        VariableProblemCode::Newline => t.compose_problem_newline(),
        VariableProblemCode::Tab => t.compose_problem_tab(),
        VariableProblemCode::TooManySpaces => t.compose_problem_spaces(),
        VariableProblemCode::ControlCharacter => t.compose_problem_control(),
        VariableProblemCode::Placeholder => t.compose_problem_placeholder(),
        VariableProblemCode::UnknownField => t.compose_problem_unknown_field(),
        VariableProblemCode::EmptyField => t.compose_problem_empty_field(),
        VariableProblemCode::NotAUrl => t.compose_problem_url(),
        VariableProblemCode::MediaRefused => t.compose_problem_media(),
        VariableProblemCode::NotACoordinate => t.compose_problem_coordinate(),
    }
}

/// What is wrong with a value, naming what in `typed` is to blame where that is known.
pub fn problem_in_value(code: VariableProblemCode, typed: &str, t: Words) -> String {
    let mistakes = mistaken_fields(typed);
    let is_to_blame = |mistake: &&MistakenField| {
        let has_two_braces = mistake.typed.starts_with("{{");
        let is_unknown = !has_two_braces && mistake.meant.is_none();
        (code == VariableProblemCode::Placeholder && has_two_braces)
            || (code == VariableProblemCode::UnknownField && is_unknown)
    };
    let Some(mistake) = mistakes.iter().find(is_to_blame) else {
        return variable_problem(code, t);
    };
    let typed = isolated(&mistake.typed);
    match mistake.meant {
        Some(field) => t.compose_problem_double_braces(&typed, isolated(&field.token())),
        None if code == VariableProblemCode::UnknownField => t.compose_problem_no_field(&typed),
        None => t.compose_problem_placeholder_named(&typed),
    }
}

/// What in a value is sent as it stands although it may have been meant as a field (AM-13).
pub fn field_note(typed: &str, t: Words) -> Option<String> {
    let mistake = mistaken_fields(typed).into_iter().next()?;
    let typed = isolated(&mistake.typed);
    Some(match mistake.meant {
        Some(field) => t.compose_note_misspelt_field(&typed, isolated(&field.token())),
        None => t.compose_note_no_field(&typed),
    })
}

/// Why the file at an address is refused, and what to do (AM-07).
pub fn media_problem(problem: &MediaProblem, kind: MediaKind, t: Words) -> String {
    match problem {
        MediaProblem::NotAUrl => t.compose_problem_url(),
        MediaProblem::Forbidden => t.compose_problem_inner(),
        MediaProblem::Unreachable => t.compose_problem_unreachable(),
        MediaProblem::Missing => t.compose_problem_no_file(),
        MediaProblem::Refused { status } => match status {
            300..=399 => t.compose_problem_leads_on(),
            401 | 403 => t.compose_problem_not_public(),
            _ => t.compose_problem_status(u32::from(*status)),
        },
        MediaProblem::WrongKind { found } => {
            let found = found_kind(found, t);
            match kind {
                MediaKind::Image => t.compose_problem_not_image(&found),
                MediaKind::Video => t.compose_problem_not_video(&found),
                MediaKind::Document => t.compose_problem_not_document(&found),
            }
        }
        MediaProblem::TooLarge { limit } => {
            t.compose_problem_too_large(u32::try_from(limit / MEGABYTE).unwrap_or(u32::MAX))
        }
    }
}

/// What a file is, as people say it: `a PDF`; its type where people have no word for it.
fn found_kind(content_type: &str, t: Words) -> String {
    match content_type {
        "application/pdf" => t.compose_found_pdf(),
        "text/html" => t.compose_found_web_page(),
        "image/jpeg" | "image/png" => t.compose_found_image(),
        "image/gif" | "image/webp" | "image/heic" | "image/avif" | "image/svg+xml" => {
            let format = content_type.trim_start_matches("image/").trim_end_matches("+xml");
            t.compose_found_image_of(format.to_uppercase())
        }
        "video/mp4" | "video/3gpp" => t.compose_found_video(),
        "video/quicktime" => t.compose_found_video_of("QuickTime"),
        "application/zip" => t.compose_found_archive(),
        "application/x-ole-storage" => t.compose_found_office(),
        "text/plain" => t.compose_found_text(),
        _ if content_type.starts_with("audio/") => t.compose_found_audio(),
        _ => t.compose_found_other(isolated(content_type)),
    }
}

/// Kind and size of a file: `PDF · 1.2 MB`.
pub fn file_facts(file: &MediaFile, locale: Locale) -> String {
    let t = locale.words();
    let subtype = file.content_type.rsplit('/').next().unwrap_or_default();
    let kind = subtype.rsplit('.').next().unwrap_or_default().to_uppercase();
    t.compose_file_facts(&kind, size(file.size, locale))
}

fn size(bytes: u64, locale: Locale) -> String {
    let t = locale.words();
    if bytes < MEGABYTE {
        return t.compose_kilobytes(u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX));
    }
    let tenths = (bytes * 10).div_ceil(MEGABYTE);
    let point = match locale {
        Locale::En => '.',
        Locale::PtBR | Locale::Es => ',',
    };
    t.compose_megabytes(format!("{}{point}{}", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Locale = Locale::En;

    #[test]
    fn am_07_each_thing_wrong_with_a_file_has_a_sentence_of_its_own() {
        use MediaProblem::{
            Forbidden, Missing, NotAUrl, Refused, TooLarge, Unreachable, WrongKind,
        };
        let wrong = |found: &str| WrongKind { found: found.to_owned() };
        let cases = [
            (NotAUrl, "Type a whole address that starts with https://"),
            (Missing, "There is no file at this address (404). Check it"),
            (
                Refused { status: 403 },
                "This file is not open to everyone. Use an address that needs no sign-in",
            ),
            (
                Refused { status: 302 },
                "This address leads on to another one. Use the one where the file is",
            ),
            (
                Refused { status: 503 },
                "The server at this address answers with error 503. Try again later",
            ),
            (Unreachable, "Nothing answers at this address. Check it, or try again"),
            (Forbidden, "This address leads into an inner network. Use one that anyone can open"),
            (wrong("application/pdf"), "This is a PDF; a JPEG or PNG image is needed"),
            (wrong("text/html"), "This is a web page; a JPEG or PNG image is needed"),
            (wrong("image/webp"), "This is a WEBP image; a JPEG or PNG image is needed"),
            (TooLarge { limit: 5 * MEGABYTE }, "The file is too large: 5 MB at most"),
        ];
        for (problem, expected) in cases {
            assert_eq!(media_problem(&problem, MediaKind::Image, EN.words()), expected);
        }
        for locale in Locale::iter() {
            let t = locale.words();
            let all = [NotAUrl, Missing, Unreachable, Forbidden, wrong("application/pdf")];
            let mut said: Vec<String> =
                all.iter().map(|it| media_problem(it, MediaKind::Image, t)).collect();
            said.sort();
            said.dedup();
            assert_eq!(said.len(), 5, "{locale}");
        }
    }

    #[test]
    fn am_13_what_was_meant_as_a_field_is_named() {
        use VariableProblemCode::{Newline, Placeholder, UnknownField};
        let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
        let t = EN.words();
        let cases = [
            (
                Placeholder,
                "Oi {{contact.name}}",
                "{{contact.name}} would not be filled. Write {contact.name}, with one brace on each side",
            ),
            (Placeholder, "{{nome}}", "Two braces are not allowed in a value: take out {{nome}}"),
            (Placeholder, "{{1", "Two opening braces are not allowed in a value"),
            (
                UnknownField,
                "{contact.shoe}",
                "There is no field {contact.shoe}. Choose one of the list",
            ),
            (Newline, "{nome}", "No line breaks here: the platform refuses them"),
        ];
        for (code, typed, expected) in cases {
            assert_eq!(plain(problem_in_value(code, typed, t)), expected, "{typed}");
        }
        let note = |typed| field_note(typed, t).map(plain);
        assert_eq!(note("Oi {contact.name}"), None);
        assert_eq!(
            note("Oi { contact.name }").as_deref(),
            Some("{ contact.name } is sent as it stands. For the field write {contact.name}")
        );
        assert_eq!(
            note("Oi {nome}").as_deref(),
            Some("{nome} is no field and is sent as it stands")
        );
    }

    #[test]
    fn am_04_what_a_number_lacks_is_said() {
        let t = EN.words();
        let code = PhoneNumberProblem::UnknownCountry { code: 999 };
        assert_eq!(
            number_problem(code, t),
            "No country has the code +999. Check the digits after the +."
        );
        assert_eq!(
            number_problem(PhoneNumberProblem::TooShort, t),
            "Digits are missing. Type the whole number."
        );
    }
}
