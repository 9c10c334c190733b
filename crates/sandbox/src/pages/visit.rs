//! What a page knows of its reader: language, theme, zone and the sandbox's now.

use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest};

use super::moment::Clock;
use crate::core::Core;
use crate::locale::{Locale, Words};

/// The desk keeps its choices under these names; cookies do not tell ports apart, so both follow one choice.
const LANGUAGE_COOKIE: &str = "janela_language";
const THEME_COOKIE: &str = "janela_theme";

/// Who reads a page.
#[derive(Clone, Copy)]
pub(super) struct Visit {
    pub locale: Locale,
    /// `light` or `dark`; `None` follows the system.
    pub theme: Option<&'static str>,
    pub clock: Clock,
}

impl Visit {
    pub(super) fn t(&self) -> Words {
        self.locale.words()
    }
}

impl FromRequest for Visit {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(core) = request.app_data::<Data<Core>>() else {
            return ready(Err(ErrorInternalServerError("the sandbox is not wired")));
        };
        let chosen = request.cookie(LANGUAGE_COOKIE);
        let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok());
        let locale = Locale::choose(chosen.as_ref().map(Cookie::value), accepted);
        let theme = request.cookie(THEME_COOKIE).and_then(|theme| match theme.value() {
            "light" => Some("light"),
            "dark" => Some("dark"),
            _ => None,
        });
        let clock = Clock { locale, zone: core.zone, now_ms: core.clock.now_ms() };
        ready(Ok(Self { locale, theme, clock }))
    }
}

/// Keeps a choice of language for a year; it names no one.
pub(super) fn language_cookie(locale: Locale) -> Cookie<'static> {
    Cookie::build(LANGUAGE_COOKIE, locale.to_string())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(365))
        .finish()
}
