//! The token that ties a form to the session it was shown in (C5): checked here for every change, and
//! taken out, so that no form struct ever sees it.

use std::time::Duration;

use actix_web::{
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{CONTENT_TYPE, HeaderName},
    middleware::Next,
    web::{self, Bytes},
};
use subtle::ConstantTimeEq;

use crate::{error::WebError, same_origin::is_safe, session::Session};

/// The hidden field of every form.
pub const FORM_TOKEN_FIELD: &str = "form_token";

/// Where a request without a form carries it.
pub const FORM_TOKEN_HEADER: HeaderName = HeaderName::from_static("x-form-token");

/// Most bytes of a form.
pub const FORM_LIMIT: usize = 256 * 1024;

/// How long a form may take to arrive.
const FORM_DEADLINE: Duration = Duration::from_secs(10);

/// Middleware for pages, inside [`crate::session::find`]: a change by someone signed in must carry the
/// session's token, as field or header. Without a session there is nothing to bind to, and nothing but
/// signing in to be done.
///
/// # Errors
/// Those of the service beneath.
pub async fn check(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if is_safe(request.method()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if is_file_form(&request) {
        // Its token stands in the form, before the file, and its handler asks for it (see `fits`).
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let mut token = request.headers().get(FORM_TOKEN_HEADER).map(|it| it.as_bytes().to_vec());
    if is_form(&request) {
        let body = match read_form(&mut request).await {
            Ok(body) => body,
            Err(error) => return Ok(request.error_response(error)),
        };
        let (in_field, rest) = take_token(&body);
        token = in_field.map(String::into_bytes).or(token);
        request.set_payload(Payload::from(Bytes::from(rest)));
    }
    let is_sign_in = request.path() == "/account/sign-in";
    let session = Session::of(request.request()).filter(|_| !is_sign_in);
    let fits = session.is_none_or(|session| token.is_some_and(|token| fits(&session, &token)));
    if fits {
        Ok(next.call(request).await?.map_into_boxed_body())
    } else {
        Ok(request.error_response(WebError::StaleForm))
    }
}

/// Whether `token` is the one of `session`, in constant time.
#[must_use]
pub fn fits(session: &Session, token: &[u8]) -> bool {
    token.ct_eq(session.form_token.as_bytes()).into()
}

/// The one form that carries a file, which is read as it comes instead of held whole.
fn is_file_form(request: &ServiceRequest) -> bool {
    let path = request.path();
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    path.starts_with("/desk/conversations/")
        && path.ends_with("/file")
        && content_type.is_some_and(|value| value.starts_with("multipart/form-data"))
}

async fn read_form(request: &mut ServiceRequest) -> Result<Bytes, WebError> {
    let payload = request.extract::<web::Payload>().await.map_err(|_| WebError::BadRequest)?;
    match tokio::time::timeout(FORM_DEADLINE, payload.to_bytes_limited(FORM_LIMIT)).await {
        Err(_) => Err(WebError::TooSlow),
        Ok(Err(_)) => Err(WebError::TooLarge),
        Ok(Ok(body)) => body.map_err(|_| WebError::BadRequest),
    }
}

fn is_form(request: &ServiceRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// The token of a form, and the form without it.
fn take_token(body: &[u8]) -> (Option<String>, String) {
    let mut token = None;
    let mut rest = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(body) {
        if name == FORM_TOKEN_FIELD {
            token = Some(value.into_owned());
        } else {
            rest.append_pair(&name, &value);
        }
    }
    (token, rest.finish())
}

#[cfg(test)]
mod tests {
    use super::take_token;

    #[test]
    fn the_token_is_taken_out_and_the_rest_is_kept() {
        let (token, rest) = take_token(b"name=Lu%C3%ADsa+M&form_token=abc&tag=a&tag=b%26c");
        assert_eq!(token.as_deref(), Some("abc"));
        assert_eq!(rest, "name=Lu%C3%ADsa+M&tag=a&tag=b%26c");
        assert_eq!(take_token(b"a=1"), (None, "a=1".to_owned()));
    }
}
