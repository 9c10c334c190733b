//! The dialog as a page without script: a press leads by 303 to a page of its own, so that going back and a reload
//! repeat nothing. What was typed travels in the address, sealed for its user: it names nobody to anyone else. The
//! same way leads back to what was typed when a session ended meanwhile.

use actix_web::HttpResponse;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::UserId;
use persistence::{
    secret::{SecretPlace, Vault},
    user::Actor,
};

use super::form::ComposeForm;
use crate::{
    desk::Desk,
    error::WebError,
    form::see_other,
    visit::{Reader, Visit},
};

/// How long such an address leads anywhere.
const HOLDS: TimeDelta = TimeDelta::days(1);

/// The longest draft that an address carries, in characters: browsers and proxies take at least 8,000.
const LONGEST: usize = 6_000;

/// In no table: in a form, for whoever it was shown to.
const AUTHOR: SecretPlace = SecretPlace { table: "a form", column: "author", row: 0 };

/// The way to the page of `form`; `None` for one that no address holds, which is shown in place.
///
/// # Errors
/// When it cannot be sealed.
pub fn lead_to(
    desk: &Desk,
    actor: &Actor,
    form: &ComposeForm,
    now: DateTime<Utc>,
) -> Result<Option<HttpResponse>, WebError> {
    Ok(address(&desk.store.vault()?, actor.id(), form, now)?.map(|way| see_other(&way)))
}

/// What the form carries to tell whose page it stands on.
///
/// # Errors
/// When it cannot be sealed.
pub fn author(desk: &Desk, actor: &Actor) -> Result<String, WebError> {
    let id = actor.id().to_string();
    let sealed = desk.store.vault()?.seal(&id, AUTHOR).map_err(|_| WebError::Unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Over the sign-in back to `form` of someone whose session has ended: nothing typed is lost, and nobody but
/// them is shown it.
///
/// # Errors
/// `SignInNeeded` when it stood on nobody's page; `TooLarge` when no address holds it: the page then stays as it
/// is.
pub fn lead_over_sign_in(
    desk: &Desk,
    form: ComposeForm,
    visit: &Visit,
) -> Result<HttpResponse, WebError> {
    let vault = desk.store.vault()?;
    let author = find_author(&vault, &form.author).ok_or(WebError::SignInNeeded)?;
    let key = form.key.clone();
    let form = ComposeForm { in_dialog: false, ..form.shown_again(key, false) };
    let way = address(&vault, author, &form, visit.now)?.ok_or(WebError::TooLarge)?;
    let next = url::form_urlencoded::byte_serialize(way.as_bytes()).collect::<String>();
    let sign_in = format!("/account/sign-in?expired=1&next={next}");
    if visit.reader == Reader::Fragment {
        let mut response = HttpResponse::Unauthorized();
        return Ok(response.insert_header(("hx-redirect", sign_in)).finish());
    }
    Ok(see_other(&sign_in))
}

fn find_author(vault: &Vault, author: &str) -> Option<UserId> {
    let sealed = URL_SAFE_NO_PAD.decode(author).ok()?;
    vault.open_secret(&sealed, AUTHOR).ok()?.parse().ok().map(UserId)
}

fn address(
    vault: &Vault,
    user: UserId,
    form: &ComposeForm,
    now: DateTime<Utc>,
) -> Result<Option<String>, WebError> {
    let draft = seal(vault, user, form, now)?;
    let fits = draft.len() <= LONGEST;
    Ok(fits.then(|| format!("/desk/active-message?draft={draft}")))
}

/// The form that `draft` of an address holds; `None` when it holds none for `actor`, or did too long ago.
///
/// # Errors
/// When nothing can be unsealed at all.
pub fn find(
    desk: &Desk,
    actor: &Actor,
    draft: &str,
    now: DateTime<Utc>,
) -> Result<Option<ComposeForm>, WebError> {
    Ok(open(&desk.store.vault()?, actor, draft, now))
}

fn seal(
    vault: &Vault,
    user: UserId,
    form: &ComposeForm,
    now: DateTime<Utc>,
) -> Result<String, WebError> {
    let mut fields =
        url::form_urlencoded::Serializer::new(now.timestamp_millis().to_string() + " ");
    for (name, value) in form.fields() {
        fields.append_pair(&name, &value);
    }
    let sealed = vault.seal(&fields.finish(), place(user)).map_err(|_| WebError::Unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn open(vault: &Vault, actor: &Actor, draft: &str, now: DateTime<Utc>) -> Option<ComposeForm> {
    let sealed = URL_SAFE_NO_PAD.decode(draft).ok()?;
    let text = vault.open_secret(&sealed, place(actor.id())).ok()?;
    let (made_at, fields) = text.split_once(' ')?;
    let made_at = DateTime::from_timestamp_millis(made_at.parse().ok()?)?;
    if made_at + HOLDS <= now {
        return None;
    }
    let fields = url::form_urlencoded::parse(fields.as_bytes()).into_owned().collect();
    let form = ComposeForm::parse(fields).ok()?;
    let key = form.key.clone();
    Some(form.shown_again(key, false)) // an address never sends
}

/// In no table: in an address, for `user` alone.
fn place(user: UserId) -> SecretPlace {
    SecretPlace { table: "an address", column: "draft", row: user.0 }
}
