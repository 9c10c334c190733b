//! A desk without a past, as benches fill it: one chatbot, one number, one template, one agent who is online.

use chrono::{DateTime, Utc};
use domain::{
    channel::ChannelKind,
    ids::{ChannelId, ChatbotId, NumberId, PolicyId, TemplateId, UserId},
    permission::{Permission, Role},
    presence::Presence,
    template::PlatformTemplate,
};
use persistence::{
    channel::{self, NewChannel},
    chatbot,
    db::Db,
    error::PersistenceError,
    message_template, number, policy, presence,
    secret::Vault,
    user::{self, NewUser},
};

/// What the desk's channel is connected to.
pub struct Connection {
    /// Where the platform's API is.
    pub api_base_url: String,
    /// The platform's id of the number.
    pub number: String,
    /// The platform's id of the account.
    pub account: String,
    /// What the platform knows us by.
    pub access_token: String,
    /// What webhooks are signed with.
    pub app_secret: String,
    /// The template's name, language and body.
    pub template: [&'static str; 3],
}

impl Default for Connection {
    /// Nothing answers there.
    fn default() -> Self {
        Self {
            api_base_url: "http://127.0.0.1:1".into(),
            number: "730055819924406".into(),
            account: "884120037765421".into(),
            access_token: "token".into(),
            app_secret: "secret".into(),
            template: ["hello", "en", "Hello, how are you?"],
        }
    }
}

/// What the desk is made of.
pub struct Desk {
    /// Its chatbot.
    pub chatbot: ChatbotId,
    /// Its channel.
    pub channel: ChannelId,
    /// The channel's number.
    pub number: NumberId,
    /// The number's policy.
    pub policy: PolicyId,
    /// The one template.
    pub template: TemplateId,
    /// The one agent, who is online.
    pub agent: UserId,
}

/// The agent's address.
pub const AGENT: &str = "ana@example.com";

impl Desk {
    /// Makes it in an empty database.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_up(
        db: &mut Db,
        vault: &Vault,
        connection: &Connection,
        now: DateTime<Utc>,
    ) -> Result<Self, PersistenceError> {
        let policy = policy::find_or_create_default(db, now)?;
        let chatbot = chatbot::create(db, "Service", "Europe/Lisbon", now)?;
        let new = NewChannel {
            chatbot,
            kind: ChannelKind::WhatsApp,
            name: "Main",
            external_id: &connection.number,
            account_id: &connection.account,
            api_base_url: &connection.api_base_url,
            access_token: &connection.access_token,
            app_secret: &connection.app_secret,
            verify_token: "verify",
        };
        let channel = channel::create(db, vault, &new, now)?;
        let number = number::create(db, channel, "+351210000001", policy, now)?;
        let account = connection.account.as_str();
        message_template::save_all(db, account, &[template(connection.template)], now)?;
        let template = message_template::list_of_account(db, account)?
            .first()
            .map(|template| template.id)
            .ok_or(PersistenceError::NotFound)?;
        let new = NewUser {
            email: AGENT,
            name: "Ana",
            password_hash: "none",
            language: None,
            time_zone: None,
            max_tickets: 5,
        };
        let agent = user::create(db, &new, now)?;
        user::save_membership(db, agent, chatbot, Role::Admin, &Permission::ALL)?;
        presence::enter(db, agent, now)?;
        presence::stream_opened(db, agent, now)?;
        presence::choose(db, agent, Presence::Online, now)?;
        Ok(Self { chatbot, channel, number, policy, template, agent })
    }
}

fn template([name, language, body]: [&str; 3]) -> PlatformTemplate {
    PlatformTemplate {
        named_parameters: body.contains("{{"),
        ..PlatformTemplate::of_text(name, language, body)
    }
}
