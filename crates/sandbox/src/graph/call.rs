//! One call of the Graph API, as far as every one of them is read alike.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::access;
use super::error::GraphError;
use super::paging::ListQuery;

/// A call: who makes it, and with which parameters.
pub(super) struct Call {
    pub token: Option<String>,
    pub query: ListQuery,
    /// Where the call went, for the addresses of further pages.
    pub address: String,
    body: Result<Value, GraphError>,
}

impl Call {
    /// Reads a call whose body is JSON or a form; `base` is where the sandbox is reached.
    pub(super) fn read(request: &HttpRequest, base: &str, body: &[u8]) -> Self {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|text| text.to_str().ok());
        let is_form =
            content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let mut body = match body {
            [] => Ok(Value::Object(Map::new())),
            body if is_form => Ok(pairs(body)),
            body => serde_json::from_slice::<Value>(body)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| GraphError::parameter("The body is no JSON object.")),
        };
        // Parameters may stand in the address instead; what the body says goes before.
        if let (Ok(Value::Object(fields)), Value::Object(query)) =
            (&mut body, pairs(request.query_string().as_bytes()))
        {
            for (name, value) in query {
                fields.entry(name).or_insert(value);
            }
        }
        Self {
            token: access::token(request),
            query: ListQuery::read(request.query_string()),
            address: format!("{base}{}", request.path()),
            body,
        }
    }

    /// The parameters.
    ///
    /// # Errors
    ///
    /// 100 for a body that could not be read.
    pub(super) fn parameters(&self) -> Result<&Value, GraphError> {
        self.body.as_ref().map_err(Clone::clone)
    }
}

fn pairs(text: &[u8]) -> Value {
    let pairs = url::form_urlencoded::parse(text).into_owned();
    Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect())
}
