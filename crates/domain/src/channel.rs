//! The boundary to a messaging platform: what is asked of it, and what comes from it.

use std::{future::Future, pin::Pin};

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::{
    ids::{ChannelId, MessageId},
    template::{MediaKind, MessageTemplate, VariableValues},
};

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

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Its id here.
    pub id: MessageId,
    /// The recipient as the platform knows it (WhatsApp: digits, or a business-scoped id).
    pub to: String,
    /// Echoed by the platform in its receipts (LI-09).
    pub callback_id: String,
    /// What is sent.
    pub content: OutgoingContent,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum OutgoingContent {
    /// Free-form text; only inside the session window.
    Text {
        /// 1 to 4,096 characters.
        body: String,
    },
    /// A template with its variables filled and checked.
    Template {
        /// The template as approved.
        template: Box<MessageTemplate>,
        /// A value for each of its variables.
        values: VariableValues,
    },
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// The platform took it.
    Accepted {
        /// The platform's id of the message.
        provider_id: String,
    },
    /// The platform refused it; nothing was sent.
    Refused {
        /// What the platform said.
        refusal: PlatformRefusal,
        /// What that means for this message and for others.
        class: RefusalClass,
    },
    /// Nothing left this machine, or the platform certainly did not take it: may be tried again.
    NotSent {
        /// What went wrong, without message text or numbers.
        reason: String,
    },
    /// The request left and its outcome is not known (LI-09): must not be repeated.
    Unknown {
        /// What went wrong, without message text or numbers.
        reason: String,
    },
}

/// The platform's words for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformRefusal {
    /// The platform's code, such as `131049`.
    pub code: String,
    /// The platform's own title or detail; for the history, never for the log.
    pub title: String,
}

/// What a refusal means (protocol, error table): for this message, and beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// Passing: try this message again, not before `after` from now (`None`: by the dispatcher's back-off).
    Retry {
        /// The least wait.
        after: Option<std::time::Duration>,
        /// Whose sends should slow down.
        scope: RetryScope,
    },
    /// Final for this message.
    Fail,
    /// Final for this message; the contact cannot be reached there.
    FailContact,
    /// Final for this message; the contact opted out of marketing (AD-09).
    FailOptedOut,
    /// Final for this message; the template must not be used on.
    PauseTemplate,
    /// Messages stay queued; the number must not send on until someone or something mends it.
    PauseNumber,
    /// Messages stay queued; the credentials fail, an alert is due.
    CredentialsFail,
}

/// Whose sends slow down after a passing refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryScope {
    /// This message alone.
    Message,
    /// This number to this contact.
    Pair,
    /// All of the number.
    Number,
}

/// One element of a webhook, in our words. Times are the platform's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// A contact wrote, tapped or reacted.
    Inbound(InboundMessage),
    /// The platform tells what became of a message of ours.
    Receipt(Receipt),
    /// The contact stopped or resumed marketing by the platform's own means.
    MarketingPreference {
        /// The contact as the platform knows it.
        sender: SenderIdentity,
        /// `true`: stopped; `false`: resumed.
        stopped: bool,
        /// The platform's instant.
        at: DateTime<Utc>,
    },
    /// A template changed status.
    TemplateStatus {
        /// Its name.
        name: String,
        /// Its language.
        language: String,
        /// The platform's word, upper case, such as `PAUSED`.
        status: String,
        /// The platform's instant; `None` when it tells none.
        at: Option<DateTime<Utc>>,
    },
    /// Well-formed, but without a feature yet: kept as it came.
    Other {
        /// The platform's name of the field or type.
        kind: String,
    },
}

/// Who wrote, as the platform tells; a phone may be missing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SenderIdentity {
    /// The platform's number-like id (WhatsApp: wa_id, digits); `None` for users without one.
    pub phone_digits: Option<String>,
    /// The business-scoped id; `None` when absent.
    pub scoped_id: Option<String>,
    /// The profile name; `None` when absent.
    pub name: Option<String>,
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
    /// The platform's id of the message it answers; `None` when it answers none.
    pub in_reply_to: Option<String>,
}

/// What a contact said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundContent {
    /// A text.
    Text(String),
    /// A tapped button of a template or an interactive message.
    Button {
        /// The text on it.
        text: String,
        /// What it carries.
        payload: String,
    },
    /// A reaction; an empty emoji takes it back.
    Reaction {
        /// The platform's id of the message reacted to.
        to: String,
        /// The emoji.
        emoji: String,
    },
    /// Any other kind, kept by the platform's name of it with its caption, if any.
    Other {
        /// The platform's type, such as `image`.
        kind: String,
        /// A caption or title; `None` when there is none.
        caption: Option<String>,
    },
}

/// What the platform tells of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The platform's id of the message.
    pub provider_id: String,
    /// Our own id, echoed; `None` when the platform left it out.
    pub callback_id: Option<String>,
    /// What happened.
    pub status: ReceiptStatus,
    /// When, by the platform.
    pub at: DateTime<Utc>,
}

/// What happened to a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// The platform took it.
    Sent,
    /// It is on the phone.
    Delivered,
    /// It was read.
    Read,
    /// It did not arrive.
    Failed {
        /// What the platform said.
        refusal: PlatformRefusal,
        /// What that means.
        class: RefusalClass,
    },
}

/// One element as parsed, or what stopped it. One bad element never spoils the others.
#[derive(Debug, Clone)]
pub struct WebhookElement {
    /// The platform's id of the connection it is for; `None` for account-level changes.
    pub external_id: Option<String>,
    /// The element's own JSON or XML, for the quarantine and for later readers.
    pub raw: String,
    /// What it says.
    pub event: Result<ChannelEvent, UnreadableElement>,
}

/// Why an element could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unreadable element: {reason}")]
pub struct UnreadableElement {
    /// What is missing or wrong, without message text or numbers.
    pub reason: String,
}

/// Why a whole webhook was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookRejection {
    /// No signature, or one that does not fit the bytes: 401.
    #[error("the webhook's signature does not fit")]
    BadSignature,
    /// Signed, but not readable at all: 400.
    #[error("the webhook's body is not readable")]
    Unreadable,
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

/// A media file behind a URL, as found by the server (AM-07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// By type and first bytes, not by the name.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// The file's name, from the URL; for documents.
    pub name: String,
    /// The bytes, for images that are shown; `None` for larger kinds.
    pub preview: Option<Vec<u8>>,
}

/// Why a media URL is refused at the field (AM-07).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaProblem {
    /// Not an http or https URL.
    #[error("not a web address")]
    NotAUrl,
    /// It leads into a private, loopback or link-local network.
    #[error("the address leads into an inner network")]
    Forbidden,
    /// Nothing answered, or not in time, or not to the end.
    #[error("the address does not answer")]
    Unreachable,
    /// A server answered that no such file is there.
    #[error("there is no file at the address")]
    Missing,
    /// A server answered with something else than the file.
    #[error("the address answers with status {status}")]
    Refused {
        /// The status: 3xx leads elsewhere, 401 and 403 ask who one is, 5xx is broken.
        status: u16,
    },
    /// What is there is not of the kind the template asks for.
    #[error("the file is of another kind")]
    WrongKind {
        /// What was found, such as `application/pdf`.
        found: String,
    },
    /// Larger than the platform takes.
    #[error("the file is too large")]
    TooLarge {
        /// The most bytes taken.
        limit: u64,
    },
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
}
