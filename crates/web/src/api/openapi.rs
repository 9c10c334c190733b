//! The API's description, made from its handlers.

use actix_web::{HttpResponse, http::header::CONTENT_TYPE};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, Ref, RefOr, ResponseBuilder,
        header::HeaderBuilder,
        path::Operation,
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{active_message, listing, problem, wish};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Janela",
        description = "Send active messages and read what belongs to them. Ids are strings, instants UTC \
            with milliseconds, errors `application/problem+json` (RFC 9457) in the language of \
            `Accept-Language`. Lists come by page: give `next` of one page as `cursor` of the next.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1",
    ),
    paths(
        active_message::submit,
        active_message::check,
        active_message::show,
        listing::list_contacts,
        wish::show,
        wish::submit,
        listing::list_templates,
        listing::list_channels,
        listing::show_number,
        show,
    ),
    components(schemas(problem::Problem)),
    modifiers(&Everywhere),
)]
struct Description;

/// The description as it is served and printed.
#[must_use]
pub fn openapi_json() -> String {
    // It is made of plain maps and words, which are always JSON; an empty text would fail its test.
    Description::openapi().to_pretty_json().unwrap_or_default()
}

/// Show this description
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "getOpenapi",
    tag = "description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
    security(("token" = [])),
)]
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(openapi_json())
}

/// What holds for every call, said once: the token, and the problems any of them may meet.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of the installation; each call names the scope it needs."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        for (path, item) in &mut api.paths.paths {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                add_problems(path, operation);
            }
        }
    }
}

fn add_problems(path: &str, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_query = ["/contacts", "/templates", "/channels"].iter().any(|it| path.ends_with(it));
    let mut problems = vec![("401", "No token, or none that holds")];
    if !path.ends_with("openapi.json") {
        problems.push(("403", "The token lacks the scope"));
    }
    if has_body {
        problems.extend([
            ("400", "Broken JSON"),
            ("408", "The body did not arrive in time"),
            ("413", "The body is over 256 KiB"),
            ("415", "The body is not declared as `application/json`"),
        ]);
    }
    if has_body || has_query {
        problems.push(("422", "A field is unknown, missing or ill-typed, or a key was used again"));
    }
    problems.extend([
        ("429", "Too many requests; `Retry-After` says how long to wait"),
        ("500", "Something went wrong on our side"),
        ("503", "Too busy; try again in a moment"),
    ]);
    for (status, description) in problems {
        let mut response = ResponseBuilder::new()
            .description(description)
            .content(super::problem::PROBLEM_JSON, Content::new(Some(problem_ref())));
        if matches!(status, "429" | "503") {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer);
            let header =
                HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds")).build();
            response = response.header("Retry-After", header);
        }
        let responses = &mut operation.responses.responses;
        responses.insert(status.to_owned(), RefOr::T(response.build()));
    }
}

fn problem_ref() -> RefOr<openapi::Schema> {
    RefOr::Ref(Ref::from_schema_name("Problem"))
}
