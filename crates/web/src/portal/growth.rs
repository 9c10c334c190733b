//! Growth, Active messages: all sends with search and filters, and each with its history (LI-07).

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use askama::Template;
use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    admission::Facts,
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource},
    ids::{ChatbotId, MessageId, TemplateId, UserId},
    phone::PhoneNumber,
};
use persistence::{
    admission::Door,
    growth::{
        self, SendChoices, SendCursor, SendDecision, SendDetail, SendFilter, SendRow, Sender,
    },
};
use serde::Deserialize;
use url::form_urlencoded;

use crate::{
    conversation::StateView,
    desk::Desk,
    error::WebError,
    form::html,
    locale::{Words, isolated},
    moment::{Moment, Viewer},
    page::{Page, Place},
    refusal::{RefusalView, Surroundings},
    session::{PortalUser, Session},
    visit::Visit,
};

const PATH: &str = "/portal/growth/active-messages";

/// How many rows a page has.
const ROWS: usize = 50;

/// The filters as they stand in the address; what cannot be read leaves nothing out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GrowthQuery {
    /// The contact's name or number.
    pub contact: String,
    /// The agent's id.
    pub agent: String,
    /// The template's id.
    pub template: String,
    /// The state's word.
    pub state: String,
    /// The chatbot's id.
    pub chatbot: String,
    /// The first day, such as `2026-11-22`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The last row of the page before: instant in milliseconds and id.
    pub after: String,
}

impl GrowthQuery {
    fn filter(&self, zone: Tz) -> SendFilter {
        let day = |typed: &str, days: u64| {
            let day: NaiveDate = typed.parse().ok()?;
            midnight(day.checked_add_days(Days::new(days))?, zone)
        };
        SendFilter {
            contact: self.contact.trim().to_owned(),
            agent: self.agent.parse().ok().map(UserId),
            template: self.template.parse().ok().map(TemplateId),
            state: ActiveMessageState::parse(&self.state),
            chatbot: self.chatbot.parse().ok().map(ChatbotId),
            since: day(&self.from, 0),
            before: day(&self.to, 1),
            after: read_cursor(&self.after),
        }
    }

    /// The address of the page beyond `last`.
    fn older(&self, last: &SendRow) -> String {
        let cursor = format!("{}-{}", last.at.timestamp_millis(), last.message);
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("contact", self.contact.as_str()),
            ("agent", &self.agent),
            ("template", &self.template),
            ("state", &self.state),
            ("chatbot", &self.chatbot),
            ("from", &self.from),
            ("to", &self.to),
            ("after", &cursor),
        ];
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        format!("{PATH}?{}", query.finish())
    }

    fn is_filtered(&self) -> bool {
        let fields =
            [&self.agent, &self.template, &self.state, &self.chatbot, &self.from, &self.to];
        !self.contact.trim().is_empty() || fields.iter().any(|field| !field.is_empty())
    }
}

/// The start of a day in a zone; the first instant after it where the clocks skip midnight.
fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let starts = (0..24).filter_map(|hour| day.and_hms_opt(hour, 0, 0));
    let mut local = starts.filter_map(|start| zone.from_local_datetime(&start).earliest());
    local.next().map(|start| start.with_timezone(&Utc))
}

fn read_cursor(typed: &str) -> Option<SendCursor> {
    let (at, message) = typed.split_once('-')?;
    let at = DateTime::from_timestamp_millis(at.parse().ok()?)?;
    Some(SendCursor { at, message: MessageId(message.parse().ok()?) })
}

/// The list.
pub async fn show_active_messages(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    query: Query<GrowthQuery>,
) -> Result<HttpResponse, WebError> {
    let query = query.into_inner();
    let (actor, now, filter) = (user.actor.clone(), visit.now, query.filter(visit.zone));
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| {
            let rows = growth::list_sends(db, &actor, &filter, most, now)?;
            Ok((rows, growth::list_choices(db, &actor)?))
        })
    };
    let (rows, choices) = desk.store.read(read).await?;
    html(StatusCode::OK, &GrowthPage::new(&visit, &user, query, rows, choices))
}

/// One send.
pub async fn show_active_message(
    desk: Data<Desk>,
    visit: Visit,
    user: PortalUser,
    path: Path<i64>,
) -> Result<HttpResponse, WebError> {
    let (actor, now, message) = (user.actor.clone(), visit.now, MessageId(*path));
    let read = move |db: &mut persistence::db::Db| {
        db.snapshot(|db| growth::get_send(db, &actor, message, now))
    };
    let detail = desk.store.read(read).await?;
    html(StatusCode::OK, &SendPage::new(&visit, &user, detail))
}

/// The list as a page.
#[derive(Template)]
#[template(path = "portal/active_messages.html")]
pub struct GrowthPage {
    t: Words,
    page: Page,
    query: GrowthQuery,
    is_filtered: bool,
    agents: Vec<FilterChoice>,
    templates: Vec<FilterChoice>,
    states: Vec<FilterChoice>,
    /// Empty when there is one only.
    chatbots: Vec<FilterChoice>,
    rows: Vec<RowView>,
    /// Where older sends are; `None` at the end.
    older: Option<String>,
    opens_desk: bool,
}

