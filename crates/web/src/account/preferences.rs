//! Language and theme, chosen in the account menu.

use actix_web::{
    HttpResponse,
    web::{Data, Form},
};
use persistence::user;
use serde::Deserialize;

use crate::{
    desk::Desk,
    error::WebError,
    form::{local_path, see_other},
    locale::Locale,
    session::SignedIn,
    theme::{THEME_COOKIE, Theme},
    visit::{LANGUAGE_COOKIE, preference_cookie},
};

/// One press in the menu: a language or a theme.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferencesForm {
    language: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    next: String,
}

/// Keeps what was chosen and goes back to the page.
pub async fn submit_preferences(
    desk: Data<Desk>,
    signed_in: SignedIn,
    Form(form): Form<PreferencesForm>,
) -> Result<HttpResponse, WebError> {
    let https = desk.settings.is_https();
    let mut response = see_other(local_path(Some(&form.next), signed_in.home()));
    if let Some(word) = form.theme {
        let theme = Theme::parse(&word).ok_or(WebError::Unprocessable)?;
        let cookie = preference_cookie(THEME_COOKIE, theme.as_str(), https);
        response.add_cookie(&cookie).map_err(|_| WebError::Unprocessable)?;
    }
    if let Some(tag) = form.language {
        let locale: Locale = tag.parse().map_err(|_| WebError::Unprocessable)?;
        let (id, zone) = (signed_in.actor.id(), signed_in.actor.user.time_zone.clone());
        desk.store
            .write(move |db| user::set_preferences(db, id, Some(&locale), zone.as_deref()))
            .await?;
        let cookie = preference_cookie(LANGUAGE_COOKIE, &locale, https);
        response.add_cookie(&cookie).map_err(|_| WebError::Unprocessable)?;
    }
    Ok(response)
}
