//! The dialog as it is shown: display-ready, one struct for all three steps.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use domain::{
    admission::RefusalCode,
    phone::{PhoneNumberProblem, country_as_typed},
    template::VariableName,
};
use persistence::{admission::Forecast, compose::SendingNumber};

use super::{
    fields::{ValueFieldView, VariableField, summary, value_fields, variable_fields},
    form::{ComposeForm, Focus, Go, Step, recipient_word},
    lists::{
        Choice, TemplateLine, chatbot_choices, language_choices, number_choices, shown_number,
        template_lines,
    },
    load::{Halt, Loaded},
    people::{
        Chip, PersonLine, chips, conversation_with, name_of, people_lines, surroundings, why_not,
    },
    preview::Preview,
    words,
};
use crate::{
    error::{WebError, toast_header},
    form::{Problems, html},
    locale::{Words, isolated},
    moment::Viewer,
    page::{Page, Toast},
    refusal::RefusalView,
    session::Session,
};

/// The dialog, or the page it is without script.
#[derive(Template)]
#[template(path = "compose/compose.html")]
pub struct ComposePage {
    t: Words,
    page: Page,
    status: StatusCode,
    in_dialog: bool,
    step: &'static str,
    steps: Vec<StepView>,
    /// Fields of the other steps, and of what is chosen.
    hidden: Vec<(String, String)>,
    /// What keeps the agent from sending at all: shown instead of the steps.
    obstacle: Option<Obstacle>,
    presence: PresenceNotice,
    focus: Focus,
    /// Whether this is a message left unfinished before.
    is_resumed: bool,
    problems: Problems,
    refused: Option<RefusedView>,
    key_reused: bool,
    clock_jumped: bool,
    chatbots: Vec<Choice>,
    numbers: Vec<Choice>,
    languages: Vec<Choice>,
    q: String,
    templates: Vec<TemplateLine>,
    to: String,
    to_hint: String,
    to_problem: Option<String>,
    /// What stands where people would, when there are none.
    nobody: Nobody,
    chips: Vec<Chip>,
    people: Vec<PersonLine>,
    variables: Vec<VariableField>,
    value_fields: Vec<ValueFieldView>,
    preview: Option<Preview>,
    foot: String,
    /// The conversation that what stands at the foot depends on; `None` while nobody is chosen.
    standing_of: Option<String>,
}

struct StepView {
    name: String,
    done: bool,
    current: bool,
}

struct Obstacle {
    title: String,
    text: String,
    /// Whether going online mends it.
    presence: bool,
}

/// Whether the agent takes part, kept true while the dialog is open (AM-01).
struct PresenceNotice {
    /// The live event of the agent's own presence.
    event: String,
    /// Why nothing can be sent now, and what stays; `None` while the agent is online.
    not_online: Option<(String, String)>,
    /// Whether a send was refused for it.
    refused: bool,
}

/// Why no people are shown.
struct Nobody {
    icon: &'static str,
    title: String,
    text: String,
}

struct RefusedView {
    reasons: Vec<RefusalView>,
    /// From when the whole send may go, as a sentence (CL-05); `None` where the reasons say what to wait for.
    until: Option<String>,
}

/// What came of the turn besides what was read.
#[derive(Default)]
pub struct Aftermath {
    /// Why it goes no further.
    pub halt: Option<Halt>,
    /// Problems of variables, by variable, in words.
    pub problems: Vec<(VariableName, String)>,
    /// Whether the problems stand on top too, or at their fields only.
    pub summarise: bool,
    /// Whether a send was asked for and is refused for the problems.
    pub refuses: bool,
    /// What admission refused.
    pub refused: Option<Forecast>,
    /// Whether the key was used for another request.
    pub key_reused: bool,
    /// Whether nothing is decided now because the wall clock jumped (JO-05). The same press may pass later.
    pub clock_jumped: bool,
}

impl ComposePage {
    /// The page of `form` as `loaded`.
    pub fn new(
        page: Page,
        session: &Session,
        form: &ComposeForm,
        loaded: &Loaded,
        after: &Aftermath,
    ) -> Self {
        let viewer = page.viewer;
        let t = viewer.words();
        let problems = summary(form, loaded, after, t);
        let has_problems = after.summarise && !after.problems.is_empty();
        let mut shown = Self {
            t,
            status: status_of(after),
            page: if has_problems { page.with_problems() } else { page },
            in_dialog: form.in_dialog,
            step: form.step.as_str(),
            steps: steps(form.step, t),
            hidden: hidden_fields(form, loaded),
            obstacle: None,
            presence: PresenceNotice::new(session, after, t),
            focus: form.focus(loaded.has_chosen),
            is_resumed: form.go == Go::Resume,
            problems,
            refused: None,
            key_reused: after.key_reused,
            clock_jumped: after.clock_jumped,
            chatbots: chatbot_choices(loaded),
            numbers: number_choices(loaded),
            languages: language_choices(form, loaded, t),
            q: form.q.clone(),
            templates: template_lines(loaded, &viewer),
            to: form.to.clone(),
            to_hint: to_hint(form, t),
            to_problem: typing_problem(form, t),
            nobody: nobody(form, loaded, t),
            chips: chips(loaded, &viewer),
            people: people_lines(loaded, &viewer),
            variables: variable_fields(form, loaded, after, &viewer),
            value_fields: value_fields(loaded, t),
            preview: Preview::new(form, loaded, &viewer),
            foot: foot(loaded, &viewer),
            standing_of: loaded.recipient.as_ref().map(|it| conversation_with(it, loaded)),
        };
        if loaded.numbers.is_empty() {
            shown.obstacle = Some(Obstacle {
                title: t.compose_nowhere(),
                text: t.compose_nowhere_why(),
                presence: false,
            });
        }
        if let (Some(refused), Some(from)) = (&after.refused, &loaded.from) {
            shown.refused = RefusedView::new(refused, from, &viewer);
        }
        if let Some(halt) = &after.halt {
            shown.halt(halt, loaded);
        }
        shown
    }