/// One choice of a filter.
#[derive(Debug, Clone)]
struct FilterChoice {
    value: String,
    name: String,
    current: bool,
}

/// One send, display-ready.
#[derive(Debug, Clone)]
struct RowView {
    path: String,
    id: MessageId,
    at: Moment,
    contact: String,
    phone: String,
    sender: String,
    template: String,
    language: String,
    number: String,
    chatbot: String,
    state: StateView,
    /// The class of the state's pill.
    pill: &'static str,
}

impl GrowthPage {
    /// `rows` may hold one more than a page shows.
    #[must_use]
    pub fn new(
        visit: &Visit,
        user: &Session,
        query: GrowthQuery,
        mut rows: Vec<SendRow>,
        choices: SendChoices,
    ) -> Self {
        let (t, viewer) = (visit.t(), visit.viewer());
        let has_older = rows.len() > ROWS;
        rows.truncate(ROWS);
        let choice = |value: String, name: String, chosen: &str| FilterChoice {
            current: value == chosen,
            value,
            name,
        };
        let SendChoices { chatbots, agents, templates } = choices;
        let chatbots = if chatbots.len() < 2 { Vec::new() } else { chatbots };
        Self {
            t,
            page: Page::new(visit, user, t.nav_active_messages(), Place::ActiveMessages),
            is_filtered: query.is_filtered(),
            agents: agents
                .into_iter()
                .map(|(id, name)| choice(id.to_string(), name, &query.agent))
                .collect(),
            templates: templates
                .into_iter()
                .map(|(id, name, language)| {
                    choice(id.to_string(), format!("{name} ({language})"), &query.template)
                })
                .collect(),
            states: ActiveMessageState::ALL
                .into_iter()
                .map(|state| {
                    let word = StateView::of_send(state, None, "", &viewer).text;
                    choice(state.as_str().to_owned(), word, &query.state)
                })
                .collect(),
            chatbots: chatbots
                .into_iter()
                .map(|(id, name)| choice(id.to_string(), name, &query.chatbot))
                .collect(),
            older: rows.last().filter(|_| has_older).map(|last| query.older(last)),
            rows: rows.iter().map(|row| row_view(row, &viewer)).collect(),
            opens_desk: user.actor.opens_desk(),
            query,
        }
    }
}

fn row_view(row: &SendRow, viewer: &Viewer) -> RowView {
    let t = viewer.words();
    let state = StateView::of_send(row.state, row.failure_code.as_deref(), &row.chatbot, viewer);
    let pill = match row.state {
        ActiveMessageState::Replied | ActiveMessageState::Read => "good",
        ActiveMessageState::Failed => "bad",
        ActiveMessageState::Expired => "warn",
        ActiveMessageState::Scheduled | ActiveMessageState::Sending => "accent",
        ActiveMessageState::Sent
        | ActiveMessageState::Delivered
        | ActiveMessageState::Cancelled => "",
    };
    let phone = row.phone.as_ref().map(PhoneNumber::display).unwrap_or_default();
    let named = if row.contact.is_empty() { t.desk_no_name() } else { row.contact.clone() };
    RowView {
        path: format!("{PATH}/{}", row.message),
        id: row.message,
        at: viewer.at(row.at),
        contact: named,
        phone,
        sender: match &row.sender {
            Sender::Agent(name) => name.clone(),
            Sender::Token(name) => t.portal_by_token(isolated(name)),
            Sender::Unknown => String::new(),
        },
        template: row.template.clone(),
        language: row.language.clone(),
        number: PhoneNumber::from_e164(&row.number)
            .map_or_else(|_| row.number.clone(), |number| number.display()),
        chatbot: row.chatbot.clone(),
        state,
        pill,
    }
}

/// A send as a page.
#[derive(Template)]
#[template(path = "portal/active_message.html")]
pub struct SendPage {
    t: Words,
    page: Page,
    row: RowView,
    body: String,
    expires_at: Moment,
    events: Vec<EventView>,
    decision: Option<DecisionView>,
    /// The list it stands in.
    list_path: &'static str,
}

/// One line of the history.
#[derive(Debug, Clone)]
struct EventView {
    at: Moment,
    what: String,
    source: String,
}

/// The decision, display-ready.
#[derive(Debug, Clone)]
struct DecisionView {
    at: Moment,
    /// *Allowed*, or the refusals.
    verdict: String,
    codes: Vec<&'static str>,
    policy: String,
    door: String,
    /// What was seen: name of the line, and what it says.
    facts: Vec<(String, String)>,
}

