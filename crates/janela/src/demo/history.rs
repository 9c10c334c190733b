//! Plays the company's past into the database through the use cases that pages, jobs and webhooks call,
//! each at its own instant, in one transaction: the dispatcher never sees a seeded message.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    channel::{
        ChannelEvent, InboundContent, InboundMessage, Pause, PauseScope, PausedSends,
        PlatformRefusal, Receipt, ReceiptStatus, RefusalClass, SendOutcome, SenderIdentity,
        WebhookElement,
    },
    clock::Clock,
    dispatch::BackOff,
    ids::{ChannelId, ChatbotId, ContactId, MessageId, NumberId, TemplateId, TicketId, UserId},
    phone::PhoneNumber,
    policy::Policy,
    presence::Presence,
    template::{MessageTemplate, VariableName},
};
use persistence::{
    admission::{self, Door, Draft, Outcome, Recipient},
    chatbot, contact,
    db::Db,
    error::PersistenceError,
    inbox, message_template, number,
    outbox::{self, ClaimRequest, DispatchPolicy},
    presence,
    ticket::{self, Reply, ReplyDraft, TicketOutcome},
    user::{self, Actor},
};

use crate::demo::{
    company::{self, ContactSeed},
    files, picture,
    script::{self, Act, Fate, Letter, Scene, Trouble, Words},
    seed,
};

/// A clock that says what a scene says.
struct ScriptedClock(DateTime<Utc>);

impl Clock for ScriptedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Plays `scenes`, which end at `start`. Nothing is left to be sent, and only the first agent is online.
///
/// # Errors
/// When the database fails, or the company is not the one that the scenes are about.
pub fn play(
    db: &mut Db,
    channels: &[ChannelId],
    contacts: &[ContactSeed],
    scenes: &[Scene],
    start: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let mut stage = Stage::find(db, channels, contacts, start)?;
        let begin = scenes.first().map_or(start, |scene| start - scene.ago);
        stage.all_leave(db, begin)?;
        for scene in scenes {
            stage.play(db, &scene.act, start - scene.ago)?;
        }
        stage.all_leave(db, start)?;
        picture::keep(db, stage.agents.iter().map(Actor::id), start)?;
        let first_agent = stage.agents[seed::first_agent()].id();
        presence::choose(db, first_agent, Presence::Online, start)
    })
}

/// The company as it is in the database.
struct Stage<'a> {
    channels: &'a [ChannelId],
    /// By channel.
    numbers: Vec<NumberId>,
    seeds: &'a [ContactSeed],
    chatbots: Vec<ChatbotId>,
    agents: Vec<Actor>,
    contacts: Vec<ContactId>,
    /// By chatbot.
    templates: Vec<Vec<MessageTemplate>>,
    policy: DispatchPolicy,
    start: DateTime<Utc>,
    messages: u32,
}

/// A message that the platform took, and when.
struct Taken {
    message: MessageId,
    provider_id: String,
    at: DateTime<Utc>,
}

