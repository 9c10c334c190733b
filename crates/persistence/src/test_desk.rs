//! A small desk where everything is allowed, for tests of the pipeline: one chatbot, one number, one
//! template, two agents who are online, and a clock that tests move.

#![expect(
    clippy::expect_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod dispatcher;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        ChannelEvent, ChannelKind, InboundContent, InboundMessage, Pricing, Receipt, ReceiptStatus,
        SenderIdentity, WebhookElement,
    },
    clock::Clock,
    ids::{ChannelId, ChatbotId, InboxId, MessageId, TemplateId, UserId},
    permission::Role,
    phone::PhoneNumber,
    presence::Presence,
    template::PlatformTemplate,
};

pub use dispatcher::{accepted, dispatch_policy};

use crate::{
    admission::{self, Door, Draft, Outcome, Recipient},
    channel::{self, NewChannel},
    chatbot,
    db::Db,
    inbox::{self, ApplyReport, ParsedWebhook},
    instant::Instant,
    message_template, number, policy, presence,
    schema::{
        active_messages, attempts, chatbots, messages, quarantined_events, tickets, webhook_inbox,
    },
    store::Store,
    user::{self, Actor, NewUser},
};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock {
    start: Mutex<DateTime<Utc>>,
    now: Mutex<DateTime<Utc>>,
}

impl TestClock {
    /// Stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { start: Mutex::new(now), now: Mutex::new(now) }
    }

    /// Moves on by `step`.
    ///
    /// # Panics
    /// When another test thread panicked while it moved the clock.
    pub fn advance(&self, step: TimeDelta) {
        *self.now.lock().expect("the clock") += step;
    }

    /// Sets the wall clock ahead by `step`, back when it is negative, and leaves the monotonic one as it is.
    ///
    /// # Panics
    /// As [`TestClock::advance`].
    pub fn set_ahead(&self, step: TimeDelta) {
        let mut now = self.now.lock().expect("the clock");
        *self.start.lock().expect("the clock") += step;
        *now += step;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().expect("the clock")
    }

    fn monotonic(&self) -> Duration {
        let now = self.now.lock().expect("the clock");
        (*now - *self.start.lock().expect("the clock")).to_std().unwrap_or_default()
    }
}

/// The desk and the ids in it.
#[derive(Debug)]
pub struct TestDesk {
    /// Its database.
    pub store: Store,
    /// Its clock: day 1, 10:00.
    pub clock: Arc<TestClock>,
    /// Its chatbot: direct transfer on, cap off, quiet hours off.
    pub chatbot: ChatbotId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its template, without variables.
    pub template: TemplateId,
    /// Two agents, online.
    pub agents: [UserId; 2],
}

/// What the platform knows the number by.
pub const EXTERNAL_ID: &str = "730055819924406";
/// The platform account.
pub const ACCOUNT: &str = "884120037765421";

static NEXT_INBOX: AtomicI64 = AtomicI64::new(1);

