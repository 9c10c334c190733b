//! What belongs to accounts, apps and tokens rather than to one number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

/// The id of the app that every seeded number is connected to.
pub const APP_ID: &str = "221007734100";

/// An app's own address for webhooks, and the fields it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppHook {
    pub callback_url: String,
    pub fields: BTreeSet<String>,
}

/// A file on its way by the resumable upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadSession {
    pub length: usize,
    pub received: usize,
}

/// What stands beside the numbers, templates and phones.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Where the sandbox is reached, without a slash at the end.
    pub base: String,
    /// Codes that every send of a number or an account is refused with.
    pub refusals: BTreeMap<String, u32>,
    /// Tokens that ran out.
    pub expired_tokens: BTreeSet<String>,
    /// Accounts the app was taken off: nothing is delivered for them.
    pub unsubscribed: BTreeSet<String>,
    /// By app secret, which is what an app's numbers share.
    pub app_hooks: HashMap<String, AppHook>,
    /// Accounts whose marketing templates go by the Marketing Messages API alone.
    pub marketing_elsewhere: BTreeSet<String>,
    pub uploads: BTreeMap<String, UploadSession>,
    /// Until when a customer sees that a number is typing.
    pub typing: HashMap<(String, String), i64>,
    last_upload: u64,
}

impl World {
    /// Opens an upload of `length` bytes and returns its id.
    pub(crate) fn open_upload(&mut self, length: usize) -> String {
        self.last_upload += 1;
        let id = format!("upload:SBX{:08x}", self.last_upload);
        self.uploads.insert(id.clone(), UploadSession { length, received: 0 });
        id
    }

    /// The code that stands against every send of `number` of `account`, the number's first.
    pub(crate) fn refusal(&self, number: &str, account: &str) -> Option<u32> {
        self.refusals.get(number).or_else(|| self.refusals.get(account)).copied()
    }

    /// Whether health says that messages can be sent.
    pub(crate) fn health(&self, number: &str, account: &str) -> &'static str {
        if self.refusal(number, account).is_some() { "BLOCKED" } else { "AVAILABLE" }
    }

    /// The fields of the account `id`, those not set null.
    pub(crate) fn account(&self, id: &str, name: &str, apps: &Value) -> Value {
        let off = self.marketing_elsewhere.contains(id);
        json!({
            "id": id,
            "name": name,
            "timezone_id": "1",
            "message_template_namespace": "5f1c7d1e_0000_4000_8000_000000000000",
            "status": "ACTIVE",
            "business_verification_status": "verified",
            "is_enabled_for_insights": true,
            "marketing_messages_lite_api_status": "ONBOARDED",
            "marketing_messages_onboarding_status": "ONBOARDED",
            "on_behalf_of_business_info": null,
            "ownership_type": "CLIENT_OWNED",
            "health_status": { "can_send_message": self.health(id, id) },
            "currency": "EUR",
            "country": "GB",
            "subscribed_apps": apps,
            "owner_business_info": { "id": "771204558830019", "name": name },
            "account_review_status": "APPROVED",
            "disable_marketing_messages_on_cloud_api": off,
        })
    }
}
