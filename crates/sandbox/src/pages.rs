//! The pages: *Phones*, where anyone plays the customer, and *Mailbox*; both follow what happens by themselves.

mod events;
mod mailbox;
mod moment;
mod phones;
mod view;
mod visit;

use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Form, Path, Redirect, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use rust_embed::RustEmbed;
use serde::Deserialize;

use self::moment::{Clock, Moment};
use self::visit::Visit;
use crate::core::Core;
use crate::duration::parse_iso_duration;
use crate::guard;
use crate::locale::Locale;

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

#[derive(Debug, Deserialize)]
struct LanguageForm {
    language: String,
    back: String,
}

/// Serves the pages, their files and their events.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let own = || from_fn(guard::same_site_only);
    config
        .service(Redirect::new("/", "/phones").see_other())
        .route("/static/{path:.*}", web::get().to(show_asset))
        .service(web::resource("/events").wrap(own()).get(events::stream_changes))
        .service(web::resource("/clock").wrap(own()).get(show_clock).post(submit_clock))
        .service(web::resource("/language").wrap(own()).post(submit_language))
        .service(web::resource("/files/{id}").wrap(own()).get(show_file))
        .service(web::scope("/phones").wrap(own()).configure(phones::routes))
        .service(web::scope("/mailbox").wrap(own()).configure(mailbox::routes));
}

/// An uploaded file, for the page of the phone it was sent to.
async fn show_file(core: Data<Core>, id: web::Path<String>) -> HttpResponse {
    match core.act(|state, now_ms| state.shelf.find(&id, now_ms).cloned()) {
        Some(file) => HttpResponse::Ok()
            .content_type(file.mime)
            .insert_header(("Content-Security-Policy", "default-src 'none'; sandbox"))
            .body(file.bytes),
        None => HttpResponse::NotFound().finish(),
    }
}

/// What is above every page.
struct Frame {
    title: String,
    language: Locale,
    theme: Option<&'static str>,
    now: Moment,
    /// Names this run of the sandbox: a page of an earlier one loads itself anew.
    run: i64,
    /// Where a form comes back to.
    path: String,
    on_phones: bool,
}

impl Frame {
    fn new(visit: &Visit, core: &Core, title: String, path: String, on_phones: bool) -> Self {
        Self {
            title,
            language: visit.locale,
            theme: visit.theme,
            now: visit.clock.now(),
            run: core.act(|state, _| state.started_ms()),
            path,
            on_phones,
        }
    }
}

#[derive(Template)]
#[template(path = "sandbox/_clock.html")]
struct ClockFragment {
    now: Moment,
}

/// A page or a part of one, as the answer of `status`.
fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "Accept-Language, Cookie"))
            .body(text),
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

/// `path` when it is one of the pages, else the first of them.
fn own_page(path: &str) -> &str {
    let is_own = ["/phones", "/mailbox"].iter().any(|page| {
        path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    });
    if is_own { path } else { "/phones" }
}

async fn show_clock(visit: Visit) -> HttpResponse {
    html(StatusCode::OK, &ClockFragment { now: visit.clock.now() })
}

async fn submit_clock(
    core: Data<Core>,
    visit: Visit,
    request: HttpRequest,
    form: Form<ClockForm>,
) -> HttpResponse {
    let Ok(step) = parse_iso_duration(&form.advance) else {
        return HttpResponse::UnprocessableEntity().body(visit.t().sandbox_clock_no_step());
    };
    core.advance(step);
    if wants_outcome(&request) {
        let clock = Clock { now_ms: core.clock.now_ms(), ..visit.clock };
        return HttpResponse::Ok().body(visit.t().sandbox_clock_moved(clock.now().text));
    }
    see_other(own_page(&form.back))
}

async fn submit_language(form: Form<LanguageForm>) -> HttpResponse {
    let Ok(locale) = form.language.parse::<Locale>() else {
        return HttpResponse::UnprocessableEntity().finish();
    };
    let mut answer = see_other(own_page(&form.back));
    match answer.add_cookie(&visit::language_cookie(locale)) {
        Ok(()) => answer,
        Err(error) => {
            tracing::error!(%error, "the language cannot be kept");
            HttpResponse::InternalServerError().finish()
        }
    }
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

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn a_form_comes_back_to_a_page_of_the_sandbox_only() {
        let cases = [
            ("/phones/447700900777?with=1", "/phones/447700900777?with=1"),
            ("/mailbox", "/mailbox"),
            ("/phones.evil.example", "/phones"),
            ("//evil.example/phones", "/phones"),
            ("https://evil.example", "/phones"),
        ];
        for (asked, led_to) in cases {
            assert_eq!(own_page(asked), led_to);
        }
    }
}
