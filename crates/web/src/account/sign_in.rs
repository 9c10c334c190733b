//! Signing in and out.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
    },
    web::{Data, Form, Query},
};
use askama::Template;
use chrono::{DateTime, Utc};
use domain::ids::UserId;
use persistence::{
    error::PersistenceError,
    password, presence, session,
    user::{self, UserStatus},
};
use serde::Deserialize;
use tracing::info;

use crate::{
    desk::Desk,
    error::WebError,
    form::{Problems, html, local_path, see_other},
    locale::Words,
    moment::wait_text,
    page::Page,
    session::{Session, SignedIn, cookie_token, home, session_cookie},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "account/sign_in.html")]
struct SignInPage {
    t: Words,
    page: Page,
    email: String,
    /// Where to go on; a path of ours or empty.
    next: String,
    notice: Option<String>,
    problems: Problems,
}

/// What the sign-in page may be told by its address.
#[derive(Debug, Deserialize)]
pub struct SignInQuery {
    next: Option<String>,
    expired: Option<String>,
    signed_out: Option<String>,
}

/// The form as typed. `Debug` shows nothing of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// The empty form; whoever is signed in already goes on.
pub async fn show_sign_in(
    request: HttpRequest,
    visit: Visit,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, WebError> {
    let next = local_path(query.next.as_deref(), "");
    if let Some(session) = Session::of(&request) {
        return Ok(see_other(if next.is_empty() { session.home() } else { next }));
    }
    let t = visit.t();
    let notice = match (&query.expired, &query.signed_out) {
        (Some(_), _) => Some(t.sign_in_expired()),
        (None, Some(_)) => Some(t.sign_in_signed_out()),
        (None, None) => None,
    };
    SignInPage {
        t,
        page: Page::for_stranger(&visit, t.sign_in_title()),
        email: String::new(),
        next: next.to_owned(),
        notice,
        problems: Problems::default(),
    }
    .respond(StatusCode::OK)
}

impl SignInPage {
    fn respond(&self, status: StatusCode) -> Result<HttpResponse, WebError> {
        html(status, self)
    }
}

impl SignInForm {
    /// What is missing or cannot be an email; the password itself is judged elsewhere.
    fn problems(&self, t: Words) -> Problems {
        let mut problems = Problems::default();
        let email = self.email.trim();
        if email.is_empty() {
            problems.add("email", t.sign_in_email_missing());
        } else if !email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        {
            problems.add("email", t.sign_in_email_invalid());
        }
        if self.password.is_empty() {
            problems.add("password", t.sign_in_password_missing());
        }
        problems
    }

    fn corrected(self, visit: &Visit, problems: Problems) -> SignInPage {
        let t = visit.t();
        SignInPage {
            t,
            page: Page::for_stranger(visit, t.sign_in_title()).with_problems(),
            email: self.email,
            next: local_path(Some(&self.next), "").to_owned(),
            notice: None,
            problems,
        }
    }
}

/// Opens a session, or says in the same words and the same time that email or password is wrong.
pub async fn submit_sign_in(
    desk: Data<Desk>,
    request: HttpRequest,
    visit: Visit,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, WebError> {
    let t = visit.t();
    let mut problems = form.problems(t);
    if !problems.is_empty() {
        return form.corrected(&visit, problems).respond(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let address = request.peer_addr().ok_or(WebError::BadRequest)?.ip();
    if let Some(wait) = desk.gate.wait(&form.email, address) {
        return too_many(form, &visit, wait);
    }
    let turn = desk.gate.turn().await.ok_or(WebError::Unavailable)?;
    // Others of the same account may have been judged while this one waited.
    if let Some(wait) = desk.gate.wait(&form.email, address) {
        return too_many(form, &visit, wait);
    }
    let judged = judge(&desk, &form).await?;
    if judged.is_none() {
        desk.gate.note_wrong(&form.email, address);
    }
    drop(turn);
    let Some(user) = judged else {
        problems.add("email", t.sign_in_refused());
        return form.corrected(&visit, problems).respond(StatusCode::UNPROCESSABLE_ENTITY);
    };
    enter(&desk, &request, user, &form.next, visit.now).await
}

/// Who the email and password belong to; `None` for a wrong password, an unknown email and a disabled
/// user alike, each after the same work (C9).
async fn judge(desk: &Desk, form: &SignInForm) -> Result<Option<UserId>, WebError> {
    let (email, password) = (form.email.clone(), form.password.clone());
    let credentials = desk.store.read(move |db| user::find_credentials(db, &email)).await?;
    let judged = tokio::task::spawn_blocking(move || {
        let hash = credentials.as_ref().map(|found| found.password_hash.as_str());
        let fits = password::verify(hash, &password);
        credentials.filter(|found| fits && found.status == UserStatus::Active)
    });
    let credentials = judged.await.map_err(|_| WebError::Unavailable)?;
    Ok(credentials.map(|found| found.user))
}

/// Opens the session, ends the one of the former cookie, and leads to where the user was going.
async fn enter(
    desk: &Desk,
    request: &HttpRequest,
    user: UserId,
    next: &str,
    now: DateTime<Utc>,
) -> Result<HttpResponse, WebError> {
    let https = desk.settings.is_https();
    let former = cookie_token(request, https);
    let browser = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let browser = browser.unwrap_or_default().to_owned();
    let policy = desk.settings.sessions;
    let (opened, actor) = desk
        .store
        .write(move |db| {
            db.write(|db| {
                let opened = session::open(db, user, &browser, former.as_deref(), policy, now)?;
                presence::enter(db, user, now)?;
                let actor = user::find_actor(db, user)?.ok_or(PersistenceError::Denied)?;
                Ok((opened, actor))
            })
        })
        .await?;
    info!(user.id = %user, "signed in user {user}");
    let mut response = see_other(local_path(Some(next), home(&actor)));
    response.add_cookie(&session_cookie(opened.token, https)).map_err(|_| WebError::BadRequest)?;
    Ok(response)
}

/// The same page for a right and a wrong password (C8).
fn too_many(
    form: SignInForm,
    visit: &Visit,
    wait: std::time::Duration,
) -> Result<HttpResponse, WebError> {
    let mut problems = Problems::default();
    problems.add("email", visit.t().sign_in_too_many(wait_text(visit.t(), wait)));
    let mut response = form.corrected(visit, problems).respond(StatusCode::TOO_MANY_REQUESTS)?;
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    Ok(response)
}

/// Ends the session; the browser forgets what it kept of the desk.
pub async fn submit_sign_out(
    desk: Data<Desk>,
    request: HttpRequest,
    visit: Visit,
    user: SignedIn,
) -> Result<HttpResponse, WebError> {
    let https = desk.settings.is_https();
    let (id, now) = (user.actor.id(), visit.now);
    if let Some(token) = cookie_token(&request, https) {
        desk.store
            .write(move |db| {
                db.write(|db| {
                    session::end_by_token(db, &token)?;
                    presence::leave(db, id, now)
                })
            })
            .await?;
    }
    info!(user.id = %id, "signed out user {id}");
    let mut response = see_other("/account/sign-in?signed_out=1");
    let mut cookie = session_cookie(String::new(), https);
    cookie.make_removal();
    response.add_cookie(&cookie).map_err(|_| WebError::BadRequest)?;
    // Not `"cookies"`: the choices of language and theme stay.
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(response)
}
