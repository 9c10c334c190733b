//! The pages: *Phones*, where anyone plays the customer, and *Mailbox*; both follow what happens by themselves.

mod events;
mod mailbox;
mod phones;
mod view;

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Form, Path, Redirect, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::core::Core;
use crate::duration::parse_iso_duration;
use crate::guard;

/// Styles and scripts of the pages.
#[derive(RustEmbed)]
#[folder = "../../static/sandbox"]
struct Assets;

/// The typeface, shared with the desk.
#[derive(RustEmbed)]
#[folder = "../../static/vendor/inter"]
struct Typeface;

#[derive(Debug, Deserialize)]
struct ClockForm {
    advance: String,
    back: String,
}

/// Serves the pages, their files and their events.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Redirect::new("/", "/phones").see_other())
        .route("/static/{path:.*}", web::get().to(show_asset))
        .service(
            web::resource("/events")
                .wrap(from_fn(guard::same_site_only))
                .route(web::get().to(events::stream_changes)),
        )
        .service(
            web::resource("/clock")
                .wrap(from_fn(guard::same_site_only))
                .route(web::post().to(submit_clock)),
        )
        .service(
            web::scope("/phones").wrap(from_fn(guard::same_site_only)).configure(phones::routes),
        )
        .service(
            web::scope("/mailbox").wrap(from_fn(guard::same_site_only)).configure(mailbox::routes),
        );
}

/// What is above every page.
struct Frame {
    title: &'static str,
    now: String,
    /// Where a form comes back to.
    path: String,
    on_phones: bool,
}

/// A page or a part of one, as the answer of `status`.
fn html(status: u16, page: &impl Template) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    match page.render() {
        Ok(text) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text),
        Err(error) => {
            tracing::error!(%error, "a page of the sandbox could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Whether a page's script asks, which wants the outcome and no new page.
fn wants_outcome(request: &HttpRequest) -> bool {
    request.headers().contains_key("X-Outcome")
}

fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

async fn submit_clock(
    core: Data<Core>,
    request: HttpRequest,
    form: Form<ClockForm>,
) -> HttpResponse {
    let Ok(step) = parse_iso_duration(&form.advance) else {
        return HttpResponse::UnprocessableEntity().body("The step is no duration.");
    };
    core.advance(step);
    if wants_outcome(&request) {
        return HttpResponse::NoContent().finish();
    }
    let is_own_page = form.back.starts_with("/phones") || form.back.starts_with("/mailbox");
    see_other(if is_own_page { &form.back } else { "/phones" })
}

async fn show_asset(path: Path<String>) -> impl Responder {
    let kind = match path.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "woff2")) => "font/woff2",
        _ => return HttpResponse::NotFound().finish(),
    };
    let Some(file) = Assets::get(&path).or_else(|| Typeface::get(&path)) else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(file.data.into_owned())
}
