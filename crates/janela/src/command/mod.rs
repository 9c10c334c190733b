//! The small commands, one file each. They print and stop.

pub mod clock;
pub mod config_check;
pub mod doctor;
pub mod healthcheck;
pub mod migrate;
pub mod sandbox;
pub mod user;
