//! The dialog's form as it travels: every step carries what the others chose, so that nothing typed is lost.

use domain::{
    ids::{ChannelId, ChatbotId, ContactId, TemplateId, TicketId},
    phone::{PhoneNumber, PhoneNumberProblem},
    template::{VariableName, VariableValues},
};
use persistence::admission::Recipient;
use serde::Deserialize;

use crate::error::WebError;

/// Most characters of a value that are kept; far more than any variable takes.
const LONGEST_VALUE: usize = 4_000;

/// The three steps (AM-02, AM-04, AM-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Step {
    /// What to send.
    #[default]
    Template,
    /// Whom to send it to.
    Recipient,
    /// What stands in its variables.
    Variables,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 3] = [Self::Template, Self::Recipient, Self::Variables];

    /// The word the form carries it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Recipient => "recipient",
            Self::Variables => "variables",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

/// What was pressed, or done, to send the form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Go {
    /// Something was typed or chosen: show what fits.
    #[default]
    Look,
    /// Enter in a field: what was typed in full; in step 3 the same as `Check`.
    Enter,
    /// This template.
    Pick(TemplateId),
    /// This person.
    Add(Recipient),
    /// Not this person.
    Remove,
    /// Back to a step.
    To(Step),
    /// On to the next step.
    Continue,
    /// Say what is wrong with what was typed so far.
    Check,
    /// Send it.
    Send,
    /// Show again a send that was refused.
    Refused,
    /// Show again a send whose key was used for another.
    KeyReused,
    /// Take part again, so that sending is possible (AM-01).
    Online,
    /// Show again what was left unfinished.
    Resume,
    /// Begin from nothing.
    Anew,
}

impl Go {
    fn parse(word: &str) -> Option<Self> {
        let (verb, what) = word.split_once(':').unwrap_or((word, ""));
        match verb {
            "look" => Some(Self::Look),
            "enter" => Some(Self::Enter),
            "pick" => what.parse().ok().map(|id| Self::Pick(TemplateId(id))),
            "add" => parse_recipient(what).map(Self::Add),
            "remove" => Some(Self::Remove),
            "to" => Step::parse(what).map(Self::To),
            "continue" => Some(Self::Continue),
            "check" => Some(Self::Check),
            "send" => Some(Self::Send),
            "refused" => Some(Self::Refused),
            "key-reused" => Some(Self::KeyReused),
            "online" => Some(Self::Online),
            "resume" => Some(Self::Resume),
            "anew" => Some(Self::Anew),
            _ => None,
        }
    }

    /// The word the form carries it by.
    fn word(&self) -> String {
        let word = match self {
            Self::Pick(template) => return format!("pick:{template}"),
            Self::Add(recipient) => return format!("add:{}", recipient_word(recipient)),
            Self::To(step) => return format!("to:{}", step.as_str()),
            Self::Look => "look",
            Self::Enter => "enter",
            Self::Remove => "remove",
            Self::Continue => "continue",
            Self::Check => "check",
            Self::Send => "send",
            Self::Refused => "refused",
            Self::KeyReused => "key-reused",
            Self::Online => "online",
            Self::Resume => "resume",
            Self::Anew => "anew",
        };
        word.to_owned()
    }
}

/// Where the focus goes once the dialog is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Where it is.
    Stay,
    /// To the first field: the step was just reached, or what had the focus is gone.
    First,
    /// To *Continue*: what the step asks for was just chosen.
    Onward,
}

/// What the address of the dialog may preset; a number never stands in one.
#[derive(Debug, Default, Deserialize)]
pub struct ComposeQuery {
    contact: Option<i64>,
    ticket: Option<i64>,
    template: Option<i64>,
    chatbot: Option<i64>,
    /// What was typed before, sealed.
    pub draft: Option<String>,
}

