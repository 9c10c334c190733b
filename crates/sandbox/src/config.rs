//! What the sandbox starts with: addresses, speed, clock and the seeded world.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::SandboxClock;

/// Everything [`crate::Sandbox::start`] needs.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where the Graph API, the control API and the pages listen; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Where mails are received; port 0 takes any free one.
    pub smtp_bind: SocketAddr,
    /// How many times faster the customers react; 1.0 delivers after 1 s and reads after 3 s. Must be above 0.
    pub speed: f64,
    /// Makes ids and shuffles repeatable.
    pub seed: u64,
    /// The business numbers, with their secrets.
    pub numbers: Vec<NumberSeed>,
    /// The message templates, per account.
    pub templates: Vec<TemplateSeed>,
    /// Customers who are there from the start; others appear when they are first written to.
    pub phones: Vec<PhoneSeed>,
    /// The zone the pages show instants in; the desk's, so that both say the same time.
    pub time_zone: Tz,
    /// The clock; share it with the desk where both should move together.
    pub clock: Arc<dyn SandboxClock>,
}

/// One business number of the sandbox.
#[derive(Clone)]
pub struct NumberSeed {
    /// The id in the path of a send.
    pub phone_number_id: String,
    /// The account that owns the number and its templates.
    pub waba_id: String,
    /// The number as the platform formats it, such as `+44 7700 900101`.
    pub display_phone_number: String,
    /// The name customers see.
    pub verified_name: String,
    /// The key of the webhook signatures.
    pub app_secret: String,
    /// The bearer token that may use this number and its account.
    pub access_token: String,
    /// The word of the webhook handshake.
    pub verify_token: String,
    /// Messages per second the number may send, at least 1; the platform's default is 80.
    pub throughput: u32,
}

/// One language of a message template.
#[derive(Clone, Debug)]
pub struct TemplateSeed {
    /// The account the template belongs to.
    pub waba_id: String,
    /// The template's name, lower case with underscores.
    pub name: String,
    /// The language code, such as `pt_BR`.
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED` or another of the platform's words.
    pub status: String,
    /// The components exactly as the Graph API lists them: an array.
    pub components: serde_json::Value,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: String,
}

/// One customer's phone.
#[derive(Clone, Debug)]
pub struct PhoneSeed {
    /// The WhatsApp id: digits, usually the number in international form without the plus.
    pub wa_id: String,
    /// The name in the customer's profile.
    pub name: String,
}
