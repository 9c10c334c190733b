//! The dialog's words for what the rules name: statuses, platforms, variables and what is wrong with them.

use domain::{
    channel::{ChannelKind, MediaFile, MediaProblem},
    phone::PhoneNumberProblem,
    presence::Presence,
    template::{
        MediaKind, MessageTemplate, TemplateButton, TemplateCategory, TemplateStatus, ValueField,
        Variable, VariableKind, VariableProblemCode, VariableRole,
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
        TemplateStatus::Gone => Some(t.compose_gone_why()),
    }
}

pub fn number_problem(problem: PhoneNumberProblem, t: Words) -> String {
    match problem {
        PhoneNumberProblem::Empty => t.compose_number_empty(),
        PhoneNumberProblem::NoCountryCode => t.compose_number_no_country(),
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

/// Why the file at an address is refused (AM-07).
pub fn media_problem(problem: &MediaProblem, kind: MediaKind, t: Words) -> String {
    match problem {
        MediaProblem::NotAUrl => t.compose_problem_url(),
        MediaProblem::Forbidden => t.compose_problem_inner(),
        MediaProblem::Unreachable => t.compose_problem_unreachable(),
        MediaProblem::WrongKind { found } => match kind {
            MediaKind::Image => t.compose_problem_not_image(found),
            MediaKind::Video => t.compose_problem_not_video(found),
            MediaKind::Document => t.compose_problem_not_document(found),
        },
        MediaProblem::TooLarge { limit } => {
            t.compose_problem_too_large(u32::try_from(limit / MEGABYTE).unwrap_or(u32::MAX))
        }
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
