//! A desk in which everything is allowed, for tests to change what they are about.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    clock::Clock,
    contact_cap::CapScope,
    ids::{ChannelId, ChatbotId, ContactId, NumberId, TemplateId, UserId},
    permission::{Permission, Role},
    phone::PhoneNumber,
    template::{PlatformTemplate, VariableName},
};

use crate::{
    admission::{self, Door, Draft, Outcome, Recipient},
    channel::{self, NewChannel},
    chatbot, contact, message_template, number, policy,
    schema::{chatbots, message_templates, numbers},
    store::Store,
    test_desk::{self, TestClock},
    test_support::test_key,
    user::{self, Actor, NewUser},
};

/// One chatbot with a number, a template and an agent who may do everything in it.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) clock: TestClock,
    pub(crate) chatbot: ChatbotId,
    pub(crate) channel: ChannelId,
    pub(crate) number: NumberId,
    pub(crate) template: TemplateId,
    pub(crate) ana: Actor,
}

pub(crate) const ACCOUNT: &str = "waba-1";
pub(crate) const TOKEN: &str = "EAAG-a-very-secret-token";

impl Desk {
    /// Monday, 23 November 2026, 09:00 UTC.
    pub(crate) fn given(store: &Store) -> Self {
        let clock = TestClock::at(DateTime::from_timestamp_millis(1_795_424_400_000).unwrap());
        let now = clock.now();
        let vault = store.vault().unwrap_or_else(|_| {
            store.unlock(&test_key()).unwrap();
            store.vault().unwrap()
        });
        let (chatbot, channel, number, template) = store
            .blocking_write(|db| {
                let policy = policy::find_or_create_default(db, now)?;
                let chatbot = chatbot::create(db, "Loja", "America/Sao_Paulo", now)?;
                diesel::update(chatbots::table.find(chatbot.0))
                    .set(chatbots::active_messages_enabled.eq(true))
                    .execute(db)?;
                let new = NewChannel {
                    account_id: ACCOUNT,
                    access_token: TOKEN,
                    ..test_desk::new_channel(chatbot)
                };
                let channel = channel::create(db, &vault, &new, now)?;
                let number = number::create(db, channel, "+551140000000", policy, now)?;
                message_template::save_all(db, ACCOUNT, &[platform_template()], now)?;
                let template = message_templates::table.select(message_templates::id).first(db)?;
                Ok((chatbot, channel, number, TemplateId(template)))
            })
            .unwrap();
        let mut desk = Self {
            store: store.clone(),
            clock,
            chatbot,
            channel,
            number,
            template,
            ana: Self::new_agent(store, chatbot, "ana", now),
        };
        desk.ana = desk.actor(desk.ana.id());
        desk
    }

    fn new_agent(store: &Store, chatbot: ChatbotId, name: &str, now: DateTime<Utc>) -> Actor {
        let email = format!("{name}@example.org");
        let new = NewUser {
            email: &email,
            name,
            password_hash: "",
            language: None,
            time_zone: None,
            max_tickets: 5,
        };
        store
            .blocking_write(|db| {
                let user = user::create(db, &new, now)?;
                user::save_membership(db, user, chatbot, Role::Admin, &Permission::ALL)?;
                Ok(user::find_actor(db, user)?.unwrap())
            })
            .unwrap()
    }

    pub(crate) fn another_agent(&self, name: &str) -> Actor {
        Self::new_agent(&self.store, self.chatbot, name, self.clock.now())
    }

    pub(crate) fn actor(&self, user: UserId) -> Actor {
        self.store.blocking_read(|db| user::find_actor(db, user)).unwrap().unwrap()
    }

    pub(crate) fn contact(&self, name: &str, phone: &str) -> ContactId {
        let (chatbot, now) = (self.chatbot, self.clock.now());
        let phone = PhoneNumber::from_e164(phone).unwrap();
        self.store
            .blocking_write(|db| {
                let contact = contact::find_or_create_by_phone(db, &phone, name, now)?;
                contact::join_chatbot(db, chatbot, contact, None, None, now)?;
                Ok(contact)
            })
            .unwrap()
    }

    pub(crate) fn save_cap(&self, enabled: bool, sends: i64, scope: CapScope) {
        self.store
            .blocking_write(|db| {
                diesel::update(chatbots::table.find(self.chatbot.0))
                    .set((
                        chatbots::cap_enabled.eq(enabled),
                        chatbots::cap_sends.eq(sends),
                        chatbots::cap_scope.eq(scope.as_str()),
                    ))
                    .execute(db)?;
                Ok(())
            })
            .unwrap();
    }

    pub(crate) fn save_platform_limit(&self, limit: i64) {
        self.store
            .blocking_write(|db| {
                diesel::update(numbers::table.find(self.number.0))
                    .set(numbers::platform_limit.eq(Some(limit)))
                    .execute(db)?;
                Ok(())
            })
            .unwrap();
    }

    /// A send by the API, where nobody must be online.
    pub(crate) fn draft(&self, to: Recipient, agent: UserId) -> Draft {
        Draft {
            channel: self.channel,
            template: self.template,
            to,
            values: [(VariableName("1".into()), "Luísa".into())].into(),
            refused_media: Vec::new(),
            agent: Some(agent),
            door: Door::Api,
            ticket: None,
            key: None,
        }
    }

    pub(crate) fn send(&self, draft: &Draft) -> Outcome {
        self.send_as(&self.ana, draft)
    }

    pub(crate) fn send_as(&self, actor: &Actor, draft: &Draft) -> Outcome {
        self.store
            .blocking_write(|db| admission::admit_and_queue(db, actor, draft, &self.clock))
            .unwrap()
    }
}

fn platform_template() -> PlatformTemplate {
    PlatformTemplate::of_text("order_ready", "pt_BR", "Olá {{1}}, o seu pedido está pronto.")
}
