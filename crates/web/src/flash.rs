//! What a change says once, on the page it leads to. It travels in a cookie of one look that names what was done
//! by id, never in an address: nobody can make a page say it by a link, and a reload says nothing again.

use std::{
    fmt,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    dev::Payload,
    web::Data,
};
use domain::{
    ids::{ContactId, TicketId},
    ticket::ProtocolNumber,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    compose,
    desk::Desk,
    error::WebError,
    locale::Words,
    page::Toast,
    session::Session,
    visit::{Reader, Visit},
};

/// How long it waits for the page to be shown.
const HOLDS: Duration = Duration::minutes(1);

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flash {
    /// A ticket was closed.
    TicketClosed(TicketId),
    /// A message was sent to someone (AM-09).
    MessageSent(ContactId),
    /// A job was asked to run.
    JobAsked,
    /// Settings were saved.
    SettingsSaved,
    /// A number sends again.
    NumberResumed,
}

/// What the request brings to be said; nothing when it brings nothing that is to be believed. Only a page has
/// room for it: asked by a script, it waits.
#[derive(Debug, Clone, Copy)]
pub struct Flashed {
    said: Option<Flash>,
    /// Whether the browser has something to forget.
    is_there: bool,
    https: bool,
}

impl Flash {
    /// Puts it beside an answer that leads to a page. It is bound to `session` and no one else's.
    ///
    /// # Errors
    /// Never in practice: the cookie is ASCII.
    pub fn beside(
        self,
        mut answer: HttpResponse,
        session: &Session,
        desk: &Desk,
    ) -> Result<HttpResponse, WebError> {
        let value = format!("{self}.{}", hex::encode(mac(self, session)?.finalize().into_bytes()));
        let mut cookie = cookie(value, desk.settings.is_https());
        cookie.set_max_age(HOLDS);
        answer.add_cookie(&cookie).map_err(|_| WebError::Unprocessable)?;
        Ok(answer)
    }

    /// The one that `value` of a cookie holds for `session`.
    fn read(value: &str, session: &Session) -> Option<Self> {
        let (word, tag) = value.rsplit_once('.')?;
        let (flash, tag) = (word.parse().ok()?, hex::decode(tag).ok()?);
        mac(flash, session).ok()?.verify_slice(&tag).ok()?;
        Some(flash)
    }

    async fn toast(
        self,
        desk: &Desk,
        session: &Session,
        t: Words,
    ) -> Result<Option<Toast>, WebError> {
        let text = match self {
            Self::MessageSent(contact) => {
                return compose::sent_toast(desk, session, contact, t).await;
            }
            Self::TicketClosed(ticket) => {
                t.desk_closed_toast(ProtocolNumber::of(ticket).to_string())
            }
            Self::JobAsked => t.portal_job_asked(),
            Self::SettingsSaved => t.portal_saved(),
            Self::NumberResumed => t.portal_number_resumed(),
        };
        Ok(Some(Toast { kind: "done", text }))
    }
}

impl fmt::Display for Flash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TicketClosed(ticket) => write!(formatter, "closed-{ticket}"),
            Self::MessageSent(contact) => write!(formatter, "sent-{contact}"),
            Self::JobAsked => formatter.write_str("asked"),
            Self::SettingsSaved => formatter.write_str("saved"),
            Self::NumberResumed => formatter.write_str("resumed"),
        }
    }
}

impl FromStr for Flash {
    type Err = NoFlash;

    fn from_str(word: &str) -> Result<Self, NoFlash> {
        let (what, id) = word.split_once('-').unwrap_or((word, ""));
        match (what, id.parse()) {
            ("closed", Ok(id)) => Ok(Self::TicketClosed(TicketId(id))),
            ("sent", Ok(id)) => Ok(Self::MessageSent(ContactId(id))),
            ("asked", Err(_)) => Ok(Self::JobAsked),
            ("saved", Err(_)) => Ok(Self::SettingsSaved),
            ("resumed", Err(_)) => Ok(Self::NumberResumed),
            _ => Err(NoFlash),
        }
    }
}

/// The text names nothing that was done.
#[derive(Debug)]
pub struct NoFlash;

impl Flashed {
    /// What to say on the page, in words; `None` for nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn toast(
        self,
        desk: &Desk,
        session: &Session,
        t: Words,
    ) -> Result<Option<Toast>, WebError> {
        match self.said {
            Some(flash) => flash.toast(desk, session, t).await,
            None => Ok(None),
        }
    }

    /// The page that said it; the browser forgets it.
    ///
    /// # Errors
    /// Never in practice: the cookie is ASCII.
    pub fn told(self, mut page: HttpResponse) -> Result<HttpResponse, WebError> {
        if self.is_there {
            let mut gone = cookie(String::new(), self.https);
            gone.make_removal();
            page.add_cookie(&gone).map_err(|_| WebError::Unprocessable)?;
        }
        Ok(page)
    }
}

impl FromRequest for Flashed {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(desk) = request.app_data::<Data<Desk>>() else {
            return ready(Err(WebError::Misrouted));
        };
        let https = desk.settings.is_https();
        let visit = request.extensions().get::<Visit>().cloned();
        let is_page = visit.is_some_and(|visit| visit.reader == Reader::Page);
        let kept = request.cookie(name(https)).filter(|_| is_page);
        let said = kept.as_ref().zip(Session::of(request));
        let said = said.and_then(|(cookie, session)| Flash::read(cookie.value(), &session));
        ready(Ok(Self { said, is_there: kept.is_some(), https }))
    }
}

fn name(https: bool) -> &'static str {
    if https { "__Host-janela_said" } else { "janela_said" }
}

fn cookie(value: String, https: bool) -> Cookie<'static> {
    Cookie::build(name(https), value)
        .path("/")
        .secure(https)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

/// Under the session's form token, which nobody else knows (C5).
fn mac(flash: Flash, session: &Session) -> Result<Hmac<Sha256>, WebError> {
    let key = session.form_token.as_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| WebError::Unavailable)?;
    Ok(mac.chain_update(b"flash\0").chain_update(flash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_read_as_it_was_written_and_nothing_else() {
        let all = [
            Flash::TicketClosed(TicketId(7)),
            Flash::MessageSent(ContactId(42)),
            Flash::JobAsked,
            Flash::SettingsSaved,
        ];
        for flash in all {
            assert_eq!(flash.to_string().parse::<Flash>().unwrap(), flash);
        }
        for none in ["", "closed", "closed-", "sent-Ana", "saved-1", "asked-2", "told-3"] {
            assert!(none.parse::<Flash>().is_err(), "{none}");
        }
    }
}
