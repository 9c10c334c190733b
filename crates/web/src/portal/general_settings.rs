//! Service, General settings: active messages with the cap per customer, and direct transfer.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use askama::Template;
use chrono::{DateTime, Utc};
use domain::{
    contact_cap::{CapScope, CapSendsProblem, parse_cap_sends},
    ids::ChatbotId,
    permission::Permission,
    policy::Policy,
};
use persistence::chatbot::{self, Chatbot, GeneralSettings, MissingStep, SaveOutcome, Settings};
use serde::Deserialize;

use crate::{
    desk::Desk,
    error::WebError,
    form::{Problems, html, see_other},
    locale::{Words, isolated},
    moment::Moment,
    page::{Page, Place, Toast},
    session::{PortalUser, Session},
    visit::Visit,
};

/// The page's address may ask to say that what was typed is saved.
#[derive(Debug, Default, Deserialize)]
pub struct SavedQuery {
    saved: Option<String>,
}

/// The page as typed; a switch that is off is not sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsForm {
    /// When the settings had been saved last as the page was shown, in milliseconds; empty for never.
    #[serde(default)]
    seen: String,
    active_messages: Option<String>,
    cap: Option<String>,
    cap_sends: Option<String>,
    cap_scope: Option<String>,
    direct_transfer: Option<String>,
}

/// What the page changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    active_messages: bool,
    cap: bool,
    cap_sends: u32,
    /// `None` leaves it: a browser does not send choices that are switched off.
    cap_scope: Option<CapScope>,
    direct_transfer: bool,
}

impl Change {
    fn apply(self, kept: &mut Settings) {
        kept.active_messages_enabled = self.active_messages;
        kept.cap_enabled = self.cap;
        kept.cap_sends = self.cap_sends;
        kept.cap_scope = self.cap_scope.unwrap_or(kept.cap_scope);
        kept.direct_transfer = self.direct_transfer;
    }
}

impl SettingsForm {
    /// What is to change, or every problem by field. The cap's number is judged whether or not its switch
    /// is on (AD-05).
    fn parse(&self, t: Words) -> Result<Result<Change, Problems>, WebError> {
        let cap_scope = match self.cap_scope.as_deref() {
            None => None,
            Some(word) => Some(CapScope::parse(word).ok_or(WebError::Unprocessable)?),
        };
        let bounds = Policy::default_profile().contact_cap.bounds;
        let typed = self.cap_sends.as_deref().unwrap_or_default();
        let cap_sends = match parse_cap_sends(typed, bounds) {
            Ok(sends) => sends,
            Err(problem) => {
                let mut problems = Problems::default();
                problems.add("cap_sends", cap_sends_problem(problem, t));
                return Ok(Err(problems));
            }
        };
        Ok(Ok(Change {
            active_messages: self.active_messages.is_some(),
            cap: self.cap.is_some(),
            cap_sends,
            cap_scope,
            direct_transfer: self.direct_transfer.is_some(),
        }))
    }

    /// When the settings had been saved last as the page was shown; what cannot be read counts as never.
    fn seen(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.seen.parse().ok()?)
    }
}

fn cap_sends_problem(problem: CapSendsProblem, t: Words) -> String {
    match problem {
        CapSendsProblem::Blank => t.portal_cap_blank(),
        CapSendsProblem::NotWhole => t.portal_cap_not_whole(),
        CapSendsProblem::OutOfBounds(bounds) => {
            t.portal_cap_out_of_bounds(bounds.least.to_string(), bounds.most.to_string())
        }
    }
}

/// Leads to the first chatbot whose settings the user may change.
pub async fn show_first(desk: Data<Desk>, user: PortalUser) -> Result<HttpResponse, WebError> {
    let actor = user.actor.clone();
    let chatbots = desk.store.read(move |db| chatbot::list(db, &actor)).await?;
    let mut open = chatbots.iter().map(|chatbot| chatbot.id);
    let first = open.find(|id| user.actor.may(*id, Permission::EditGeneralSettings));
    first.map(|id| see_other(&path_of(id))).ok_or(WebError::Forbidden)
}

/// The settings of a chatbot.
pub async fn show_general_settings(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
    query: Query<SavedQuery>,
) -> Result<HttpResponse, WebError> {
    let loaded = load(&desk, &visit, &user, ChatbotId(*path)).await?;
    let mut shown = GeneralSettingsPage::new(&visit, &user, loaded);
    if query.saved.is_some() {
        shown.page.toast = Some(Toast { kind: "done", text: visit.t().portal_saved() });
    }
    shown.respond()
}

