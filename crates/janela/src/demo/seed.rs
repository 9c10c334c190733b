//! Fills an empty database with the company, through the same use cases that the pages call.

use std::net::SocketAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    channel::ChannelKind,
    contact_cap::CapScope,
    ids::{ChannelId, ChatbotId, UserId},
    number::quality::Rating,
    permission::Role,
    presence::Presence,
};
use persistence::{
    api_token::{self, ApiScope},
    channel::{self, NewChannel},
    chatbot::{self, Settings},
    contact::{self, NewContact},
    db::Db,
    error::PersistenceError,
    number, password, policy, presence, queue, user,
    user::NewUser,
    workspace::{self, Workspace},
};

use crate::demo::{
    company::{self, NumberCondition},
    history, stand_in,
};

/// For how long the company has had its numbers: longer than its history.
const NUMBERS_FOR: TimeDelta = TimeDelta::days(120);

/// What the demo tells once it serves.
pub struct SeededCompany {
    /// The channels, in the order of [`company::NUMBERS`].
    pub channels: Vec<ChannelId>,
    /// Speaks for the first agent with every scope.
    pub api_token: String,
}

/// What seeding needs to know.
pub struct SeedPlan {
    /// Where the sandbox's Graph API is.
    pub sandbox: SocketAddr,
    /// Of the random parts.
    pub seed: u64,
    /// Times the contacts.
    pub scale: u32,
}

/// Makes the company in one transaction.
///
/// # Errors
/// When the database fails, or is not empty.
pub fn fill(
    db: &mut Db,
    vault: &persistence::secret::Vault,
    plan: &SeedPlan,
    now: DateTime<Utc>,
) -> Result<SeededCompany, PersistenceError> {
    let password_hash = password::hash(company::PASSWORD)?;
    db.write(|db| {
        workspace::find_or_create(
            db,
            &Workspace {
                name: "Casa Azul".to_owned(),
                time_zone: company::CHATBOTS[0].time_zone.to_owned(),
                language: "en".to_owned(),
            },
            now,
        )?;
        let chatbots = make_chatbots(db, now)?;
        let users = make_users(db, &chatbots, &password_hash, now)?;
        make_queues(db, &chatbots, &users)?;
        let channels = make_channels(db, vault, plan, &chatbots, now)?;
        make_contacts(db, plan, &chatbots, &channels, now)?;
        let first_agent = users[first_agent()];
        presence::choose(db, first_agent, Presence::Online, now)?;
        let token = api_token::create(db, first_agent, "Demo", &ApiScope::ALL, now)?;
        Ok(SeededCompany { channels, api_token: token.token })
    })
}

/// Where the first agent stands among [`company::USERS`].
pub fn first_agent() -> usize {
    company::USERS.iter().position(|user| user.role == Role::Agent).unwrap_or(0)
}

fn make_chatbots(db: &mut Db, now: DateTime<Utc>) -> Result<Vec<ChatbotId>, PersistenceError> {
    company::CHATBOTS
        .iter()
        .map(|chatbot| chatbot::create(db, chatbot.name, chatbot.time_zone, now))
        .collect()
}

