//! One turn of the dialog: what was pressed is carried out as far as it may be, and what the step then
//! shows is read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    fold::fold,
    ids::TemplateId,
    phone::PhoneNumber,
    template::{FieldValues, MessageTemplate, TemplateStatus, VariableKind, VariableName},
};
use persistence::{
    admission::{Draft, Recipient},
    compose::{self, MediaPreview, SendingNumber},
    contact,
    db::Db,
    error::PersistenceError,
    user::Actor,
};

use super::{
    form::{ComposeForm, Go, Step},
    load::{Halt, Loaded, MEDIA_HOLDS, Person, choose_number, draft_of, find_account, find_person},
};

/// Most templates shown at once; typing narrows them down.
const MOST_TEMPLATES: i64 = 50;
/// Most people shown at once.
const MOST_PEOPLE: i64 = 8;

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
    let origin =
        form.ticket.map(|ticket| compose::get_ticket_origin(db, actor, ticket)).transpose()?;
    if let (Some(origin), None) = (&origin, &form.recipient) {
        form.recipient = Some(Recipient::Contact(origin.contact));
        form.chatbot = Some(origin.chatbot);
    }
    let recipient = form.recipient.take();
    loaded.recipient = recipient.map(|to| find_person(db, actor, to)).transpose()?;
    loaded.origin = origin;
    loaded.account = form.template.map(|id| find_account(db, id)).transpose()?.flatten();
    loaded.from = choose_number(db, actor, form, &loaded, loaded.recipient.as_ref())?;
    let Some(from) = loaded.from.clone() else {
        form.step = Step::Template;
        return Ok((loaded, None));
    };
    form.chatbot = Some(from.chatbot);
    form.channel = form.channel.filter(|channel| *channel == from.channel);
    if let Some(id) = form.template {
        loaded.template = compose::find_template(db, &from.account_id, id, now)?;
    }
    let mut at = Turn { db, actor, now, from, loaded };
    at.judge_recipient(form)?;
    let halt = at.act(form)?;
    at.leave_ticket(form);
    at.settle(form);
    at.follow_recipient(form)?;
    at.read_step(form)?;
    let Turn { from, mut loaded, .. } = at;
    loaded.is_number_chosen = form.channel.is_some();
    form.channel = Some(from.channel);
    loaded.from = Some(from);
    form.template = loaded.template.as_ref().map(|template| template.id);
    form.recipient = loaded.recipient.as_ref().and_then(Person::recipient);
    Ok((loaded, halt))
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
            (Go::Enter, Step::Template) => self.enter_template(form),
            (Go::Continue, Step::Template) => Ok(self.leave_templates(form)),
            (Go::Add(to), _) if form.list_is_current() => self.add(form, to),
            (Go::Enter, Step::Recipient) => self.enter_person(form),
            (Go::Continue, Step::Recipient) => self.leave_people(form),
            (Go::Remove, _) => {
                self.loaded.recipient = None;
                Ok(None)
            }
            (Go::To(step), current) => {
                form.step = step.min(current);
                Ok(None)
            }
            (
                Go::Look
                | Go::Check
                | Go::Send
                | Go::Refused
                | Go::KeyReused
                | Go::Enter
                | Go::Continue
                | Go::Add(_)
                | Go::Online
                | Go::Resume
                | Go::Anew,
                _,
            ) => Ok(None),
        }
    }

    /// Enter in step 1: the template whose whole name was typed, and once more goes on. Part of a name may
    /// mean another one than is listed first, so nothing is chosen by it.
    fn enter_template(&mut self, form: &mut ComposeForm) -> Result<Option<Halt>, PersistenceError> {
        let typed = fold(form.q.trim());
        if typed.is_empty() {
            return Ok(self.leave_templates(form));
        }
        let listed = self.search_templates(form)?;
        let mut meant = listed.iter().filter(|template| fold(&template.name) == typed);
        match (meant.next(), meant.next()) {
            (Some(one), None) if Some(one.id) == form.template => Ok(self.leave_templates(form)),
            (Some(one), None) => self.pick(form, one.id),
            (None, _) | (Some(_), Some(_)) => Ok(Some(Halt::NotInFull(Step::Template))),
        }
    }

    /// Enter in step 2: the person whose whole name or number was typed, and once more goes on.
    fn enter_person(&mut self, form: &mut ComposeForm) -> Result<Option<Halt>, PersistenceError> {
        if form.to.trim().is_empty() {
            return self.leave_people(form);
        }
        let mut meant = match PhoneNumber::parse(&form.to) {
            Ok(phone) => {
                vec![find_person(self.db, self.actor, Recipient::Phone(phone))?]
            }
            Err(_) => {
                let mut listed = self.people_that_fit(form)?;
                listed.retain(|person| person.is_meant_by(&form.to));
                listed
            }
        };
        let chosen = self.loaded.recipient.as_ref().and_then(Person::recipient);
        match (meant.pop(), meant.pop()) {
            (Some(one), None) if one.recipient() == chosen => self.leave_people(form),
            (Some(one), None) => self.take(form, one),
            (None, _) | (Some(_), Some(_)) => Ok(Some(
                form.number_problem().map_or(Halt::NotInFull(Step::Recipient), Halt::NoNumber),
            )),
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
        self.loaded.account = Some(template.account_id.clone());
        self.loaded.template = Some(template);
        self.loaded.has_chosen = true;
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
        let person = find_person(self.db, self.actor, to)?;
        self.take(form, person)
    }

    /// Takes `person` as the recipient, unless something stands against it (AD-07), judged by the number it
    /// would go from.
    fn take(
        &mut self,
        form: &ComposeForm,
        mut person: Person,
    ) -> Result<Option<Halt>, PersistenceError> {
        let before = self.from.clone();
        self.send_from_number_for(form, Some(&person))?;
        self.judge(form, &mut person)?;
        if person.is_blocked() {
            self.from = before;
            return Ok(Some(Halt::Blocked(Box::new(person))));
        }
        self.loaded.recipient = Some(person);
        self.loaded.has_chosen = true;
        Ok(None)
    }

    /// Sends from the number that `person` is used to, unless the agent chose another (AM-02).
    fn send_from_number_for(
        &mut self,
        form: &ComposeForm,
        person: Option<&Person>,
    ) -> Result<(), PersistenceError> {
        if let Some(from) = choose_number(self.db, self.actor, form, &self.loaded, person)? {
            self.from = from;
        }
        Ok(())
    }

    /// What is left when the recipient changed: the number is theirs, and they are judged by it.
    fn follow_recipient(&mut self, form: &ComposeForm) -> Result<(), PersistenceError> {
        let before = self.from.channel;
        let person = self.loaded.recipient.clone();
        self.send_from_number_for(form, person.as_ref())?;
        if self.from.channel == before { Ok(()) } else { self.judge_recipient(form) }
    }

    fn leave_people(&mut self, form: &mut ComposeForm) -> Result<Option<Halt>, PersistenceError> {
        if self.loaded.recipient.is_none() {
            let Ok(phone) = PhoneNumber::parse(&form.to) else {
                if let Some(person) = self.find_blocked_one(form)? {
                    return Ok(Some(Halt::Blocked(Box::new(person))));
                }
                let problem = form.number_problem().map(Halt::NoNumber);
                return Ok(Some(problem.unwrap_or(Halt::NoRecipient)));
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

    /// The one person that what was typed finds, or names in full, when they may not be written to: whoever goes
    /// on then means them (AD-07).
    fn find_blocked_one(&mut self, form: &ComposeForm) -> Result<Option<Person>, PersistenceError> {
        if form.to.trim().is_empty() {
            return Ok(None);
        }
        let mut listed = self.people_that_fit(form)?;
        if listed.len() > 1 {
            listed.retain(|person| person.is_meant_by(&form.to));
        }
        let one = listed.pop().filter(|_| listed.is_empty());
        Ok(one.filter(Person::is_blocked))
    }

    /// A ticket is kept only for the contact it is of: to anyone else nothing is sent from it (SW-09).
    fn leave_ticket(&mut self, form: &mut ComposeForm) {
        let contact = self.loaded.recipient.as_ref().and_then(|person| person.contact.as_ref());
        let origin = self.loaded.origin.as_ref();
        if origin.is_none_or(|origin| contact.is_none_or(|it| it.id != origin.contact)) {
            form.ticket = None;
        }
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