/// Saves the page, or shows it again with what stands against it.
pub async fn submit_general_settings(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
    Form(form): Form<SettingsForm>,
) -> Result<HttpResponse, WebError> {
    let chatbot = ChatbotId(*path);
    let change = match form.parse(visit.t())? {
        Ok(change) => change,
        Err(problems) => return correct(&desk, &visit, &user, chatbot, form, problems).await,
    };
    let (actor, seen, now) = (user.actor.clone(), form.seen(), visit.now);
    let saved = desk
        .store
        .write(move |db| {
            chatbot::change_settings(db, &actor, chatbot, seen, now, |kept| change.apply(kept))
        })
        .await?;
    match saved {
        SaveOutcome::Saved => Ok(see_other(&format!("{}?saved=1", path_of(chatbot)))),
        SaveOutcome::NotReady(_) => {
            let mut problems = Problems::default();
            problems.add("active_messages", visit.t().portal_not_ready());
            correct(&desk, &visit, &user, chatbot, form, problems).await
        }
        SaveOutcome::ChangedMeanwhile => {
            let loaded = load(&desk, &visit, &user, chatbot).await?;
            GeneralSettingsPage::new(&visit, &user, loaded).overtaken(form).respond()
        }
    }
}

async fn correct(
    desk: &Desk,
    visit: &Visit,
    user: &Session,
    chatbot: ChatbotId,
    form: SettingsForm,
    problems: Problems,
) -> Result<HttpResponse, WebError> {
    let loaded = load(desk, visit, user, chatbot).await?;
    GeneralSettingsPage::new(visit, user, loaded).corrected(form, problems).respond()
}

/// The settings, and the chatbots one may go on to.
type Loaded = (GeneralSettings, Vec<Chatbot>);

async fn load(
    desk: &Desk,
    visit: &Visit,
    user: &Session,
    chatbot: ChatbotId,
) -> Result<Loaded, WebError> {
    let (actor, now) = (user.actor.clone(), visit.now);
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| {
            let settings = chatbot::get_general_settings(db, &actor, chatbot, now)?;
            let mut chatbots = chatbot::list(db, &actor)?;
            chatbots.retain(|other| actor.may(other.id, Permission::EditGeneralSettings));
            Ok((settings, chatbots))
        })
    };
    Ok(desk.store.read(read).await?)
}

fn path_of(chatbot: ChatbotId) -> String {
    format!("/portal/chatbots/{chatbot}/general-settings")
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
    /// What active messages still need, while they are off.
    missing: Vec<MissingView>,
    /// Who saved the settings last, and when.
    changed: Option<Changed>,
    problems: Problems,
    /// Someone saved while this was typed; nothing of it is saved yet.
    is_overtaken: bool,
    status: StatusCode,
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
    /// Where it is mended; `None` where no page of ours does.
    link: Option<(&'static str, String)>,
}

impl GeneralSettingsPage {
    /// The settings as they are kept.
    #[must_use]
    pub fn new(visit: &Visit, user: &Session, (loaded, chatbots): Loaded) -> Self {
        let t = visit.t();
        let viewer = visit.viewer();
        let GeneralSettings { chatbot, changed_by, missing } = loaded;
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
            path: path_of(chatbot.id),
            seen: seen.unwrap_or_default(),
            chatbots: choices
                .into_iter()
                .map(|other| ChatbotChoice {
                    path: path_of(other.id),
                    current: other.id == chatbot.id,
                    name: other.name,
                })
                .collect(),
            active_messages: settings.active_messages_enabled,
            cap: settings.cap_enabled,
            cap_sends: settings.cap_sends.to_string(),
            cap_scope: settings.cap_scope,
            direct_transfer: settings.direct_transfer,
            missing: missing.into_iter().map(|step| missing_view(step, t)).collect(),
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
            ..self
        }
    }

    fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}

fn missing_view(step: MissingStep, t: Words) -> MissingView {
    match step {
        MissingStep::ConnectedNumber => MissingView {
            what: t.portal_missing_number(),
            how: t.portal_missing_number_how(),
            link: None,
        },
        MissingStep::VerifiedWebhook => MissingView {
            what: t.portal_missing_webhook(),
            how: t.portal_missing_webhook_how(),
            link: None,
        },
        MissingStep::ApprovedTemplate => MissingView {
            what: t.portal_missing_template(),
            how: t.portal_missing_template_how(),
            link: Some(("/portal/jobs", t.portal_missing_template_link())),
        },
    }
}

#[cfg(test)]
impl SettingsForm {
    /// Every switch on.
    pub(super) fn with_cap_sends(cap_sends: &str) -> Self {
        Self {
            seen: String::new(),
            active_messages: Some("on".to_owned()),
            cap: Some("on".to_owned()),
            cap_sends: Some(cap_sends.to_owned()),
            cap_scope: Some("all_agents".to_owned()),
            direct_transfer: Some("on".to_owned()),
        }
    }

    /// What stands against it.
    pub(super) fn problems(&self, t: Words) -> Problems {
        self.parse(t).unwrap().err().unwrap_or_default()
    }
}
