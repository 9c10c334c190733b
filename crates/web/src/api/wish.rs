//! What a contact wishes to get: read it, and enter it (AD-09).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use chrono::{DateTime, Utc};
use domain::{
    ids::ContactId,
    opt_out::{EnteredWish, OptOut, OptOutSource, WishProblem},
};
use persistence::{
    db::Db,
    opt_out::{self, Entered, WishOf, Wishes},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    body::read_json,
    client::{ContactReader, ContactWriter},
    instant,
    json::{Faults, Fields, Json},
    problem::{ApiError, Fault, Problem},
    request::read_id,
};
use crate::{desk::Desk, error::WebError};

/// What a contact wishes, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishRequest {
    /// `stop_marketing` or `stop_all` opts out; `resume` ends every opt-out; `opt_in` does so too and notes
    /// the consent to marketing.
    #[schema(example = "stop_marketing")]
    wish: String,
    /// How it is known, in 200 characters at most. Needed for `resume` and `opt_in`.
    #[schema(example = "Asked in the shop")]
    reason: Option<String>,
}

/// What is known of a contact's wishes.
#[derive(Debug, Serialize, ToSchema)]
pub struct WishesAnswer {
    /// The contact's id.
    #[schema(example = "57")]
    contact: String,
    /// The opt-outs in force, oldest first. They hold for the whole workspace.
    opt_outs: Vec<OptOutAnswer>,
    /// When they agreed to marketing; null when that is not known.
    #[schema(required = true)]
    marketing_opt_in: Option<OptInAnswer>,
}

/// Something a contact no longer wants.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptOutAnswer {
    /// `marketing` or `all`.
    scope: &'static str,
    /// `word`, `button`, `platform_event`, `platform_refusal`, `agent` or `api`.
    source: &'static str,
    #[schema(format = DateTime)]
    at: String,
}

/// A consent to marketing.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptInAnswer {
    /// `agent` or `api`.
    source: &'static str,
    #[schema(format = DateTime)]
    at: String,
}

/// Show what a contact wishes
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}/wishes",
    operation_id = "getContactWishes",
    tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses(
        (status = 200, description = "Opt-outs in force and the consent to marketing", body = WishesAnswer),
        (status = 404, description = "Unknown", body = Problem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["contacts:read"])),
)]
pub async fn show(
    desk: Data<Desk>,
    client: ContactReader,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let contact = contact_of(&id)?;
    let actor = client.actor.clone();
    let read = move |db: &mut Db| opt_out::find_wishes(db, &actor, WishOf::Contact(contact));
    Ok(HttpResponse::Ok().json(WishesAnswer::from(desk.store.read(read).await?)))
}

/// Enter what a contact wishes
///
/// It holds for the whole workspace from the next send on, and stands in the contact's history. Entering what
/// holds already changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/contacts/{id}/wishes",
    operation_id = "enterContactWish",
    tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    request_body = WishRequest,
    responses(
        (status = 200, description = "What is known from now on", body = WishesAnswer),
        (status = 404, description = "Unknown", body = Problem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["contacts:write"])),
)]
pub async fn submit(
    desk: Data<Desk>,
    client: ContactWriter,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let contact = contact_of(&id)?;
    let (wish, reason) = parse(read_json(&request, payload).await?)?;
    let (actor, clock) = (client.actor.clone(), desk.clock.clone());
    let enter = move |db: &mut Db| {
        db.write(|db| {
            let of = WishOf::Contact(contact);
            let entered = opt_out::enter(db, &actor, of, wish, &reason, &*clock)?;
            Ok((entered, opt_out::find_wishes(db, &actor, of)?))
        })
    };
    match desk.store.write(enter).await? {
        (Entered::Done | Entered::AlreadySo, wishes) => {
            Ok(HttpResponse::Ok().json(WishesAnswer::from(wishes)))
        }
        (Entered::Refused(WishProblem::ReasonMissing), _) => {
            Err(ApiError::field("reason", Fault::Missing))
        }
        (Entered::Refused(WishProblem::ReasonTooLong), _) => {
            Err(ApiError::field("reason", Fault::ReasonTooLong))
        }
    }
}

fn contact_of(id: &str) -> Result<ContactId, ApiError> {
    Ok(read_id(id).map(ContactId).ok_or(WebError::NotFound)?)
}

fn parse(json: Json) -> Result<(EnteredWish, String), ApiError> {
    let mut faults = Faults::new();
    let read = read(json, &mut faults);
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        Some(_) | None => Err(ApiError::Fields(faults)),
    }
}

fn read(json: Json, faults: &mut Faults) -> Option<(EnteredWish, String)> {
    let mut fields = Fields::open("", json, faults)?;
    let wish = fields.text("wish", faults).and_then(|word| {
        let wish = EnteredWish::parse(&word);
        if wish.is_none() {
            faults.insert("wish".to_owned(), Fault::Wish);
        }
        wish
    });
    let reason = fields.optional_text("reason", faults).unwrap_or_default();
    fields.finish(faults);
    Some((wish?, reason))
}

impl From<Wishes> for WishesAnswer {
    fn from(wishes: Wishes) -> Self {
        Self {
            contact: wishes.contact.to_string(),
            opt_outs: wishes.opt_outs.into_iter().map(OptOutAnswer::from).collect(),
            marketing_opt_in: wishes.marketing_opt_in.map(OptInAnswer::from),
        }
    }
}

impl From<OptOut> for OptOutAnswer {
    fn from(OptOut { scope, source, at }: OptOut) -> Self {
        Self { scope: scope.as_str(), source: source.as_str(), at: instant(at) }
    }
}

impl From<(DateTime<Utc>, OptOutSource)> for OptInAnswer {
    fn from((at, source): (DateTime<Utc>, OptOutSource)) -> Self {
        Self { source: source.as_str(), at: instant(at) }
    }
}