/// The form as typed. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ComposeForm {
    /// Whether it stands in the desk's dialog, not on a page of its own.
    pub in_dialog: bool,
    /// The step it is at.
    pub step: Step,
    /// The step that was on the page when it was pressed; `None` when nothing was.
    pub shown: Option<Step>,
    /// Whether all that is wrong with the values stands on the page, so that it is kept true as they are
    /// mended.
    pub told: bool,
    /// The chatbot it is sent for; `None` for the one that fits best.
    pub chatbot: Option<ChatbotId>,
    /// The channel it is sent over; `None` for the contact's last one. Once the turn is over, the one it goes
    /// from, chosen or not.
    pub channel: Option<ChannelId>,
    /// The chosen template.
    pub template: Option<TemplateId>,
    /// The chosen person.
    pub recipient: Option<Recipient>,
    /// The ticket it is sent from (SW-09).
    pub ticket: Option<TicketId>,
    /// Typed to find a template.
    pub q: String,
    /// Only templates in this language; empty for all.
    pub language: String,
    /// Typed to find a person, or a new number.
    pub to: String,
    /// What had been typed when the people shown were looked up.
    pub searched: String,
    /// Made when step 3 was shown first (AM-11); empty before.
    pub key: String,
    /// What was typed for variables, of templates chosen before as well.
    pub values: VariableValues,
    /// Whose page it stood on, sealed: what was typed finds the way back to them when their session has ended.
    pub author: String,
    /// What was pressed.
    pub go: Go,
}

impl ComposeForm {
    /// The empty form, with what the address presets.
    #[must_use]
    pub fn of_query(query: &ComposeQuery, in_dialog: bool) -> Self {
        Self {
            in_dialog,
            chatbot: query.chatbot.map(ChatbotId),
            template: query.template.map(TemplateId),
            recipient: query.contact.map(|contact| Recipient::Contact(ContactId(contact))),
            ticket: query.ticket.map(TicketId),
            ..Self::default()
        }
    }

    /// Reads the fields as a browser sends them. What is optional and not readable counts as not chosen,
    /// as when a choice is gone since the page was shown.
    ///
    /// # Errors
    /// `Unprocessable` for a field that no page of ours has.
    pub fn parse(fields: Vec<(String, String)>) -> Result<Self, WebError> {
        let (mut form, mut offered) = (Self::default(), None);
        for (name, value) in fields {
            if let Some(variable) = name.strip_prefix("v_") {
                let value = value.chars().take(LONGEST_VALUE).collect();
                form.values.insert(VariableName(variable.to_owned()), value);
                continue;
            }
            match name.as_str() {
                "dialog" => form.in_dialog = value == "1",
                "step" => {
                    form.step = Step::parse(&value).ok_or(WebError::Unprocessable)?;
                    form.shown = Some(form.step);
                }
                "told" => form.told = value == "1",
                "chatbot" => form.chatbot = value.parse().ok().map(ChatbotId),
                "channel" => form.channel = value.parse().ok().map(ChannelId),
                "offered" => offered = value.parse().ok().map(ChannelId),
                "author" => form.author = value,
                "template" => form.template = value.parse().ok().map(TemplateId),
                "recipient" => form.recipient = parse_recipient(&value),
                "ticket" => form.ticket = value.parse().ok().map(TicketId),
                "q" => form.q = value,
                "language" => form.language = value,
                "to" => form.to = value,
                "searched" => form.searched = value,
                "key" => form.key = value.chars().take(64).collect(),
                "go" => form.go = Go::parse(&value).ok_or(WebError::Unprocessable)?,
                _ => return Err(WebError::Unprocessable),
            }
        }
        if form.channel == offered {
            form.channel = None; // the page's own suggestion, left as it was
        }
        Ok(form)
    }

