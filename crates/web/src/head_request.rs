//! `HEAD` is answered wherever `GET` is: as `GET`, without the content.

use actix_web::{
    Error,
    body::{self, BodySize, BoxBody, MessageBody, SizedStream},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{ALLOW, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web::Bytes,
};
use futures_util::stream;

/// Middleware around all that answers: whatever is beneath meets a `GET`, whose content then stays here.
///
/// # Errors
/// Those of the service beneath.
pub async fn answer_as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    allow_head(response.headers_mut());
    Ok(if is_head { response.map_body(|_, content| without(&content)) } else { response })
}

/// Nothing, of the length of `content` where that is known: `HEAD` tells it as `GET` does.
fn without(content: &BoxBody) -> BoxBody {
    match content.size() {
        BodySize::Sized(length) => {
            SizedStream::new(length, stream::empty::<Result<Bytes, Error>>()).boxed()
        }
        BodySize::None | BodySize::Stream => body::None::new().boxed(),
    }
}

/// Whoever is told that `GET` is allowed is told that `HEAD` is.
fn allow_head(headers: &mut HeaderMap) {
    let allowed = headers.get(ALLOW).and_then(|allowed| allowed.to_str().ok()).unwrap_or_default();
    let methods: Vec<&str> = allowed.split(',').map(str::trim).collect();
    if !methods.contains(&"GET") || methods.contains(&"HEAD") {
        return;
    }
    if let Ok(allowed) = HeaderValue::try_from(format!("{allowed}, HEAD")) {
        headers.insert(ALLOW, allowed);
    }
}
