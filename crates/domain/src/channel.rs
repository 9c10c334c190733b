//! The boundary to a messaging platform: what is asked of it, and what comes from it.

mod account;
mod contact_change;
mod content;
mod event;
mod inbound;
mod media;
mod outgoing;
mod receipt;
mod template_change;
mod words;

use std::{future::Future, pin::Pin};

use thiserror::Error;

pub use self::{
    account::{
        AccountAlert, AccountEvent, AccountUpdate, AccountUpdateEvent, AlertSeverity, AlertStatus,
        Ban, BanState, BusinessCapability, MessagingLimit, NumberEvent, NumberNameUpdate,
        NumberQualityUpdate, Restriction, RestrictionKind, ReviewDecision, SecurityEvent,
        SecurityNotice, UsernameStatus, UsernameUpdate,
    },
    contact_change::{
        IdentityChange, IdentityNews, MessageEcho, MessageEdit, MessageRevocation,
        PreferenceCategory, PreferenceChoice, UserPreference,
    },
    content::{
        CallAnswer, CallPermission, CardEmail, CardOrganization, CardPhone, ContactCard, FormReply,
        GeoPoint, InboundContent, InboundMedia, InboundMediaKind, Location, Order, OrderItem,
        Unsupported, UnsupportedReason,
    },
    event::{ChannelEvent, UnreadableElement, WebhookElement, WebhookRejection},
    inbound::{
        Forwarded, InboundMessage, MessageContext, Referral, ReferralSource, ReferredProduct,
        SenderIdentity,
    },
    media::{MediaBody, MediaDownload, MediaFailure, MediaFile, MediaProblem, MediaUpload},
    outgoing::{
        Capabilities, MediaSource, OutgoingContent, OutgoingMedia, OutgoingMessage, Pause,
        PauseScope, PausedSends, PlatformRefusal, RefusalClass, RetryScope, SendOutcome, Signal,
        SignalKind,
    },
    receipt::{
        Conversation, Pricing, PricingCategory, PricingKind, PricingModel, Receipt, ReceiptStatus,
        Recipient,
    },
    template_change::{
        CategoryNews, ChangedButton, PauseStage, TemplateChange, TemplateComponents, TemplateNews,
        TemplatePause, TemplateRejection, TemplateStatusEvent, TemplateStatusNews,
    },
};
use crate::{ids::ChannelId, template::MediaKind};

/// The platforms a channel may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// WhatsApp Business Platform, Cloud API.
    WhatsApp,
    /// WeChat Official Account.
    WeChat,
    /// WeCom customer service.
    WeCom,
    /// SMS by an aggregator.
    Sms,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::WhatsApp, Self::WeChat, Self::WeCom, Self::Sms];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::WeChat => "wechat",
            Self::WeCom => "wecom",
            Self::Sms => "sms",
        }
    }

    /// The kind stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a business may start a conversation there (`channel_cannot_initiate`).
    #[must_use]
    pub fn can_initiate(self) -> bool {
        match self {
            Self::WhatsApp | Self::Sms => true,
            Self::WeChat | Self::WeCom => false,
        }
    }

    /// What can be done there besides writing.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        match self {
            Self::WhatsApp => Capabilities { quotes: true, reactions: true, signals: true },
            Self::WeChat | Self::WeCom | Self::Sms => Capabilities::default(),
        }
    }
}

/// What is needed to speak to a platform for one channel. `Debug` shows no secret.
#[derive(Clone)]
pub struct ChannelAccess {
    /// The channel spoken for.
    pub channel: ChannelId,
    /// Where the platform's API is, without a trailing slash.
    pub api_base_url: String,
    /// The platform's id of the connection (WhatsApp: phone-number id).
    pub external_id: String,
    /// The platform's id of the account (WhatsApp: WABA id).
    pub account_id: String,
    /// Sent as bearer token.
    pub access_token: String,
    /// Signs webhooks.
    pub app_secret: String,
    /// Answers the verification handshake.
    pub verify_token: String,
}

impl std::fmt::Debug for ChannelAccess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ChannelAccess")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// What the platform says of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberReading {
    /// As the platform writes it for people.
    pub display_phone: String,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`, as it came.
    pub quality_rating: String,
    /// `CONNECTED` and others, as it came.
    pub status: String,
    /// Unique contacts in 24 h; `None` when the platform names no limit.
    pub limit: Option<u32>,
    /// Messages a second.
    pub throughput: u32,
}

/// What went wrong when something other than a send was asked of the platform.
#[derive(Debug, Clone, Error)]
pub enum ChannelError {
    /// The platform did not answer, or not readably.
    #[error("the platform did not answer: {0}")]
    Unreachable(String),
    /// The platform refused.
    #[error("the platform refused with code {}", .0.code)]
    Refused(PlatformRefusal),
    /// The account asked too much of the platform, and is to ask for nothing but sends for so long.
    #[error("the platform asks for a rest of {} s", .0.as_secs())]
    Busy(std::time::Duration),
}

/// A future that can be handed around.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Speaks to one platform. It never sleeps, retries or counts; it turns our words into the platform's
/// and back.
pub trait Channel: Send + Sync {
    /// Checks the signature over the raw bytes, in constant time. `signature` is the header as it came.
    ///
    /// # Errors
    /// [`WebhookRejection::BadSignature`].
    fn verify(
        &self,
        access: &ChannelAccess,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(), WebhookRejection>;

    /// Reads a verified body into its elements, every one of every batch.
    ///
    /// # Errors
    /// [`WebhookRejection::Unreadable`] when the body as a whole is not the platform's form.
    fn parse(&self, body: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection>;

    /// Sends one message, once.
    fn send<'a>(
        &'a self,
        access: &'a ChannelAccess,
        message: &'a OutgoingMessage,
    ) -> BoxFuture<'a, SendOutcome>;

    /// Tells the platform something besides messages, once. One that cannot be told so is told nothing.
    fn signal<'a>(
        &'a self,
        _access: &'a ChannelAccess,
        _signal: &'a Signal,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// All templates of the account, every page, or an error: never half a list.
    fn list_templates<'a>(
        &'a self,
        access: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<Vec<crate::template::PlatformTemplate>, ChannelError>>;

    /// What the platform says of the number.
    fn read_number<'a>(
        &'a self,
        access: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<NumberReading, ChannelError>>;

    /// Looks at the file behind a media variable's URL (AM-07).
    fn inspect_media<'a>(
        &'a self,
        url: &'a str,
        kind: MediaKind,
    ) -> BoxFuture<'a, Result<MediaFile, MediaProblem>>;

    /// Opens a file that a contact sent, by the platform's id of it: asks anew where it lies, and reads at most
    /// `limit` bytes of it. A platform without files has none.
    fn open_media<'a>(
        &'a self,
        _access: &'a ChannelAccess,
        _media: &'a str,
        _limit: u64,
    ) -> BoxFuture<'a, Result<MediaDownload, MediaFailure>> {
        Box::pin(std::future::ready(Err(MediaFailure::NoFiles)))
    }

    /// Hands a file over and answers with the platform's id of it. May be repeated: that makes another id, and sends
    /// nothing.
    fn upload_media<'a>(
        &'a self,
        _access: &'a ChannelAccess,
        _upload: MediaUpload,
    ) -> BoxFuture<'a, Result<String, MediaFailure>> {
        Box::pin(std::future::ready(Err(MediaFailure::NoFiles)))
    }
}
