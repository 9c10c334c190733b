//! Service, General settings: active messages with the cap per customer, and direct transfer.

mod form;
mod numbers;
mod page;

use actix_web::{
    HttpResponse,
    web::{Data, Form, Path},
};
use domain::{
    ids::{ChatbotId, NumberId},
    permission::Permission,
};
use persistence::{
    chatbot::{self, SaveOutcome},
    number::{history, pause},
};

pub use self::{
    form::SettingsForm,
    page::{GeneralSettingsPage, Loaded},
};
use crate::{
    desk::Desk,
    error::WebError,
    flash::{Flash, Flashed},
    form::{Problems, see_other},
    session::{PortalUser, Session},
    visit::Visit,
};

/// Leads to the first chatbot whose settings the user may change, else to the first they may look at.
pub async fn show_first(desk: Data<Desk>, user: PortalUser) -> Result<HttpResponse, WebError> {
    let actor = user.actor.clone();
    let chatbots = desk.store.read(move |db| chatbot::list(db, &actor)).await?;
    let mut ids = chatbots.iter().map(|chatbot| chatbot.id);
    let to_change = ids.clone().find(|id| user.actor.may(*id, Permission::EditGeneralSettings));
    let first = to_change.or_else(|| ids.find(|id| user.actor.opens_portal_of(*id)));
    first.map(|id| see_other(&path_of(id))).ok_or(WebError::Forbidden)
}

/// The settings of a chatbot.
pub async fn show_general_settings(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
    flashed: Flashed,
) -> Result<HttpResponse, WebError> {
    let loaded = load(&desk, &visit, &user, ChatbotId(*path)).await?;
    let mut shown = GeneralSettingsPage::new(&visit, &user, loaded);
    shown.page.toast = flashed.toast(&desk, &user, visit.t()).await?;
    flashed.told(shown.respond()?)
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
    user.actor.require(chatbot, Permission::EditGeneralSettings)?;
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
        SaveOutcome::Saved => {
            Flash::SettingsSaved.beside(see_other(&path_of(chatbot)), &user, &desk)
        }
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

/// Lets a number send again at once that the platform told to stop.
pub async fn submit_resume(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, WebError> {
    let (chatbot, number) = (ChatbotId(path.0), NumberId(path.1));
    let (actor, now) = (user.actor.clone(), visit.now);
    desk.store.write(move |db| pause::resume(db, &actor, chatbot, number, now)).await?;
    desk.nudges.dispatch.notify_one();
    Flash::NumberResumed.beside(see_other(&path_of(chatbot)), &user, &desk)
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

async fn load(
    desk: &Desk,
    visit: &Visit,
    user: &Session,
    chatbot: ChatbotId,
) -> Result<Loaded, WebError> {
    let (actor, now) = (user.actor.clone(), visit.now);
    let public_url = desk.settings.public_url.clone();
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| {
            let settings = chatbot::get_general_settings(db, &actor, chatbot, now)?;
            let mut chatbots = chatbot::list(db, &actor)?;
            chatbots.retain(|other| actor.opens_portal_of(other.id));
            let paused = pause::list_paused(db, &actor, chatbot, now)?;
            let numbers = history::list_histories(db, &actor, chatbot, numbers::MOST_LINES)?;
            Ok(Loaded { settings, chatbots, paused, numbers, public_url })
        })
    };
    Ok(desk.store.read(read).await?)
}

fn path_of(chatbot: ChatbotId) -> String {
    format!("/portal/chatbots/{chatbot}/general-settings")
}
