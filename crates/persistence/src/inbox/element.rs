//! One element of a webhook: undone alone when it fails, applied once however often it comes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        ChannelEvent, InboundContent, InboundMessage, PreferenceChoice, TemplateChange,
        TemplateNews, UserPreference, WebhookElement,
    },
    ids::TicketId,
    opt_out::{OptOutScope, OptOutSource},
};
use sha2::{Digest, Sha256};

use super::{
    account,
    kept::{self, Keep},
    known::KnownChannels,
    template_news, template_status,
};
use crate::{
    contact_event::{self, ContactNews},
    contact_identity,
    db::{Db, on_either},
    delivery::{self, ReceiptOutcome, Replies},
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
    /// The same, of a field or type that the protocol does not name.
    Unknown(Option<TicketId>),
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
    let mut apply = |db: &mut Db| {
        let mut replies = Replies::default();
        let outcome = apply_event(db, posted_to, known, &mut replies, element, now)?;
        replies.count(db, now)?;
        Ok(outcome)
    };
    match db.savepoint(&mut apply) {
        Err(PersistenceError::Duplicate) => db.savepoint(apply),
        outcome => outcome,
    }
}

/// Applies one element, on the channel it names; what it answers is noted in `replies`.
pub(super) fn apply_event(
    db: &mut Db,
    posted_to: &ChannelFacts,
    known: &mut KnownChannels,
    replies: &mut Replies,
    element: &WebhookElement,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let event = element.event.as_ref().map_err(|unreadable| {
        PersistenceError::unreadable("webhook_inbox", "body", unreadable.to_string())
    })?;
    let channel = known.of_element(db, posted_to, element)?;
    match event {
        ChannelEvent::Inbound(inbound) => {
            match message::apply_inbound(db, &channel, inbound, replies, now)? {
                InboundOutcome::Kept { opened, .. } => {
                    keep_unknown_message(db, &channel, inbound, opened, now)
                }
                InboundOutcome::Copy => Ok(ElementOutcome::Copy),
            }
        }
        ChannelEvent::Receipt(receipt) if receipt.is_of_one_in_a_group() => {
            let keep = Keep { kind: "group status", ..kept_as_known(&channel, element) };
            once(db, &channel, element, now, |db| kept::keep(db, keep, now))
        }
        ChannelEvent::Receipt(receipt) => {
            let outcomes = delivery::apply_receipts(db, &[(channel.id, receipt)], now)?;
            Ok(outcomes.first().map_or(ElementOutcome::Copy, |outcome| (*outcome).into()))
        }
        ChannelEvent::Preference(preference) => {
            once(db, &channel, element, now, |db| apply_preference(db, &channel, preference, now))
        }
        ChannelEvent::Template(change) => once(db, &channel, element, now, |db| {
            apply_template_news(db, &channel, change, change.at.unwrap_or(now))
        }),
        ChannelEvent::Edited(edit) => Ok(message::apply_edit(db, &channel, edit, now)?.into()),
        ChannelEvent::Revoked(revocation) => {
            Ok(message::apply_revocation(db, &channel, revocation, now)?.into())
        }
        ChannelEvent::Echo(echo) => match message::apply_echo(db, &channel, echo, now)? {
            EchoOutcome::Kept => Ok(ElementOutcome::Applied(None)),
            EchoOutcome::Copy => Ok(ElementOutcome::Copy),
        },
        ChannelEvent::IdentityChanged(change) => once(db, &channel, element, now, |db| {
            contact_identity::apply_change(db, &channel, change, now)
        }),
        ChannelEvent::Account { event, at } => once(db, &channel, element, now, |db| {
            account::apply_event(db, &channel, element, event, at.unwrap_or(now), now)
        }),
        ChannelEvent::Trouble { refusal, .. } => once(db, &channel, element, now, |db| {
            let at = element.told_at.unwrap_or(now);
            account::note_trouble(db, &channel, element, refusal, at)
        }),
        ChannelEvent::Kept { kind } => {
            let keep = Keep { kind, ..kept_as_known(&channel, element) };
            once(db, &channel, element, now, |db| kept::keep(db, keep, now))
        }
        ChannelEvent::Other { kind } => {
            let keep = Keep { kind, is_known: false, ..kept_as_known(&channel, element) };
            let outcome = once(db, &channel, element, now, |db| kept::keep(db, keep, now))?;
            Ok(match outcome {
                ElementOutcome::Applied(opened) => ElementOutcome::Unknown(opened),
                copy => copy,
            })
        }
    }
}

fn kept_as_known<'a>(channel: &ChannelFacts, element: &'a WebhookElement) -> Keep<'a> {
    Keep { channel: channel.id, kind: "", is_known: true, raw: &element.raw }
}

/// A message of a kind that nobody here knows stands in its thread; its kind is counted like any other.
fn keep_unknown_message(
    db: &mut Db,
    channel: &ChannelFacts,
    inbound: &InboundMessage,
    opened: Option<TicketId>,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let InboundContent::Other { kind, raw } = &inbound.content else {
        return Ok(ElementOutcome::Applied(opened));
    };
    let kind = format!("message {kind}");
    kept::keep(db, Keep { channel: channel.id, kind: &kind, is_known: false, raw }, now)?;
    Ok(ElementOutcome::Unknown(opened))
}

/// Carries a change out unless it was seen on this channel before. What has no id is told from what was said before
/// in the same words by the instant at which it is told, where the platform names one.
fn once(
    db: &mut Db,
    channel: &ChannelFacts,
    element: &WebhookElement,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
) -> Result<ElementOutcome, PersistenceError> {
    let told_at = element.told_at.map(|at| at.timestamp_millis()).unwrap_or_default();
    let text = format!("{told_at} {}", element.raw);
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

/// Takes over what is told of a template since `at`, and notes it in the history of the account's numbers.
fn apply_template_news(
    db: &mut Db,
    channel: &ChannelFacts,
    change: &TemplateChange,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match &change.news {
        TemplateNews::Status(news) => {
            template_status::apply(db, &channel.account, change, news, at)?;
        }
        TemplateNews::Quality { current, .. } => {
            template_news::apply_quality(db, &channel.account, change, current, at)?;
        }
        TemplateNews::Category(news) => {
            template_news::apply_category(db, &channel.account, change, news, at)?;
        }
        TemplateNews::Components(components) => {
            template_news::apply_components(db, &channel.account, change, components, at)?;
        }
    }
    account::note_template(db, channel, change, at)
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