impl TestDesk {
    /// Sets the desk up in a fresh database.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        let now = DateTime::from_timestamp(1_795_000_000 / 86_400 * 86_400 + 36_000, 0)
            .expect("an instant");
        let vault = store.vault().expect("an open vault");
        store
            .blocking_write(|db| {
                let policy = policy::find_or_create_default(db, now)?;
                let chatbot = chatbot::create(db, "Service", "Europe/Lisbon", now)?;
                diesel::update(chatbots::table.find(chatbot.0))
                    .set(chatbots::active_messages_enabled.eq(true))
                    .execute(db)?;
                let channel = channel::create(db, &vault, &new_channel(chatbot), now)?;
                number::create(db, channel, "+351210000001", policy, now)?;
                message_template::save_all(db, ACCOUNT, &[platform_template()], now)?;
                let template = message_template::list_of_account(db, ACCOUNT)?
                    .first()
                    .map(|template| template.id)
                    .expect("the template just saved");
                let agents = [agent(db, chatbot, "ana", now)?, agent(db, chatbot, "rui", now)?];
                Ok(Self {
                    store: store.clone(),
                    clock: Arc::new(TestClock::at(now)),
                    chatbot,
                    channel,
                    template,
                    agents,
                })
            })
            .expect("a desk")
    }

    /// The agent as a use case sees them.
    ///
    /// # Panics
    /// When there is no such agent.
    #[must_use]
    pub fn actor(&self, agent: UserId) -> Actor {
        self.store
            .blocking_read(|db| user::find_actor(db, agent))
            .expect("a readable user")
            .expect("a known user")
    }

    /// Sends the template to the contact with `phone`, admitted now.
    ///
    /// # Panics
    /// When it is not admitted.
    pub fn send(&self, agent: UserId, phone: &str) -> MessageId {
        let actor = self.actor(agent);
        let draft = Draft {
            channel: self.channel,
            template: self.template,
            to: Recipient::Phone(PhoneNumber::from_e164(phone).expect("a number")),
            values: std::collections::BTreeMap::new(),
            refused_media: Vec::new(),
            agent: Some(agent),
            door: Door::Desk,
            ticket: None,
            key: None,
        };
        let outcome = self
            .store
            .blocking_write(|db| admission::admit_and_queue(db, &actor, &draft, &*self.clock))
            .expect("a decision");
        let Outcome::Queued(queued) = outcome else { panic!("not admitted: {outcome:?}") };
        queued.message
    }

    /// Sets an agent's presence.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn set_presence(&self, agent: UserId, chosen: Presence) {
        let actor = self.actor(agent);
        let now = self.clock.now();
        self.store
            .blocking_write(|db| crate::ticket::set_presence(db, &actor, chosen, now))
            .expect("a presence");
    }

    /// Applies elements as one webhook that arrives now.
    ///
    /// # Panics
    /// When the batch fails as a whole.
    pub fn apply(&self, elements: Vec<WebhookElement>) -> ApplyReport {
        let now = self.clock.now();
        self.store
            .blocking_write(|db| {
                let id = NEXT_INBOX.fetch_add(1, Ordering::Relaxed) + 1_000_000;
                diesel::insert_into(webhook_inbox::table)
                    .values((
                        webhook_inbox::id.eq(id),
                        webhook_inbox::channel_id.eq(self.channel.0),
                        webhook_inbox::received_at.eq(Instant::from(now)),
                        webhook_inbox::body.eq(Vec::new()),
                    ))
                    .execute(db)?;
                let webhook = ParsedWebhook {
                    id: InboxId(id),
                    channel: self.channel,
                    elements: Ok(elements.clone()),
                };
                inbox::apply(db, &[webhook], now)
            })
            .expect("an applied batch")
    }

    /// The state of an active message as stored, with its failure's code.
    ///
    /// # Panics
    /// When there is no such active message.
    #[must_use]
    pub fn state_of(&self, message: MessageId) -> (String, Option<String>) {
        self.store
            .blocking_read(|db| {
                let state = active_messages::table
                    .find(message.0)
                    .select(active_messages::state)
                    .first(db)?;
                let code =
                    messages::table.find(message.0).select(messages::failure_code).first(db)?;
                Ok((state, code))
            })
            .expect("an active message")
    }

    /// How many attempts to send `message` have their outcome on record.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn count_ended_attempts(&self, message: MessageId) -> i64 {
        self.store
            .blocking_read(|db| {
                Ok(attempts::table
                    .filter(attempts::message_id.eq(message.0))
                    .filter(attempts::finished_at.is_not_null())
                    .count()
                    .get_result(db)?)
            })
            .expect("attempts")
    }

    /// The platform's echo of a message of ours.
    ///
    /// # Panics
    /// When there is no such message.
    #[must_use]
    pub fn callback_of(&self, message: MessageId) -> Option<String> {
        self.store
            .blocking_read(|db| {
                Ok(messages::table.find(message.0).select(messages::callback_id).first(db)?)
            })
            .expect("a message")
    }

    /// The platform's ids of every message there is, sorted, each as often as it is kept.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn provider_ids(&self) -> Vec<String> {
        let ids: Vec<Option<String>> = self
            .store
            .blocking_read(|db| {
                Ok(messages::table
                    .filter(messages::provider_id.is_not_null())
                    .order(messages::provider_id.asc())
                    .select(messages::provider_id)
                    .load(db)?)
            })
            .expect("messages");
        ids.into_iter().flatten().collect()
    }

    /// How many elements of webhooks are put aside.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn count_quarantined(&self) -> i64 {
        self.store
            .blocking_read(|db| Ok(quarantined_events::table.count().get_result(db)?))
            .expect("the quarantine")
    }

    /// The tickets there are: state, agent, and for whom alone they wait; oldest first.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn tickets(&self) -> Vec<(String, Option<UserId>, Option<UserId>)> {
        let rows: Vec<(String, Option<i64>, Option<i64>)> = self
            .store
            .blocking_read(|db| {
                Ok(tickets::table
                    .order(tickets::id.asc())
                    .select((tickets::state, tickets::agent_id, tickets::only_agent_id))
                    .load(db)?)
            })
            .expect("tickets");
        rows.into_iter()
            .map(|(state, agent, only)| (state, agent.map(UserId), only.map(UserId)))
            .collect()
    }
}

