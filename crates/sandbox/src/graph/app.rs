//! What belongs to an app: its token, its address for webhooks, its resumable uploads (protocol, 3.2 and 4.7).

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access;
use super::call::Call;
use super::error::GraphError;
use super::routes::{self, success};
use super::subscriptions::shake_hands;
use crate::core::Core;
use crate::state::State;
use crate::template::field;
use crate::world::{APP_ID, AppHook};

/// The fields an app gets when it names none.
const USUAL_FIELDS: &str = "messages";

/// The id of an upload, as the path has it.
#[derive(Debug, Deserialize)]
pub(super) struct UploadPath {
    upload: String,
}

/// `GET /oauth/access_token`: an app's own token for its secret.
pub(super) async fn show_token(core: Data<Core>, request: HttpRequest) -> HttpResponse {
    let call = Call::read(&request, "", &[]);
    routes::respond(core.act(|state, _| {
        let (id, secret) = (call.query.get("client_id"), call.query.get("client_secret"));
        let secret = secret.unwrap_or_default();
        let token = format!("{APP_ID}|{secret}");
        if id != Some(APP_ID) || access::app_secret(state, &token).is_none() {
            return Err(GraphError::of(
                101,
                "Error validating application. Cannot get application info.",
            ));
        }
        let exchanged = call.query.get("code").and_then(|_| {
            let own = state.numbers.values().find(|number| number.seed.app_secret == secret)?;
            Some(own.seed.access_token.clone())
        });
        let token = exchanged.unwrap_or(token);
        Ok(json!({ "access_token": token, "token_type": "bearer" }))
    }))
}

/// `POST /{app}/subscriptions`: the app's address, after the handshake.
///
/// # Errors
///
/// 100 for another object or an address that fails the handshake, 190 without the app's own token.
pub(super) async fn subscribe(core: &Core, call: &Call) -> Result<Value, GraphError> {
    let order = call.parameters()?;
    let secret = core.act(|state, _| {
        // A client may send its user token in the header and the app's in the address.
        let tokens = [call.query.get("access_token"), call.token.as_deref()];
        let secret =
            tokens.into_iter().flatten().find_map(|token| access::app_secret(state, token));
        secret.map(str::to_owned).ok_or_else(GraphError::bad_token)
    })?;
    if field(order, "object") != "whatsapp_business_account" {
        return Err(GraphError::parameter("object must be whatsapp_business_account"));
    }
    let url = field(order, "callback_url");
    shake_hands(core, url, field(order, "verify_token")).await.map_err(GraphError::parameter)?;
    let fields = match field(order, "fields") {
        "" => USUAL_FIELDS,
        fields => fields,
    };
    let fields = fields.split(',').map(|name| name.trim().to_owned()).collect();
    let hook = AppHook { callback_url: url.to_owned(), fields };
    core.act(|state, _| state.world.app_hooks.insert(secret, hook));
    Ok(success())
}

/// `GET /{app}/subscriptions`.
pub(super) fn list(state: &State, call: &Call) -> Value {
    let secret = call.token.as_deref().and_then(|token| access::app_secret(state, token));
    let hook = secret.and_then(|secret| state.world.app_hooks.get(secret));
    let shown = hook.map(|hook| {
        let fields: Vec<Value> =
            hook.fields.iter().map(|name| json!({ "name": name, "version": "v25.0" })).collect();
        json!({
            "object": "whatsapp_business_account",
            "callback_url": hook.callback_url,
            "active": true,
            "fields": fields,
        })
    });
    json!({ "data": shown.into_iter().collect::<Vec<Value>>() })
}

/// `POST /{app}/uploads`.
pub(super) fn open_upload(state: &mut State, call: &Call) -> Result<Value, GraphError> {
    let order = call.parameters()?;
    let length = field(order, "file_length")
        .parse::<usize>()
        .ok()
        .or_else(|| order["file_length"].as_u64().and_then(|length| usize::try_from(length).ok()));
    let length = length
        .filter(|_| !field(order, "file_type").is_empty())
        .ok_or_else(|| GraphError::parameter("file_length and file_type are required"))?;
    Ok(json!({ "id": state.world.open_upload(length) }))
}

/// `POST /upload:…`: bytes of a file from the offset on; the whole of it makes a handle.
pub(super) async fn submit_upload(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<UploadPath>,
    body: Bytes,
) -> HttpResponse {
    let token = upload_token(&request);
    let offset = request.headers().get("file_offset").and_then(|text| text.to_str().ok());
    let offset = offset.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    routes::respond(core.act(|state, _| {
        access::check_token(state, token.as_deref())?;
        let unknown = || GraphError::unknown_object(&path.upload);
        let session = state.world.uploads.get_mut(&path.upload).ok_or_else(unknown)?;
        if offset != session.received || session.length < offset + body.len() {
            return Err(GraphError::parameter("file_offset does not continue the upload"));
        }
        session.received += body.len();
        if session.received < session.length {
            return Ok(json!({ "id": path.upload, "file_offset": session.received }));
        }
        Ok(json!({ "h": format!("4::{}", hex::encode(&path.upload)) }))
    }))
}

/// `GET /upload:…`: how far it came.
pub(super) async fn show_upload(
    core: Data<Core>,
    request: HttpRequest,
    path: Path<UploadPath>,
) -> HttpResponse {
    let token = upload_token(&request);
    routes::respond(core.act(|state, _| {
        access::check_token(state, token.as_deref())?;
        let session = state.world.uploads.get(&path.upload);
        let session = session.ok_or_else(|| GraphError::unknown_object(&path.upload))?;
        Ok(json!({ "id": path.upload, "file_offset": session.received }))
    }))
}

/// The uploads' own scheme of authorisation is `OAuth`; clients also use the usual one.
fn upload_token(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("Authorization").and_then(|text| text.to_str().ok());
    let own =
        header.and_then(|text| text.strip_prefix("OAuth ")).map(|token| token.trim().to_owned());
    own.or_else(|| access::token(request))
}
