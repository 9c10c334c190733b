//! The dialog as a page without script: a press leads by 303 to a page of its own, so that going back and a reload
//! repeat nothing. What was typed travels in the address, sealed for its user: it names nobody to anyone else.

use actix_web::HttpResponse;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use persistence::{
    secret::{SecretPlace, Vault},
    user::Actor,
};

use super::form::ComposeForm;
use crate::{desk::Desk, error::WebError, form::see_other};

/// How long such an address leads anywhere.
const HOLDS: TimeDelta = TimeDelta::days(1);

/// The longest draft that an address carries, in characters: browsers and proxies take at least 8,000.
const LONGEST: usize = 6_000;

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
    let draft = seal(&desk.store.vault()?, actor, form, now)?;
    let fits = draft.len() <= LONGEST;
    Ok(fits.then(|| see_other(&format!("/desk/active-message?draft={draft}"))))
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
    actor: &Actor,
    form: &ComposeForm,
    now: DateTime<Utc>,
) -> Result<String, WebError> {
    let mut fields =
        url::form_urlencoded::Serializer::new(now.timestamp_millis().to_string() + " ");
    for (name, value) in form.fields() {
        fields.append_pair(&name, &value);
    }
    let sealed = vault.seal(&fields.finish(), place(actor)).map_err(|_| WebError::Unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn open(vault: &Vault, actor: &Actor, draft: &str, now: DateTime<Utc>) -> Option<ComposeForm> {
    let sealed = URL_SAFE_NO_PAD.decode(draft).ok()?;
    let text = vault.open_secret(&sealed, place(actor)).ok()?;
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

/// In no table: in an address, for `actor` alone.
fn place(actor: &Actor) -> SecretPlace {
    SecretPlace { table: "an address", column: "draft", row: actor.id().0 }
}
