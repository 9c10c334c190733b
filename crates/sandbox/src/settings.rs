//! The switches of the sandbox: how phones behave, how webhooks are written.

use serde::{Deserialize, Serialize};

/// So many updates one webhook carries at most.
pub(crate) const BATCH_MAX: usize = 1_000;

/// What a test may switch; the first values are the platform's usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    /// Whether messages are delivered a second after they were sent.
    pub delivered: bool,
    /// Whether customers read them three seconds after.
    pub read: bool,
    /// How many updates are put together into one webhook; 1 puts none together.
    pub batch: usize,
    /// Whether webhooks are written in UTF-8 instead of ASCII with escapes.
    pub utf8: bool,
    /// Whether slashes are escaped.
    pub escaped_slashes: bool,
    /// The version of the webhooks: up to 23 statuses tell of a conversation.
    pub webhook_version: u32,
    /// Whether webhooks name customers by business-scoped ids too, as since 2026.
    pub user_ids: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delivered: true,
            read: true,
            batch: 1,
            utf8: false,
            escaped_slashes: false,
            webhook_version: 24,
            user_ids: false,
        }
    }
}

/// The settings to change; absent ones stay.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SettingsOrder {
    delivered: Option<bool>,
    read: Option<bool>,
    batch: Option<usize>,
    utf8: Option<bool>,
    escaped_slashes: Option<bool>,
    webhook_version: Option<u32>,
    user_ids: Option<bool>,
}

impl Settings {
    /// These settings with the changes of `order`; a batch is 1 to 1,000 updates.
    pub(crate) fn changed(self, order: &SettingsOrder) -> Self {
        Self {
            delivered: order.delivered.unwrap_or(self.delivered),
            read: order.read.unwrap_or(self.read),
            batch: order.batch.unwrap_or(self.batch).clamp(1, BATCH_MAX),
            utf8: order.utf8.unwrap_or(self.utf8),
            escaped_slashes: order.escaped_slashes.unwrap_or(self.escaped_slashes),
            webhook_version: order.webhook_version.unwrap_or(self.webhook_version),
            user_ids: order.user_ids.unwrap_or(self.user_ids),
        }
    }
}
