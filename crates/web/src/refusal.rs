//! Refusals of admission in an agent's words: what stands against a send, why, and from when it no
//! longer does.

use domain::admission::{Refusal, RefusalCode};

use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
};

/// What a sentence names besides the refusal itself.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The chatbot's name.
    pub chatbot: &'a str,
    /// How many active messages one contact may get within the cap's window.
    pub cap_sends: u32,
}

/// A refusal, display-ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalView {
    /// The code as the API names it.
    pub code: &'static str,
    /// What stands against it, in a few words.
    pub headline: String,
    /// Why, and what to do, as a sentence.
    pub why: String,
    /// From when it no longer holds, as a sentence; `None` when waiting does not help.
    pub again: Option<String>,
    /// The instant it no longer holds; `None` when waiting does not help.
    pub until: Option<Moment>,
    /// For a narrow place: `in 17 h 00 min`, else the headline.
    pub brief: String,
}

impl RefusalView {
    /// `refusal` in the viewer's words.
    #[must_use]
    pub fn new(refusal: Refusal, surroundings: Surroundings<'_>, viewer: &Viewer) -> Self {
        let t = viewer.words();
        let (headline, why) = words(refusal.code, surroundings, t);
        let left = refusal.until.map(|until| viewer.remaining(until));
        let again = refusal.until.map(|until| again(until, viewer));
        Self {
            code: refusal.code.as_str(),
            why,
            again,
            until: refusal.until.map(|until| viewer.from_when(until)),
            brief: left.map_or_else(|| headline.clone(), |left| t.refusal_in(&left)),
            headline,
        }
    }

    /// Everything in one line, for a toast or a `problem+json`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let again = self.again.as_deref().map(|again| format!(" {again}")).unwrap_or_default();
        format!("{}. {}{again}", self.headline, self.why)
    }
}

/// From when writing is allowed, as a sentence.
fn again(until: chrono::DateTime<chrono::Utc>, viewer: &Viewer) -> String {
    let t = viewer.words();
    let (left, when) = (viewer.remaining(until), viewer.from_when(until).text);
    if viewer.is_from_today(until) {
        t.refusal_again_today(&left, &when)
    } else {
        t.refusal_again_in(&left, &when)
    }
}

fn words(code: RefusalCode, surroundings: Surroundings<'_>, t: Words) -> (String, String) {
    let chatbot = isolated(surroundings.chatbot);
    let limit = surroundings.cap_sends.to_string();
    match code {
        RefusalCode::NotPermitted => {
            (t.refusal_not_permitted(), t.refusal_not_permitted_why(&chatbot))
        }
        RefusalCode::AgentNotOnline => {
            (t.refusal_agent_not_online(), t.refusal_agent_not_online_why())
        }
        RefusalCode::ActiveMessagesDisabled => {
            (t.refusal_active_messages_disabled(), t.refusal_active_messages_disabled_why(&chatbot))
        }
        RefusalCode::ChannelCannotInitiate => {
            (t.refusal_channel_cannot_initiate(), t.refusal_channel_cannot_initiate_why())
        }
        RefusalCode::NumberNotReady => {
            (t.refusal_number_not_ready(), t.refusal_number_not_ready_why())
        }
        RefusalCode::TierLimitReached => {
            (t.refusal_tier_limit_reached(), t.refusal_tier_limit_reached_why())
        }
        RefusalCode::TemplateNotApproved => {
            (t.refusal_template_not_approved(), t.refusal_template_not_approved_why())
        }
        RefusalCode::ContactUnreachable => {
            (t.refusal_contact_unreachable(), t.refusal_contact_unreachable_why())
        }
        RefusalCode::ContactOptedOut => {
            (t.refusal_contact_opted_out(), t.refusal_contact_opted_out_why())
        }
        RefusalCode::ContactHasOpenTicket => {
            (t.refusal_contact_has_open_ticket(), t.refusal_contact_has_open_ticket_why())
        }
        RefusalCode::AlreadyCalledBack => {
            (t.refusal_already_called_back(), t.refusal_already_called_back_why())
        }
        RefusalCode::AgentContactCap => {
            (t.refusal_agent_contact_cap(&limit), t.refusal_agent_contact_cap_why(&chatbot, &limit))
        }
        RefusalCode::QuietHours => (t.refusal_quiet_hours(), t.refusal_quiet_hours_why()),
        RefusalCode::VariablesInvalid => {
            (t.refusal_variables_invalid(), t.refusal_variables_invalid_why())
        }
        RefusalCode::InsufficientCredit => {
            (t.refusal_insufficient_credit(), t.refusal_insufficient_credit_why())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    const HERE: Surroundings<'_> = Surroundings { chatbot: "Sales Brazil", cap_sends: 3 };

    fn viewer(locale: Locale) -> Viewer {
        let now = "2026-11-22T19:00:00Z".parse().unwrap();
        Viewer { locale, zone: chrono_tz::America::Sao_Paulo, now }
    }

    #[test]
    fn ad_07_the_cap_is_told_with_reason_remaining_time_and_instant() {
        let until = Some("2026-11-23T12:00:00Z".parse().unwrap());
        let refusal = Refusal { code: RefusalCode::AgentContactCap, until };
        let view = RefusalView::new(refusal, HERE, &viewer(Locale::En));
        assert_eq!(view.brief, "in 17 h 00 min");
        assert_eq!(
            view.sentence(),
            "Limit of 3 in 24 hours reached. The limit of \u{2068}Sales Brazil\u{2069} is 3 active \
             messages to one contact in 24 hours. If the contact answers, you can reply at once. \
             You may write again in 17 h 00 min, on 23 Nov at 09:00."
        );
    }

    #[test]
    fn every_code_has_words_in_every_language() {
        for code in RefusalCode::ALL {
            let mut said: Vec<String> = Locale::iter()
                .map(|locale| {
                    let refusal = Refusal { code, until: None };
                    let view = RefusalView::new(refusal, HERE, &viewer(*locale));
                    assert_eq!((view.code, &view.brief), (code.as_str(), &view.headline));
                    view.why
                })
                .collect();
            said.sort();
            said.dedup();
            assert_eq!(said.len(), 3, "{code:?} says the same in two languages");
        }
    }
}
