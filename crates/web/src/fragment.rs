//! Addresses that answer with a part of a page: whoever opens one by itself is led to the page around it.

use actix_web::HttpResponse;

use crate::{
    form::see_other,
    visit::{Reader, Visit},
};

/// The way to `page`, with what the address says besides, for a browser that would show a bare part of it;
/// `None` for a script of ours, which puts the part where it belongs.
#[must_use]
pub fn page_around(visit: &Visit, page: &str) -> Option<HttpResponse> {
    if visit.reader != Reader::Page {
        return None;
    }
    let query = visit.path.split_once('?').map_or("", |(_, query)| query);
    Some(match (query, page.contains('?')) {
        ("", _) => see_other(page),
        (query, false) => see_other(&format!("{page}?{query}")),
        (query, true) => see_other(&format!("{page}&{query}")),
    })
}
