//! What every message of the API looks like, in each language.

use chrono::DateTime;
use domain::{
    active_message::ActiveMessageState,
    admission::{Refusal, RefusalCode},
    channel::{ChannelKind, MediaProblem},
    delivery::{self, DeliveryEvent, DeliveryEventKind, EventSource, Failure},
    ids::{ChannelId, ChatbotId, MessageId, TemplateId},
    phone::PhoneNumberProblem,
    policy::Policy,
    template::{
        MediaKind, MessageTemplate, TemplateCategory, TemplateContent, TemplateStatus,
        VariableName, VariableProblem, VariableProblemCode,
    },
};
use persistence::{
    admission::{Door, Forecast, Recipient},
    api::{SendTarget, SentMessage, Unknown},
    api_token::ApiScope,
};
use serde_json::Value;

use super::{
    active_message::{
        answer::ActiveMessageAnswer,
        media::MediaProblems,
        verdict::{CheckAnswer, Verdict},
    },
    json::Faults,
    problem::{ApiError, Fault},
};
use crate::{
    error::WebError,
    locale::{Locale, isolated},
    theme::Theme,
    visit::{Reader, Visit},
};

fn visit(locale: Locale) -> Visit {
    Visit {
        locale,
        theme: Theme::System,
        zone: chrono_tz::America::Sao_Paulo,
        now: DateTime::from_timestamp_millis(1_795_366_920_122).unwrap(),
        path: "/api/v1/active-messages".to_owned(),
        reader: Reader::Api,
        correlation_id: String::new(),
    }
}

fn target(to: Recipient) -> SendTarget {
    let template = MessageTemplate {
        id: TemplateId(12),
        account_id: "2001".to_owned(),
        name: "offer".to_owned(),
        language: "en".to_owned(),
        category: TemplateCategory::Utility,
        status: TemplateStatus::Approved,
        named_parameters: true,
        content: TemplateContent {
            header: None,
            body: "Hi {{name}}".to_owned(),
            footer: None,
            buttons: Vec::new(),
        },
    };
    SendTarget {
        channel: ChannelId(1),
        kind: ChannelKind::WhatsApp,
        chatbot: ChatbotId(1),
        chatbot_name: "Sales Brazil".to_owned(),
        cap_sends: 3,
        template,
        to,
        agent: None,
    }
}

/// Everything that can stand against a send, at once.
fn verdict(visit: &Visit, media: &MediaProblems) -> Verdict {
    let wrong = |code: VariableProblemCode| VariableProblem {
        name: VariableName(code.as_str().to_owned()),
        code,
    };
    let forecast = Forecast {
        reasons: RefusalCode::ALL
            .map(|code| Refusal { code, until: Some(visit.now + chrono::TimeDelta::hours(17)) })
            .to_vec(),
        until: None,
        variable_problems: vec![
            wrong(VariableProblemCode::Missing),
            wrong(VariableProblemCode::UnknownVariable),
            wrong(VariableProblemCode::TooLong { most: 60 }),
            wrong(VariableProblemCode::Newline),
            wrong(VariableProblemCode::Tab),
            wrong(VariableProblemCode::TooManySpaces),
            wrong(VariableProblemCode::ControlCharacter),
            wrong(VariableProblemCode::Placeholder),
            wrong(VariableProblemCode::UnknownField),
            wrong(VariableProblemCode::EmptyField),
            wrong(VariableProblemCode::NotAUrl),
            wrong(VariableProblemCode::MediaRefused),
            wrong(VariableProblemCode::NotACoordinate),
        ],
    };
    let to = Recipient::NoNumber(PhoneNumberProblem::Invalid);
    Verdict::new(forecast, media, &target(to), None, visit)
}

fn media_problems() -> MediaProblems {
    let found = |found: &str| MediaProblem::WrongKind { found: found.to_owned() };
    let problems = [
        MediaProblem::NotAUrl,
        MediaProblem::Forbidden,
        MediaProblem::Unreachable,
        MediaProblem::Missing,
        MediaProblem::Refused { status: 302 },
        MediaProblem::Refused { status: 403 },
        MediaProblem::Refused { status: 503 },
        found("application/pdf"),
        found("application/x-unheard-of"),
        MediaProblem::TooLarge { limit: 5 * 1024 * 1024 },
    ];
    let named = |(index, problem)| (format!("header_{index}"), (MediaKind::Image, problem));
    problems.into_iter().enumerate().map(named).collect()
}

fn failed(code: &str, visit: &Visit) -> ActiveMessageAnswer {
    let event = |kind, seconds| DeliveryEvent {
        kind,
        at: visit.now + chrono::TimeDelta::seconds(seconds),
        source: EventSource::Platform,
    };
    let events = vec![event(DeliveryEventKind::Failed(Failure::from_code(code)), 2)];
    let policy = Policy::default_profile().active_messages;
    let message = SentMessage {
        id: MessageId(4711),
        chatbot_name: "Sales Brazil".to_owned(),
        queued_at: visit.now,
        door: Door::Api,
        life: delivery::fold(&events, visit.now, &policy, visit.now),
        events,
    };
    ActiveMessageAnswer::new(&message, visit)
}

