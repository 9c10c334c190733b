//! The locks of a batch of webhooks on PostgreSQL, taken before its first element and in the order in which
//! everyone takes them: numbers, what is new, contacts, each in one order. So no two batches, and no batch and
//! an admission, wait for each other, whatever the order of their elements.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{Array, BigInt},
};
use domain::{
    channel::{
        ChannelEvent, IdentityNews, InboundContent, Pause, PauseScope, Receipt, ReceiptStatus,
        RefusalClass, SenderIdentity, WebhookElement,
    },
    ids::{ChannelId, NumberId},
};
use sha2::{Digest, Sha256};

use super::known::KnownChannels;
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    message::ChannelFacts,
    number,
    schema::{active_messages, channels, contact_identities, contacts, messages, numbers},
    sender::{Ids, without_nul},
};

/// An element with the channel its webhook was posted to.
#[derive(Clone, Copy)]
pub(super) struct Posted<'a> {
    pub channel: ChannelId,
    pub element: &'a WebhookElement,
}

/// Locks what `batch` will change, as far as it is known before. On SQLite the transaction is alone as it is.
pub(super) fn lock_batch(
    db: &mut Db,
    batch: &[Posted<'_>],
    known: &mut KnownChannels,
) -> Result<(), PersistenceError> {
    if db.is_sqlite() {
        return Ok(());
    }
    let mut touched = Touched::default();
    for Posted { channel, element } in batch {
        let Some(posted_to) = known.posted_to(db, *channel)? else { continue };
        match known.of_element(db, &posted_to, element) {
            Ok(channel) => touched.add(element, &channel),
            // For no channel of ours: it will be put aside.
            Err(PersistenceError::Unreadable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    touched.lock_numbers(db)?;
    touched.lock_what_is_new(db)?;
    touched.lock_contacts(db)
}

/// What the elements of a batch are about.
#[derive(Default)]
struct Touched {
    /// Channels whose messages are told of.
    told_of: BTreeSet<i64>,
    /// Messages that failed, by the platform's ids and by ours: what it means falls on their contacts.
    failed: BTreeSet<String>,
    failed_callbacks: BTreeSet<String>,
    /// Accounts that were told something, or to stop: it falls on all their numbers.
    accounts: BTreeSet<String>,
    /// Who wrote, as kind, scope and value of an identity.
    senders: BTreeSet<(&'static str, String, String)>,
    /// What two batches may both be the first to keep.
    new: BTreeSet<i64>,
    /// The earliest message of a contact.
    written_at: Option<DateTime<Utc>>,
}

impl Touched {
    fn add(&mut self, element: &WebhookElement, channel: &ChannelFacts) {
        let Ok(event) = &element.event else { return };
        match event {
            ChannelEvent::Inbound(inbound) => {
                self.add_sender(&inbound.sender, &channel.account);
                self.add_message(channel, &inbound.provider_id);
                if let InboundContent::Other { kind, .. } = &inbound.content {
                    self.add_new(&["kept", kind]);
                }
                let earliest = self.written_at.map_or(inbound.at, |at| at.min(inbound.at));
                self.written_at = Some(earliest);
            }
            ChannelEvent::Receipt(receipt) => {
                self.told_of.insert(channel.id.0);
                self.add_failure(receipt, channel);
            }
            ChannelEvent::Preference(preference) => {
                self.add_sender(&preference.contact, &channel.account);
                self.add_new(&["change", &element.raw]);
            }
            ChannelEvent::Template(_) => self.add_new(&["templates", &channel.account]),
            ChannelEvent::Edited(edit) => {
                self.add_sender(&edit.sender, &channel.account);
                self.add_message(channel, &edit.edited);
            }
            ChannelEvent::Revoked(revocation) => self.add_message(channel, &revocation.revoked),
            ChannelEvent::Echo(echo) => {
                self.told_of.insert(channel.id.0);
                self.add_sender(&echo.recipient, &channel.account);
                self.add_message(channel, &echo.provider_id);
            }
            ChannelEvent::IdentityChanged(change) => {
                self.add_sender(&change.contact, &channel.account);
                if let IdentityNews::Number { now } | IdentityNews::ScopedId { now } = &change.what
                {
                    self.add_sender(now, &channel.account);
                }
                self.add_new(&["change", &element.raw]);
            }
            ChannelEvent::Account { .. } => {
                self.accounts.insert(channel.account.clone());
                self.add_new(&["change", &element.raw]);
            }
            ChannelEvent::Trouble { .. } => self.add_new(&["change", &element.raw]),
            ChannelEvent::Kept { kind } | ChannelEvent::Other { kind } => {
                self.add_new(&["change", &element.raw]);
                self.add_new(&["kept", kind]);
            }
        }
    }

    fn add_failure(&mut self, receipt: &Receipt, channel: &ChannelFacts) {
        match &receipt.status {
            ReceiptStatus::Failed { class, .. } => {
                if let RefusalClass::Pause(Pause { scope: PauseScope::Account, .. }) = class {
                    self.accounts.insert(channel.account.clone());
                }
                self.failed.insert(receipt.provider_id.clone());
                self.failed_callbacks.extend(receipt.callback_id.clone());
            }
            ReceiptStatus::Sent
            | ReceiptStatus::Delivered
            | ReceiptStatus::Read
            | ReceiptStatus::Played => {}
        }
    }

    fn add_sender(&mut self, sender: &SenderIdentity, account: &str) {
        for identity in Ids::of(sender).all(account) {
            let (kind, scope, value) = identity.stored();
            self.add_new(&[kind, &scope, &value]);
            self.senders.insert((kind, scope, value));
        }
    }

    /// A message and what is done to it later may come at once: whoever comes second finds the other.
    fn add_message(&mut self, channel: &ChannelFacts, provider_id: &str) {
        let channel = channel.id.to_string();
        self.add_new(&["message", &channel, &without_nul(provider_id)]);
    }

    fn add_new(&mut self, words: &[&str]) {
        let digest = Sha256::digest(words.join("\u{1f}").as_bytes());
        let key = digest.iter().take(8).fold(0_i64, |key, byte| key << 8 | i64::from(*byte));
        self.new.insert(key);
    }

    /// Numbers of messages that are told of, or that a contact's message may answer: what they count moves
    /// with them.
    fn lock_numbers(&self, db: &mut Db) -> Result<(), PersistenceError> {
        let mut touched = BTreeSet::new();
        if !self.told_of.is_empty() {
            let of_channels = numbers::table.filter(numbers::channel_id.eq_any(&self.told_of));
            touched.extend(of_channels.select(numbers::id).load::<i64>(db)?);
        }
        if !self.accounts.is_empty() {
            let of_accounts = numbers::table
                .inner_join(channels::table)
                .filter(channels::account_id.eq_any(&self.accounts));
            touched.extend(of_accounts.select(numbers::id).load::<i64>(db)?);
        }
        if let Some(written_at) = self.written_at {
            let contacts = self.list_senders(db)?;
            let unexpired = active_messages::table
                .filter(active_messages::contact_id.eq_any(contacts))
                .filter(active_messages::expires_at.gt(Instant::from(written_at)))
                .select(active_messages::number_id)
                .distinct();
            touched.extend(unexpired.load::<i64>(db)?);
        }
        touched.into_iter().try_for_each(|number| number::lock(db, NumberId(number)))
    }

    /// There is no row yet of someone who writes for the first time, or of a change nobody saw: whoever comes
    /// second waits here, and finds it.
    fn lock_what_is_new(&self, db: &mut Db) -> Result<(), PersistenceError> {
        if self.new.is_empty() {
            return Ok(());
        }
        let keys: Vec<i64> = self.new.iter().copied().collect();
        let Db::Postgres(postgres) = db else { return Ok(()) };
        diesel::sql_query(include_str!("lock_new.sql"))
            .bind::<Array<BigInt>, _>(keys)
            .execute(postgres)?;
        Ok(())
    }

    fn lock_contacts(&self, db: &mut Db) -> Result<(), PersistenceError> {
        let mut touched = self.list_senders(db)?;
        touched.extend(self.list_failed(db)?);
        if touched.is_empty() {
            return Ok(());
        }
        let by_id = contacts::table
            .filter(contacts::id.eq_any(touched))
            .order(contacts::id.asc())
            .select(contacts::id);
        let Db::Postgres(postgres) = db else { return Ok(()) };
        by_id.for_no_key_update().load::<i64>(postgres)?;
        Ok(())
    }

    /// Contacts known by the identities that wrote; of several kinds and scopes at once perhaps a few more.
    fn list_senders(&self, db: &mut Db) -> Result<BTreeSet<i64>, PersistenceError> {
        if self.senders.is_empty() {
            return Ok(BTreeSet::new());
        }
        let kinds: BTreeSet<&str> = self.senders.iter().map(|sender| sender.0).collect();
        let scopes: BTreeSet<&str> = self.senders.iter().map(|sender| sender.1.as_str()).collect();
        let values = self.senders.iter().map(|sender| sender.2.as_str());
        let known: Vec<i64> = contact_identities::table
            .filter(contact_identities::kind.eq_any(kinds))
            .filter(contact_identities::scope.eq_any(scopes))
            .filter(contact_identities::value.eq_any(values))
            .select(contact_identities::contact_id)
            .load(db)?;
        Ok(known.into_iter().collect())
    }

    fn list_failed(&self, db: &mut Db) -> Result<Vec<i64>, PersistenceError> {
        if self.failed.is_empty() {
            return Ok(Vec::new());
        }
        let of_channels = || messages::table.filter(messages::channel_id.eq_any(&self.told_of));
        let mut contacts: Vec<i64> = of_channels()
            .filter(messages::provider_id.eq_any(&self.failed))
            .select(messages::contact_id)
            .load(db)?;
        let by_callback = messages::callback_id.eq_any(&self.failed_callbacks);
        contacts.extend(
            of_channels().filter(by_callback).select(messages::contact_id).load::<i64>(db)?,
        );
        Ok(contacts)
    }
}
