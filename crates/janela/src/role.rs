//! What a process of several does.

use serde::{Deserialize, Serialize};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ProcessRole {
    /// Pages, API and webhooks.
    Web,
    /// Dispatcher and jobs.
    Worker,
    /// Everything.
    #[default]
    All,
}