fn errors() -> Vec<ApiError> {
    let faults = [
        Fault::Missing,
        Fault::UnknownField,
        Fault::Twice,
        Fault::NotAnObject,
        Fault::NotText,
        Fault::NullCharacter,
        Fault::NotOneRecipient,
        Fault::Unscheduled,
        Fault::Limit,
        Fault::Cursor,
        Fault::Key,
        Fault::Wish,
        Fault::ReasonTooLong,
    ];
    let named = faults.into_iter().enumerate().map(|(index, it)| (format!("field_{index}"), it));
    let mut errors = vec![
        ApiError::Web(WebError::NotFound),
        ApiError::NoToken,
        ApiError::BadToken,
        ApiError::BrokenJson,
        ApiError::NotJson,
        ApiError::Fields(named.collect::<Faults>()),
        ApiError::KeyReused,
    ];
    errors.extend(ApiScope::ALL.map(ApiError::ScopeMissing));
    let unknown = [Unknown::Channel, Unknown::Template, Unknown::Contact, Unknown::Agent];
    errors.extend(unknown.map(ApiError::Unknown));
    errors
}

/// Every answer that carries words for people.
fn all_answers(visit: &Visit) -> Vec<Value> {
    let json = |it: serde_json::Result<Value>| it.unwrap();
    let media = media_problems();
    let mut answers = vec![
        json(serde_json::to_value(verdict(visit, &media).problem(visit))),
        json(serde_json::to_value(CheckAnswer::from(verdict(visit, &media)))),
    ];
    let platform = ["131026", "131047", "131048", "131049", "131050", "132001", "999"];
    let own = ["outcome_unknown", "not_sent_in_time", "session_expired"];
    let codes = RefusalCode::ALL.map(RefusalCode::as_str);
    answers.extend(
        platform
            .into_iter()
            .chain(own)
            .chain(codes)
            .map(|code| json(serde_json::to_value(failed(code, visit)))),
    );
    answers.extend(errors().iter().map(|it| json(serde_json::to_value(it.problem(visit)))));
    answers
}

#[test]
fn c22_no_message_of_the_api_carries_marks_of_writing_direction() {
    for locale in Locale::iter() {
        let visit = visit(*locale);
        for answer in all_answers(&visit) {
            let is_mark = |character| matches!(character, '\u{2066}'..='\u{2069}');
            assert!(!answer.to_string().contains(is_mark), "{answer}");
        }
    }
    let words = crate::compose::media_problem(
        &MediaProblem::WrongKind { found: "application/x-unheard-of".to_owned() },
        MediaKind::Image,
        Locale::En.words(),
    );
    assert!(words.contains(&isolated("application/x-unheard-of")), "pages keep them: {words}");
}

#[test]
fn am_07_a_refusal_tells_its_cause_wherever_it_is_read() {
    let visit = visit(Locale::En);
    let cause = "header: There is no file at this address (404). Check it.";
    let media =
        MediaProblems::from([("header".to_owned(), (MediaKind::Image, MediaProblem::Missing))]);
    let forecast = || Forecast {
        reasons: vec![Refusal { code: RefusalCode::VariablesInvalid, until: None }],
        until: None,
        variable_problems: vec![VariableProblem {
            name: VariableName("header".to_owned()),
            code: VariableProblemCode::MediaRefused,
        }],
    };
    let to = target(Recipient::Contact(domain::ids::ContactId(57)));
    let verdict = || Verdict::new(forecast(), &media, &to, None, &visit);
    let problem = serde_json::to_value(verdict().problem(&visit)).unwrap();
    let message = format!("Variables to correct. {cause}");
    assert_eq!(
        (&problem["detail"], &problem["reasons"][0]["message"]),
        (&Value::from(message.as_str()), &Value::from(message.as_str()))
    );
    assert_eq!(problem["fields"]["header"], "There is no file at this address (404). Check it");
    let checked = serde_json::to_value(CheckAnswer::from(verdict())).unwrap();
    assert_eq!(checked["reasons"][0]["message"], message);
}

#[test]
fn a_problem_with_fields_says_in_its_detail_what_is_wrong_with_which() {
    let faults = Faults::from([
        ("to.contact".to_owned(), Fault::NotText),
        (String::new(), Fault::NotAnObject),
    ]);
    let problem = ApiError::Fields(faults).problem(&visit(Locale::En));
    let problem = serde_json::to_value(problem).unwrap();
    assert_eq!(problem["detail"], "This must be an object. to.contact: This must be a string.");
}

#[test]
fn li_02_the_history_of_a_send_never_goes_back() {
    let visit = visit(Locale::En);
    let receipt = |kind| DeliveryEvent {
        kind,
        at: DateTime::from_timestamp_millis(1_795_366_920_000).unwrap(),
        source: EventSource::Platform,
    };
    let events = vec![receipt(DeliveryEventKind::Delivered), receipt(DeliveryEventKind::Sent)];
    let policy = Policy::default_profile().active_messages;
    let message = SentMessage {
        id: MessageId(4711),
        chatbot_name: "Sales Brazil".to_owned(),
        queued_at: visit.now,
        door: Door::Api,
        life: delivery::fold(&events, visit.now, &policy, visit.now),
        events,
    };
    assert_eq!(message.life.state, ActiveMessageState::Delivered);
    let answer = serde_json::to_value(ActiveMessageAnswer::new(&message, &visit)).unwrap();
    let told: Vec<(&str, &str)> = answer["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["state"].as_str().unwrap(), entry["at"].as_str().unwrap()))
        .collect();
    let at = "2026-11-22T17:02:00.122Z";
    assert_eq!(told, [("sending", at), ("sent", at), ("delivered", at)]);
}
