//! A message from a contact: who wrote, when, and what it refers to.

use chrono::{DateTime, Utc};

use super::{InboundContent, PlatformRefusal, words::open_words};

/// A person as the platform knows them; each part may be missing. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SenderIdentity {
    /// The platform's number-like id (WhatsApp: wa_id, digits); `None` for users without one.
    pub phone_digits: Option<String>,
    /// The business-scoped id; `None` when absent.
    pub scoped_id: Option<String>,
    /// The same person's id across linked businesses; `None` when absent.
    pub parent_scoped_id: Option<String>,
    /// The profile name; `None` when absent.
    pub name: Option<String>,
    /// The name the person chose to be found by; `None` when absent.
    pub username: Option<String>,
}

impl SenderIdentity {
    /// Whether there is nothing a contact could be found by.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.phone_digits.is_none() && self.scoped_id.is_none()
    }
}

impl std::fmt::Debug for SenderIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SenderIdentity").finish_non_exhaustive()
    }
}

/// A message from a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The platform's id; unique per channel.
    pub provider_id: String,
    /// Who wrote.
    pub sender: SenderIdentity,
    /// When it was written, by the platform.
    pub at: DateTime<Utc>,
    /// What was said.
    pub content: InboundContent,
    /// What it refers to.
    pub context: MessageContext,
    /// The ad or post it was written from; `None` for most messages.
    pub referral: Option<Box<Referral>>,
    /// What the platform could not do with it, in its order; empty for most messages.
    pub errors: Vec<PlatformRefusal>,
}

impl InboundMessage {
    /// A message that refers to nothing.
    #[must_use]
    pub fn new(
        provider_id: impl Into<String>,
        sender: SenderIdentity,
        at: DateTime<Utc>,
        content: InboundContent,
    ) -> Self {
        Self {
            provider_id: provider_id.into(),
            sender,
            at,
            content,
            context: MessageContext::default(),
            referral: None,
            errors: Vec::new(),
        }
    }
}

/// What a message refers to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageContext {
    /// The platform's id of the message it answers; `None` when it answers none.
    pub in_reply_to: Option<String>,
    /// `None` when it was written by its sender.
    pub forwarded: Option<Forwarded>,
    /// The product it asks about; `None` when it asks about none.
    pub product: Option<ReferredProduct>,
}

/// How often a message was passed on before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// Up to five times.
    Once,
    /// More than five times.
    Often,
}

/// A product of a catalogue that a message asks about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReferredProduct {
    /// The platform's id of the catalogue.
    pub catalog_id: Option<String>,
    /// The seller's id of the product.
    pub product_id: Option<String>,
}

/// The ad or post from which someone came to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Referral {
    /// Where it stands.
    pub source_url: Option<String>,
    /// The platform's id of it.
    pub source_id: Option<String>,
    /// Whether it is an ad or a post.
    pub source_kind: Option<ReferralSource>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// The platform's word for its media, such as `image`.
    pub media_type: Option<String>,
    /// Its picture.
    pub image_url: Option<String>,
    /// Its video.
    pub video_url: Option<String>,
    /// A picture of its video.
    pub thumbnail_url: Option<String>,
    /// The click, as the platform counts it; missing for ads in Status.
    pub click_id: Option<String>,
    /// What greeted the person.
    pub welcome_text: Option<String>,
}

open_words! {
    /// What someone came from.
    ReferralSource {
        /// An ad.
        Ad = "ad",
        /// A post.
        Post = "post",
    }
}
