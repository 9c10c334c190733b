//! The desk that sends, and the requests by which it is told to.

use std::{net::SocketAddr, path::Path};

use diesel::RunQueryDsl;
use domain::{
    ids::{ChannelId, TemplateId},
    phone::PhoneNumber,
    template::VariableName,
};
use persistence::{
    admission::{Door, Draft, Recipient},
    api_token::{self, ApiScope},
    error::PersistenceError,
    store::Store,
    user::{self, Actor},
};
use serde_json::json;

use super::{
    CONNECTIONS,
    platform::{Platform, THROUGHPUT},
};
use crate::{
    BenchError, clock, database,
    desk::{self, Connection},
    load::Post,
};

/// A desk at the sandbox.
pub struct Desk {
    /// Who sends.
    pub agent: Actor,
    /// From where.
    pub channel: ChannelId,
    template: TemplateId,
    /// One for each connection, so that none is held up for asking too often.
    tokens: Vec<String>,
}

impl Desk {
    /// Makes it, and its key in `folder`.
    ///
    /// # Errors
    /// When the database or the system refuses.
    pub fn set_up(store: &Store, folder: &Path, platform: &Platform) -> Result<Self, BenchError> {
        let vault = database::prepare(store, folder)?;
        let now = clock::now();
        let connection = Connection {
            api_base_url: format!("http://{}", platform.address),
            number: platform.number.clone(),
            account: platform.account.clone(),
            access_token: platform.token.clone(),
            app_secret: platform.app_secret.clone(),
            template: [
                "come_back",
                "pt_BR",
                "Oi {{name}}, sentimos a sua falta. Temos novidades na loja.",
            ],
        };
        let made = store.blocking_write(|db| {
            db.write(|db| {
                let desk = desk::Desk::set_up(db, &vault, &connection, now)?;
                diesel::sql_query(format!(
                    "UPDATE numbers SET level = 3, throughput = {THROUGHPUT}"
                ))
                .execute(db)?;
                diesel::sql_query("UPDATE chatbots SET active_messages_enabled = TRUE")
                    .execute(db)?;
                let agent = user::find_actor(db, desk.agent)?.ok_or(PersistenceError::NotFound)?;
                let token = |db: &mut _| {
                    let made = api_token::create(db, desk.agent, "bench", &ApiScope::ALL, now)?;
                    Ok::<_, PersistenceError>(made.token)
                };
                let tokens = (0..CONNECTIONS).map(|_| token(db)).collect::<Result<_, _>>()?;
                Ok(Self { agent, channel: desk.channel, template: desk.template, tokens })
            })
        })?;
        Ok(made)
    }

    /// The `turn`th send, each to another customer.
    ///
    /// # Errors
    /// When there are more turns than numbers.
    pub fn draft(&self, turn: u32) -> Result<Draft, BenchError> {
        let phone = PhoneNumber::from_e164(&format!("+5511{}", 970_000_000 + turn));
        let phone = phone.map_err(|_| BenchError::NoFigure("another number to send to"))?;
        Ok(Draft {
            channel: self.channel,
            template: self.template,
            to: Recipient::Phone(phone),
            values: [(VariableName("name".into()), "Ana".into())].into(),
            refused_media: Vec::new(),
            agent: Some(self.agent.id()),
            door: Door::Api,
            ticket: None,
            key: None,
        })
    }

    /// `sends` requests to send, each to another customer.
    pub fn posts(&self, address: SocketAddr, sends: u32) -> Vec<Post> {
        let post = |(turn, token): (u32, &String)| {
            let body = json!({
                "channel": self.channel.to_string(),
                "template": {"name": "come_back", "language": "pt_BR"},
                "to": {"phone": format!("+5511{}", 980_000_000 + turn)},
                "variables": {"name": "Ana"},
                "agent": desk::AGENT,
            });
            let token = format!("Bearer {token}");
            let headers = [("authorization", token.as_str())];
            Post::new(address, "/api/v1/active-messages", &headers, body.to_string().as_bytes())
        };
        (0..sends).zip(self.tokens.iter().cycle()).map(post).collect()
    }
}
