//! The filters of the list: as they stand in the address, and as a form.

use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use domain::{active_message::ActiveMessageState, ids::MessageId};
use persistence::{
    growth::{SendChoices, SendCursor, SendFilter, SendRow},
    search::SearchId,
};
use serde::Deserialize;
use url::form_urlencoded;

use super::PATH;
use crate::{error::WebError, form::Problems, locale::Words, search::SEARCH};

/// The filters as they stand in the address.
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
    /// The template's name.
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
    /// The place to go on from.
    ///
    /// # Errors
    /// `Unprocessable` for what no page of ours leads to.
    pub(super) fn cursor(&self) -> Result<Option<SendCursor>, WebError> {
        if self.after.is_empty() {
            return Ok(None);
        }
        read_cursor(&self.after).map(Some).ok_or(WebError::Unprocessable)
    }

    /// Which sends are wanted, or every problem by field: a value that is not among `choices` would leave out
    /// nothing, or everything, and neither was asked for.
    pub(in crate::portal) fn parse(
        &self,
        choices: &SendChoices,
        zone: Tz,
        t: Words,
    ) -> Result<SendFilter, Problems> {
        let mut problems = Problems::default();
        if self.contact.is_empty() && !self.search.is_empty() {
            problems.add("contact", t.portal_filter_search_gone());
        }
        let agents = choices.agents.iter().map(|(id, _)| *id);
        let agent = chosen(&self.agent, agents, |id| id.to_string());
        let agent = agent.unwrap_or_else(|()| {
            problems.add("agent", t.portal_filter_no_agent());
            None
        });
        let templates = choices.templates.iter().cloned();
        let template = chosen(&self.template, templates, String::clone);
        let template = template.unwrap_or_else(|()| {
            problems.add("template", t.portal_filter_no_template());
            None
        });
        let states = ActiveMessageState::ALL.into_iter();
        let state = chosen(&self.state, states, |state| state.as_str().to_owned());
        let state = state.unwrap_or_else(|()| {
            problems.add("state", t.portal_filter_no_state());
            None
        });
        let chatbots = choices.chatbots.iter().map(|(id, _)| *id);
        let chatbot = chosen(&self.chatbot, chatbots, |id| id.to_string());
        let chatbot = chatbot.unwrap_or_else(|()| {
            problems.add("chatbot", t.portal_filter_no_chatbot());
            None
        });
        let mut day = |field, typed: &str| {
            read_day(typed).unwrap_or_else(|()| {
                problems.add(field, t.portal_filter_no_day());
                None
            })
        };
        let (from, to) = (day("from", &self.from), day("to", &self.to));
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            problems.add("to", t.portal_filter_days_turned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let next = |day: NaiveDate| day.checked_add_days(Days::new(1));
        Ok(SendFilter {
            contact: self.contact.trim().to_owned(),
            agent,
            template,
            state,
            chatbot,
            since: from.and_then(|day| midnight(day, zone)),
            before: to.and_then(next).and_then(|day| midnight(day, zone)),
            after: None,
        })
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

    /// The address of the send `message`, which knows the way back to this page of the list.
    pub(super) fn of_send(&self, message: MessageId) -> String {
        let list = self.address(&self.after);
        let filters = list.strip_prefix(PATH).unwrap_or_default();
        format!("{PATH}/{message}{filters}")
    }

    /// The same without what no page of ours leads to; whether a choice is still offered the list says itself.
    pub(in crate::portal) fn readable(self) -> Self {
        let id = |word: String| if word.parse::<i64>().is_ok() { word } else { String::new() };
        let day = |word: String| if read_day(&word).is_ok() { word } else { String::new() };
        let is_state = ActiveMessageState::ALL.iter().any(|state| state.as_str() == self.state);
        let is_place = read_cursor(&self.after).is_some();
        Self {
            search: if SearchId::parse(&self.search).is_some() {
                self.search
            } else {
                String::new()
            },
            agent: id(self.agent),
            state: if is_state { self.state } else { String::new() },
            chatbot: id(self.chatbot),
            from: day(self.from),
            to: day(self.to),
            after: if is_place { self.after } else { String::new() },
            ..self
        }
    }

    pub(super) fn is_filtered(&self) -> bool {
        let fields = [
            &self.search,
            &self.agent,
            &self.template,
            &self.state,
            &self.chatbot,
            &self.from,
            &self.to,
        ];
        !self.contact.trim().is_empty() || fields.iter().any(|field| !field.is_empty())
    }
}

/// The choice whose word was typed; `None` when nothing was, an error when there is no such choice.
fn chosen<T>(
    typed: &str,
    mut choices: impl Iterator<Item = T>,
    word: impl Fn(&T) -> String,
) -> Result<Option<T>, ()> {
    if typed.is_empty() {
        return Ok(None);
    }
    choices.find(|choice| word(choice) == typed).map(Some).ok_or(())
}

/// A day as browsers send it, such as `2026-11-22`; `None` when nothing was typed.
fn read_day(typed: &str) -> Result<Option<NaiveDate>, ()> {
    if typed.is_empty() { Ok(None) } else { typed.parse().map(Some).map_err(drop) }
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

impl From<GrowthForm> for GrowthQuery {
    fn from(form: GrowthForm) -> Self {
        let GrowthForm { contact, agent, template, state, chatbot, from, to } = form;
        Self { contact, agent, template, state, chatbot, from, to, ..Self::default() }
    }
}
