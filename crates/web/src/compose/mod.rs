//! The dialog *Active message*: template, recipient, variables, and the send (AM-01 to AM-09, AD-07).

mod draft;
mod fields;
mod form;
mod lists;
mod load;
mod media;
mod page;
mod people;
mod preview;
mod send;
mod turn;
mod words;

use actix_web::{
    HttpResponse,
    web::{self, Data, Form, Query, ServiceConfig},
};
use domain::{ids::ContactId, presence::Presence};
use persistence::{contact, error::PersistenceError, ticket};

use self::{
    form::{ComposeForm, ComposeQuery, Go, Step},
    load::{Halt, Loaded, Person},
    page::{Aftermath, ComposePage},
    send::Sent,
};
pub use self::{
    load::MEDIA_HOLDS,
    media::{picture, show_media},
    send::new_key,
    words::{media_problem, number_problem, variable_problem},
};

use crate::{
    conversation::with_unread,
    desk::Desk,
    error::WebError,
    locale::{Words, isolated},
    page::{Page, Place, Toast},
    session::{Agent, Session},
    visit::{Reader, Visit},
};

/// The dialog at `/desk/active-message`, and the files its previews show.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/desk/active-message").get(show_compose).post(submit_compose));
}

/// Step 1, with what the address presets: `?contact=`, `?ticket=`, `?template=`, `?chatbot=`.
async fn show_compose(
    desk: Data<Desk>,
    agent: Agent,
    visit: Visit,
    query: Query<ComposeQuery>,
) -> Result<HttpResponse, WebError> {
    let in_dialog = visit.reader == Reader::Fragment;
    let page = page_of(&desk, &visit, &agent).await?;
    if let Some(draft) = &query.draft
        && let Some(form) = draft::find(&desk, &agent.actor, draft, visit.now)?
    {
        let (form, loaded, sent) = press(&desk, &agent, &visit, form).await?;
        let Sent::Not(after) = sent else { return Err(WebError::BadRequest) };
        return ComposePage::new(page, &agent, &form, &loaded, &after).respond(false);
    }
    let mut form = ComposeForm::of_query(&query, in_dialog);
    form.author = draft::author(&desk, &agent.actor)?;
    if let Some(title) = words::not_online(agent.presence, visit.t()) {
        return ComposePage::not_online(page, &agent, &form, title).respond(false);
    }
    let (form, loaded, halt) = turn(&desk, &agent, &visit, form).await?;
    let after = Aftermath { halt, ..Aftermath::default() };
    ComposePage::new(page, &agent, &form, &loaded, &after).respond(in_dialog)
}