    /// The fields that [`Self::parse`] reads as this form.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        let id = |id: Option<String>| id.unwrap_or_default();
        let yes = |is: bool| if is { "1".to_owned() } else { String::new() };
        let plain = [
            ("dialog", yes(self.in_dialog)),
            ("step", self.shown.map_or_else(String::new, |step| step.as_str().to_owned())),
            ("told", yes(self.told)),
            ("chatbot", id(self.chatbot.map(|id| id.to_string()))),
            ("channel", id(self.channel.map(|id| id.to_string()))),
            ("template", id(self.template.map(|id| id.to_string()))),
            ("recipient", self.recipient.as_ref().map(recipient_word).unwrap_or_default()),
            ("ticket", id(self.ticket.map(|id| id.to_string()))),
            ("q", self.q.clone()),
            ("language", self.language.clone()),
            ("to", self.to.clone()),
            ("searched", self.searched.clone()),
            ("key", self.key.clone()),
            ("go", self.go.word()),
        ];
        let plain = plain.into_iter().map(|(name, value)| (name.to_owned(), value));
        let values =
            self.values.iter().map(|(name, value)| (format!("v_{}", name.0), value.clone()));
        plain.filter(|(_, value)| !value.is_empty()).chain(values).collect()
    }

    /// Whether the people shown are those of what is typed now: pressing one of them then means that person
    /// and no one else.
    #[must_use]
    pub fn list_is_current(&self) -> bool {
        self.to.trim() == self.searched.trim()
    }

    /// What is wrong with the number that is being typed; `None` for a number, a name or nothing.
    #[must_use]
    pub fn number_problem(&self) -> Option<PhoneNumberProblem> {
        let is_number = self.to.chars().any(|typed| typed.is_ascii_digit() || typed == '+')
            && !self.to.chars().any(char::is_alphabetic);
        PhoneNumber::parse(&self.to).err().filter(|_| is_number)
    }

    /// Where the focus goes; `has_chosen` is whether something was chosen just now. While someone types or
    /// filters, and where nothing came of the press, it stays where it is.
    #[must_use]
    pub fn focus(&self, has_chosen: bool) -> Focus {
        let took_away = matches!(self.go, Go::Remove | Go::Online | Go::Resume | Go::Anew);
        if took_away || self.shown != Some(self.step) {
            Focus::First
        } else if has_chosen {
            Focus::Onward
        } else {
            Focus::Stay
        }
    }

    /// The same dialog with nothing chosen and nothing typed.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { in_dialog: self.in_dialog, chatbot: self.chatbot, go: Go::Anew, ..Self::default() }
    }

    /// What a page shows again by its own address: this press without what it changed, under the `key` it had
    /// in the end.
    #[must_use]
    pub fn shown_again(self, key: String, key_reused: bool) -> Self {
        let go = match self.go {
            Go::Send if key_reused => Go::KeyReused,
            Go::Send => Go::Refused,
            other => other,
        };
        Self { key, go, ..self }
    }

    /// The values of those variables that the chosen template has, and nothing else.
    #[must_use]
    pub fn values_for(&self, names: impl Iterator<Item = VariableName>) -> VariableValues {
        names
            .filter_map(|name| {
                let value = self.values.get(&name)?.clone();
                Some((name, value))
            })
            .collect()
    }
}

/// How the form names a person: `c12` for a contact, `+34600111222` for a number; what is no number names
/// nobody.
#[must_use]
pub fn recipient_word(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Contact(contact) => format!("c{contact}"),
        Recipient::Phone(phone) => phone.as_e164().to_owned(),
        Recipient::NoNumber(_) => String::new(),
    }
}

