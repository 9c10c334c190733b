//! What the dialog stands on: the numbers, the template and the person that are chosen.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    fold::fold,
    ids::TemplateId,
    phone::{PhoneNumber, PhoneNumberProblem},
    template::{FieldValues, MessageTemplate, TemplateStatus, VariableName, VariableValues},
};
use persistence::{
    admission::{Door, Draft, Recipient},
    compose::{self, MediaPreview, SendingNumber, Standing, TicketOrigin},
    contact::{self, Contact, Identity},
    db::Db,
    error::PersistenceError,
    message_template,
    user::Actor,
};

use super::form::{ComposeForm, Step};

/// How long a file once looked at is not looked at again.
pub const MEDIA_HOLDS: TimeDelta = TimeDelta::minutes(30);

/// What the dialog shows.
#[derive(Default)]
pub struct Loaded {
    /// Where the actor may send from; empty when nowhere.
    pub numbers: Vec<SendingNumber>,
    /// The one it goes from.
    pub from: Option<SendingNumber>,
    /// Whether the agent chose it; else it is the one that fits best.
    pub is_number_chosen: bool,
    /// The ticket it is sent from.
    pub origin: Option<TicketOrigin>,
    /// The account of the chosen template: only its numbers can send it.
    pub account: Option<String>,
    /// The languages its account has templates in.
    pub languages: Vec<String>,
    /// Step 1: the templates that fit.
    pub templates: Vec<MessageTemplate>,
    /// The chosen one.
    pub template: Option<MessageTemplate>,
    /// The chosen person.
    pub recipient: Option<Person>,
    /// Whether one of them was chosen just now.
    pub has_chosen: bool,
    /// Step 2: the people that fit, and the number typed when nobody known has it.
    pub people: Vec<Person>,
    /// Step 3: what fields hold for the recipient.
    pub fields: FieldValues,
    /// Files looked at already, by the variable that names them.
    pub media: BTreeMap<VariableName, MediaPreview>,
}

/// Someone to write to.
#[derive(Clone)]
pub struct Person {
    /// `None` for a number nobody known here has.
    pub contact: Option<Contact>,
    /// `None` for people known by another identity only.
    pub phone: Option<PhoneNumber>,
    /// What stands against it; `None` while no template is chosen.
    pub standing: Option<Standing>,
}

/// Why the dialog goes no further.
#[derive(Clone)]
pub enum Halt {
    /// No template is chosen.
    NoTemplate,
    /// The template may not be sent.
    TemplateNotApproved(TemplateStatus),
    /// Nobody is chosen.
    NoRecipient,
    /// What was typed is no number.
    NoNumber(PhoneNumberProblem),
    /// What was typed is the whole name of none of those listed, or of several.
    NotInFull(Step),
    /// This person may not be written to now.
    Blocked(Box<Person>),
}

impl Person {
    /// How a draft or form names them.
    pub fn recipient(&self) -> Option<Recipient> {
        match (&self.contact, &self.phone) {
            (Some(contact), _) => Some(Recipient::Contact(contact.id)),
            (None, Some(phone)) => Some(Recipient::Phone(phone.clone())),
            (None, None) => None,
        }
    }

    /// Whether `typed` is their whole name, case and accents aside, or their whole number.
    pub fn is_meant_by(&self, typed: &str) -> bool {
        let name = self.contact.as_ref().map(|contact| fold(contact.name.trim()));
        let is_name = name.is_some_and(|name| !name.is_empty() && name == fold(typed.trim()));
        let has_letters = typed.chars().any(char::is_alphabetic);
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let number = self.phone.as_ref().map(|phone| phone.as_e164().trim_start_matches('+'));
        is_name || (!has_letters && number == Some(digits.as_str()))
    }

    /// Whether something stands against writing to them.
    pub fn is_blocked(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| !standing.reasons.is_empty())
    }
}

/// Who `recipient` is. A number that someone known here has is that person.
pub fn find_person(
    db: &mut Db,
    actor: &Actor,
    recipient: Recipient,
) -> Result<Person, PersistenceError> {
    let known = |contact: Contact| Person {
        phone: contact.phone.clone(),
        contact: Some(contact),
        standing: None,
    };
    let phone = match recipient {
        Recipient::Contact(id) => return contact::get(db, actor, id).map(known),
        Recipient::Phone(phone) => phone,
        Recipient::NoNumber(_) => return Err(PersistenceError::NotFound),
    };
    let stranger = Person { contact: None, phone: Some(phone.clone()), standing: None };
    let Some(id) = contact::find_by_identity(db, Identity::Phone(&phone))? else {
        return Ok(stranger);
    };
    match contact::get(db, actor, id) {
        Ok(contact) => Ok(known(contact)),
        // Known to chatbots of others only: not to be told here.
        Err(PersistenceError::NotFound) => Ok(stranger),
        Err(problem) => Err(problem),
    }
}

/// The account of the template `id`; `None` for one that is gone.
pub fn find_account(db: &mut Db, id: TemplateId) -> Result<Option<String>, PersistenceError> {
    match message_template::get(db, id) {
        Ok(template) => Ok(Some(template.account_id)),
        Err(PersistenceError::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The number to write to `person` from: as chosen, else the ticket's or the contact's last one, else the
/// chatbot's first, each only if it can send the chosen template (AM-02).
pub fn choose_number(
    db: &mut Db,
    actor: &Actor,
    form: &ComposeForm,
    loaded: &Loaded,
    person: Option<&Person>,
) -> Result<Option<SendingNumber>, PersistenceError> {
    let contact = person.and_then(|person| person.contact.as_ref()).map(|it| it.id);
    let asked = form.chatbot.filter(|id| loaded.numbers.iter().any(|from| from.chatbot == *id));
    let chatbot = match (asked, contact) {
        (Some(chatbot), _) => Some(chatbot),
        (None, Some(contact)) => compose::find_chatbot_of(db, actor, contact)?,
        (None, None) => None,
    };
    let of_chatbot: Vec<&SendingNumber> = loaded
        .numbers
        .iter()
        .filter(|from| chatbot.is_none_or(|chatbot| from.chatbot == chatbot))
        .collect();
    let with_channel = |channel| of_chatbot.iter().find(|from| Some(from.channel) == channel);
    let origin = loaded.origin.as_ref().filter(|origin| Some(origin.contact) == contact);
    let last = match (origin, chatbot, contact) {
        (Some(origin), _, _) => Some(origin.channel),
        (None, Some(chatbot), Some(contact)) => compose::find_last_channel(db, chatbot, contact)?,
        (None, _, _) => None,
    };
    let can_send = |from: &&&SendingNumber| {
        loaded.account.as_ref().is_none_or(|account| from.account_id == *account)
    };
    let chosen = with_channel(form.channel)
        .or_else(|| with_channel(last).filter(can_send))
        .or_else(|| of_chatbot.iter().find(can_send))
        .or_else(|| of_chatbot.first());
    Ok(chosen.map(|from| (*from).clone()))
}

/// A draft of what is chosen so far, for judging; `None` while no template is.
pub fn draft_of(form: &ComposeForm, actor: &Actor, to: Recipient) -> Option<Draft> {
    Some(Draft {
        channel: form.channel?,
        template: form.template?,
        to,
        values: VariableValues::new(),
        refused_media: Vec::new(),
        agent: Some(actor.id()),
        door: Door::Desk,
        ticket: form.ticket,
        key: None,
    })
}