impl SendPage {
    /// The send as the viewer sees it.
    #[must_use]
    pub fn new(visit: &Visit, user: &Session, detail: SendDetail) -> Self {
        let (t, viewer) = (visit.t(), visit.viewer());
        let row = row_view(&detail.row, &viewer);
        let title = t.portal_send_title(isolated(&row.contact));
        Self {
            t,
            page: Page::new(visit, user, title, Place::ActiveMessages),
            body: detail.body,
            expires_at: viewer.at(detail.expires_at),
            events: detail
                .events
                .iter()
                .map(|event| event_view(event, &detail.row.chatbot, &viewer))
                .collect(),
            decision: detail.decision.map(|told| decision_view(told, &row.chatbot, &viewer)),
            row,
            list_path: PATH,
        }
    }
}

fn event_view(event: &DeliveryEvent, chatbot: &str, viewer: &Viewer) -> EventView {
    let t = viewer.words();
    let what = match &event.kind {
        DeliveryEventKind::Accepted => t.portal_event_accepted(),
        DeliveryEventKind::Sent => t.desk_state_sent(),
        DeliveryEventKind::Delivered => t.desk_state_delivered(),
        DeliveryEventKind::Read => t.desk_state_read(),
        DeliveryEventKind::Replied => t.desk_state_replied(),
        DeliveryEventKind::Unsettled => t.portal_event_unsettled(),
        DeliveryEventKind::Failed(failure) => {
            let failed = ActiveMessageState::Failed;
            let state = StateView::of_send(failed, Some(failure.code()), chatbot, viewer);
            format!("{} ({}). {}", state.text, failure.code(), state.failure.unwrap_or_default())
        }
    };
    let source = match event.source {
        EventSource::Platform => t.portal_source_platform(),
        EventSource::Dispatcher => t.portal_source_dispatcher(),
        EventSource::Job => t.portal_source_job(),
    };
    EventView { at: viewer.at(event.at), what, source }
}

fn decision_view(told: SendDecision, chatbot: &str, viewer: &Viewer) -> DecisionView {
    let t = viewer.words();
    let SendDecision { decision, policy, version } = told;
    let surroundings = Surroundings {
        chatbot,
        cap_sends: decision.facts.cap.as_ref().map_or(0, |cap| cap.cap.sends),
    };
    let refused: Vec<String> = decision
        .codes
        .iter()
        .map(|code| domain::admission::Refusal { code: *code, until: decision.until })
        .map(|refusal| RefusalView::new(refusal, surroundings, viewer).headline)
        .collect();
    DecisionView {
        at: viewer.at(decision.at),
        verdict: if refused.is_empty() { t.portal_allowed() } else { refused.join(", ") },
        codes: decision.codes.iter().map(|code| code.as_str()).collect(),
        policy: t.portal_policy_version(&policy, version.to_string()),
        door: match decision.door {
            Door::Desk => t.portal_door_desk(),
            Door::OutsideHours => t.portal_door_outside_hours(),
            Door::Api => t.portal_door_api(),
            Door::Schedule => t.portal_door_schedule(),
        },
        facts: facts(&decision.facts, decision.at, viewer),
    }
}

/// What admission saw, in words.
fn facts(seen: &Facts, at: DateTime<Utc>, viewer: &Viewer) -> Vec<(String, String)> {
    let t = viewer.words();
    let number = |count: usize| viewer.locale.number(i64::try_from(count).unwrap_or(i64::MAX));
    let yes_no = |yes: bool| if yes { t.portal_yes() } else { t.portal_no() };
    let cap = seen.cap.as_ref().map_or_else(
        || t.portal_fact_cap_off(),
        |cap| {
            let counted = cap.sent_at.iter().filter(|sent| at - **sent < cap.cap.window).count();
            t.portal_fact_cap_of(number(counted), cap.cap.sends.to_string())
        },
    );
    let tier = seen.tier.as_ref().map_or_else(
        || t.portal_fact_tier_none(),
        |tier| {
            let limit = viewer.locale.number(i64::from(tier.limit.at(at)));
            t.portal_fact_cap_of(viewer.locale.number(i64::from(tier.count)), limit)
        },
    );
    let session = match seen.session_open_until {
        Some(until) if at < until => t.portal_fact_session_open(viewer.at(until).text),
        Some(_) | None => t.portal_fact_session_closed(),
    };
    let opt_outs = match seen.opt_outs.len() {
        0 => t.portal_fact_none(),
        count => number(count),
    };
    let quiet = seen.quiet_hours.is_some();
    vec![
        (t.portal_fact_permitted(), yes_no(seen.permitted)),
        (t.portal_fact_switch(), yes_no(seen.active_messages_enabled)),
        (t.portal_fact_cap(), cap),
        (t.portal_fact_tier(), tier),
        (t.portal_fact_session(), session),
        (t.portal_fact_opt_outs(), opt_outs),
        (t.portal_fact_ticket(), yes_no(seen.open_ticket.is_some())),
        (t.portal_fact_quiet(), yes_no(quiet)),
    ]
}