fn agent(
    db: &mut Db,
    chatbot: ChatbotId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<UserId, crate::error::PersistenceError> {
    let email = format!("{name}@example.com");
    let new = NewUser {
        email: &email,
        name,
        password_hash: "none",
        language: None,
        time_zone: None,
        max_tickets: 5,
    };
    let agent = user::create(db, &new, now)?;
    user::save_membership(db, agent, chatbot, Role::Agent, Role::Agent.permissions())?;
    presence::enter(db, agent, now)?;
    presence::stream_opened(db, agent, now)?;
    presence::choose(db, agent, Presence::Online, now)?;
    Ok(agent)
}

/// The desk's channel before it is made, for tests to change what they are about: nothing listens where its
/// platform's API should be.
#[must_use]
pub fn new_channel(chatbot: ChatbotId) -> NewChannel<'static> {
    NewChannel {
        chatbot,
        kind: ChannelKind::WhatsApp,
        name: "Main",
        external_id: EXTERNAL_ID,
        account_id: ACCOUNT,
        api_base_url: "http://127.0.0.1:1",
        access_token: "token",
        app_secret: "secret",
        verify_token: "verify",
    }
}

/// The desk's template as its platform lists it: approved, without variables.
#[must_use]
pub fn platform_template() -> PlatformTemplate {
    PlatformTemplate::of_text("hello", "en", "Hello, how are you?")
}

/// A receipt as a webhook element.
#[must_use]
pub fn receipt(
    provider_id: &str,
    callback_id: Option<&str>,
    status: ReceiptStatus,
    at: DateTime<Utc>,
) -> WebhookElement {
    let event = ChannelEvent::Receipt(Receipt {
        callback_id: callback_id.map(str::to_owned),
        ..Receipt::new(provider_id, status, at)
    });
    WebhookElement {
        account_id: None,
        told_at: None,
        external_id: Some(EXTERNAL_ID.to_owned()),
        raw: format!("{provider_id} {at}"),
        event: Ok(event),
    }
}

/// A receipt that tells what its message costs, as a webhook element.
#[must_use]
pub fn priced_receipt(
    provider_id: &str,
    status: ReceiptStatus,
    at: DateTime<Utc>,
    pricing: Pricing,
) -> WebhookElement {
    let receipt = Receipt { pricing: Some(pricing), ..Receipt::new(provider_id, status, at) };
    element(&format!("{provider_id} {at}"), ChannelEvent::Receipt(receipt))
}

/// What the platform tells of the desk's number, as a webhook element.
#[must_use]
pub fn element(raw: &str, event: ChannelEvent) -> WebhookElement {
    WebhookElement {
        account_id: None,
        told_at: None,
        external_id: Some(EXTERNAL_ID.to_owned()),
        raw: raw.to_owned(),
        event: Ok(event),
    }
}

/// A text of a contact as a webhook element.
#[must_use]
pub fn inbound(
    provider_id: &str,
    phone_digits: &str,
    text: &str,
    at: DateTime<Utc>,
) -> WebhookElement {
    let sender = SenderIdentity {
        phone_digits: Some(phone_digits.to_owned()),
        name: Some("Luísa".to_owned()),
        ..SenderIdentity::default()
    };
    let content = InboundContent::Text(text.to_owned());
    let event = ChannelEvent::Inbound(InboundMessage::new(provider_id, sender, at, content));
    WebhookElement {
        account_id: None,
        told_at: None,
        external_id: Some(EXTERNAL_ID.to_owned()),
        raw: provider_id.to_owned(),
        event: Ok(event),
    }
}
