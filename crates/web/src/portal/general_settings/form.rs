//! The settings as they are typed, and what is to change.

use chrono::{DateTime, Utc};
use domain::{
    contact_cap::{CapScope, CapSendsProblem, parse_cap_sends},
    policy::Policy,
};
use persistence::chatbot::Settings;
use serde::Deserialize;

use crate::{error::WebError, form::Problems, locale::Words};

/// The page as typed; a switch that is off is not sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsForm {
    /// When the settings had been saved last as the page was shown, in milliseconds; empty for never.
    #[serde(default)]
    pub(super) seen: String,
    pub(super) active_messages: Option<String>,
    pub(super) cap: Option<String>,
    pub(super) cap_sends: Option<String>,
    pub(super) cap_scope: Option<String>,
    pub(super) direct_transfer: Option<String>,
    pub(super) read_marks: Option<String>,
}

/// What the page changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    active_messages: bool,
    cap: bool,
    cap_sends: u32,
    /// `None` leaves it: a browser does not send choices that are switched off.
    cap_scope: Option<CapScope>,
    direct_transfer: bool,
    read_marks: bool,
}

impl Change {
    pub(super) fn apply(self, kept: &mut Settings) {
        kept.active_messages_enabled = self.active_messages;
        kept.cap_enabled = self.cap;
        kept.cap_sends = self.cap_sends;
        kept.cap_scope = self.cap_scope.unwrap_or(kept.cap_scope);
        kept.direct_transfer = self.direct_transfer;
        kept.read_marks = self.read_marks;
    }
}

impl SettingsForm {
    /// What is to change, or every problem by field. The cap's number is judged whether or not its switch
    /// is on (AD-05).
    pub(super) fn parse(&self, t: Words) -> Result<Result<Change, Problems>, WebError> {
        let cap_scope = match self.cap_scope.as_deref() {
            None => None,
            Some(word) => Some(CapScope::parse(word).ok_or(WebError::Unprocessable)?),
        };
        let bounds = Policy::default_profile().contact_cap.bounds;
        let typed = self.cap_sends.as_deref().unwrap_or_default();
        let cap_sends = match parse_cap_sends(typed, bounds) {
            Ok(sends) => sends,
            Err(problem) => {
                let mut problems = Problems::default();
                problems.add("cap_sends", cap_sends_problem(problem, t));
                return Ok(Err(problems));
            }
        };
        Ok(Ok(Change {
            active_messages: self.active_messages.is_some(),
            cap: self.cap.is_some(),
            cap_sends,
            cap_scope,
            direct_transfer: self.direct_transfer.is_some(),
            read_marks: self.read_marks.is_some(),
        }))
    }

    /// When the settings had been saved last as the page was shown; what cannot be read counts as never.
    pub(super) fn seen(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.seen.parse().ok()?)
    }
}

fn cap_sends_problem(problem: CapSendsProblem, t: Words) -> String {
    match problem {
        CapSendsProblem::Blank => t.portal_cap_blank(),
        CapSendsProblem::NotWhole => t.portal_cap_not_whole(),
        CapSendsProblem::OutOfBounds(bounds) => {
            t.portal_cap_out_of_bounds(bounds.least.to_string(), bounds.most.to_string())
        }
    }
}

#[cfg(test)]
impl SettingsForm {
    /// Every switch on.
    pub(in crate::portal) fn with_cap_sends(cap_sends: &str) -> Self {
        Self {
            seen: String::new(),
            active_messages: Some("on".to_owned()),
            cap: Some("on".to_owned()),
            cap_sends: Some(cap_sends.to_owned()),
            cap_scope: Some("all_agents".to_owned()),
            direct_transfer: Some("on".to_owned()),
            read_marks: Some("on".to_owned()),
        }
    }

    /// What stands against it.
    pub(in crate::portal) fn problems(&self, t: Words) -> Problems {
        self.parse(t).unwrap().err().unwrap_or_default()
    }
}
