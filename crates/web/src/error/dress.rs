//! The middleware by which every failed answer leaves in the reader's form and language.

use actix_web::{
    HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;
use tracing::warn;

use super::{PanickedIn, WebError};
use crate::{api::ApiError, desk::Desk, session::Session, visit::Visit};

/// Middleware: every failed answer leaves as a page, a toast or a problem, in the reader's language; a
/// panic leaves as a 500 and the process lives on (C33).
///
/// # Errors
/// [`WebError::Panicked`].
pub async fn dress(
    desk: Data<Desk>,
    visit: Visit,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let handled = std::panic::AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let Ok(answered) = handled else {
        let https = desk.settings.is_https();
        return Err(WebError::Panicked(Box::new(PanickedIn { visit, https })).into());
    };
    let response = answered?.map_into_boxed_body();
    // The inner middlewares may know more by now: the language of who is signed in.
    let visit = response.request().extensions().get::<Visit>().cloned().unwrap_or(visit);
    let session = Session::of(response.request());
    let Some(dressed) = failed_answer(&response, &visit, session.as_deref()) else {
        return Ok(response);
    };
    let kept: Vec<(HeaderName, HeaderValue)> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name == actix_web::http::header::ALLOW)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut response = response.into_response(dressed);
    for (name, value) in kept {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// What to answer instead of a failed response; `None` for one that has its own body.
fn failed_answer(
    response: &ServiceResponse<BoxBody>,
    visit: &Visit,
    session: Option<&Session>,
) -> Option<HttpResponse> {
    if let Some(error) = response.response().error() {
        if let Some(error) = error.as_error::<WebError>() {
            return Some(error.answer(visit, session));
        }
        if let Some(error) = error.as_error::<ApiError>() {
            return Some(error.answer(visit));
        }
        let status = error.as_response_error().status_code();
        warn!(status = status.as_u16(), "request refused: {error}");
        return Some(WebError::of_status(status).answer(visit, session));
    }
    let is_refused_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    is_refused_method.then(|| WebError::MethodNotAllowed.answer(visit, session))
}

impl WebError {
    /// Stands for a refusal of the framework's own: an unreadable form, a body over the limit.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use actix_web::{App, middleware::from_fn, test, web};
    use chrono::{DateTime, Utc};
    use domain::clock::Clock;
    use persistence::{
        inbox::WebhookInbox, live::Nudges, session::SessionPolicy, test_support::TestStore,
    };
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{DeskParts, WebSettings, headers, visit};

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    async fn panics() -> HttpResponse {
        panic!("SELECT secret FROM /home/ana")
    }

    #[actix_web::test]
    async fn c33_a_panic_leaves_as_a_fixed_page_with_every_header() {
        let store = TestStore::sqlite();
        let nudges = Arc::new(Nudges::default());
        let inbox = Arc::new(WebhookInbox::start(&store, nudges.clone()).unwrap());
        let desk = Data::new(Desk::new(DeskParts {
            store: store.clone(),
            clock: Arc::new(Fixed),
            nudges,
            inbox: inbox.clone(),
            channels: crate::Channels::new(),
            settings: WebSettings {
                public_url: "https://desk.example.com".parse().unwrap(),
                zone: chrono_tz::UTC,
                sessions: SessionPolicy::default(),
                hash_parallelism: 1,
            },
            stopping: CancellationToken::new(),
        }));
        let app = App::new()
            .app_data(desk)
            .wrap(from_fn(dress))
            .wrap(from_fn(visit::note))
            .wrap(from_fn(headers::secure))
            .route("/panic", web::get().to(panics));
        let service = test::init_service(app).await;
        let request =
            test::TestRequest::get().uri("/panic").insert_header(("accept-language", "es"));
        let error = test::try_call_service(&service, request.to_request()).await.unwrap_err();
        let response = error.error_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers::SECURITY_HEADERS {
            assert_eq!(response.headers().get(name).unwrap(), value);
        }
        assert!(response.headers().contains_key("strict-transport-security"));
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let page = std::str::from_utf8(&body).unwrap();
        assert!(page.contains("Algo falló de nuestro lado") && page.contains("internal_error"));
        assert!(!page.contains("SELECT") && !page.contains("/home"), "{page}");
        std::thread::spawn(move || inbox.stop()).join().unwrap();
    }
}