fn parse_recipient(word: &str) -> Option<Recipient> {
    match word.strip_prefix('c') {
        Some(id) => id.parse().ok().map(|id| Recipient::Contact(ContactId(id))),
        None => PhoneNumber::parse(word).ok().map(Recipient::Phone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn everything_typed_survives_the_way_through_the_form() {
        let form = ComposeForm::parse(fields(&[
            ("step", "variables"),
            ("template", "7"),
            ("recipient", "+34600111222"),
            ("v_order", "  48213 "),
            ("v_1", ""),
            ("go", "add:c12"),
        ]));
        let form = form.ok().unwrap();
        assert_eq!(form.step, Step::Variables);
        assert_eq!(form.template, Some(TemplateId(7)));
        assert_eq!(form.recipient.as_ref().map(recipient_word).unwrap(), "+34600111222");
        assert_eq!(form.values[&VariableName("order".to_owned())], "  48213 ");
        assert_eq!(form.go, Go::Add(Recipient::Contact(ContactId(12))));
        assert!(ComposeForm::parse(form.fields()).ok().unwrap() == form);
    }

    #[test]
    fn every_press_is_read_as_it_is_written() {
        let presses = [
            "look",
            "enter",
            "pick:7",
            "add:c12",
            "add:+34600111222",
            "remove",
            "to:recipient",
            "continue",
            "check",
            "send",
            "refused",
            "key-reused",
            "online",
            "resume",
            "anew",
        ];
        for word in presses {
            assert_eq!(Go::parse(word).unwrap().word(), word);
        }
    }

    #[test]
    fn a_field_or_button_of_no_page_is_refused() {
        for pair in [("sender", "1"), ("step", "four"), ("go", "delete"), ("go", "add:nobody")] {
            assert!(ComposeForm::parse(fields(&[pair])).is_err(), "{pair:?}");
        }
    }

    #[test]
    fn the_focus_goes_where_the_next_action_is_and_stays_with_who_types() {
        let pick = || Go::Pick(TemplateId(7));
        let add = || Go::Add(Recipient::Contact(ContactId(12)));
        let cases = [
            (Step::Recipient, Step::Variables, Go::Continue, false, Focus::First),
            (Step::Variables, Step::Recipient, Go::To(Step::Recipient), false, Focus::First),
            (Step::Template, Step::Template, Go::Look, false, Focus::Stay),
            (Step::Template, Step::Template, pick(), true, Focus::Onward),
            (Step::Template, Step::Template, pick(), false, Focus::Stay),
            (Step::Recipient, Step::Recipient, add(), true, Focus::Onward),
            (Step::Recipient, Step::Recipient, add(), false, Focus::Stay),
            (Step::Recipient, Step::Recipient, Go::Enter, true, Focus::Onward),
            (Step::Recipient, Step::Recipient, Go::Remove, false, Focus::First),
            (Step::Variables, Step::Variables, Go::Check, false, Focus::Stay),
            (Step::Variables, Step::Variables, Go::Send, false, Focus::Stay),
            (Step::Variables, Step::Variables, Go::Online, false, Focus::First),
        ];
        for (shown, step, go, has_chosen, expected) in cases {
            let form = ComposeForm { shown: Some(shown), step, go, ..ComposeForm::default() };
            let focus = form.focus(has_chosen);
            assert_eq!(focus, expected, "{shown:?} to {step:?} by {:?}", form.go);
        }
        assert_eq!(ComposeForm::default().focus(false), Focus::First, "opened");
    }

    #[test]
    fn am_04_a_name_is_no_wrong_number() {
        use PhoneNumberProblem::{NoCountryCode, TooShort, UnknownCountry};
        let cases = [
            ("", None),
            ("luis 2", None),
            ("(", None),
            ("600 111", Some(NoCountryCode)),
            ("+", Some(TooShort)),
            ("+3460", Some(TooShort)),
            ("+999 1", Some(UnknownCountry { code: 999 })),
            ("+34 600 111 222", None),
        ];
        for (to, expected) in cases {
            let form = ComposeForm { to: to.to_owned(), ..ComposeForm::default() };
            assert_eq!(form.number_problem(), expected, "{to}");
        }
    }

    #[test]
    fn a_pick_from_an_older_list_is_told_from_a_current_one() {
        let typed = |to: &str, searched: &str| {
            ComposeForm::parse(fields(&[("to", to), ("searched", searched)])).ok().unwrap()
        };
        assert!(typed("lui ", "lui").list_is_current());
        assert!(!typed("luis", "lui").list_is_current());
    }
}
