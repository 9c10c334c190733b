//! What a form answers that is a dialog on the desk, and a page of its own when opened by its address.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderMap, HeaderValue},
};

use crate::{
    form::see_other,
    visit::{Reader, Visit},
};

/// The names of the events on the page.
const DONE: &str = "{\"janela:close-dialog\":{},\"janela:answered\":{}}";

/// After the form `form` of a conversation did its work: in the dialog it closes, what changed shows by itself, and
/// the composer answers no message any more; on a page of its own the way leads to `back`.
pub(super) fn done(visit: &Visit, request: &HttpRequest, form: &str, back: &str) -> HttpResponse {
    if visit.reader != Reader::Fragment {
        return see_other(back);
    }
    let mut response = HttpResponse::Ok();
    if is_own_page(request.headers(), form) {
        return response.insert_header(("hx-redirect", back)).finish();
    }
    response
        .insert_header(("hx-trigger", HeaderValue::from_static(DONE)))
        .insert_header(("hx-reswap", "none"))
        .finish()
}

fn is_own_page(headers: &HeaderMap, form: &str) -> bool {
    let from = headers.get("hx-current-url").and_then(|url| url.to_str().ok());
    from.is_some_and(|url| url.split('?').next().unwrap_or(url).ends_with(form))
}
