//! One send as a page, with its history and the decision that admitted it.

use askama::Template;
use chrono::{DateTime, Utc};
use domain::{
    active_message::ActiveMessageState,
    admission::Facts,
    delivery::{
        self, DeliveryEvent, DeliveryEventKind, EventSource, Failure, Happening, HistoryLine,
    },
};
use persistence::{
    admission::Door,
    growth::{SendDecision, SendDetail, SendRow},
};

use super::{
    GrowthQuery,
    list::{RowView, row_view},
};
use crate::{
    conversation::{MediaView, StateView, TemplateView, content_of},
    locale::{Words, isolated},
    moment::{Moment, Viewer},
    page::{Page, Place},
    refusal::{RefusalView, Surroundings},
    session::Session,
    visit::Visit,
};

/// A send as a page.
#[derive(Template)]
#[template(path = "portal/active_message.html")]
pub struct SendPage {
    t: Words,
    page: Page,
    row: RowView,
    /// The picture or file above the text.
    media: Option<MediaView>,
    /// What the template adds to the text.
    content: Option<TemplateView>,
    body: String,
    /// Until when a reply counts; `None` where none can come.
    expires_at: Option<Moment>,
    events: Vec<EventView>,
    decision: Option<DecisionView>,
    /// The list it stands in, as it was left.
    list_path: String,
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
    /// The send as the viewer sees it who comes from `list`.
    #[must_use]
    pub fn new(visit: &Visit, user: &Session, detail: SendDetail, list: &GrowthQuery) -> Self {
        let (t, viewer) = (visit.t(), visit.viewer());
        let row = row_view(&detail.row, list, &viewer);
        let title = t.portal_send_title(isolated(&row.contact));
        let (media, content) = content_of(&detail.message, t);
        Self {
            t,
            page: Page::new(visit, user, title, Place::ActiveMessages),
            media,
            content,
            events: history(&detail, &row, &viewer),
            body: detail.message.body,
            expires_at: may_be_answered(&detail.row).then(|| viewer.at(detail.expires_at)),
            decision: detail.decision.map(|told| decision_view(told, &row.chatbot, &viewer)),
            row,
            list_path: list.address(&list.after),
        }
    }
}

/// A send that failed reached nobody, unless its outcome is not known (M5).
fn may_be_answered(row: &SendRow) -> bool {
    row.state != ActiveMessageState::Failed
        || row.failure_code.as_deref() == Some(Failure::OutcomeUnknown.code())
}

/// What happened, from the trigger on, to what no event tells: that the time for a reply is over (LI-08).
fn history(detail: &SendDetail, row: &RowView, viewer: &Viewer) -> Vec<EventView> {
    let t = viewer.words();
    let is_over = detail.row.state == ActiveMessageState::Expired;
    delivery::history(&detail.events, detail.row.at, is_over.then_some(detail.expires_at))
        .into_iter()
        .map(|HistoryLine { at, what }| {
            let (what, source) = match what {
                Happening::Triggered => (t.desk_state_sending(), row.sender.clone()),
                Happening::Told(event) => told(event, &detail.row.chatbot, viewer),
                Happening::Expired => (t.desk_state_expired(), t.portal_source_clock()),
            };
            EventView { at: viewer.at(at), what, source }
        })
        .collect()
}

/// What an event says, and who told it.
fn told(event: &DeliveryEvent, chatbot: &str, viewer: &Viewer) -> (String, String) {
    let t = viewer.words();
    let what = match &event.kind {
        DeliveryEventKind::Accepted => t.portal_event_accepted(),
        DeliveryEventKind::Sent => t.desk_state_sent(),
        DeliveryEventKind::Delivered => t.desk_state_delivered(),
        DeliveryEventKind::Read => t.desk_state_read(),
        DeliveryEventKind::Played => t.desk_state_played(),
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
    (what, source)
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
