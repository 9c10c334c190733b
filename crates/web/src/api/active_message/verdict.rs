//! What admission says, in words: a refusal, or the answer to a check.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
};
use domain::{
    admission::{Refusal, RefusalCode},
    phone::PhoneNumberProblem,
    template::VariableProblem,
};
use persistence::{
    admission::{Forecast, Recipient},
    api::SendTarget,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::media::MediaProblems;
use crate::{
    api::{
        instant,
        problem::{PROBLEM_JSON, problem_type},
        sentence::Sentence,
    },
    compose::{media_problem, number_problem, variable_problem},
    locale::isolated,
    refusal::{RefusalView, Surroundings},
    visit::Visit,
};

/// One thing that stands against a send.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// Such as `agent_contact_cap`.
    code: &'static str,
    /// What stands against it and what to do, as a sentence.
    #[schema(value_type = String)]
    message: Sentence,
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
    /// What is wrong with which variable, and with `to.phone`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false, value_type = BTreeMap<String, String>)]
    fields: BTreeMap<String, Sentence>,
}

/// A send that may not go now; nothing was consumed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalProblem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:janela:problem:refused")]
    kind: String,
    /// The first reason, in a few words.
    #[schema(value_type = String)]
    title: Sentence,
    /// What stands against it and what to do, every reason in full.
    #[schema(value_type = String)]
    detail: Sentence,
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
    /// What is wrong with which variable, and with `to.phone`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false, value_type = BTreeMap<String, String>)]
    fields: BTreeMap<String, Sentence>,
}

/// What admission says, in words.
pub struct Verdict {
    reasons: Vec<Reason>,
    title: Sentence,
    until: Option<String>,
    fields: ToldFields,
}

/// What is wrong with which field, by its name.
type ToldFields = BTreeMap<String, Sentence>;

impl Verdict {
    /// What was found at the addresses of `media`, what is wrong with a phone number, and which agent is
    /// `lacking` the permission, is told in its own words.
    pub fn new(
        forecast: Forecast,
        media: &MediaProblems,
        target: &SendTarget,
        lacking: Option<&str>,
        visit: &Visit,
    ) -> Self {
        let Forecast { reasons, until, variable_problems } = forecast;
        let mut fields = told_variables(&variable_problems, media, visit);
        let recipient = told_recipient(&target.to, visit);
        let surroundings =
            Surroundings { chatbot: &target.chatbot_name, cap_sends: target.cap_sends };
        let viewer = visit.viewer();
        let views = reasons.iter().map(|reason| {
            let view = RefusalView::new(*reason, surroundings, &viewer);
            match lacking {
                Some(agent) if reason.code == RefusalCode::NotPermitted => RefusalView {
                    headline: visit.t().api_agent_lacking(isolated(agent)),
                    why: visit.t().api_agent_lacking_why(isolated(&target.chatbot_name)),
                    ..view
                },
                Some(_) | None => view,
            }
        });
        let views: Vec<RefusalView> = views.collect();
        let told = reasons.iter().zip(&views).map(|(refusal, view)| {
            let causes = match refusal.code {
                RefusalCode::VariablesInvalid => &fields,
                RefusalCode::ContactUnreachable => &recipient,
                _ => &ToldFields::new(),
            };
            Reason::new(*refusal, view, causes, visit)
        });
        let told = told.collect();
        fields.extend(recipient);
        Self {
            title: views.first().map(|view| view.headline.clone()).unwrap_or_default().into(),
            until: until.filter(|_| !reasons.is_empty()).map(instant),
            reasons: told,
            fields,
        }
    }

    /// The refusal as an answer.
    pub fn refuse(self, visit: &Visit) -> HttpResponse {
        let problem = self.problem(visit);
        HttpResponse::Conflict().insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(problem)
    }

    /// The refusal.
    pub fn problem(self, visit: &Visit) -> RefusalProblem {
        let detail: Vec<&str> = self.reasons.iter().map(|it| it.message.as_str()).collect();
        RefusalProblem {
            kind: problem_type("refused"),
            title: self.title,
            detail: detail.join(" ").into(),
            status: StatusCode::CONFLICT.as_u16(),
            code: self.reasons.first().map_or("refused", |reason| reason.code),
            correlation_id: visit.correlation_id.clone(),
            reasons: self.reasons,
            until: self.until,
            fields: self.fields,
        }
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
    /// What is known of the cause is told instead of what it may be.
    fn new(refusal: Refusal, view: &RefusalView, causes: &ToldFields, visit: &Visit) -> Self {
        let message = if causes.is_empty() {
            view.sentence().into()
        } else {
            let causes = Sentence::of_fields(causes, visit.t());
            format!("{}. {}", view.headline, causes.as_str()).into()
        };
        Self { code: view.code, message, until: refusal.until.map(instant) }
    }
}

/// What is wrong with the phone number that was named, if it is none.
fn told_recipient(to: &Recipient, visit: &Visit) -> ToldFields {
    match to {
        Recipient::NoNumber(problem) => {
            // The words for an empty field ask for a name, too.
            let problem = match problem {
                PhoneNumberProblem::Empty => PhoneNumberProblem::TooShort,
                problem => *problem,
            };
            let words = number_problem(problem, visit.t());
            ToldFields::from([("to.phone".to_owned(), words.into())])
        }
        Recipient::Contact(_) | Recipient::Phone(_) => ToldFields::new(),
    }
}

fn told_variables(
    problems: &[VariableProblem],
    media: &MediaProblems,
    visit: &Visit,
) -> ToldFields {
    let t = visit.t();
    let mut fields = ToldFields::new();
    for problem in problems {
        let words = variable_problem(problem.code, t);
        fields.entry(problem.name.0.clone()).or_insert_with(|| words.into());
    }
    // What the server found at the address says more than the rules, which judge its form alone.
    let found = media.iter();
    fields
        .extend(found.map(|(name, (kind, problem))| {
            (name.clone(), media_problem(problem, *kind, t).into())
        }));
    fields
}
