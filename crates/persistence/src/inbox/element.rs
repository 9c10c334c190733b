//! One element of a webhook: undone alone when it fails, applied once however often it comes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        ChannelEvent, PreferenceChoice, TemplateChange, TemplateNews, TemplateStatusEvent,
        UserPreference, WebhookElement,
    },
    ids::TicketId,
    opt_out::{OptOutScope, OptOutSource},
};
use sha2::{Digest, Sha256};

use super::{known::KnownChannels, template_status};
use crate::{
    contact_event::{self, ContactNews},
    contact_identity,
    db::{Db, on_either},
    delivery::{self, ReceiptOutcome},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    message::{self, ChangeOutcome, ChannelFacts, EchoOutcome, InboundOutcome},
    opt_out,
    schema::seen_changes,
    sender,
};

/// What became of an element.
pub(super) enum ElementOutcome {
    /// It changed something; with the ticket it opened, if any.
    Applied(Option<TicketId>),
    Copy,
    Waits,
}

impl From<ReceiptOutcome> for ElementOutcome {
    fn from(outcome: ReceiptOutcome) -> Self {
        match outcome {
            ReceiptOutcome::Recorded(_) => Self::Applied(None),
            ReceiptOutcome::Copy => Self::Copy,
            ReceiptOutcome::Waits => Self::Waits,
        }
    }
}

impl From<ChangeOutcome> for ElementOutcome {
    fn from(outcome: ChangeOutcome) -> Self {
        match outcome {
            ChangeOutcome::Joined => Self::Applied(None),
            ChangeOutcome::Copy => Self::Copy,
            ChangeOutcome::Waits => Self::Waits,
        }
    }
}

/// Applies one element so that its failure undoes its own writes only. Another process may have kept
/// the same message a moment ago; seen again, it is a copy.
pub(super) fn apply_element(
    db: &mut Db,
    posted_to: &ChannelFacts,
    known: &mut KnownChannels,
    element: &WebhookElement,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let mut apply = |db: &mut Db| apply_event(db, posted_to, known, element, now);
    match db.savepoint(&mut apply) {
        Err(PersistenceError::Duplicate) => db.savepoint(apply),
        outcome => outcome,
    }
}

/// Applies one element, on the channel it names.
pub(super) fn apply_event(
    db: &mut Db,
    posted_to: &ChannelFacts,
    known: &mut KnownChannels,
    element: &WebhookElement,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let event = element.event.as_ref().map_err(|unreadable| {
        PersistenceError::unreadable("webhook_inbox", "body", unreadable.to_string())
    })?;
    let channel = known.of_element(db, posted_to, element)?;
    match event {
        ChannelEvent::Inbound(inbound) => {
            match message::apply_inbound(db, &channel, inbound, now)? {
                InboundOutcome::Kept { opened, .. } => Ok(ElementOutcome::Applied(opened)),
                InboundOutcome::Copy => Ok(ElementOutcome::Copy),
            }
        }
        ChannelEvent::Receipt(receipt) => {
            let outcomes = delivery::apply_receipts(db, &[(channel.id, receipt)], now)?;
            Ok(outcomes.first().map_or(ElementOutcome::Copy, |outcome| (*outcome).into()))
        }
        ChannelEvent::Preference(preference) => once(db, &channel, &element.raw, now, |db| {
            apply_preference(db, &channel, preference, now)
        }),
        ChannelEvent::Template(change) => match &change.news {
            TemplateNews::Status(news) => {
                apply_template_status(db, &channel, change, &news.event, &element.raw, now)
            }
            TemplateNews::Quality { .. }
            | TemplateNews::Category(_)
            | TemplateNews::Components(_) => once(db, &channel, &element.raw, now, |_| Ok(())),
        },
        ChannelEvent::Edited(edit) => Ok(message::apply_edit(db, &channel, edit, now)?.into()),
        ChannelEvent::Revoked(revocation) => {
            Ok(message::apply_revocation(db, &channel, revocation, now)?.into())
        }
        ChannelEvent::Echo(echo) => match message::apply_echo(db, &channel, echo, now)? {
            EchoOutcome::Kept => Ok(ElementOutcome::Applied(None)),
            EchoOutcome::Copy => Ok(ElementOutcome::Copy),
        },
        ChannelEvent::IdentityChanged(change) => once(db, &channel, &element.raw, now, |db| {
            contact_identity::apply_change(db, &channel, change, now)
        }),
        ChannelEvent::Account { .. }
        | ChannelEvent::Trouble { .. }
        | ChannelEvent::Kept { .. }
        | ChannelEvent::Other { .. } => once(db, &channel, &element.raw, now, |_| Ok(())),
    }
}

/// Carries a change out unless its very `text` was seen on this channel before.
fn once(
    db: &mut Db,
    channel: &ChannelFacts,
    text: &str,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
) -> Result<ElementOutcome, PersistenceError> {
    let row = (
        seen_changes::channel_id.eq(channel.id.0),
        seen_changes::hash.eq(hex::encode(Sha256::digest(text.as_bytes()))),
        seen_changes::seen_at.eq(Instant::from(now)),
    );
    let is_new = on_either!(db => diesel::insert_into(seen_changes::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 0 {
        return Ok(ElementOutcome::Copy);
    }
    change(db)?;
    Ok(ElementOutcome::Applied(None))
}

/// A template is paused and approved again in the same words, `raw`: only the instant tells a copy.
fn apply_template_status(
    db: &mut Db,
    channel: &ChannelFacts,
    change: &TemplateChange,
    event: &TemplateStatusEvent,
    raw: &str,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let instant = change.at.map(|at| at.timestamp_millis());
    let text = format!("{} {raw}", instant.unwrap_or_default());
    once(db, channel, &text, now, |db| {
        template_status::apply(db, &channel.account, change, event, change.at.unwrap_or(now))
    })
}

/// The platform's own stop and resume concern marketing only (AD-09). A first consent, and what is about
/// something else, changes nothing; all of them stand in the contact's history.
fn apply_preference(
    db: &mut Db,
    channel: &ChannelFacts,
    preference: &UserPreference,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (at, source) = (preference.at, OptOutSource::PlatformEvent);
    let contact =
        sender::find_or_create_sender(db, channel.addressed(), &preference.contact, at, now)?;
    let news = ContactNews::of_preference(preference);
    contact_event::record(db, contact, at, &news, now)?;
    live::note(db, LiveEvent::of_contact(LiveKind::Message, channel.chatbot, contact, 0));
    if !preference.is_about_marketing() {
        return Ok(());
    }
    match preference.choice {
        PreferenceChoice::Stop => opt_out::opt_out(db, contact, OptOutScope::Marketing, source, at),
        PreferenceChoice::Resume => {
            opt_out::lift(db, contact, &[OptOutScope::Marketing], source, None, at)?;
            Ok(())
        }
        PreferenceChoice::SignUp { .. } => Ok(()),
    }
}
