//! The rules of proactive messaging and the values they speak of.
//!
//! *Lives here*: admission, the life of a message, session windows, numbers with their standing and
//! tiers, routing, and every value these need. Each rule is a function of its arguments; `now` is one
//! of them.
//!
//! *Must not live here*: clocks, SQL, HTTP, wording for people. The one exception to "no async" is the
//! [`channel::Channel`] trait, through which the outside is reached.

pub mod activation;
pub mod active_message;
pub mod admission;
pub mod channel;
pub mod clock;
pub mod clock_guard;
pub mod contact_cap;
pub mod delivery;
pub mod dispatch;
pub mod fold;
pub mod ids;
pub mod media;
pub mod money;
pub mod number;
pub mod opt_out;
pub mod permission;
pub mod phone;
pub mod policy;
pub mod presence;
pub mod quiet_hours;
pub mod remaining;
pub mod routing;
pub mod session_window;
pub mod template;
pub mod ticket;

#[cfg(test)]
mod calendar;