    /// In place of the steps while the agent is not online (AM-01). What the address presets stays.
    pub fn not_online(page: Page, session: &Session, form: &ComposeForm, title: String) -> Self {
        let text = page.t().presence_invisible_hint();
        let mut shown = Self::new(page, session, form, &Loaded::default(), &Aftermath::default());
        let chatbot = form.chatbot.map(|id| ("chatbot".to_owned(), id.to_string()));
        shown.hidden.extend(chatbot);
        shown.obstacle = Some(Obstacle { title, text, presence: true });
        shown
    }

    /// Says why it goes no further: at the field where there is one, and as a toast (AD-07).
    fn halt(&mut self, halt: &Halt, loaded: &Loaded) {
        let t = self.t;
        let viewer = self.page.viewer;
        let text = match halt {
            Halt::NoTemplate => t.compose_choose_template(),
            Halt::TemplateNotApproved(status) => {
                words::not_approved(*status, &viewer).unwrap_or_default()
            }
            Halt::NoRecipient => t.compose_choose_recipient(),
            Halt::NotInFull(Step::Template) if self.templates.is_empty() => {
                t.compose_no_templates_why()
            }
            Halt::NotInFull(Step::Template) => t.compose_template_in_full(),
            Halt::NotInFull(_) => {
                let is_nobody = self.people.is_empty();
                let text =
                    if is_nobody { t.compose_nobody_why() } else { t.compose_person_in_full() };
                self.to_problem = Some(text.clone());
                text
            }
            Halt::NoNumber(problem) => {
                let text = words::number_problem(*problem, t);
                self.to_problem = Some(text.clone());
                text
            }
            Halt::Blocked(person) => why_not(person, loaded, &viewer)
                .map_or_else(|| t.compose_choose_recipient(), |why| why.sentence),
        };
        self.page.toast = Some(Toast { kind: "error", text });
    }

