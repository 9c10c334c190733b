//! What forms share: problems by field, and the way back to where a form was sent from.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::LOCATION},
};
use askama::Template;
use url::Url;

use crate::error::WebError;

/// What stands against a form, in the order of its fields. Shown on top and at each field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<FieldProblem>);

/// What stands against one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's id on the page, which is its name.
    pub field: String,
    /// What to do about it.
    pub text: String,
}

impl Problems {
    /// Adds one; several at one field are all shown on top, the first of them at the field.
    pub fn add(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.0.push(FieldProblem { field: field.into(), text: text.into() });
    }

    /// Whether nothing stands against the form.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands against `field`; `None` when nothing does.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a FieldProblem;
    type IntoIter = std::slice::Iter<'a, FieldProblem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A page or fragment with the status it answers with.
///
/// # Errors
/// [`WebError::Render`].
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, WebError> {
    let html = page.render()?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html))
}

/// After a change: 303, so that a reload repeats nothing.
#[must_use]
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location.to_owned())).finish()
}

/// `path` when it leads to a page of ours, else `fallback`: an address in a form or query never leads
/// to another site.
#[must_use]
pub fn local_path<'a>(path: Option<&'a str>, fallback: &'a str) -> &'a str {
    path.filter(|path| is_local(path)).unwrap_or(fallback)
}

fn is_local(path: &str) -> bool {
    let plain = path.starts_with('/') && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let Ok(base) = Url::parse("http://janela.invalid") else { return false };
    plain
        && !path.contains('\\')
        && base.join(path).is_ok_and(|joined| joined.origin() == base.origin())
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_paths_of_ours_are_followed() {
        let cases = [
            ("/desk/sent?page=2", "/desk/sent?page=2"),
            ("/", "/"),
            ("", "/desk"),
            ("desk", "/desk"),
            ("//evil.example/x", "/desk"),
            ("/\\evil.example", "/desk"),
            ("/\t/evil.example", "/desk"),
            ("https://evil.example", "/desk"),
            ("javascript:alert(1)", "/desk"),
            ("/a\r\nset-cookie: x=1", "/desk"),
        ];
        for (asked, expected) in cases {
            assert_eq!(local_path(Some(asked), "/desk"), expected, "{asked:?}");
        }
        assert_eq!(local_path(None, "/desk"), "/desk");
    }
}
