//! Entering what a contact wishes to get (AD-09): the form, as a dialog or a page of its own.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use askama::Template;
use domain::opt_out::{EnteredWish, OptOutScope, WishProblem};
use persistence::{
    conversation::{self, ConversationId, Thread},
    db::Db,
    error::PersistenceError,
    opt_out::{self, Entered, WishOf, Wishes},
};
use serde::Deserialize;

use super::{dialog, list::shown_name, open::parse_id};
use crate::{
    conversation::with_unread,
    desk::Desk,
    error::WebError,
    form::{Problems, html},
    locale::{Words, isolated},
    page::{Page, Place},
    session::{Agent, Session},
    visit::Visit,
};

/// The form as typed. `Debug` is not there: it would show the reason.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WishForm {
    /// Empty while nothing is chosen: a browser does not send it then.
    #[serde(default)]
    wish: String,
    #[serde(default)]
    reason: String,
}

/// The form.
#[derive(Template)]
#[template(path = "desk/wish.html")]
struct WishPage {
    t: Words,
    page: Page,
    /// The conversation's address.
    path: String,
    title: String,
    choices: Vec<Choice>,
    reason: String,
    problems: Problems,
    status: StatusCode,
}

/// One thing to wish.
struct Choice {
    /// The first has the field's own, so that a problem leads there.
    id: String,
    word: &'static str,
    label: String,
    hint: String,
    is_chosen: bool,
}

/// Shows the form.
pub async fn show_wish(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    WishPage::new(&desk, &visit, &agent, id, WishForm::default()).await?.respond()
}

/// Enters the wish, or brings the form back with what is missing.
pub async fn submit_wish(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    request: HttpRequest,
    Form(form): Form<WishForm>,
) -> Result<HttpResponse, WebError> {
    let (id, t) = (parse_id(&path)?, visit.t());
    let problem = match EnteredWish::parse(&form.wish) {
        None => ("wish", t.wish_problem_none()),
        Some(wish) => match enter(&desk, &agent, id, wish, form.reason.clone()).await? {
            Entered::Done | Entered::AlreadySo => {
                let back = format!("/desk/conversations/{id}?pane=facts");
                return Ok(dialog::done(&visit, &request, "/wish", &back));
            }
            Entered::Refused(WishProblem::ReasonMissing) => ("reason", t.wish_problem_reason()),
            Entered::Refused(WishProblem::ReasonTooLong) => {
                ("reason", t.wish_problem_reason_long())
            }
        },
    };
    let mut page = WishPage::new(&desk, &visit, &agent, id, form).await?;
    page.correct(problem);
    page.respond()
}

async fn enter(
    desk: &Desk,
    agent: &Session,
    id: ConversationId,
    wish: EnteredWish,
    reason: String,
) -> Result<Entered, WebError> {
    let (actor, clock) = (agent.actor.clone(), desk.clock.clone());
    let enter = move |db: &mut Db| {
        opt_out::enter(db, &actor, WishOf::Conversation(id), wish, &reason, &*clock)
    };
    Ok(desk.store.write(enter).await?)
}

impl WishPage {
    async fn new(
        desk: &Desk,
        visit: &Visit,
        agent: &Session,
        id: ConversationId,
        form: WishForm,
    ) -> Result<Self, WebError> {
        let (thread, wishes) = load(desk, visit, agent, id).await?;
        let t = visit.t();
        let name = shown_name(&thread.name, thread.phone.as_ref(), t);
        let title = t.wish_title(isolated(&name));
        let page = Page::new(visit, agent, title.clone(), Place::Conversations);
        let page = with_unread(desk, agent, page).await?;
        Ok(Self {
            t,
            page,
            path: format!("/desk/conversations/{id}"),
            title,
            choices: choices(&wishes, &form.wish, t),
            reason: form.reason,
            problems: Problems::default(),
            status: StatusCode::OK,
        })
    }

    /// The same form with what stands against it.
    fn correct(&mut self, (field, text): (&'static str, String)) {
        self.status = StatusCode::UNPROCESSABLE_ENTITY;
        self.problems.add(field, text);
        self.page.has_problems = true;
    }

    fn respond(&self) -> Result<HttpResponse, WebError> {
        html(self.status, self)
    }
}

/// Whose wish it is, for whoever may enter it.
async fn load(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    id: ConversationId,
) -> Result<(Thread, Wishes), WebError> {
    let (actor, now) = (agent.actor.clone(), visit.now);
    let read = move |db: &mut Db| {
        db.snapshot(|db| {
            let wishes = opt_out::find_wishes(db, &actor, WishOf::Conversation(id))?;
            if !opt_out::may_enter(&actor, id.chatbot) {
                return Err(PersistenceError::Denied);
            }
            Ok((conversation::find_thread(db, &actor, id, None, now)?, wishes))
        })
    };
    Ok(desk.store.read(read).await?)
}

/// What would change something. *Messages again* stands there for whom a stop is in force only.
fn choices(wishes: &Wishes, chosen: &str, t: Words) -> Vec<Choice> {
    let may_resume = !wishes.opt_outs.is_empty();
    let offered =
        EnteredWish::ALL.into_iter().filter(|wish| *wish != EnteredWish::Lift || may_resume);
    let choice = |(index, wish): (usize, EnteredWish)| {
        let (label, hint) = words(wish, t);
        let word = wish.as_str();
        let id = if index == 0 { "wish".to_owned() } else { format!("wish-{word}") };
        Choice { id, word, label, hint, is_chosen: chosen == word }
    };
    offered.enumerate().map(choice).collect()
}

fn words(wish: EnteredWish, t: Words) -> (String, String) {
    match wish {
        EnteredWish::OptOut(OptOutScope::Marketing) => {
            (t.wish_stop_marketing(), t.wish_stop_marketing_hint())
        }
        EnteredWish::OptOut(OptOutScope::All) => (t.wish_stop_all(), t.wish_stop_all_hint()),
        EnteredWish::Lift => (t.wish_resume(), t.wish_resume_hint()),
        EnteredWish::OptIn => (t.wish_opt_in(), t.wish_opt_in_hint()),
    }
}

/// What a line of the contact's history says of `wish`.
pub(super) fn told(wish: EnteredWish, t: Words) -> String {
    words(wish, t).0
}