    /// Answers with the page. A fragment does not hold the toasts, so they go in a header there.
    ///
    /// # Errors
    /// When the page cannot be rendered.
    pub fn respond(self, is_fragment: bool) -> Result<HttpResponse, WebError> {
        let mut response = html(self.status, &self)?;
        if let (true, Some(toast)) = (is_fragment, &self.page.toast) {
            let (name, value) = toast_header(&toast.text, toast.kind);
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }

    fn in_step(&self, step: &str) -> bool {
        self.step == step
    }

    fn focuses_first(&self) -> bool {
        self.focus == Focus::First
    }

    fn focuses_onward(&self) -> bool {
        self.focus == Focus::Onward
    }
}

impl RefusedView {
    /// The reasons but the agent's own presence, which has its words and its switch beside them; `None`
    /// when nothing else stands against it.
    fn new(refused: &Forecast, from: &SendingNumber, viewer: &Viewer) -> Option<Self> {
        let t = viewer.words();
        let reasons: Vec<RefusalView> = refused
            .reasons
            .iter()
            .filter(|reason| reason.code != RefusalCode::AgentNotOnline)
            .map(|reason| RefusalView::new(*reason, surroundings(from), viewer))
            .collect();
        // An open ticket ends when someone closes it: no clock tells when, and its own words do.
        let until = match refused.until {
            Some(until) => {
                let left = viewer.remaining(until);
                Some(t.compose_refused_until(&left, &viewer.from_when(until).text))
            }
            None => refused
                .reasons
                .iter()
                .any(|reason| reason.code != RefusalCode::ContactHasOpenTicket)
                .then(|| t.compose_refused_for_good()),
        };
        (!reasons.is_empty()).then_some(Self { reasons, until })
    }
}

impl PresenceNotice {
    fn new(session: &Session, after: &Aftermath, t: Words) -> Self {
        let refused = after.refused.as_ref().is_some_and(|refused| {
            refused.reasons.iter().any(|reason| reason.code == RefusalCode::AgentNotOnline)
        });
        let why = if refused { t.compose_not_online_refused() } else { t.compose_not_online_why() };
        Self {
            event: format!("janela:presence-{}", session.actor.id()),
            not_online: words::not_online(session.presence, t).map(|title| (title, why)),
            refused,
        }
    }
}

fn status_of(after: &Aftermath) -> StatusCode {
    if after.clock_jumped {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if after.refused.is_some() || after.key_reused {
        return StatusCode::CONFLICT;
    }
    match after.halt {
        Some(Halt::Blocked(_) | Halt::TemplateNotApproved(_)) => StatusCode::CONFLICT,
        Some(Halt::NoTemplate | Halt::NoRecipient | Halt::NoNumber(_) | Halt::NotInFull(_)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        None if after.refuses && !after.problems.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    }
}

fn steps(current: Step, t: Words) -> Vec<StepView> {
    Step::ALL
        .into_iter()
        .map(|step| StepView {
            name: match step {
                Step::Template => t.compose_step_template(),
                Step::Recipient => t.compose_step_recipient(),
                Step::Variables => t.compose_step_variables(),
            },
            done: step < current,
            current: step == current,
        })
        .collect()
}

/// What the step itself has no field for.
fn hidden_fields(form: &ComposeForm, loaded: &Loaded) -> Vec<(String, String)> {
    let mut hidden = vec![("step".to_owned(), form.step.as_str().to_owned())];
    let mut keep = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            hidden.push((name.to_owned(), value));
        }
    };
    keep("dialog", form.in_dialog.then(|| "1".to_owned()));
    keep("template", form.template.map(|id| id.to_string()));
    keep("recipient", form.recipient.as_ref().map(recipient_word));
    keep("ticket", form.ticket.map(|id| id.to_string()));
    keep("key", Some(form.key.clone()));
    keep("author", Some(form.author.clone()));
    if form.step == Step::Template && !loaded.is_number_chosen {
        keep("offered", form.channel.map(|id| id.to_string()));
    }
    if form.step != Step::Template {
        keep("chatbot", form.chatbot.map(|id| id.to_string()));
        let chosen = form.channel.filter(|_| loaded.is_number_chosen);
        keep("channel", chosen.map(|id| id.to_string()));
        keep("q", Some(form.q.clone()));
        keep("language", Some(form.language.clone()));
    }
    let shown = shown_variables(form, loaded);
    for (name, value) in form.values.iter().filter(|(name, _)| !shown.contains(name)) {
        keep(&format!("v_{}", name.0), Some(value.clone()));
    }
    if form.step != Step::Recipient {
        keep("to", Some(form.to.clone()));
    }
    hidden
}

/// The variables that have a field on this step.
fn shown_variables(form: &ComposeForm, loaded: &Loaded) -> BTreeSet<VariableName> {
    let template = loaded.template.as_ref().filter(|_| form.step == Step::Variables);
    let variables = template.map(|template| template.content.variables()).unwrap_or_default();
    variables.into_iter().map(|variable| variable.name).collect()
}

/// The country as the number is typed (AM-04), else what may be typed.
fn to_hint(form: &ComposeForm, t: Words) -> String {
    let Some(found) = country_as_typed(&form.to) else { return t.compose_to_hint() };
    let name = t.country_name(found.country.as_str());
    if found.is_shared { t.compose_country_and_others(&name) } else { name }
}

/// What is wrong with a number that more digits cannot mend. What may still become one is not told as a
/// problem while it is typed.
fn typing_problem(form: &ComposeForm, t: Words) -> Option<String> {
    let problem = form.number_problem().filter(|_| form.step == Step::Recipient)?;
    match problem {
        PhoneNumberProblem::UnknownCountry { .. }
        | PhoneNumberProblem::TooLong
        | PhoneNumberProblem::Invalid => Some(words::number_problem(problem, t)),
        PhoneNumberProblem::Empty
        | PhoneNumberProblem::NoCountryCode
        | PhoneNumberProblem::TooShort => None,
    }
}

fn nobody(form: &ComposeForm, loaded: &Loaded, t: Words) -> Nobody {
    let nobody = |icon, title, text| Nobody { icon, title, text };
    if form.to.trim().is_empty() && loaded.recipient.is_none() {
        return nobody("users", t.compose_whom(), t.compose_whom_why());
    }
    match form.number_problem() {
        Some(PhoneNumberProblem::TooShort) => {
            nobody("phone", t.compose_go_on(), t.compose_go_on_why())
        }
        Some(PhoneNumberProblem::NoCountryCode) => {
            nobody("search", t.compose_nobody(), t.compose_number_no_country())
        }
        Some(_) | None => nobody("search", t.compose_nobody(), t.compose_nobody_why()),
    }
}

/// What stands at the foot: whether it may go, as far as that is known.
fn foot(loaded: &Loaded, viewer: &Viewer) -> String {
    let t = viewer.words();
    let Some(from) = &loaded.from else { return String::new() };
    let number = isolated(&shown_number(&from.phone));
    let judged = loaded.recipient.as_ref().filter(|person| person.standing.is_some());
    let Some(person) = judged else {
        let chatbot = isolated(&from.chatbot_name);
        return t.compose_foot_from(&chatbot, words::channel(from.kind, t), &number);
    };
    let name = isolated(&name_of(person, t));
    match why_not(person, loaded, viewer) {
        None => t.compose_foot_may(&name, &number),
        Some(why) => t.compose_foot_may_not(&name, &why.brief),
    }
}
