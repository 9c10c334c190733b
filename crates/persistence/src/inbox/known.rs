//! The channels a batch of webhooks speaks of, each looked up once.

use std::collections::BTreeMap;

use domain::{channel::WebhookElement, ids::ChannelId};

use crate::{
    db::Db,
    error::PersistenceError,
    message::{self, ChannelFacts},
};

/// What was found; `None` where there is no such channel.
#[derive(Default)]
pub(super) struct KnownChannels {
    posted_to: BTreeMap<ChannelId, Option<ChannelFacts>>,
    named: BTreeMap<(ChannelId, String), Option<ChannelFacts>>,
}

impl KnownChannels {
    /// The channel webhooks are posted to as `id`; `None` when there is none any more.
    pub(super) fn posted_to(
        &mut self,
        db: &mut Db,
        id: ChannelId,
    ) -> Result<Option<ChannelFacts>, PersistenceError> {
        if let Some(known) = self.posted_to.get(&id) {
            return Ok(known.clone());
        }
        let found = message::find_channel(db, id)?;
        self.posted_to.insert(id, found.clone());
        Ok(found)
    }

    /// The channel `element` is for, posted to `posted_to`: the one it names, of the same account.
    ///
    /// # Errors
    /// `Unreadable` when there is none of that name.
    pub(super) fn of_element(
        &mut self,
        db: &mut Db,
        posted_to: &ChannelFacts,
        element: &WebhookElement,
    ) -> Result<ChannelFacts, PersistenceError> {
        let Some(name) = &element.external_id else { return Ok(posted_to.clone()) };
        let key = (posted_to.id, name.clone());
        let found = match self.named.get(&key) {
            Some(known) => known.clone(),
            None => {
                let found = message::find_sibling_channel(db, posted_to, name)?;
                self.named.insert(key, found.clone());
                found
            }
        };
        found.ok_or_else(|| {
            let problem = "an element for a number this account does not have here";
            PersistenceError::unreadable("webhook_inbox", "body", problem)
        })
    }
}
