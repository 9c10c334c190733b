//! `GET /{waba}/message_templates` and `GET /{template}` (protocol, 3.1).

use serde_json::{Value, json};

use super::error::GraphError;
use super::paging::ListQuery;
use crate::state::State;
use crate::template::Template;

/// What comes without `fields`.
const USUAL: [&str; 7] =
    ["id", "name", "language", "status", "category", "components", "parameter_format"];
/// So many templates a verified account may have.
const ACCOUNT_MAX: usize = 6_000;

/// The templates of the account that pass the filters, in pages.
pub(super) fn list(
    state: &State,
    account: &str,
    query: &ListQuery,
    address: &str,
) -> Result<Value, GraphError> {
    let own: Vec<&Template> =
        state.templates.iter().filter(|template| template.seed.waba_id == account).collect();
    let passing: Result<Vec<Value>, GraphError> = own
        .iter()
        .filter(|template| passes(template, query))
        .map(|template| query.select(&node(template), &USUAL))
        .collect();
    let passing = passing?;
    let total = passing.len();
    let mut page = query.page(passing, address)?;
    if let (Some(_), Some(fields)) = (query.get("summary"), page.as_object_mut()) {
        let summary = json!({
            "total_count": total,
            "message_template_count": own.len(),
            "message_template_limit": ACCOUNT_MAX,
            "are_translations_complete": true,
        });
        fields.insert("summary".to_owned(), summary);
    }
    Ok(page)
}

/// The template at `place` of the list, with the fields asked for.
pub(super) fn show(state: &State, place: usize, query: &ListQuery) -> Result<Value, GraphError> {
    let template = state.templates.get(place).ok_or_else(|| GraphError::unknown_object(""))?;
    query.select(&node(template), &USUAL)
}

/// Every filter of several values lets one of them pass; texts match in part, the others as whole words.
fn passes(template: &Template, query: &ListQuery) -> bool {
    let seed = &template.seed;
    let word = |filter: &str, value: &str| {
        query
            .filter(filter)
            .is_none_or(|wanted| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)))
    };
    let holds = |text: &str, wanted: &str| text.to_lowercase().contains(&wanted.to_lowercase());
    let body = || seed.components.to_string();
    word("status", &seed.status)
        && word("category", &seed.category)
        && word("language", &seed.language)
        && word("quality_score", &template.quality)
        && query.get("name").is_none_or(|wanted| holds(&seed.name, wanted))
        && query.get("content").is_none_or(|wanted| holds(&body(), wanted))
        && query
            .get("name_or_content")
            .is_none_or(|wanted| holds(&seed.name, wanted) || holds(&body(), wanted))
}

fn node(template: &Template) -> Value {
    let seed = &template.seed;
    json!({
        "id": template.id.to_string(),
        "name": seed.name,
        "language": seed.language,
        "status": seed.status,
        "category": seed.category,
        "components": seed.components,
        "parameter_format": seed.parameter_format,
        "quality_score": { "score": template.quality, "date": 1_788_913_600 },
        "rejected_reason": template.rejected_reason,
        "previous_category": null,
        "correct_category": null,
        "message_send_ttl_seconds": template.ttl_seconds,
        "library_template_name": null,
        "cta_url_link_tracking_opted_out": null,
        "sub_category": null,
        "degrees_of_freedom_spec": null,
        "allow_category_change": null,
    })
}
