//! What admission says, in words: a refusal, or the answer to a check.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
};
use domain::{admission::Refusal, template::VariableProblem};
use persistence::{admission::Forecast, api::SendTarget};
use serde::Serialize;
use utoipa::ToSchema;

use super::media::MediaProblems;
use crate::{
    api::{
        instant,
        problem::{PROBLEM_JSON, problem_type},
    },
    compose::{media_problem, variable_problem},
    refusal::{RefusalView, Surroundings},
    visit::Visit,
};

/// One thing that stands against a send.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// Such as `agent_contact_cap`.
    code: &'static str,
    /// What stands against it and what to do, as a sentence.
    message: String,
    /// From when this reason alone no longer holds; null when waiting does not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
}

/// What admission would say.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// Whether it may be sent now.
    allowed: bool,
    /// In the order of the rules; empty when it may be sent.
    reasons: Vec<Reason>,
    /// From when the whole send may go if nothing else happens; null when it may now, and when waiting does
    /// not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
    /// What is wrong with which variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    fields: BTreeMap<String, String>,
}

/// A send that may not go now; nothing was consumed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalProblem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:janela:problem:refused")]
    kind: String,
    /// The first reason, in a few words.
    title: String,
    /// 409.
    #[schema(example = 409)]
    status: u16,
    /// The first reason's code.
    code: &'static str,
    /// Names the request in the log of the installation.
    correlation_id: String,
    /// Everything that stands against it, in the order of the rules.
    reasons: Vec<Reason>,
    /// From when the whole send may go if nothing else happens; null when waiting does not help.
    #[schema(required = true, format = DateTime, example = "2026-11-23T12:00:00.000Z")]
    until: Option<String>,
    /// What is wrong with which variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    fields: BTreeMap<String, String>,
}

/// What admission says, in words.
pub struct Verdict {
    reasons: Vec<Reason>,
    title: String,
    until: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Verdict {
    /// What was found at the addresses of `media` is told in its own words.
    pub fn new(
        forecast: Forecast,
        media: &MediaProblems,
        target: &SendTarget,
        visit: &Visit,
    ) -> Self {
        let Forecast { reasons, until, variable_problems } = forecast;
        let fields = told_fields(&variable_problems, media, visit);
        let surroundings =
            Surroundings { chatbot: &target.chatbot_name, cap_sends: target.cap_sends };
        let viewer = visit.viewer();
        let views = reasons.iter().map(|reason| RefusalView::new(*reason, surroundings, &viewer));
        let views: Vec<RefusalView> = views.collect();
        Self {
            title: views.first().map(|view| view.headline.clone()).unwrap_or_default(),
            until: until.filter(|_| !reasons.is_empty()).map(instant),
            reasons: reasons.iter().zip(&views).map(|(it, view)| Reason::new(*it, view)).collect(),
            fields,
        }
    }

    /// The refusal as an answer.
    pub fn refuse(self, visit: &Visit) -> HttpResponse {
        let code = self.reasons.first().map_or("refused", |reason| reason.code);
        let problem = RefusalProblem {
            kind: problem_type("refused"),
            title: self.title,
            status: StatusCode::CONFLICT.as_u16(),
            code,
            correlation_id: visit.correlation_id.clone(),
            reasons: self.reasons,
            until: self.until,
            fields: self.fields,
        };
        HttpResponse::Conflict().insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(problem)
    }
}

impl From<Verdict> for CheckAnswer {
    fn from(verdict: Verdict) -> Self {
        Self {
            allowed: verdict.reasons.is_empty(),
            reasons: verdict.reasons,
            until: verdict.until,
            fields: verdict.fields,
        }
    }
}

impl Reason {
    fn new(refusal: Refusal, view: &RefusalView) -> Self {
        let message = view.sentence();
        Self { code: view.code, message, until: refusal.until.map(instant) }
    }
}

fn told_fields(
    problems: &[VariableProblem],
    media: &MediaProblems,
    visit: &Visit,
) -> BTreeMap<String, String> {
    let t = visit.t();
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for problem in problems {
        let words = variable_problem(problem.code, t);
        fields.entry(problem.name.0.clone()).or_insert(words);
    }
    // What the server found at the address says more than the rules, which judge its form alone.
    let found = media.iter();
    fields.extend(
        found.map(|(name, (kind, problem))| (name.clone(), media_problem(problem, *kind, t))),
    );
    fields
}
