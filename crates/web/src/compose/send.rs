//! The last press: files looked at, values checked, and the send asked of admission.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::header::HeaderValue};
use chrono::{DateTime, Utc};
use domain::{
    admission::{Refusal, RefusalCode},
    permission::Permission,
    template::{
        FieldValues, MediaKind, MessageTemplate, VariableKind, VariableName, VariableProblem,
        VariableProblemCode, VariableValues, check_values, expand_values,
    },
};
use persistence::{
    admission::{self, Draft, Forecast, Outcome, Queued, Refused},
    channel, compose,
    db::Db,
    error::PersistenceError,
    idempotency::{IdempotencyKey, KeyOwner, hash_body},
    message_template,
    user::Actor,
};
use tracing::info;

use super::{
    form::{ComposeForm, Go, Step, recipient_word},
    load::{Loaded, draft_of},
    page::Aftermath,
    people::name_of,
    words,
};
use crate::{
    desk::Desk,
    error::{WebError, toast_header},
    flash::Flash,
    form::see_other,
    locale::{Words, isolated},
    session::Session,
    visit::{Reader, Visit},
};

/// Where the agent sees what was sent.
const AFTER_SEND: &str = "/desk/sent";

/// Looks at the files that the values name and nobody looked at yet. Returns what is wrong with them.
///
/// # Errors
/// When the database fails.
pub async fn look_at_media(
    desk: &Desk,
    actor: &Actor,
    form: &ComposeForm,
    loaded: &mut Loaded,
    visit: &Visit,
) -> Result<Vec<(VariableName, String)>, WebError> {
    let mut problems = Vec::new();
    for (name, kind, url) in media_to_look_at(form, loaded) {
        let Some(channel) =
            loaded.from.as_ref().and_then(|from| desk.channels.get(&from.kind)).cloned()
        else {
            continue;
        };
        match channel.inspect_media(&url, kind).await {
            Ok(file) => {
                let (owner, now) = (actor.id(), visit.now);
                let saved = desk
                    .store
                    .write(move |db| compose::save_media(db, owner, &url, kind, file, now))
                    .await?;
                loaded.media.insert(name, saved);
            }
            Err(problem) => problems.push((name, words::media_problem(&problem, kind, visit.t()))),
        }
    }
    Ok(problems)
}

fn media_to_look_at(form: &ComposeForm, loaded: &Loaded) -> Vec<(VariableName, MediaKind, String)> {
    let Some(template) = &loaded.template else { return Vec::new() };
    let unknown = template.content.variables().into_iter().filter_map(|variable| {
        let VariableKind::Media(kind) = variable.kind else { return None };
        let url = form.values.get(&variable.name)?.trim().to_owned();
        let is_new = !url.is_empty() && !loaded.media.contains_key(&variable.name);
        is_new.then_some((variable.name, kind, url))
    });
    unknown.collect()
}

/// What is wrong with the values, fields filled in for the recipient (AM-06 to AM-08, AM-13). With
/// `typed_only`, what is still empty is not told yet.
pub fn value_problems(
    form: &ComposeForm,
    loaded: &Loaded,
    media: Vec<(VariableName, String)>,
    typed_only: bool,
    t: Words,
) -> Vec<(VariableName, String)> {
    let Some(template) = &loaded.template else { return Vec::new() };
    let values = values_of(form, template);
    let mut found: BTreeMap<VariableName, String> = all_problems(template, &values, &loaded.fields)
        .into_iter()
        .filter(|problem| !typed_only || problem.code != VariableProblemCode::Missing)
        .map(|problem| at_field(&problem, form, t))
        .collect();
    // What the server found at the address says more than the rules, which judge its form alone.
    found.extend(media);
    let order = template.content.variables().into_iter().map(|variable| variable.name);
    order.filter_map(|name| found.remove_entry(&name)).collect()
}

/// The values for the template's own variables; addresses without the space around them.
fn values_of(form: &ComposeForm, template: &MessageTemplate) -> VariableValues {
    let variables = template.content.variables();
    let mut values = form.values_for(variables.iter().map(|variable| variable.name.clone()));
    for variable in &variables {
        if let (VariableKind::Media(_), Some(value)) =
            (variable.kind, values.get_mut(&variable.name))
        {
            *value = value.trim().to_owned();
        }
    }
    values
}

/// The words at the field of `problem`, which may name what was typed there.
fn at_field(problem: &VariableProblem, form: &ComposeForm, t: Words) -> (VariableName, String) {
    let typed = form.values.get(&problem.name).map_or("", String::as_str);
    (problem.name.clone(), words::problem_in_value(problem.code, typed, t))
}

fn all_problems(
    template: &MessageTemplate,
    values: &VariableValues,
    fields: &FieldValues,
) -> Vec<VariableProblem> {
    match expand_values(values, fields) {
        Ok(expanded) => check_values(&template.content, &expanded),
        Err(mut problems) => {
            let others = check_values(&template.content, values);
            let told: Vec<VariableName> = problems.iter().map(|it| it.name.clone()).collect();
            problems.extend(others.into_iter().filter(|problem| !told.contains(&problem.name)));
            problems
        }
    }
}

