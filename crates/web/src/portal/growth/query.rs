//! The filters of the list: as they stand in the address, and as a form.

use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use domain::{
    active_message::ActiveMessageState,
    ids::{ChatbotId, MessageId, TemplateId, UserId},
};
use persistence::growth::{SendCursor, SendFilter, SendRow};
use serde::Deserialize;
use url::form_urlencoded;

use super::PATH;
use crate::search::SEARCH;

/// The filters as they stand in the address; what cannot be read leaves nothing out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GrowthQuery {
    /// The id of what is searched for.
    pub search: String,
    /// What is searched for: the contact's name or number, which stands in no address.
    #[serde(skip)]
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
    pub(super) fn filter(&self, zone: Tz) -> SendFilter {
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
    pub(super) fn older(&self, last: &SendRow) -> String {
        let cursor = format!("{}-{}", last.at.timestamp_millis(), last.message);
        self.address(&cursor)
    }

    /// The address of the page beyond `cursor`; of the first page when it is empty.
    pub(super) fn address(&self, cursor: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            (SEARCH, self.search.as_str()),
            ("agent", &self.agent),
            ("template", &self.template),
            ("state", &self.state),
            ("chatbot", &self.chatbot),
            ("from", &self.from),
            ("to", &self.to),
            ("after", cursor),
        ];
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
    }

    pub(super) fn is_filtered(&self) -> bool {
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

/// The filters as a form, with the words that stand in no address.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrowthForm {
    pub(super) contact: String,
    pub(super) agent: String,
    pub(super) template: String,
    pub(super) state: String,
    pub(super) chatbot: String,
    pub(super) from: String,
    pub(super) to: String,
}
