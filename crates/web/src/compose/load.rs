//! One turn of the dialog: what was pressed is carried out as far as it may be, and what the step then
//! shows is read.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::TemplateId,
    phone::{PhoneNumber, PhoneNumberProblem},
    template::{
        FieldValues, MessageTemplate, TemplateStatus, VariableKind, VariableName, VariableValues,
    },
};
use persistence::{
    admission::{Door, Draft, Recipient},
    compose::{self, MediaPreview, SendingNumber, Standing},
    contact::{self, Contact, Identity},
    db::Db,
    error::PersistenceError,
    user::Actor,
};

use super::form::{ComposeForm, Go, Step};

/// Most templates shown at once; typing narrows them down.
const MOST_TEMPLATES: i64 = 50;
/// Most people shown at once.
const MOST_PEOPLE: i64 = 8;
/// How long a file once looked at is not looked at again.
pub const MEDIA_HOLDS: TimeDelta = TimeDelta::minutes(30);

/// What the dialog shows.
#[derive(Default)]
pub struct Loaded {
    /// Where the actor may send from; empty when nowhere.
    pub numbers: Vec<SendingNumber>,
    /// The one chosen.
    pub from: Option<SendingNumber>,
    /// The languages its account has templates in.
    pub languages: Vec<String>,
    /// Step 1: the templates that fit.
    pub templates: Vec<MessageTemplate>,
    /// The chosen one.
    pub template: Option<MessageTemplate>,
    /// The chosen person.
    pub recipient: Option<Person>,
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

    /// Whether something stands against writing to them.
    pub fn is_blocked(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| !standing.reasons.is_empty())
    }
}

/// Carries out what `form` asks and reads what its step then shows.
///
/// # Errors
/// `NotFound` when the contact or ticket it names is not `actor`'s to know.
pub fn turn(
    db: &mut Db,
    actor: &Actor,
    form: &mut ComposeForm,
    now: DateTime<Utc>,
) -> Result<(Loaded, Option<Halt>), PersistenceError> {
    let mut loaded =
        Loaded { numbers: compose::list_sending_numbers(db, actor)?, ..Loaded::default() };
    if let (Some(ticket), None) = (form.ticket, &form.recipient) {
        let origin = compose::get_ticket_origin(db, actor, ticket)?;
        form.recipient = Some(Recipient::Contact(origin.contact));
        form.chatbot = Some(origin.chatbot);
        form.channel = Some(origin.channel);
    }
    let recipient = form.recipient.take();
    loaded.recipient = recipient.map(|to| find_person(db, actor, to)).transpose()?;
    loaded.from = choose_number(db, actor, form, &loaded)?;
    let Some(from) = loaded.from.clone() else {
        form.step = Step::Template;
        return Ok((loaded, None));
    };
    form.chatbot = Some(from.chatbot);
    form.channel = Some(from.channel);
    if let Some(id) = form.template {
        loaded.template = compose::find_template(db, &from.account_id, id, now)?;
    }
    let mut at = Turn { db, actor, now, from, loaded };
    at.judge_recipient(form)?;
    let halt = at.act(form)?;
    at.leave_ticket(form)?;
    at.settle(form);
    at.read_step(form)?;
    let loaded = at.loaded;
    form.template = loaded.template.as_ref().map(|template| template.id);
    form.recipient = loaded.recipient.as_ref().and_then(Person::recipient);
    Ok((loaded, halt))
}

/// Who `recipient` is. A number that someone known here has is that person.
fn find_person(
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

/// The number to send from: as chosen, else the contact's last one, else the chatbot's first (AM-02).
fn choose_number(
    db: &mut Db,
    actor: &Actor,
    form: &ComposeForm,
    loaded: &Loaded,
) -> Result<Option<SendingNumber>, PersistenceError> {
    let contact =
        loaded.recipient.as_ref().and_then(|person| person.contact.as_ref()).map(|it| it.id);
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
    let last = match (chatbot, contact) {
        (Some(chatbot), Some(contact)) => compose::find_last_channel(db, chatbot, contact)?,
        _ => None,
    };
    let chosen = with_channel(form.channel).or_else(|| with_channel(last));
    Ok(chosen.or_else(|| of_chatbot.first()).map(|from| (*from).clone()))
}

/// A draft of what is chosen so far, for judging; `None` while no template is.
pub fn draft_of(form: &ComposeForm, actor: &Actor, to: Recipient) -> Option<Draft> {
    Some(Draft {
        channel: form.channel?,
        template: form.template?,
        to,
        values: VariableValues::new(),
        agent: Some(actor.id()),
        door: Door::Desk,
        ticket: form.ticket,
        key: None,
    })
}

struct Turn<'a> {
    db: &'a mut Db,
    actor: &'a Actor,
    now: DateTime<Utc>,
    from: SendingNumber,
    loaded: Loaded,
}