/// What came of the press.
pub enum Sent {
    /// It is on its way, or was before by the same press.
    Done(Queued),
    /// It is not; the dialog says why.
    Not(Box<Aftermath>),
}

/// Asks admission for the send (AD-02, AM-11). A key serves one press: after a refusal the next press is
/// a new one.
///
/// # Errors
/// `NotFound` for what may not be known; `Unavailable` when the database is busy.
pub async fn send(
    desk: &Desk,
    actor: &Actor,
    form: &mut ComposeForm,
    loaded: &Loaded,
) -> Result<Sent, WebError> {
    let Some(mut draft) = draft_to_send(form, actor, loaded)? else {
        return Ok(Sent::Not(Box::default()));
    };
    draft.key = Some(IdempotencyKey {
        owner: KeyOwner::User(actor.id()),
        key: form.key.clone(),
        body_hash: hash_body(&body_of(form, loaded, &draft.values)),
    });
    let (actor, clock) = (actor.clone(), desk.clock.clone());
    let asked =
        desk.store.write(move |db| admission::admit_and_queue(db, &actor, &draft, &*clock)).await;
    if matches!(asked, Err(PersistenceError::ClockJumped)) {
        // Nothing was decided: the same press, with its key, is asked anew.
        return Ok(Sent::Not(Box::new(Aftermath { clock_jumped: true, ..Aftermath::default() })));
    }
    match asked? {
        Outcome::Queued(queued) => {
            desk.nudges.dispatch.notify_one();
            info!(message.id = %queued.message, "queued active message {}", queued.message);
            Ok(Sent::Done(queued))
        }
        Outcome::Replayed(queued) => Ok(Sent::Done(queued)),
        Outcome::KeyReused => {
            form.key = new_key()?;
            Ok(Sent::Not(Box::new(Aftermath { key_reused: true, ..Aftermath::default() })))
        }
        Outcome::Refused(refused) => {
            form.key = new_key()?;
            let Refused { reasons, until, variable_problems, .. } = refused;
            Ok(refuse(form, Forecast { reasons, until, variable_problems }))
        }
    }
}

/// Refuses a *Send* of someone who may send nowhere, and so was shown none. Admission refuses and logs it as
/// by any other door (AD-01), as long as it names what a decision is about.
///
/// # Errors
/// `Forbidden` for such a press; `NotFound` when it names what may not be known.
pub async fn refuse_strangers(
    desk: &Desk,
    actor: &Actor,
    form: &ComposeForm,
) -> Result<(), WebError> {
    let may_send = !actor.chatbots_where(Permission::SendActiveMessages).is_empty();
    if form.go != Go::Send || may_send {
        return Ok(());
    }
    let (actor, form, clock) = (actor.clone(), form.clone(), desk.clock.clone());
    let refuse = move |db: &mut Db| {
        let Some(draft) = forged_draft(db, &actor, form)? else { return Ok(()) };
        // Never queued: `actor` lacks the permission wherever it would be sent from.
        admission::admit_and_queue(db, &actor, &draft, &*clock).map(drop)
    };
    desk.store.write(refuse).await?;
    Err(WebError::Forbidden)
}

/// The send that `form` names, from the channel it names or the first of the actor's chatbots; `None` when it
/// names no template or nobody.
fn forged_draft(
    db: &mut Db,
    actor: &Actor,
    mut form: ComposeForm,
) -> Result<Option<Draft>, PersistenceError> {
    let (Some(to), Some(template)) = (form.recipient.clone(), form.template) else {
        return Ok(None);
    };
    form.channel = match form.channel {
        Some(channel) => Some(channel::get(db, actor, channel)?.id),
        None => channel::list(db, actor)?.first().map(|channel| channel.id),
    };
    let Some(mut draft) = draft_of(&form, actor, to) else { return Ok(None) };
    draft.values = values_of(&form, &message_template::get(db, template)?);
    Ok(Some(draft))
}

/// What stands against a send that was refused before, as of now: it is shown again, not sent again.
///
/// # Errors
/// As [`send`].
pub async fn judge_again(
    desk: &Desk,
    actor: &Actor,
    form: &mut ComposeForm,
    loaded: &Loaded,
    now: DateTime<Utc>,
) -> Result<Sent, WebError> {
    let Some(draft) = draft_to_send(form, actor, loaded)? else {
        return Ok(Sent::Not(Box::default()));
    };
    let actor = actor.clone();
    let forecast = desk.store.read(move |db| admission::check(db, &actor, &draft, now)).await?;
    if forecast.reasons.is_empty() {
        return Ok(Sent::Not(Box::default()));
    }
    Ok(refuse(form, forecast))
}

