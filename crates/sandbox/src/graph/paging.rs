//! Lists in pages, and the choice of fields (protocol, 3.1 and 11.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::fields::{self, Depth, Field};

const DEFAULT_LIMIT: usize = 25;
const LONGEST: usize = 1_000;

/// The query of a list, as far as it is about pages and fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListQuery {
    pairs: Vec<(String, String)>,
}

impl ListQuery {
    pub(crate) fn read(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs }
    }

    /// The value of `name`; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// The values of a filter, which clients join by commas or write as a JSON list.
    pub(crate) fn filter(&self, name: &str) -> Option<Vec<String>> {
        let text = self.get(name)?.trim_start_matches('[').trim_end_matches(']');
        Some(text.split(',').map(|part| part.trim_matches([' ', '"']).to_owned()).collect())
    }

    /// One page of `items`, with cursors and, where there is more, the address of the next page at `address`.
    ///
    /// # Errors
    ///
    /// 131059 for a cursor that is none, 100 for a limit that is none.
    pub(crate) fn page(&self, items: Vec<Value>, address: &str) -> Result<Value, GraphError> {
        let limit = match self.get("limit").map(str::parse::<usize>) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if 0 < limit => limit.min(LONGEST),
            Some(_) => return Err(GraphError::parameter("limit must be a positive number")),
        };
        let total = items.len();
        let (start, end) = match (self.get("after"), self.get("before")) {
            (Some(after), _) => {
                let start = place(after)?.saturating_add(1).min(total);
                (start, start.saturating_add(limit).min(total))
            }
            (None, Some(before)) => {
                let end = place(before)?.min(total);
                (end.saturating_sub(limit), end)
            }
            (None, None) => (0, limit.min(total)),
        };
        let data: Vec<Value> = items.into_iter().skip(start).take(end - start).collect();
        if data.is_empty() {
            return Ok(json!({ "data": [] }));
        }
        let (first, last) = (cursor(start), cursor(end - 1));
        let mut paging = Map::new();
        paging.insert("cursors".to_owned(), json!({ "before": first, "after": last }));
        if end < total {
            paging.insert("next".to_owned(), json!(self.address_with(address, "after", &last)));
        }
        if 0 < start {
            paging
                .insert("previous".to_owned(), json!(self.address_with(address, "before", &first)));
        }
        Ok(json!({ "data": data, "paging": paging }))
    }

    /// `address` with this query, but for the cursor and the token.
    fn address_with(&self, address: &str, name: &str, cursor: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.pairs {
            if !matches!(key.as_str(), "after" | "before" | "access_token") {
                query.append_pair(key, value);
            }
        }
        query.append_pair(name, cursor);
        format!("{address}?{}", query.finish())
    }

    /// Keeps of `object` what `fields=a,b{c}` names, and the id always; without `fields` what `usual` names.
    ///
    /// # Errors
    ///
    /// Code 100 for a field the object cannot have.
    pub(crate) fn select(&self, object: &Value, usual: &[&str]) -> Result<Value, GraphError> {
        let asked = match self.get("fields") {
            Some(fields) => fields::read(fields),
            None => usual.iter().map(|name| Field::whole(name)).collect(),
        };
        fields::select(object, &asked, Depth::Top)
    }
}

fn cursor(place: usize) -> String {
    STANDARD.encode(format!("place:{place}"))
}

fn place(cursor: &str) -> Result<usize, GraphError> {
    let bytes = STANDARD.decode(cursor).map_err(|_| GraphError::bad_cursor())?;
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix("place:")?.parse().ok())
        .ok_or_else(GraphError::bad_cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str, items: usize) -> Value {
        let items = (0..items).map(|n| json!({ "n": n })).collect();
        ListQuery::read(query).page(items, "http://s/1/list").unwrap()
    }

    #[test]
    fn pages_follow_each_other_until_next_is_absent() {
        let mut seen = Vec::new();
        let mut query = "limit=2&name=x".to_owned();
        loop {
            let page = page(&query, 5);
            seen.extend(page["data"].as_array().unwrap().iter().map(|n| n["n"].as_u64().unwrap()));
            let Some(next) = page["paging"]["next"].as_str() else { break };
            query = next.split_once('?').unwrap().1.to_owned();
            assert!(query.contains("name=x"), "filters stay: {query}");
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert_eq!(page("", 0), json!({ "data": [] }));
    }

    #[test]
    fn a_page_before_a_cursor_ends_there() {
        let last = page("limit=2", 5)["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
        let encoded: String = url::form_urlencoded::byte_serialize(last.as_bytes()).collect();
        let before = page(&format!("limit=1&before={encoded}"), 5);
        assert_eq!(before["data"], json!([{ "n": 0 }]));
    }

    #[test]
    fn a_made_up_cursor_is_131059() {
        let error = ListQuery::read("after=nonsense").page(vec![json!(1)], "http://s").unwrap_err();
        assert_eq!(error.code, 131_059);
    }

    #[test]
    fn fields_choose_keys_and_unknown_ones_are_refused() {
        let object = json!({ "id": "1", "a": 1, "b": { "c": 2 }, "d": null });
        let select = |query: &str| ListQuery::read(query).select(&object, &["a"]);
        assert_eq!(select("").unwrap(), json!({ "id": "1", "a": 1 }));
        assert_eq!(select("fields=b{c},d").unwrap(), json!({ "id": "1", "b": { "c": 2 } }));
        assert_eq!(select("fields=b{c,x},d").unwrap_err().code, 100);
        assert_eq!(select("fields=nope").unwrap_err().code, 100);
    }
}
