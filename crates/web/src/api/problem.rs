//! What the API answers instead of what was asked: `problem+json`, in the language of `Accept-Language`.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
};
use persistence::{api::Unknown, api_token::ApiScope, error::PersistenceError};
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::{json::Faults, sentence::Sentence};
use crate::{error::WebError, locale::Words, visit::Visit};

/// The media type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request of the API was not answered as asked.
#[derive(Debug, Error)]
pub enum ApiError {
    /// As everywhere.
    #[error(transparent)]
    Web(#[from] WebError),
    /// No bearer token.
    #[error("no token")]
    NoToken,
    /// A token that is unknown, revoked, or whose user is disabled.
    #[error("no valid token")]
    BadToken,
    /// The token does not reach that far.
    #[error("the token lacks the scope {}", .0.as_str())]
    ScopeMissing(ApiScope),
    /// No JSON at all.
    #[error("the body is no JSON")]
    BrokenJson,
    /// A body of another type.
    #[error("the body is not declared as JSON")]
    NotJson,
    /// Something the request names is not there, or may not be known.
    #[error("something named is unknown")]
    Unknown(Unknown),
    /// Fields that are unknown, missing or ill-typed.
    #[error("fields are wrong")]
    Fields(Faults),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It must be there.
    Missing,
    /// No field has this name.
    UnknownField,
    /// It stands there twice.
    Twice,
    /// It must be an object.
    NotAnObject,
    /// It must be a string.
    NotText,
    /// It holds U+0000.
    NullCharacter,
    /// It must be exactly one of `phone` and `contact`.
    NotOneRecipient,
    /// Sends cannot be scheduled yet.
    Unscheduled,
    /// It must be a whole number from 1 to 100.
    Limit,
    /// It is no cursor of this list.
    Cursor,
    /// It must be 1 to 255 visible characters.
    Key,
    /// It must be one of the wishes.
    Wish,
    /// It must have 200 characters at most.
    ReasonTooLong,
}

impl From<PersistenceError> for ApiError {
    fn from(error: PersistenceError) -> Self {
        Self::Web(error.into())
    }
}

impl ApiError {
    /// One field alone is wrong.
    pub fn field(path: &str, fault: Fault) -> Self {
        Self::Fields(Faults::from([(path.to_owned(), fault)]))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Web(error) => error.status_code(),
            Self::NoToken | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::ScopeMissing(_) => StatusCode::FORBIDDEN,
            Self::BrokenJson => StatusCode::BAD_REQUEST,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Fields(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Web(error) => error.code(),
            Self::NoToken | Self::BadToken => "invalid_token",
            Self::ScopeMissing(_) => "insufficient_scope",
            Self::BrokenJson => "broken_json",
            Self::NotJson => "not_json",
            Self::Unknown(_) => "unknown",
            Self::Fields(_) => "fields_invalid",
            Self::KeyReused => "idempotency_key_reused",
        }
    }

    fn title(&self, t: Words) -> String {
        match self {
            Self::Web(WebError::NotFound) => t.api_not_found(),
            Self::Web(error) => error.to_string(),
            Self::NoToken => t.api_no_token(),
            Self::BadToken => t.api_bad_token(),
            Self::ScopeMissing(scope) => t.api_scope_missing(scope.as_str()),
            Self::BrokenJson => t.api_broken_json(),
            Self::NotJson => t.api_not_json(),
            Self::Unknown(_) => t.api_unknown(),
            Self::Fields(_) => t.api_fields(),
            Self::KeyReused => t.api_key_reused(),
        }
    }

    fn fields(&self, t: Words) -> Option<BTreeMap<String, Sentence>> {
        match self {
            Self::Fields(faults) => {
                let told = faults.iter().map(|(path, fault)| (path.clone(), fault.words(t).into()));
                Some(told.collect())
            }
            Self::Unknown(what) => {
                let (path, words) = match what {
                    Unknown::Channel => ("channel", t.api_unknown_channel()),
                    Unknown::Template => ("template", t.api_unknown_template()),
                    Unknown::Contact => ("to.contact", t.api_unknown_contact()),
                    Unknown::Agent => ("agent", t.api_unknown_agent()),
                };
                Some(BTreeMap::from([(path.to_owned(), words.into())]))
            }
            Self::Web(_)
            | Self::NoToken
            | Self::BadToken
            | Self::ScopeMissing(_)
            | Self::BrokenJson
            | Self::NotJson
            | Self::KeyReused => None,
        }
    }

    /// The problem in the reader's language.
    pub fn problem(&self, visit: &Visit) -> Problem {
        let fields = self.fields(visit.t());
        Problem {
            kind: problem_type(self.code()),
            title: self.title(visit.t()).into(),
            status: self.status().as_u16(),
            code: self.code().to_owned(),
            correlation_id: visit.correlation_id.clone(),
            detail: fields.as_ref().map(|fields| Sentence::of_fields(fields, visit.t())),
            fields,
        }
    }

    /// The answer in the reader's language.
    pub fn answer(&self, visit: &Visit) -> HttpResponse {
        match self {
            // The words of pages speak of pages.
            Self::Web(WebError::NotFound) => {}
            Self::Web(error) => return error.answer(visit, None),
            _ => {}
        }
        let mut response = HttpResponse::build(self.status());
        match self {
            Self::NoToken => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"janela\""));
            }
            Self::BadToken => {
                let challenge = "Bearer realm=\"janela\", error=\"invalid_token\"";
                response.insert_header((WWW_AUTHENTICATE, challenge));
            }
            Self::ScopeMissing(scope) => {
                let challenge = format!(
                    "Bearer realm=\"janela\", error=\"insufficient_scope\", scope=\"{}\"",
                    scope.as_str()
                );
                response.insert_header((WWW_AUTHENTICATE, challenge));
            }
            _ => {}
        }
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(self.problem(visit))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// Bare: [`crate::error::dress`] gives it its body.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status())
    }
}

impl Fault {
    fn words(self, t: Words) -> String {
        match self {
            Self::Missing => t.api_field_missing(),
            Self::UnknownField => t.api_field_unknown(),
            Self::Twice => t.api_field_twice(),
            Self::NotAnObject => t.api_field_not_an_object(),
            Self::NotText => t.api_field_not_text(),
            Self::NullCharacter => t.api_field_null_character(),
            Self::NotOneRecipient => t.api_field_recipient(),
            Self::Unscheduled => t.api_field_unscheduled(),
            Self::Limit => t.api_field_limit(),
            Self::Cursor => t.api_field_cursor(),
            Self::Key => t.api_field_key(),
            Self::Wish => t.api_field_wish(),
            Self::ReasonTooLong => t.api_field_reason_too_long(),
        }
    }
}

/// The `type` of a problem.
pub fn problem_type(code: &str) -> String {
    format!("urn:janela:problem:{code}")
}

/// Why a request was not answered as asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:janela:problem:fields_invalid")]
    pub kind: String,
    /// For people, in the language of `Accept-Language`.
    #[schema(value_type = String)]
    pub title: Sentence,
    /// The status of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// The last part of `type`, for programs.
    pub code: String,
    /// Names the request in the log of the installation.
    pub correlation_id: String,
    /// What is wrong, in full, where `title` does not say it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub detail: Option<Sentence>,
    /// What is wrong with which field, by its path such as `to.contact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<BTreeMap<String, String>>)]
    pub fields: Option<BTreeMap<String, Sentence>>,
}