impl Turn<'_> {
    fn act(&mut self, form: &mut ComposeForm) -> Result<Option<Halt>, PersistenceError> {
        match (form.go.clone(), form.step) {
            (Go::Pick(id), _) => self.pick(form, id),
            (Go::First, Step::Template) => {
                let shown = self.search_templates(form)?;
                match shown.into_iter().find(|it| it.status == TemplateStatus::Approved) {
                    // Enter once more goes on.
                    Some(first) if Some(first.id) == form.template => {
                        Ok(self.leave_templates(form))
                    }
                    Some(first) => self.pick(form, first.id),
                    None => Ok(None),
                }
            }
            (Go::Continue, Step::Template) => Ok(self.leave_templates(form)),
            (Go::Add(to), _) if form.list_is_current() => self.add(form, to),
            (Go::First, Step::Recipient) if form.list_is_current() => {
                let chosen = self.loaded.recipient.as_ref().and_then(Person::recipient);
                match self.people_that_fit(form)?.into_iter().next() {
                    Some(first) if first.recipient() == chosen => self.leave_people(form),
                    Some(first) => Ok(self.take(first)),
                    None => Ok(number_problem(form)),
                }
            }
            (Go::Continue, Step::Recipient) => self.leave_people(form),
            (Go::Remove, _) => {
                self.loaded.recipient = None;
                Ok(None)
            }
            (Go::To(step), current) => {
                form.step = step.min(current);
                Ok(None)
            }
            (Go::Look | Go::Check | Go::Send | Go::First | Go::Continue | Go::Add(_), _) => {
                Ok(None)
            }
        }
    }

    fn pick(
        &mut self,
        form: &mut ComposeForm,
        id: TemplateId,
    ) -> Result<Option<Halt>, PersistenceError> {
        let Some(template) = compose::find_template(self.db, &self.from.account_id, id, self.now)?
        else {
            return Ok(Some(Halt::TemplateNotApproved(TemplateStatus::Gone)));
        };
        if template.status != TemplateStatus::Approved {
            return Ok(Some(Halt::TemplateNotApproved(template.status)));
        }
        form.template = Some(template.id);
        self.loaded.template = Some(template);
        self.judge_recipient(form)?;
        Ok(None)
    }

    fn leave_templates(&mut self, form: &mut ComposeForm) -> Option<Halt> {
        match self.loaded.template.as_ref().map(|template| template.status) {
            None => Some(Halt::NoTemplate),
            Some(TemplateStatus::Approved) => {
                form.step = Step::Recipient;
                None
            }
            Some(status) => Some(Halt::TemplateNotApproved(status)),
        }
    }

    fn add(&mut self, form: &ComposeForm, to: Recipient) -> Result<Option<Halt>, PersistenceError> {
        let mut person = find_person(self.db, self.actor, to)?;
        self.judge(form, &mut person)?;
        Ok(self.take(person))
    }

    /// Takes `person` as the recipient, unless something stands against it (AD-07).
    fn take(&mut self, person: Person) -> Option<Halt> {
        if person.is_blocked() {
            return Some(Halt::Blocked(Box::new(person)));
        }
        self.loaded.recipient = Some(person);
        None
    }

    fn leave_people(&mut self, form: &mut ComposeForm) -> Result<Option<Halt>, PersistenceError> {
        if self.loaded.recipient.is_none() {
            let Ok(phone) = PhoneNumber::parse(&form.to) else {
                return Ok(Some(number_problem(form).unwrap_or(Halt::NoRecipient)));
            };
            let halt = self.add(form, Recipient::Phone(phone))?;
            if halt.is_some() {
                return Ok(halt);
            }
        }
        match &self.loaded.recipient {
            Some(person) if person.is_blocked() => {
                Ok(Some(Halt::Blocked(Box::new(person.clone()))))
            }
            Some(_) => {
                form.step = Step::Variables;
                Ok(None)
            }
            None => Ok(Some(Halt::NoRecipient)),
        }
    }

    /// A ticket is kept only for the contact it is of: to anyone else nothing is sent from it (SW-09).
    fn leave_ticket(&mut self, form: &mut ComposeForm) -> Result<(), PersistenceError> {
        let Some(ticket) = form.ticket else { return Ok(()) };
        let contact = self.loaded.recipient.as_ref().and_then(|person| person.contact.as_ref());
        let origin = compose::get_ticket_origin(self.db, self.actor, ticket)?;
        if contact.is_none_or(|contact| contact.id != origin.contact) {
            form.ticket = None;
        }
        Ok(())
    }

    /// No step is shown before what it stands on is chosen.
    fn settle(&self, form: &mut ComposeForm) {
        if self.loaded.template.is_none() {
            form.step = Step::Template;
        } else if self.loaded.recipient.is_none() {
            form.step = form.step.min(Step::Recipient);
        }
    }

    fn read_step(&mut self, form: &ComposeForm) -> Result<(), PersistenceError> {
        match form.step {
            Step::Template => {
                self.loaded.languages =
                    compose::list_template_languages(self.db, &self.from.account_id)?;
                self.loaded.templates = self.search_templates(form)?;
            }
            Step::Recipient => self.loaded.people = self.people_that_fit(form)?,
            Step::Variables => {
                self.loaded.fields = self.field_values()?;
                self.loaded.media = self.known_media(form)?;
            }
        }
        Ok(())
    }

    fn search_templates(
        &mut self,
        form: &ComposeForm,
    ) -> Result<Vec<MessageTemplate>, PersistenceError> {
        let language = Some(form.language.as_str()).filter(|language| !language.is_empty());
        let account = &self.from.account_id;
        compose::search_templates(self.db, account, &form.q, language, MOST_TEMPLATES, self.now)
    }

    /// The people whose name or number begins as typed, and a number that none of them has.
    fn people_that_fit(&mut self, form: &ComposeForm) -> Result<Vec<Person>, PersistenceError> {
        let Some(draft) = self.some_draft(form) else { return Ok(Vec::new()) };
        let chatbot = Some(self.from.chatbot);
        let found = contact::search(self.db, self.actor, chatbot, &form.to, MOST_PEOPLE)?;
        let standings =
            compose::list_standings(self.db, self.actor, &self.from, &draft, &found, self.now)?;
        let mut people: Vec<Person> = found
            .into_iter()
            .zip(standings)
            .map(|(contact, standing)| Person {
                phone: contact.phone.clone(),
                contact: Some(contact),
                standing: Some(standing),
            })
            .collect();
        if let Ok(phone) = PhoneNumber::parse(&form.to) {
            let mut typed = find_person(self.db, self.actor, Recipient::Phone(phone))?;
            let recipient = typed.recipient();
            if people.iter().all(|person| person.recipient() != recipient) {
                self.judge(form, &mut typed)?;
                people.insert(0, typed);
            }
        }
        Ok(people)
    }

    fn judge_recipient(&mut self, form: &ComposeForm) -> Result<(), PersistenceError> {
        let Some(mut person) = self.loaded.recipient.take() else { return Ok(()) };
        self.judge(form, &mut person)?;
        self.loaded.recipient = Some(person);
        Ok(())
    }

    fn judge(&mut self, form: &ComposeForm, person: &mut Person) -> Result<(), PersistenceError> {
        let to = person.recipient();
        let Some(draft) = to.and_then(|to| self.draft(form, to)) else { return Ok(()) };
        let standing = match &person.contact {
            Some(contact) => {
                let people = std::slice::from_ref(contact);
                compose::list_standings(self.db, self.actor, &self.from, &draft, people, self.now)?
                    .pop()
            }
            None => Some(compose::standing_of_number(self.db, self.actor, &draft, self.now)?),
        };
        person.standing = standing;
        Ok(())
    }

    fn draft(&self, form: &ComposeForm, to: Recipient) -> Option<Draft> {
        let template = self.loaded.template.as_ref()?.id;
        let form = ComposeForm {
            template: Some(template),
            channel: Some(self.from.channel),
            ticket: form.ticket,
            ..ComposeForm::default()
        };
        draft_of(&form, self.actor, to)
    }

    /// A draft to judge a list by; whom it names is of no matter.
    fn some_draft(&self, form: &ComposeForm) -> Option<Draft> {
        self.draft(form, Recipient::Contact(domain::ids::ContactId(0)))
    }

    fn field_values(&mut self) -> Result<FieldValues, PersistenceError> {
        let Some(person) = &self.loaded.recipient else { return Ok(FieldValues::default()) };
        match &person.contact {
            Some(contact) => compose::field_values(self.db, self.actor, self.from.chatbot, contact),
            None => Ok(FieldValues {
                contact_phone: person.phone.as_ref().map(|phone| phone.as_e164().to_owned()),
                agent_name: Some(self.actor.user.name.clone()),
                ..FieldValues::default()
            }),
        }
    }

    fn known_media(
        &mut self,
        form: &ComposeForm,
    ) -> Result<BTreeMap<VariableName, MediaPreview>, PersistenceError> {
        let mut known = BTreeMap::new();
        let Some(template) = &self.loaded.template else { return Ok(known) };
        for variable in template.content.variables() {
            let VariableKind::Media(kind) = variable.kind else { continue };
            let Some(url) = form.values.get(&variable.name).map(|url| url.trim()) else { continue };
            let since = self.now - MEDIA_HOLDS;
            let owner = self.actor.id();
            if let Some(file) = compose::find_recent_media(self.db, owner, url, kind, since)? {
                known.insert(variable.name, file);
            }
        }
        Ok(known)
    }
}

/// What is wrong with a number that was typed; `None` when what was typed is a name or nothing.
fn number_problem(form: &ComposeForm) -> Option<Halt> {
    let is_number = form.to.chars().any(|typed| typed.is_ascii_digit())
        && !form.to.chars().any(char::is_alphabetic);
    let problem = PhoneNumber::parse(&form.to).err()?;
    is_number.then_some(Halt::NoNumber(problem))
}
