//! Stand-ins for the messaging providers, spoken to over real HTTP on loopback.
//!
//! *Lives here:* the Graph API as `whatsapp-cloud-api.md` describes it, the signed webhooks that follow a send, the
//! customers' phones, the ledger that judges duplicates, the faults a test may ask for, the mail receiver, the control
//! API and the two pages *Phones* and *Mailbox*.
//!
//! *Must not live here:* anything of the desk. The sandbox depends on no crate of ours, reads no table and knows no rule
//! of Janela: it behaves as the provider does, so that what passes against it passes for the right reason.

mod calls;
mod clock;
mod config;
mod control;
mod core;
mod dispatcher;
mod duration;
mod error;
mod faults;
mod graph;
mod guard;
mod ledger;
mod lifecycle;
mod locale;
mod mailbox;
mod media;
mod message;
mod number;
mod pages;
mod past;
mod phone;
mod samples;
mod server;
mod settings;
mod smtp;
mod state;
mod template;
mod webhooks;
mod world;

pub use clock::{RealClock, SandboxClock};
pub use config::{NumberSeed, PhoneSeed, SandboxConfig, TemplateSeed};
pub use duration::{DurationProblem, parse_iso_duration};
pub use error::SandboxError;
pub use past::{PastContent, PastFate, PastMessage};
pub use server::Sandbox;
pub use webhooks::signature::sign;
pub use world::APP_ID;