/// Whatever was pressed: the dialog in its next state, or the send.
async fn submit_compose(
    desk: Data<Desk>,
    agent: Result<Agent, WebError>,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<HttpResponse, WebError> {
    let mut form = ComposeForm::parse(fields)?;
    let agent = match agent {
        Err(WebError::SignInNeeded) => return draft::lead_over_sign_in(&desk, form, &visit),
        known => known?,
    };
    send::refuse_strangers(&desk, &agent.actor, &form).await?;
    let mut session = Session::clone(&agent);
    if form.go == Go::Online {
        go_online(&desk, &mut session, &visit).await?;
    }
    if form.go == Go::Anew {
        form = form.anew();
    }
    let pressed = form.clone();
    let (form, loaded, sent) = press(&desk, &session, &visit, form).await?;
    let after = match sent {
        Sent::Done(queued) => {
            return send::sent(&desk, &session, &form, &loaded, queued, &visit);
        }
        Sent::Not(after) => *after,
    };
    if after.clock_jumped && visit.reader == Reader::Fragment {
        // The dialog stays as it is; a toast says why.
        return Err(WebError::ClockJumped);
    }
    if visit.reader == Reader::Page && !after.clock_jumped {
        let shown_again = pressed.shown_again(form.key.clone(), after.key_reused);
        if let Some(way) = draft::lead_to(&desk, &session.actor, &shown_again, visit.now)? {
            return Ok(way);
        }
    }
    let page = page_of(&desk, &visit, &session).await?;
    let page = ComposePage::new(page, &session, &form, &loaded, &after);
    page.respond(visit.reader == Reader::Fragment)
}

/// Carries out what was pressed: what the dialog then shows, and what came of a send.
async fn press(
    desk: &Desk,
    session: &Session,
    visit: &Visit,
    form: ComposeForm,
) -> Result<(ComposeForm, Loaded, Sent), WebError> {
    let (mut form, mut loaded, halt) = turn(desk, session, visit, form).await?;
    if form.step != Step::Variables || halt.is_some() {
        let after = Aftermath { halt, ..Aftermath::default() };
        return Ok((form, loaded, Sent::Not(Box::new(after))));
    }
    let sent = finish(desk, session, visit, &mut form, &mut loaded).await?;
    if matches!(&sent, Sent::Not(after) if after.refused.is_some()) {
        // The step that mends it shows its own list.
        form.go = Go::Look;
        form.channel = form.channel.filter(|_| loaded.is_number_chosen);
        (form, loaded, _) = turn(desk, session, visit, form).await?;
    }
    Ok((form, loaded, sent))
}

/// Lets the agent take part again without leaving the dialog (AM-01).
async fn go_online(desk: &Desk, session: &mut Session, visit: &Visit) -> Result<(), WebError> {
    let (actor, now) = (session.actor.clone(), visit.now);
    let online = Presence::Online;
    desk.store.write(move |db| ticket::set_presence(db, &actor, online, now)).await?;
    session.presence = online;
    Ok(())
}

/// Says on the page after a send to whom it went (AM-09); `None` for someone not the agent's to know.
///
/// # Errors
/// When the database fails.
pub async fn sent_toast(
    desk: &Desk,
    agent: &Session,
    contact: ContactId,
    t: Words,
) -> Result<Option<Toast>, WebError> {
    let actor = agent.actor.clone();
    match desk.store.read(move |db| contact::get(db, &actor, contact)).await {
        Ok(contact) => {
            let person =
                Person { phone: contact.phone.clone(), contact: Some(contact), standing: None };
            let text = t.compose_sent(isolated(&people::name_of(&person, t)));
            Ok(Some(Toast { kind: "done", text }))
        }
        Err(PersistenceError::NotFound) => Ok(None),
        Err(problem) => Err(problem.into()),
    }
}

/// The frame of the page; in the desk's dialog nothing of it shows.
async fn page_of(desk: &Desk, visit: &Visit, session: &Session) -> Result<Page, WebError> {
    let page = Page::new(visit, session, visit.t().compose_title(), Place::Conversations);
    match visit.reader {
        Reader::Fragment => Ok(page),
        Reader::Page | Reader::Api | Reader::Machine => with_unread(desk, session, page).await,
    }
}

async fn turn(
    desk: &Desk,
    session: &Session,
    visit: &Visit,
    mut form: ComposeForm,
) -> Result<(ComposeForm, Loaded, Option<Halt>), WebError> {
    let (actor, now) = (session.actor.clone(), visit.now);
    form.author = draft::author(desk, &actor)?;
    let read = move |db: &mut persistence::db::Db| {
        let (loaded, halt) = db.snapshot(|db| turn::turn(db, &actor, &mut form, now))?;
        Ok::<_, PersistenceError>((form, loaded, halt))
    };
    Ok(desk.store.read(read).await?)
}

/// Step 3: says what is wrong with the values, and sends when that was asked and nothing is.
async fn finish(
    desk: &Desk,
    session: &Session,
    visit: &Visit,
    form: &mut ComposeForm,
    loaded: &mut Loaded,
) -> Result<Sent, WebError> {
    if form.key.is_empty() {
        form.key = send::new_key()?;
    }
    let t = visit.t();
    if form.go == Go::KeyReused {
        let told = Aftermath { key_reused: true, ..Aftermath::default() };
        return Ok(Sent::Not(Box::new(told)));
    }
    let sends = matches!(form.go, Go::Send | Go::Refused);
    let is_asked = sends || form.told || matches!(form.go, Go::Check | Go::Enter);
    if !is_asked {
        return Ok(Sent::Not(Box::default()));
    }
    let media = send::look_at_media(desk, &session.actor, form, loaded, visit).await?;
    let summarise = sends || form.told;
    let problems = send::value_problems(form, loaded, media, !summarise, t);
    if !sends || !problems.is_empty() {
        let told = Aftermath { problems, summarise, refuses: sends, ..Aftermath::default() };
        return Ok(Sent::Not(Box::new(told)));
    }
    let sent = if form.go == Go::Send {
        send::send(desk, &session.actor, form, loaded).await?
    } else {
        send::judge_again(desk, &session.actor, form, loaded, visit.now).await?
    };
    Ok(match sent {
        Sent::Not(told) => Sent::Not(Box::new(send::with_values_at_fields(*told, form, t))),
        done @ Sent::Done(_) => done,
    })
}
