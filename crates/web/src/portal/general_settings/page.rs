//! The settings as a page: to change them, or to look at them.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use domain::{
    channel::PausedSends, contact_cap::CapScope, ids::ChannelId, permission::Permission,
    phone::PhoneNumber,
};
use persistence::{
    chatbot::{Chatbot, GeneralSettings, MissingStep, SettingsRight},
    number::{history::NumberHistory, pause::PausedNumber},
};
use url::Url;

use super::{form::SettingsForm, numbers::NumberView};
use crate::{
    conversation::failure_words,
    error::WebError,
    form::{Problems, html},
    locale::{Words, isolated},
    moment::{Moment, Viewer},
    page::{Page, Place},
    session::Session,
    visit::Visit,
};

/// Where WhatsApp tells which address to call.
const APP_DASHBOARD: &str = "https://developers.facebook.com/apps/";

/// Where WhatsApp approves templates.
const TEMPLATE_MANAGER: &str = "https://business.facebook.com/wa/manage/message-templates/";

/// Where templates are read anew.
const TEMPLATES_JOB: &str = "/portal/jobs#job-sync_templates";

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: GeneralSettings,
    /// The chatbots one may go on to, this one among them.
    pub chatbots: Vec<Chatbot>,
    /// Its numbers that rest, because the platform told them to stop.
    pub paused: Vec<PausedNumber>,
    /// Its numbers, each with the latest of its history.
    pub numbers: Vec<NumberHistory>,
    /// Where platforms reach the installation.
    pub public_url: Url,
}

/// The page.
#[derive(Template)]
#[template(path = "portal/general_settings.html")]
pub struct GeneralSettingsPage {
    t: Words,
    /// The frame.
    pub page: Page,
    /// Where it is sent.
    path: String,
    /// When the settings were saved last, for the form; empty for never.
    seen: String,
    chatbot: String,
    /// The chatbots to choose from; empty when there is one only.
    chatbots: Vec<ChatbotChoice>,
    active_messages: bool,
    cap: bool,
    /// X as typed.
    cap_sends: String,
    cap_scope: CapScope,
    direct_transfer: bool,
    read_marks: bool,
    /// Numbers that send nothing, or no templates, for now.
    paused: Vec<PausedView>,
    /// What the platform says of each number.
    numbers: Vec<NumberView>,
    /// Who may change them, when the reader may only look.
    look: Option<LookView>,
    /// What active messages still need, while they are off.
    missing: Vec<MissingView>,
    /// Who saved the settings last, and when.
    changed: Option<Changed>,
    problems: Problems,
    /// Someone saved while this was typed; nothing of it is saved yet.
    is_overtaken: bool,
    status: StatusCode,
}

/// Why nothing can be changed here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LookView {
    /// Who may.
    by: String,
}

/// A number that rests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PausedView {
    /// The number, and what of it rests.
    what: String,
    /// Why, since when, and from when it is tried again.
    why: String,
    /// Where it is let go at once; `None` for who may not.
    resume_path: Option<String>,
}

/// The latest save.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Changed {
    by: String,
    at: Moment,
}

/// A chatbot one may go on to.
#[derive(Debug, Clone)]
struct ChatbotChoice {
    name: String,
    path: String,
    current: bool,
}

/// Something active messages still need (AM-14).
#[derive(Debug, Clone, PartialEq, Eq)]
struct MissingView {
    what: String,
    how: String,
    /// What to enter there.
    addresses: Vec<String>,
    /// Where it is mended.
    links: Vec<(&'static str, String)>,
}

impl GeneralSettingsPage {
    /// The settings as they are kept.
    #[must_use]
    pub fn new(visit: &Visit, user: &Session, loaded: Loaded) -> Self {
        let t = visit.t();
        let viewer = visit.viewer();
        let Loaded { settings, chatbots, paused, numbers, public_url } = loaded;
        let GeneralSettings { chatbot, changed_by, missing, unverified, right } = settings;
        let webhook = |channel: &ChannelId| {
            let path = public_url.join(&format!("webhooks/whatsapp/{channel}"));
            path.map_or_else(|_| String::new(), |address| address.to_string())
        };
        let webhooks: Vec<String> = unverified.iter().map(webhook).collect();
        let settings = &chatbot.settings;
        let missing = if settings.active_messages_enabled { Vec::new() } else { missing };
        let choices = if chatbots.len() < 2 { Vec::new() } else { chatbots };
        let seen = chatbot.changed.map(|(at, _)| at.timestamp_millis().to_string());
        let changed = changed_by
            .zip(chatbot.changed)
            .map(|(name, (at, _))| Changed { by: isolated(&name), at: viewer.at(at) });
        Self {
            t,
            page: Page::new(visit, user, t.nav_general_settings(), Place::GeneralSettings),
            path: super::path_of(chatbot.id),
            seen: seen.unwrap_or_default(),
            chatbots: choices
                .into_iter()
                .map(|other| ChatbotChoice {
                    path: super::path_of(other.id),
                    current: other.id == chatbot.id,
                    name: other.name,
                })
                .collect(),
            active_messages: settings.active_messages_enabled,
            cap: settings.cap_enabled,
            cap_sends: settings.cap_sends.to_string(),
            cap_scope: settings.cap_scope,
            direct_transfer: settings.direct_transfer,
            read_marks: settings.read_marks,
            paused: paused
                .into_iter()
                .map(|paused| paused_view(paused, &chatbot, user, &viewer))
                .collect(),
            numbers: numbers.into_iter().map(|number| NumberView::new(number, &viewer)).collect(),
            look: look_view(right, t),
            missing: missing.into_iter().map(|step| missing_view(step, &webhooks, t)).collect(),
            changed,
            problems: Problems::default(),
            is_overtaken: false,
            status: StatusCode::OK,
            chatbot: chatbot.name,
        }
    }

