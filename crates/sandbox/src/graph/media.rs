//! `POST /{phone}/media`, `GET` and `DELETE /{media}`, and the files' own addresses (protocol, section 10).

use std::convert::Infallible;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, Subject};
use super::error::GraphError;
use super::paging::ListQuery;
use super::routes::{self, ObjectPath};
use crate::core::Core;
use crate::state::State;

/// The largest upload: the largest document and its form around it.
pub(super) const FORM_MAX: usize = 101_000_000;

/// What an upload's form says.
#[derive(Debug, Default)]
struct Form {
    product: String,
    mime: String,
    filename: Option<String>,
    file_type: String,
    file: Option<Bytes>,
}

/// The address of a file.
#[derive(Debug, Deserialize)]
pub(super) struct FileQuery {
    #[serde(default)]
    hash: String,
}

/// Takes an upload; the product may stand in the address, as one client writes it.
pub(super) async fn submit_media(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<ObjectPath>,
    body: Bytes,
) -> HttpResponse {
    let token = access::token(&request);
    let number = core.act(|state, _| match access::subject(state, token.as_deref(), &path.id)? {
        Subject::Number(number) => Ok(number),
        _ => Err(GraphError::unknown_object(&path.id)),
    });
    let number = match number {
        Ok(number) => number,
        Err(error) => return error.respond(),
    };
    let query = ListQuery::read(request.query_string());
    let form = read_form(&request, body).await;
    routes::respond(form.and_then(|form| keep(&core, &number, &query, form)))
}

fn keep(core: &Core, number: &str, query: &ListQuery, form: Form) -> Result<Value, GraphError> {
    let product = Some(form.product.as_str()).filter(|product| !product.is_empty());
    if product.or_else(|| query.get("messaging_product")) != Some("whatsapp") {
        return Err(GraphError::parameter("messaging_product must be whatsapp"));
    }
    let Some(file) = form.file else {
        return Err(GraphError::parameter("The parameter file is required."));
    };
    // The part's own type counts where the form names none.
    let mime = if form.mime.is_empty() { form.file_type } else { form.mime };
    let id = core.act(|state, now_ms| {
        state.shelf.upload(number, &mime, form.filename.clone(), file.clone(), now_ms)
    })?;
    Ok(json!({ "id": id }))
}

async fn read_form(request: &HttpRequest, body: Bytes) -> Result<Form, GraphError> {
    let no_form = || GraphError::parameter("The body is no multipart form.");
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|text| text.to_str().ok());
    let boundary =
        multer::parse_boundary(content_type.unwrap_or_default()).map_err(|_| no_form())?;
    let whole = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut form = Form::default();
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(form),
            Err(_) => return Err(no_form()),
        };
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        let mime = part.content_type().map(ToString::to_string).unwrap_or_default();
        let bytes = part.bytes().await.map_err(|_| no_form())?;
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "messaging_product" => form.product = text(),
            "type" => form.mime = text(),
            "file" => {
                form.file_type = mime;
                form.filename = filename;
                form.file = Some(bytes);
            }
            _ => {}
        }
    }
}

/// The file's facts and a fresh address.
pub(super) fn show(
    state: &mut State,
    id: &str,
    query: &ListQuery,
    now_ms: i64,
) -> Result<Value, GraphError> {
    check_owner(state, id, query, now_ms)?;
    let base = state.world.base.clone();
    let node = state.shelf.node(id, &base, now_ms).ok_or_else(|| GraphError::unknown_object(id))?;
    let usual = ["messaging_product", "url", "mime_type", "sha256", "file_size"];
    query.select(&node, &usual)
}

/// Forgets the file.
pub(super) fn delete(
    state: &mut State,
    id: &str,
    query: &ListQuery,
    now_ms: i64,
) -> Result<Value, GraphError> {
    check_owner(state, id, query, now_ms)?;
    if state.shelf.delete(id) {
        Ok(json!({ "success": true }))
    } else {
        Err(GraphError::unknown_object(id))
    }
}

/// A number that the call names must be the file's own.
fn check_owner(state: &State, id: &str, query: &ListQuery, now_ms: i64) -> Result<(), GraphError> {
    let file = state.shelf.find(id, now_ms).ok_or_else(|| GraphError::unknown_object(id))?;
    match query.get("phone_number_id") {
        Some(number) if number != file.number => {
            Err(GraphError::parameter("phone_number_id does not own this media"))
        }
        _ => Ok(()),
    }
}

/// The bytes of a file, for who brings a token of its owner; 404 once the address ran out.
pub(super) async fn show_file(
    core: Data<Core>,
    request: HttpRequest,
    query: Query<FileQuery>,
) -> HttpResponse {
    let token = access::token(&request);
    let file = core.act(|state, now_ms| {
        access::check_token(state, token.as_deref())?;
        let file = state.shelf.behind(&query.hash, now_ms).cloned();
        let owner = file.as_ref().and_then(|file| state.numbers.get(&file.number));
        let account = owner.map(|number| number.seed.waba_id.clone());
        let may_read =
            account.is_none_or(|account| access::may_use(state, token.as_deref(), &account));
        may_read.then_some(file).ok_or_else(GraphError::no_access)
    });
    match file {
        Ok(Some(file)) => {
            let name = file.filename.as_deref().unwrap_or("file");
            let plain: String =
                name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, file.mime))
                .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{plain}\"")))
                .body(file.bytes)
        }
        Ok(None) => HttpResponse::build(StatusCode::NOT_FOUND).finish(),
        Err(error) => error.respond(),
    }
}
