//! What the platform tells of a message of ours, and what it charges for it.

use chrono::{DateTime, Utc};

use super::{PlatformRefusal, RefusalClass, SenderIdentity, words::open_words};

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
    /// With whom it happened.
    pub recipient: Recipient,
    /// What it costs; only one or two of a message's receipts tell.
    pub pricing: Option<Pricing>,
    /// The conversation it belongs to; seldom told.
    pub conversation: Option<Conversation>,
    /// All that went wrong, in the platform's order; the first of them is the one in `status`.
    pub errors: Vec<PlatformRefusal>,
}

impl Receipt {
    /// A receipt that tells what happened and when, and nothing else.
    #[must_use]
    pub fn new(provider_id: impl Into<String>, status: ReceiptStatus, at: DateTime<Utc>) -> Self {
        Self {
            provider_id: provider_id.into(),
            callback_id: None,
            status,
            at,
            recipient: Recipient::Contact(SenderIdentity::default()),
            pricing: None,
            conversation: None,
            errors: Vec::new(),
        }
    }

    /// Whether it tells of one of a group only, which says nothing of the message as a whole.
    #[must_use]
    pub fn is_of_one_in_a_group(&self) -> bool {
        match &self.recipient {
            Recipient::Contact(_) => false,
            Recipient::Group { participant, .. } => !participant.is_anonymous(),
        }
    }
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
    /// It was played for the first time: a voice message.
    Played,
    /// It did not arrive.
    Failed {
        /// What the platform said.
        refusal: PlatformRefusal,
        /// What that means.
        class: RefusalClass,
    },
}

impl ReceiptStatus {
    /// How far the message is: sent 1, delivered 2, read 3, played 4, whatever the order in which that is told.
    /// `None` for a failure, which is no step of that way.
    #[must_use]
    pub fn rank(&self) -> Option<u8> {
        match self {
            Self::Sent => Some(1),
            Self::Delivered => Some(2),
            Self::Read => Some(3),
            Self::Played => Some(4),
            Self::Failed { .. } => None,
        }
    }
}

/// With whom something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The contact the message is for; anonymous when the platform does not name them.
    Contact(SenderIdentity),
    /// One of a group: a message to a group has such a receipt of each.
    Group {
        /// The platform's id of the group; `None` when it is missing.
        group: Option<String>,
        /// Who of the group; anonymous when it is about all of them.
        participant: SenderIdentity,
    },
}

/// What a message costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pricing {
    /// Whether messages or conversations are charged.
    pub model: Option<PricingModel>,
    /// Why it is charged or not.
    pub kind: Option<PricingKind>,
    /// By which rate.
    pub category: Option<PricingCategory>,
    /// The platform's own word for whether it is charged, of which it will let go.
    pub told_billable: Option<bool>,
}

impl Pricing {
    /// Whether it is charged: by its kind, and by the platform's own word where that says nothing; `None` when
    /// neither does.
    #[must_use]
    pub fn is_billable(&self) -> Option<bool> {
        match &self.kind {
            Some(PricingKind::Regular) => Some(true),
            Some(
                PricingKind::FreeCustomerService
                | PricingKind::FreeEntryPoint
                | PricingKind::FreeGroupCustomerService,
            ) => Some(false),
            Some(PricingKind::Other(_)) | None => self.told_billable,
        }
    }
}

open_words! {
    /// What is charged.
    PricingModel {
        /// Messages.
        PerMessage = "PMP",
        /// Conversations; before July 2025.
        PerConversation = "CBP",
        /// Notifications; before 2023.
        PerNotification = "NBP",
    }
}

open_words! {
    /// Why a message is charged or not.
    PricingKind {
        /// It is charged.
        Regular = "regular",
        /// An answer inside the session window.
        FreeCustomerService = "free_customer_service",
        /// The contact came from an ad or a page.
        FreeEntryPoint = "free_entry_point",
        /// An answer inside the session window of a group.
        FreeGroupCustomerService = "free_group_customer_service",
    }
}

open_words! {
    /// The rate of a message, and what opened a conversation.
    PricingCategory {
        /// One-time codes.
        Authentication = "authentication",
        /// One-time codes to another country.
        AuthenticationInternational = "authentication_international",
        /// Offers.
        Marketing = "marketing",
        /// Offers by the platform's own interface for them.
        MarketingLite = "marketing_lite",
        /// About something the contact asked for.
        Utility = "utility",
        /// Answers.
        Service = "service",
        /// The contact came from an ad or a page.
        ReferralConversion = "referral_conversion",
        /// Offers to a group.
        GroupMarketing = "group_marketing",
        /// To a group, about something it asked for.
        GroupUtility = "group_utility",
        /// Answers to a group.
        GroupService = "group_service",
        /// The business wrote first; before 2023.
        BusinessInitiated = "business_initiated",
        /// The contact wrote first; before 2023.
        UserInitiated = "user_initiated",
    }
}

/// The conversation that a message belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// The platform's id.
    pub id: Option<String>,
    /// When it ends; told with the first receipt alone.
    pub expires_at: Option<DateTime<Utc>>,
    /// What opened it.
    pub origin: Option<PricingCategory>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_a_message_is_charged_is_told_by_its_kind_first() {
        let free = [
            PricingKind::FreeCustomerService,
            PricingKind::FreeEntryPoint,
            PricingKind::FreeGroupCustomerService,
        ];
        for told in [None, Some(true), Some(false)] {
            let billable = |kind: Option<PricingKind>| {
                Pricing { kind, told_billable: told, ..Pricing::default() }.is_billable()
            };
            assert_eq!(billable(Some(PricingKind::Regular)), Some(true), "{told:?}");
            for kind in &free {
                assert_eq!(billable(Some(kind.clone())), Some(false), "{kind:?} {told:?}");
            }
            assert_eq!(billable(Some(PricingKind::Other("gift".into()))), told);
            assert_eq!(billable(None), told);
        }
    }

    #[test]
    fn a_message_that_was_played_was_read_before() {
        let way = [
            ReceiptStatus::Sent,
            ReceiptStatus::Delivered,
            ReceiptStatus::Read,
            ReceiptStatus::Played,
        ];
        assert!(way.is_sorted_by(|lower, higher| lower.rank() < higher.rank()));
        let refusal = PlatformRefusal { code: "131026".into(), title: String::new() };
        assert_eq!(ReceiptStatus::Failed { refusal, class: RefusalClass::Fail }.rank(), None);
    }
}