    /// The page as it was typed, with what stands against it.
    #[must_use]
    pub fn corrected(self, form: SettingsForm, problems: Problems) -> Self {
        // What was looked at is still what stood there then, whoever saved meanwhile.
        let seen = form.seen.clone();
        let mut page = self.typed(form);
        page.seen = seen;
        page.problems = problems;
        page.status = StatusCode::UNPROCESSABLE_ENTITY;
        page
    }

    /// The page as it was typed, when someone saved meanwhile: sent again it holds.
    #[must_use]
    pub fn overtaken(self, form: SettingsForm) -> Self {
        let mut page = self.typed(form);
        page.is_overtaken = true;
        page.status = StatusCode::CONFLICT;
        page
    }

    fn typed(self, form: SettingsForm) -> Self {
        let cap_scope = form.cap_scope.as_deref().and_then(CapScope::parse);
        Self {
            page: self.page.with_problems(),
            active_messages: form.active_messages.is_some(),
            cap: form.cap.is_some(),
            cap_sends: form.cap_sends.unwrap_or_default(),
            cap_scope: cap_scope.unwrap_or(self.cap_scope),
            direct_transfer: form.direct_transfer.is_some(),
            read_marks: form.read_marks.is_some(),
            ..self
        }
    }

    /// How a switch stands, in words.
    fn word_of(&self, is_on: &bool) -> String {
        if *is_on { self.t.portal_on() } else { self.t.portal_off() }
    }

    pub(super) fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}

fn paused_view(
    paused: PausedNumber,
    chatbot: &Chatbot,
    user: &Session,
    viewer: &Viewer,
) -> PausedView {
    let t = viewer.words();
    let phone = PhoneNumber::from_e164(&paused.phone).map(|phone| phone.display());
    let phone = isolated(&phone.unwrap_or(paused.phone));
    let reason = failure_words(Some(paused.code.as_str()), &chatbot.name, viewer);
    let (since, until) = (viewer.at(paused.rest.since), viewer.from_when(paused.rest.until));
    let may_resume = user.actor.may(chatbot.id, Permission::EditChannels);
    PausedView {
        what: match paused.sends {
            PausedSends::All => t.portal_number_rests(&phone),
            PausedSends::Templates => t.portal_number_templates_rest(&phone),
        },
        why: format!("{reason} {}", t.portal_number_rests_until(&since.text, &until.text)),
        resume_path: may_resume
            .then(|| format!("/portal/chatbots/{}/numbers/{}/resume", chatbot.id, paused.number)),
    }
}

fn look_view(right: SettingsRight, t: Words) -> Option<LookView> {
    let SettingsRight::Look(editors) = right else { return None };
    let names: Vec<String> = editors.iter().map(|name| isolated(name)).collect();
    let by = if names.is_empty() {
        t.portal_look_only_nobody()
    } else {
        t.portal_look_only_editors(names.join(", "))
    };
    Some(LookView { by })
}

fn missing_view(step: MissingStep, webhooks: &[String], t: Words) -> MissingView {
    match step {
        MissingStep::ConnectedNumber => MissingView {
            what: t.portal_missing_number(),
            how: t.portal_missing_number_how(),
            addresses: Vec::new(),
            links: Vec::new(),
        },
        MissingStep::VerifiedWebhook if webhooks.is_empty() => MissingView {
            what: t.portal_missing_webhook(),
            how: t.portal_missing_webhook_later(),
            addresses: Vec::new(),
            links: Vec::new(),
        },
        MissingStep::VerifiedWebhook => MissingView {
            what: t.portal_missing_webhook(),
            how: t.portal_missing_webhook_how(),
            addresses: webhooks.to_vec(),
            links: vec![(APP_DASHBOARD, t.portal_missing_webhook_link())],
        },
        MissingStep::ApprovedTemplate => MissingView {
            what: t.portal_missing_template(),
            how: t.portal_missing_template_how(),
            addresses: Vec::new(),
            links: vec![
                (TEMPLATE_MANAGER, t.portal_missing_template_link()),
                (TEMPLATES_JOB, t.portal_missing_template_job()),
            ],
        },
    }
}