fn make_users(
    db: &mut Db,
    chatbots: &[ChatbotId],
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, PersistenceError> {
    company::USERS
        .iter()
        .map(|seed| {
            let user = user::create(
                db,
                &NewUser {
                    email: seed.email,
                    name: seed.name,
                    password_hash,
                    language: None,
                    time_zone: Some(seed.time_zone),
                    max_tickets: 5,
                },
                now,
            )?;
            for &chatbot in seed.chatbots {
                user::save_role(db, user, chatbots[chatbot], seed.role)?;
            }
            let workspace = seed.role.workspace_permissions();
            if !workspace.is_empty() {
                user::save_workspace_permissions(db, user, workspace)?;
            }
            Ok(user)
        })
        .collect()
}

fn make_queues(
    db: &mut Db,
    chatbots: &[ChatbotId],
    users: &[UserId],
) -> Result<(), PersistenceError> {
    for (index, chatbot) in company::CHATBOTS.iter().enumerate() {
        let agents: Vec<UserId> = company::USERS
            .iter()
            .zip(users)
            .filter(|(seed, _)| seed.role == Role::Agent && seed.chatbots.contains(&index))
            .map(|(_, user)| *user)
            .collect();
        for (position, name) in (0..).zip(chatbot.queues) {
            let queue = queue::create(db, chatbots[index], name, position)?;
            queue::set_agents(db, queue, &agents)?;
        }
    }
    Ok(())
}

fn make_channels(
    db: &mut Db,
    vault: &persistence::secret::Vault,
    plan: &SeedPlan,
    chatbots: &[ChatbotId],
    now: DateTime<Utc>,
) -> Result<Vec<ChannelId>, PersistenceError> {
    let policy = policy::find_or_create_default(db, now)?;
    let api_base_url = format!("http://{}/v25.0", plan.sandbox);
    let mut channels = Vec::new();
    for (seed, known) in company::NUMBERS.iter().zip(stand_in::numbers()) {
        let channel = channel::create(
            db,
            vault,
            &NewChannel {
                chatbot: chatbots[seed.chatbot],
                kind: ChannelKind::WhatsApp,
                name: seed.name,
                external_id: seed.phone_number_id,
                account_id: &known.waba_id,
                api_base_url: &api_base_url,
                access_token: &known.access_token,
                app_secret: &known.app_secret,
                verify_token: &known.verify_token,
            },
            now,
        )?;
        let number = number::create(db, channel, seed.phone, policy, now - NUMBERS_FOR)?;
        let ratings: &[(Rating, i64)] = match seed.condition {
            NumberCondition::Connected => &[],
            NumberCondition::Flagged => &[(Rating::Low, 2)],
            // Better for a day is not long enough: it was restricted when it turned red again.
            NumberCondition::Restricted => {
                &[(Rating::Low, 17), (Rating::High, 9), (Rating::Low, 8)]
            }
        };
        for (rating, days_ago) in ratings {
            number::rate(db, number, *rating, now - TimeDelta::days(*days_ago))?;
        }
        channels.push(channel);
    }
    Ok(channels)
}

fn make_contacts(
    db: &mut Db,
    plan: &SeedPlan,
    chatbots: &[ChatbotId],
    channels: &[ChannelId],
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let contacts = company::contacts(company::contact_count(plan.scale), plan.seed);
    for (index, seed) in (0_i64..).zip(contacts) {
        let phone = history::phone_of(&seed)?;
        // Everyone is known for longer than their history; the first since spring.
        let known_since = now - TimeDelta::days(130 + (index * 37 + 125) % 300);
        let contact = contact::create(
            db,
            &NewContact {
                name: seed.name,
                phone: Some(phone),
                tags: seed
                    .tags
                    .split(',')
                    .filter(|tag| !tag.is_empty())
                    .map(str::to_owned)
                    .collect(),
                ..NewContact::default()
            },
            known_since,
        )?;
        let own_channel = company::NUMBERS
            .iter()
            .position(|number| number.chatbot == seed.chatbot)
            .and_then(|index| channels.get(index).copied());
        contact::join_chatbot(db, chatbots[seed.chatbot], contact, None, own_channel, known_since)?;
    }
    Ok(())
}

/// The settings of a chatbot of the demo, once its webhook is verified and its templates are read.
pub fn settings(chatbot: &company::ChatbotSeed) -> Settings {
    Settings {
        active_messages_enabled: true,
        cap_enabled: chatbot.cap.is_some(),
        cap_sends: chatbot.cap.unwrap_or(3),
        cap_scope: CapScope::EachAgent,
        all_day_service: chatbot.cap.is_some(),
        ..Settings::default()
    }
}
