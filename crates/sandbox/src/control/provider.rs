//! `/control/numbers` and `/control/templates`: what the platform decides.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem;
use crate::core::Core;
use crate::number::{Limit, Rating};

#[derive(Debug, Deserialize)]
struct QualityOrder {
    rating: String,
}

#[derive(Debug, Deserialize)]
struct LimitOrder {
    /// A count of customers, `TIER_2K`, `unlimited` or null for none told.
    #[serde(default)]
    limit: Value,
}

#[derive(Debug, Deserialize)]
struct ThroughputOrder {
    /// Messages per second.
    mps: u32,
}

#[derive(Debug, Deserialize)]
struct TemplateOrder {
    /// Every language when absent.
    #[serde(default)]
    language: Option<String>,
    status: String,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/numbers", web::get().to(list_numbers))
        .route("/numbers/{id}/quality", web::post().to(submit_quality))
        .route("/numbers/{id}/limit", web::post().to(submit_limit))
        .route("/numbers/{id}/throughput", web::post().to(submit_throughput))
        .route("/templates/{name}/status", web::post().to(submit_template_status));
}

async fn list_numbers(core: Data<Core>) -> HttpResponse {
    HttpResponse::Ok().json(core.act(|state, _| {
        let number = |number: &crate::number::Number| {
            json!({
                "id": number.seed.phone_number_id,
                "waba_id": number.seed.waba_id,
                "display_phone_number": number.seed.display_phone_number,
                "verified_name": number.seed.verified_name,
                "rating": number.rating,
                "limit": number.limit.map(Limit::tier),
            })
        };
        state.numbers.values().map(number).collect::<Vec<Value>>()
    }))
}

async fn submit_quality(
    core: Data<Core>,
    id: Path<String>,
    order: Json<QualityOrder>,
) -> HttpResponse {
    let Some(rating) = Rating::parse(&order.rating) else {
        return unprocessable("rating is GREEN, YELLOW, RED or UNKNOWN");
    };
    known(core.act(|state, _| state.set_rating(&id, rating)), json!({ "rating": rating }))
}

async fn submit_limit(core: Data<Core>, id: Path<String>, order: Json<LimitOrder>) -> HttpResponse {
    let Some(limit) = read_limit(&order.limit) else {
        return unprocessable("limit is a number of customers, TIER_2K, unlimited or null");
    };
    let done = core.act(|state, now_ms| state.set_limit(&id, limit, now_ms));
    known(done, json!({ "limit": limit.map(Limit::tier) }))
}

async fn submit_throughput(
    core: Data<Core>,
    id: Path<String>,
    order: Json<ThroughputOrder>,
) -> HttpResponse {
    if order.mps == 0 {
        return unprocessable("mps is at least 1");
    }
    let done = core.act(|state, now_ms| state.set_throughput(&id, order.mps, now_ms));
    known(done, json!({ "mps": order.mps }))
}

async fn submit_template_status(
    core: Data<Core>,
    name: Path<String>,
    order: Json<TemplateOrder>,
) -> HttpResponse {
    let Some(status) = read_status(&order.status) else {
        return unprocessable(
            "status is approve, reject, pause, disable or a status of the platform",
        );
    };
    let language = order.language.as_deref().map(|language| language.replace('-', "_"));
    let changed = core
        .act(|state, now_ms| state.set_template_status(&name, language.as_deref(), status, now_ms));
    known(0 < changed, json!({ "status": status, "changed": changed }))
}

/// Reads the wish as what to do or as what it becomes, in any case.
fn read_status(text: &str) -> Option<&'static str> {
    match text.to_ascii_uppercase().as_str() {
        "APPROVE" | "APPROVED" | "UNPAUSE" | "RESUME" => Some("APPROVED"),
        "REJECT" | "REJECTED" => Some("REJECTED"),
        "PAUSE" | "PAUSED" => Some("PAUSED"),
        "DISABLE" | "DISABLED" => Some("DISABLED"),
        "PENDING" => Some("PENDING"),
        "IN_APPEAL" => Some("IN_APPEAL"),
        "PENDING_DELETION" => Some("PENDING_DELETION"),
        "DELETED" => Some("DELETED"),
        "LIMIT_EXCEEDED" => Some("LIMIT_EXCEEDED"),
        "FLAGGED" => Some("FLAGGED"),
        "REINSTATED" => Some("REINSTATED"),
        "ARCHIVED" => Some("ARCHIVED"),
        _ => None,
    }
}

/// `Some(None)` is no limit told, `None` is not understood.
fn read_limit(value: &Value) -> Option<Option<Limit>> {
    match value {
        Value::Null => Some(None),
        Value::Number(number) if number.as_i64() == Some(-1) => Some(Some(Limit::Unlimited)),
        Value::Number(number) => number
            .as_u64()
            .and_then(|users| u32::try_from(users).ok())
            .map(|n| Some(Limit::Users(n))),
        Value::String(text) => {
            let word = text.to_ascii_uppercase();
            let word = word.strip_prefix("TIER_").unwrap_or(&word);
            if word == "UNLIMITED" {
                return Some(Some(Limit::Unlimited));
            }
            let (digits, factor) =
                word.strip_suffix('K').map_or((word, 1), |digits| (digits, 1_000));
            let users = digits.parse::<u32>().ok()?.checked_mul(factor)?;
            Some(Some(Limit::Users(users)))
        }
        _ => None,
    }
}

fn known(is_known: bool, answer: Value) -> HttpResponse {
    if is_known {
        HttpResponse::Ok().json(answer)
    } else {
        problem(StatusCode::NOT_FOUND, "there is no such number or template")
    }
}

fn unprocessable(text: &str) -> HttpResponse {
    problem(StatusCode::UNPROCESSABLE_ENTITY, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_as_numbers_words_or_none() {
        let cases = [
            (json!(null), Some(None)),
            (json!(250), Some(Some(Limit::Users(250)))),
            (json!("TIER_2K"), Some(Some(Limit::Users(2_000)))),
            (json!("1000"), Some(Some(Limit::Users(1_000)))),
            (json!("unlimited"), Some(Some(Limit::Unlimited))),
            (json!(-1), Some(Some(Limit::Unlimited))),
            (json!(-2), None),
            (json!("lots"), None),
            (json!([]), None),
        ];
        for (value, limit) in cases {
            assert_eq!(read_limit(&value), limit, "{value}");
        }
    }
}
