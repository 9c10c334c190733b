//! Lists by page: a limit, and a cursor that says where the last page ended.

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    json::Faults,
    problem::{ApiError, Fault},
};

/// Rows of a page when nothing else is asked.
const USUAL_LIMIT: usize = 50;
/// Most rows of a page.
const HIGHEST_LIMIT: usize = 100;

/// What a list is asked.
pub struct PageQuery {
    /// Rows of the page.
    pub limit: usize,
    /// The id of the last row of the page before; `None` for the first page.
    pub after: Option<i64>,
}

impl PageQuery {
    /// Reads the query of a request for the list called `list`.
    ///
    /// # Errors
    /// `Fields`.
    pub fn parse(request: &HttpRequest, list: &str) -> Result<Self, ApiError> {
        let mut faults = Faults::new();
        let mut query = Self { limit: USUAL_LIMIT, after: None };
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
            let fault = match name.as_ref() {
                _ if seen.iter().any(|known| *known == name) => Some(Fault::Twice),
                "limit" => query.read_limit(&value),
                "cursor" => query.read_cursor(list, &value),
                _ => Some(Fault::UnknownField),
            };
            if let Some(fault) = fault {
                faults.insert(name.clone().into_owned(), fault);
            }
            seen.push(name.into_owned());
        }
        if faults.is_empty() { Ok(query) } else { Err(ApiError::Fields(faults)) }
    }

    fn read_limit(&mut self, text: &str) -> Option<Fault> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit @ 1..=HIGHEST_LIMIT) if is_number => {
                self.limit = limit;
                None
            }
            _ => Some(Fault::Limit),
        }
    }

    fn read_cursor(&mut self, list: &str, text: &str) -> Option<Fault> {
        let after = read_cursor(list, text);
        self.after = after;
        if after.is_some() { None } else { Some(Fault::Cursor) }
    }

    /// How many rows to read: one more than shown says whether there is a next page.
    pub fn most(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// The cursor of the page after `rows`, of which the surplus is taken off; `None` at the end.
    pub fn cut<T>(&self, list: &str, rows: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Option<String> {
        let has_more = self.limit < rows.len();
        rows.truncate(self.limit);
        rows.last().filter(|_| has_more).map(|last| cursor(list, id(last)))
    }
}

fn cursor(list: &str, id: i64) -> String {
    hex::encode(format!("{list}>{id}"))
}

fn read_cursor(list: &str, text: &str) -> Option<i64> {
    let bytes = hex::decode(text).ok()?;
    let (of_list, id) = std::str::from_utf8(&bytes).ok()?.split_once('>')?;
    let id: i64 = id.parse().ok()?;
    (of_list == list && cursor(list, id) == text).then_some(id)
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListPage<T> {
    /// By id.
    pub data: Vec<T>,
    /// Give it as `cursor` to get the next page; null on the last one.
    #[schema(required = true)]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let text = cursor("contacts", 57);
        assert_eq!(read_cursor("contacts", &text), Some(57));
        for foreign in [text.to_uppercase().as_str(), "", "57", "zz", &cursor("templates", 57)] {
            assert_eq!(read_cursor("contacts", foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_page_is_followed_by_another_only_when_there_is_more() {
        let query = PageQuery { limit: 2, after: None };
        let mut rows = vec![1, 2, 3];
        let next = query.cut("contacts", &mut rows, |id| *id);
        assert_eq!((rows.as_slice(), next), ([1, 2].as_slice(), Some(cursor("contacts", 2))));
        let mut rows = vec![1, 2];
        assert_eq!(query.cut("contacts", &mut rows, |id| *id), None);
    }
}
