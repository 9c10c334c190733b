//! The pages, forms, sign-in, event streams and webhooks of the desk.
//!
//! *Lives here*: handlers, page structs, wording, status codes. *Must not live here*: SQL and rules; a
//! handler calls one use case of `persistence` and shows the outcome.
//!
//! # How a page is made
//!
//! - **Words.** Every visible text is a key of `locales/{en,pt-BR,es}/<feature>.ftl`, in all three
//!   languages. `build.rs` turns each key into a function: `desk-title` is `t.desk_title()`, arguments
//!   in the order in which the message names them. Variables are typed in the English file by a comment
//!   right above the message: `# $count (Number) - What it counts.` A key missing in one language, or
//!   with other variables there, has no function, so the page does not compile. Keys start with their
//!   feature; an enum's words are a `match` without `_`.
//! - **Page struct.** `#[derive(Template)]`, with `t: Words` and, for whole pages, `page: Page`
//!   ([`page::Page::new`]). Fields are display-ready. Answer with [`form::html`], after a change with
//!   [`form::see_other`]; what the next page says once of it is a [`flash::Flash`], never in its address.
//! - **Templates.** `{% extends "desk/_layout.html" %}` or `"portal/_layout.html"`, fill `content`. Pieces
//!   are macros of `_ui.html`, imported as `ui` by `{% import "_ui.html" as ui %}`: `{{ ui::icon("clock") }}`,
//!   `{{ ui::moment(m) }}`, `{{ ui::form_token(page) }}` in every form. Fragments start with `_`. No `|safe`,
//!   no inline script or style: `tests/words.rs` fails on them.
//! - **Instants.** [`visit::Visit::viewer`] turns an instant into a [`moment::Moment`] in the reader's zone.
//! - **Who may call** stands in the signature: [`session::SignedIn`], [`session::Agent`],
//!   [`session::PortalUser`], [`session::Admin`]; all are the [`session::Session`]. What concerns one
//!   chatbot is checked again by the use case.
//! - **Forms** hold strings as typed; `parse` collects all [`form::Problems`]; the page comes back with 422.
//!   The form token is checked and taken out before a handler runs, so no struct names it; give structs
//!   `deny_unknown_fields`.
//! - **Errors** are [`error::WebError`]; the middleware [`error::dress`] turns them into a page, a toast
//!   for a fragment, or `problem+json`.
//! - **Routes.** Each feature has `pub fn routes(config: &mut ServiceConfig)`, listed in [`routes`]. `HEAD` is
//!   answered wherever `GET` is, by [`head_request`]; no route names it.

mod account;
mod api;
mod assets;
mod compose;
mod conversation;
mod desk;
mod error;
mod events;
mod flash;
mod form;
mod form_token;
mod fragment;
mod head_request;
mod headers;
mod health;
mod last_request;
mod local_time;
mod locale;
mod media;
mod moment;
mod page;
mod portal;
mod presence;
mod refusal;
mod request_span;
mod same_origin;
mod search;
mod server;
mod session;
mod theme;
mod visit;
mod webhook;

use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

pub use api::openapi_json;
pub use desk::{Channels, Desk, DeskParts, WebSettings};
pub use server::server;

/// The site map.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(assets::routes)
        .configure(health::routes)
        .configure(webhook::routes)
        .configure(api::routes)
        .service(
            web::scope("")
                .wrap(from_fn(form_token::check))
                .wrap(from_fn(session::find))
                .configure(account::routes)
                .configure(compose::routes)
                .configure(events::routes)
                .configure(conversation::routes)
                .configure(media::routes)
                .configure(presence::routes)
                .configure(portal::routes)
                .route("/", web::get().to(account::show_home))
                .default_service(web::to(show_nothing)),
        );
}

/// Every address that is none.
async fn show_nothing() -> Result<HttpResponse, error::WebError> {
    Err(error::WebError::NotFound)
}
