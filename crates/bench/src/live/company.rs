//! Teams of agents, each with a chatbot, a number and customers of its own, and the webhooks of what these write.

use std::{net::SocketAddr, path::Path};

use chrono::{DateTime, Utc};
use domain::{
    channel::ChannelKind,
    ids::{ChannelId, ChatbotId, PolicyId},
    permission::Role,
    presence::Presence,
};
use persistence::{
    channel::{self, NewChannel},
    chatbot,
    db::Db,
    error::PersistenceError,
    number, policy, presence,
    secret::Vault,
    session::{self, SessionPolicy},
    store::Store,
    user::{self, NewUser},
};
use serde_json::json;

use crate::{
    BenchError, clock, database,
    ingest::{past::APP_SECRET, webhook},
    load::Post,
};

/// How the platform's ids of the posted messages begin; the post's number follows.
pub const PROVIDER_ID: &str = "wamid.live-";

/// What a desk signs in with.
pub struct Session(String);

impl Session {
    /// The header that carries it.
    pub fn cookie(&self) -> String {
        format!("janela_session={}", self.0)
    }
}

/// A team's channel, as Janela and as the platform knows it.
struct Line {
    channel: ChannelId,
    number: String,
}

/// The teams, and who works in them, one team after the other.
pub struct Company {
    lines: Vec<Line>,
    sessions: Vec<Session>,
}

impl Company {
    /// Makes `teams` teams of `team` agents, each of them online and signed in; and the key in `folder`.
    ///
    /// # Errors
    /// When the database or the system refuses.
    pub fn set_up(
        store: &Store,
        folder: &Path,
        teams: usize,
        team: usize,
    ) -> Result<Self, BenchError> {
        let vault = database::prepare(store, folder)?;
        let now = clock::now();
        let mut company = Self { lines: Vec::new(), sessions: Vec::new() };
        let policy = store.blocking_write(|db| policy::find_or_create_default(db, now))?;
        for place in 0..teams {
            let (line, sessions) = store.blocking_write(|db| {
                db.write(|db| {
                    let (chatbot, line) = make_line(db, &vault, policy, place, now)?;
                    let agent = |agent| make_agent(db, chatbot, place * team + agent, now);
                    let sessions = (0..team).map(agent).collect::<Result<Vec<_>, _>>()?;
                    Ok((line, sessions))
                })
            })?;
            company.lines.push(line);
            company.sessions.extend(sessions);
        }
        Ok(company)
    }

    /// One for each desk.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Which team a desk belongs to.
    pub fn team_of_desk(&self, desk: usize) -> usize {
        desk * self.lines.len() / self.sessions.len().max(1)
    }

    /// Which team the `turn`th post is for.
    pub fn team_of_post(&self, turn: usize) -> usize {
        turn % self.lines.len().max(1)
    }

    /// The first `posts` posts: each a text of another customer, to the numbers in turns.
    pub fn posts(&self, address: SocketAddr, posts: u32) -> Vec<Post> {
        let at = clock::now().timestamp().to_string();
        let post = |turn: u32| {
            let place = self.team_of_post(usize::try_from(turn).unwrap_or_default());
            let line = &self.lines[place];
            let phone = format!("3519{}", 10_000_000 + turn);
            let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "884120037765421",
                "changes": [{"field": "messages", "value": {"messaging_product": "whatsapp",
                    "metadata": {"display_phone_number": "351210000001", "phone_number_id": line.number},
                    "contacts": [{"profile": {"name": "Imani Okoro"}, "wa_id": phone}],
                    "messages": [{"from": phone, "id": format!("{PROVIDER_ID}{turn}"), "timestamp": at,
                        "type": "text", "text": {"body": "Is Friday still free?"}}]}}]}]});
            webhook::sign(address, line.channel, body.to_string().as_bytes())
        };
        (0..posts).map(post).collect()
    }
}

fn make_line(
    db: &mut Db,
    vault: &Vault,
    policy: PolicyId,
    place: usize,
    now: DateTime<Utc>,
) -> Result<(ChatbotId, Line), PersistenceError> {
    let chatbot = chatbot::create(db, &format!("Service {place}"), "Europe/Lisbon", now)?;
    let external_id = format!("7300558199{place:05}");
    let new = NewChannel {
        chatbot,
        kind: ChannelKind::WhatsApp,
        name: "Main",
        external_id: &external_id,
        account_id: "884120037765421",
        api_base_url: "http://127.0.0.1:1",
        access_token: "token",
        app_secret: APP_SECRET,
        verify_token: "verify",
    };
    let channel = channel::create(db, vault, &new, now)?;
    number::create(db, channel, &format!("+3512100{place:05}"), policy, now)?;
    Ok((chatbot, Line { channel, number: external_id }))
}

fn make_agent(
    db: &mut Db,
    chatbot: ChatbotId,
    agent: usize,
    now: DateTime<Utc>,
) -> Result<Session, PersistenceError> {
    let new = NewUser {
        email: &format!("agent-{agent}@example.com"),
        name: &format!("Agent {agent}"),
        password_hash: "none",
        language: None,
        time_zone: None,
        max_tickets: 5,
    };
    let agent = user::create(db, &new, now)?;
    user::save_role(db, agent, chatbot, Role::Agent)?;
    presence::enter(db, agent, now)?;
    presence::choose(db, agent, Presence::Online, now)?;
    let session = session::open(db, agent, "bench", None, SessionPolicy::default(), now)?;
    Ok(Session(session.token))
}