/// The send as it would be asked for, without a key; `None` while something is not chosen.
fn draft_to_send(
    form: &ComposeForm,
    actor: &Actor,
    loaded: &Loaded,
) -> Result<Option<Draft>, WebError> {
    let (Some(to), Some(template)) = (form.recipient.clone(), &loaded.template) else {
        return Ok(None);
    };
    let mut draft = draft_of(form, actor, to).ok_or(WebError::Unprocessable)?;
    draft.values = values_of(form, template);
    Ok(Some(draft))
}

/// Back to the step where it can be mended, with why.
fn refuse(form: &mut ComposeForm, refused: Forecast) -> Sent {
    form.step = step_to_mend(&refused.reasons);
    Sent::Not(Box::new(Aftermath { refused: Some(refused), ..Aftermath::default() }))
}

/// Where the first reason can be mended.
fn step_to_mend(reasons: &[Refusal]) -> Step {
    match reasons.first().map(|reason| reason.code) {
        Some(
            RefusalCode::ChannelCannotInitiate
            | RefusalCode::NumberNotReady
            | RefusalCode::TierLimitReached
            | RefusalCode::TemplateNotApproved,
        ) => Step::Template,
        Some(
            RefusalCode::ContactUnreachable
            | RefusalCode::ContactOptedOut
            | RefusalCode::ContactHasOpenTicket
            | RefusalCode::AlreadyCalledBack
            | RefusalCode::AgentContactCap
            | RefusalCode::QuietHours,
        ) => Step::Recipient,
        Some(
            RefusalCode::NotPermitted
            | RefusalCode::AgentNotOnline
            | RefusalCode::ActiveMessagesDisabled
            | RefusalCode::VariablesInvalid
            | RefusalCode::InsufficientCredit,
        )
        | None => Step::Variables,
    }
}

/// What tells one send from another, for its key.
fn body_of(form: &ComposeForm, loaded: &Loaded, values: &VariableValues) -> Vec<u8> {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    body.append_pair("channel", &id(form.channel.map(|id| id.0)));
    body.append_pair("template", &id(form.template.map(|id| id.0)));
    body.append_pair("ticket", &id(form.ticket.map(|id| id.0)));
    // By number where there is one: a number nobody had is a contact's when the form comes again.
    let phone = loaded.recipient.as_ref().and_then(|person| person.phone.as_ref());
    let to = match (phone, &form.recipient) {
        (Some(phone), _) => phone.canonical().as_e164().to_owned(),
        (None, Some(recipient)) => recipient_word(recipient),
        (None, None) => String::new(),
    };
    body.append_pair("to", &to);
    for (name, value) in values {
        body.append_pair(&format!("v_{}", name.0), value);
    }
    body.finish().into_bytes()
}

/// Names one showing of step 3: 128 random bits.
///
/// # Errors
/// `Unavailable` when the system has no random bits.
pub fn new_key() -> Result<String, WebError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| WebError::Unavailable)?;
    Ok(hex::encode(bytes))
}

/// What the agent sees after the send (AM-09): in the dialog it closes and a toast says so, on a page of
/// its own the way leads to *Sent*, which says it.
///
/// # Errors
/// Never in practice: what it says fits into headers.
pub fn sent(
    desk: &Desk,
    session: &Session,
    form: &ComposeForm,
    loaded: &Loaded,
    queued: Queued,
    visit: &Visit,
) -> Result<HttpResponse, WebError> {
    let (t, flash) = (visit.t(), Flash::MessageSent(queued.contact));
    let mut response = HttpResponse::Ok();
    if visit.reader != Reader::Fragment {
        return flash.beside(see_other(AFTER_SEND), session, desk);
    }
    if !form.in_dialog {
        let away = response.insert_header(("hx-redirect", AFTER_SEND)).finish();
        return flash.beside(away, session, desk);
    }
    let name = loaded.recipient.as_ref().map(|person| name_of(person, t)).unwrap_or_default();
    let (header, toast) = toast_header(&t.compose_sent(isolated(&name)), "done");
    response.insert_header((header, closing(&toast)));
    Ok(response.insert_header(("hx-reswap", "none")).finish())
}

/// The toast's header with the event that closes the dialog before it.
fn closing(toast: &HeaderValue) -> HeaderValue {
    let toast = toast.to_str().unwrap_or_default();
    let both = toast.replacen('{', "{\"janela:close-dialog\":{},", 1);
    HeaderValue::from_str(&both).unwrap_or_else(|_| HeaderValue::from_static("janela:close-dialog"))
}

/// A refusal about values alone is one of the form: it is told at the fields.
pub fn with_values_at_fields(after: Aftermath, form: &ComposeForm, t: Words) -> Aftermath {
    let Some(refused) = &after.refused else { return after };
    let is_about_values =
        refused.reasons.iter().all(|reason| reason.code == RefusalCode::VariablesInvalid);
    if !is_about_values {
        return after;
    }
    let problems =
        refused.variable_problems.iter().map(|problem| at_field(problem, form, t)).collect();
    Aftermath { problems, summarise: true, refuses: true, ..Aftermath::default() }
}