impl<'a> Stage<'a> {
    fn find(
        db: &mut Db,
        channels: &'a [ChannelId],
        seeds: &'a [ContactSeed],
        start: DateTime<Utc>,
    ) -> Result<Self, PersistenceError> {
        let agents = company::USERS
            .iter()
            .map(|user| {
                let id: UserId =
                    user::find_credentials(db, user.email)?.ok_or(PersistenceError::NotFound)?.user;
                user::find_actor(db, id)?.ok_or(PersistenceError::NotFound)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let admin = agents.first().ok_or(PersistenceError::NotFound)?;
        let known = number::list(db, admin)?;
        let numbers = channels
            .iter()
            .map(|channel| known.iter().find(|number| number.channel == *channel))
            .map(|found| found.map(|number| number.id).ok_or(PersistenceError::NotFound))
            .collect::<Result<_, _>>()?;
        let known = chatbot::list(db, admin)?;
        let chatbots = company::CHATBOTS
            .iter()
            .map(|seed| known.iter().find(|chatbot| chatbot.name == seed.name))
            .map(|found| found.map(|chatbot| chatbot.id).ok_or(PersistenceError::NotFound))
            .collect::<Result<_, _>>()?;
        let contacts = seeds
            .iter()
            .map(|seed| {
                let phone = phone_of(seed)?;
                contact::find_by_identity(db, contact::Identity::Phone(&phone))?
                    .ok_or(PersistenceError::NotFound)
            })
            .collect::<Result<_, _>>()?;
        let templates = company::CHATBOTS
            .iter()
            .map(|chatbot| message_template::list_of_account(db, chatbot.account_id))
            .collect::<Result<_, _>>()?;
        let policy = DispatchPolicy {
            back_off: BackOff::default(),
            lease: TimeDelta::minutes(1),
            active_messages: Policy::default_profile().active_messages,
        };
        Ok(Self {
            channels,
            numbers,
            seeds,
            chatbots,
            agents,
            contacts,
            templates,
            policy,
            start,
            messages: 0,
        })
    }

    fn all_leave(&self, db: &mut Db, at: DateTime<Utc>) -> Result<(), PersistenceError> {
        self.agents.iter().try_for_each(|agent| presence::leave(db, agent.id(), at))
    }

    fn play(&mut self, db: &mut Db, act: &Act, at: DateTime<Utc>) -> Result<(), PersistenceError> {
        match *act {
            Act::Arrive { agent } => {
                presence::choose(db, self.agents[agent].id(), Presence::Online, at)
            }
            Act::Leave { agent } => presence::leave(db, self.agents[agent].id(), at),
            Act::Send { agent, number, contact, ref letter, fate } => {
                let message = self.admit(db, agent, number, contact, letter, at)?;
                let taken = self.dispatch(db, number, message, at)?;
                self.befall(db, number, &taken, fate)
            }
            Act::Write { number, contact, words } => self.write(db, number, contact, words, at),
            Act::Answer { agent, number, contact, text } => {
                let message = self.answer(db, agent, number, contact, text, at)?;
                let taken = self.dispatch(db, number, message, at)?;
                self.befall(db, number, &taken, Fate::Read)
            }
            Act::Close { agent, number, contact } => {
                let ticket = self.open_ticket(db, number, contact)?;
                match ticket::close(db, &self.agents[agent], ticket, at)? {
                    TicketOutcome::Done => Ok(()),
                    TicketOutcome::Refused(refusal) => Err(unplayable(refusal.as_str())),
                }
            }
        }
    }

    fn admit(
        &self,
        db: &mut Db,
        agent: usize,
        number: usize,
        contact: usize,
        letter: &Letter,
        at: DateTime<Utc>,
    ) -> Result<MessageId, PersistenceError> {
        let actor = &self.agents[agent];
        let values = script::values(letter, contact, &self.seeds[contact].name);
        let draft = Draft {
            channel: self.channels[number],
            template: self.template(number, letter)?,
            to: Recipient::Contact(self.contacts[contact]),
            values: values.into_iter().map(|(name, value)| (VariableName(name), value)).collect(),
            refused_media: Vec::new(),
            agent: Some(actor.id()),
            door: Door::Desk,
            ticket: None,
            key: None,
        };
        // As the job does each minute, so that the decision sees the day as it was.
        admission::expire(db, self.numbers[number], &ScriptedClock(at), 0)?;
        match admission::admit_and_queue(db, actor, &draft, &ScriptedClock(at))? {
            Outcome::Queued(queued) => Ok(queued.message),
            Outcome::Refused(refused) => {
                let codes: Vec<&str> =
                    refused.reasons.iter().map(|refusal| refusal.code.as_str()).collect();
                Err(unplayable(&codes.join(", ")))
            }
            Outcome::Replayed(_) | Outcome::KeyReused => Err(unplayable("sent twice")),
        }
    }

    fn template(&self, number: usize, letter: &Letter) -> Result<TemplateId, PersistenceError> {
        self.templates[company::NUMBERS[number].chatbot]
            .iter()
            .find(|known| known.name == letter.name && known.language == letter.language)
            .map(|known| known.id)
            .ok_or(PersistenceError::NotFound)
    }

    /// What the dispatcher does: claims the message and notes that the platform took it.
    fn dispatch(
        &mut self,
        db: &mut Db,
        number: usize,
        message: MessageId,
        at: DateTime<Utc>,
    ) -> Result<Taken, PersistenceError> {
        let mut request = ClaimRequest {
            shares: &[(self.channels[number], 1)],
            token: "demo",
            policy: &self.policy,
            pair_wait: &mut |_, _| None,
        };
        let claimed = outbox::claim(db, &mut request, at)?;
        let claim = claimed.claims.first().filter(|claim| claim.outgoing.id == message);
        let claim = claim.ok_or_else(|| unplayable("a message could not be claimed"))?;
        let provider_id = self.provider_id();
        let outcome = SendOutcome::Accepted { provider_id: provider_id.clone() };
        outbox::record_outcomes(db, std::iter::once((claim, &outcome)), &self.policy, at)?;
        Ok(Taken { message, provider_id, at })
    }

    fn befall(
        &mut self,
        db: &mut Db,
        number: usize,
        taken: &Taken,
        fate: Fate,
    ) -> Result<(), PersistenceError> {
        let seconds = TimeDelta::seconds;
        let delivered = || (ReceiptStatus::Delivered, seconds(2));
        let read = || (ReceiptStatus::Read, seconds(20 + taken.message.0 % 200));
        // Of what is long ago the last receipt tells enough.
        let is_recent = self.start - taken.at < TimeDelta::days(4);
        let steps: Vec<(ReceiptStatus, TimeDelta)> = match fate {
            Fate::Taken => Vec::new(),
            Fate::Delivered => vec![delivered()],
            Fate::Read if is_recent => vec![delivered(), read()],
            Fate::Read => vec![read()],
            Fate::Failed(trouble) => vec![(failed(trouble), seconds(2))],
        };
        if steps.is_empty() {
            return Ok(());
        }
        let elements: Vec<WebhookElement> = steps
            .into_iter()
            .map(|(status, after)| {
                let receipt = Receipt::new(&taken.provider_id, status, taken.at + after);
                element(ChannelEvent::Receipt(receipt))
            })
            .collect();
        inbox::apply_unkept(db, self.channels[number], &elements, taken.at)
    }

    fn write(
        &mut self,
        db: &mut Db,
        number: usize,
        contact: usize,
        words: Words,
        at: DateTime<Utc>,
    ) -> Result<(), PersistenceError> {
        let seed = &self.seeds[contact];
        let sender = SenderIdentity {
            phone_digits: Some(seed.phone.trim_start_matches('+').to_owned()),
            name: Some(seed.name.clone()),
            ..SenderIdentity::default()
        };
        let content = match words {
            Words::Text(text) => InboundContent::Text(text.to_owned()),
            Words::Button(text) => {
                InboundContent::Button { text: text.to_owned(), payload: text.to_owned() }
            }
            Words::File(sample) => files::content(sample, self.messages),
        };
        let inbound = InboundMessage::new(self.provider_id(), sender, at, content);
        let element = element(ChannelEvent::Inbound(inbound));
        inbox::apply_unkept(db, self.channels[number], &[element], at)?;
        match words {
            Words::File(sample) => files::keep(db, sample, at),
            Words::Text(_) | Words::Button(_) => Ok(()),
        }
    }

    fn answer(
        &mut self,
        db: &mut Db,
        agent: usize,
        number: usize,
        contact: usize,
        text: &str,
        at: DateTime<Utc>,
    ) -> Result<MessageId, PersistenceError> {
        let draft = ReplyDraft {
            ticket: self.open_ticket(db, number, contact)?,
            text: text.to_owned(),
            key: format!("demo-{}", self.messages),
            quotes: None,
        };
        match ticket::reply(db, &self.agents[agent], &draft, &ScriptedClock(at))? {
            Reply::Queued(message) => Ok(message),
            Reply::Refused(refusal) => Err(unplayable(refusal.as_str())),
            Reply::Replayed(_) | Reply::KeyReused => Err(unplayable("answered twice")),
        }
    }

    fn open_ticket(
        &self,
        db: &mut Db,
        number: usize,
        contact: usize,
    ) -> Result<TicketId, PersistenceError> {
        let chatbot = self.chatbots[company::NUMBERS[number].chatbot];
        ticket::find_open(db, chatbot, self.contacts[contact])?.ok_or(PersistenceError::NotFound)
    }

    fn provider_id(&mut self) -> String {
        self.messages += 1;
        provider_id(self.messages)
    }
}

/// The platform's id of the message that is the `place`th of the past, from 1.
pub fn provider_id(place: u32) -> String {
    format!("wamid.seeded-{place:06}")
}

/// The phone of a contact of the company.
///
/// # Errors
/// `Settings` when there is no such phone.
pub fn phone_of(seed: &ContactSeed) -> Result<PhoneNumber, PersistenceError> {
    PhoneNumber::from_e164(&seed.phone).map_err(|_| {
        PersistenceError::Settings(format!("the seed's contact {} has no phone", seed.name))
    })
}

/// Of the channel it is handed over with.
fn element(event: ChannelEvent) -> WebhookElement {
    WebhookElement {
        account_id: None,
        told_at: None,
        external_id: None,
        raw: String::new(),
        event: Ok(event),
    }
}

fn failed(trouble: Trouble) -> ReceiptStatus {
    let spam =
        RefusalClass::Pause(Pause { scope: PauseScope::Number, sends: PausedSends::Templates });
    let (code, title, class) = match trouble {
        Trouble::NotOnPlatform => ("131026", "Message undeliverable", RefusalClass::FailContact),
        Trouble::EnoughMarketing => {
            let title = "This message was not delivered to maintain healthy ecosystem engagement.";
            ("131049", title, RefusalClass::Fail)
        }
        Trouble::Spam => ("131048", "Spam rate limit hit", spam),
    };
    let refusal = PlatformRefusal { code: code.to_owned(), title: title.to_owned() };
    ReceiptStatus::Failed { refusal, class }
}

fn unplayable(reason: &str) -> PersistenceError {
    PersistenceError::Settings(format!("the demo's past cannot be played: {reason}"))
}

#[cfg(test)]
mod tests;
