//! What the platform tells of the account and its numbers.

use chrono::{DateTime, Utc};

use super::words::open_words;

/// What the platform tells of the account and its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountEvent {
    /// What a number may send changed.
    NumberQuality(NumberQualityUpdate),
    /// What the account may do changed.
    Capability(BusinessCapability),
    /// Something happened to the account.
    Update(AccountUpdate),
    /// The platform wants to be read.
    Alert(AccountAlert),
    /// The account was reviewed.
    Review(ReviewDecision),
    /// The name of a number was reviewed.
    NumberName(NumberNameUpdate),
    /// Someone touched what protects a number.
    Security(SecurityNotice),
    /// The name the business is found by changed.
    Username(UsernameUpdate),
}

/// How many contacts may be written to in 24 hours without having written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessagingLimit {
    /// So many.
    Contacts(u32),
    /// As many as there are.
    Unlimited,
    /// None was set yet.
    NotSet,
    /// A word not known here, as it came.
    Other(String),
}

/// What a number may send changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberQualityUpdate {
    /// The number, as the platform writes it.
    pub display_phone: Option<String>,
    /// The occasion; `None` when it is missing.
    pub event: Option<NumberEvent>,
    /// The number's limit before.
    pub old_limit: Option<MessagingLimit>,
    /// The number's limit now.
    pub current_limit: Option<MessagingLimit>,
    /// The limit now of all numbers of the business together.
    pub portfolio_limit: Option<MessagingLimit>,
}

open_words! {
    /// Why the platform speaks of a number.
    NumberEvent {
        /// It was registered.
        Onboarding = "ONBOARDING",
        /// It may send faster.
        ThroughputUpgrade = "THROUGHPUT_UPGRADE",
        /// Its limit went up.
        Upgrade = "UPGRADE",
        /// Its limit went down.
        Downgrade = "DOWNGRADE",
        /// Its quality is low.
        Flagged = "FLAGGED",
        /// Its quality is low no more.
        Unflagged = "UNFLAGGED",
    }
}

/// What the account may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BusinessCapability {
    /// The limit of all numbers of the business together.
    pub portfolio_limit: Option<MessagingLimit>,
    /// The limit of each number, by the older rule.
    pub number_limit: Option<MessagingLimit>,
    /// How many numbers the account may have.
    pub numbers_per_account: Option<u32>,
    /// How many numbers the business may have; told while its limit is the lowest.
    pub numbers_per_business: Option<u32>,
}

/// Something happened to the account. What belongs to an event is kept whatever the event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUpdate {
    /// What happened; `None` when it is missing.
    pub event: Option<AccountUpdateEvent>,
    /// The platform's word for the rule that was broken, such as `SCAM`.
    pub violation: Option<String>,
    /// What the account may not do for a time.
    pub restrictions: Vec<Restriction>,
    /// Whether it may do anything at all.
    pub ban: Option<Ban>,
}

open_words! {
    /// What happened to an account.
    AccountUpdateEvent {
        /// It broke a rule.
        Violation = "ACCOUNT_VIOLATION",
        /// It may not do something for a time.
        Restriction = "ACCOUNT_RESTRICTION",
        /// It is, will be, or is no more switched off.
        Disabled = "DISABLED_UPDATE",
        /// It is gone.
        Deleted = "ACCOUNT_DELETED",
        /// A number shared with the phone app was taken from the platform.
        Offboarded = "ACCOUNT_OFFBOARDED",
        /// It was given back.
        Reconnected = "ACCOUNT_RECONNECTED",
        /// A partner may act for it.
        PartnerAdded = "PARTNER_ADDED",
        /// A partner may act for it no more.
        PartnerRemoved = "PARTNER_REMOVED",
        /// A partner's program was connected.
        PartnerAppInstalled = "PARTNER_APP_INSTALLED",
        /// A partner's program was disconnected.
        PartnerAppUninstalled = "PARTNER_APP_UNINSTALLED",
        /// A partner's client was reviewed.
        PartnerClientCertification = "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
        /// One-time codes to other countries have their own price.
        InternationalPriceEligibility = "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        /// The business has its seat elsewhere.
        PrimaryCountry = "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        /// A price by volume was reached.
        VolumeTier = "VOLUME_BASED_PRICING_TIER_UPDATE",
        /// The terms of the marketing interface were signed.
        MarketingTermsSigned = "MM_LITE_TERMS_SIGNED",
        /// An account for ads was linked.
        AdAccountLinked = "AD_ACCOUNT_LINKED",
        /// The account was verified; historic.
        Verified = "VERIFIED_ACCOUNT",
    }
}

/// What an account may not do for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// What it may not do; `None` when it is missing.
    pub kind: Option<RestrictionKind>,
    /// From when it may again; `None` when the platform names no end.
    pub until: Option<DateTime<Utc>>,
    /// What the platform says would help.
    pub remediation: Option<String>,
}

open_words! {
    /// What an account may not do.
    RestrictionKind {
        /// Have one more number.
        AddNumber = "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
        /// Write first: no template at all.
        InitiateMessages = "RESTRICTED_BIZ_INITIATED_MESSAGING",
        /// Answer: nothing at all.
        AnswerMessages = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
        /// Send utility templates.
        UtilityTemplates = "RESTRICTED_UTILITY_TEMPLATES",
        /// Send utility templates without their being approved before.
        DirectUtilityTemplates = "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES",
    }
}

/// Whether an account may do anything at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Where it stands; `None` when it is missing.
    pub state: Option<BanState>,
    /// Since or from when, as the platform writes it for people.
    pub date: Option<String>,
}

open_words! {
    /// Where the ban of an account stands.
    BanState {
        /// It will be switched off.
        ScheduledForDisable = "SCHEDULE_FOR_DISABLE",
        /// It is switched off.
        Disabled = "DISABLE",
        /// It is switched on again.
        Reinstated = "REINSTATE",
    }
}

/// The platform wants to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountAlert {
    /// The platform's word for what it is about, such as `BUSINESS` or `PHONE_NUMBER`.
    pub entity_kind: Option<String>,
    /// The platform's id of what it is about.
    pub entity_id: Option<String>,
    /// How bad it is.
    pub severity: Option<AlertSeverity>,
    /// Whether it still stands.
    pub status: Option<AlertStatus>,
    /// The platform's word for it, such as `OBA_APPROVED`.
    pub kind: Option<String>,
    /// The platform's sentence.
    pub description: Option<String>,
}

open_words! {
    /// How bad something is.
    AlertSeverity {
        /// Bad.
        Critical = "CRITICAL",
        /// It may get bad.
        Warning = "WARNING",
        /// To be known.
        Informational = "INFORMATIONAL",
    }
}

open_words! {
    /// Whether an alert still stands.
    AlertStatus {
        /// It does.
        Active = "ACTIVE",
        /// It is over, or was never more than news.
        None = "NONE",
    }
}

open_words! {
    /// What a review came to.
    ReviewDecision {
        /// It is good.
        Approved = "APPROVED",
        /// It is not.
        Rejected = "REJECTED",
        /// It goes on.
        Pending = "PENDING",
        /// It was put off.
        Deferred = "DEFERRED",
    }
}

/// The name of a number was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberNameUpdate {
    /// The number, as the platform writes it.
    pub display_phone: Option<String>,
    /// What the review came to; `None` when it is missing.
    pub decision: Option<ReviewDecision>,
    /// The name that was asked for.
    pub requested_name: Option<String>,
    /// The platform's word for what is wrong with it; `None` when nothing is.
    pub rejection_reason: Option<String>,
}

/// Someone touched what protects a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityNotice {
    /// The number, as the platform writes it.
    pub display_phone: Option<String>,
    /// What was done; `None` when it is missing.
    pub event: Option<SecurityEvent>,
    /// The platform's id of who did it.
    pub requester: Option<String>,
}

open_words! {
    /// What was done to the PIN of a number.
    SecurityEvent {
        /// It is another one.
        PinChanged = "PIN_CHANGED",
        /// Someone asked to do without it.
        PinResetRequest = "PIN_RESET_REQUEST",
        /// That was granted.
        PinRequestSuccess = "PIN_REQUEST_SUCCESS",
    }
}

/// The name the business is found by changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsernameUpdate {
    /// The number, as the platform writes it.
    pub display_phone: Option<String>,
    /// The name.
    pub username: Option<String>,
    /// What became of it; `None` when it is missing.
    pub status: Option<UsernameStatus>,
}

open_words! {
    /// What became of the name of a business.
    UsernameStatus {
        /// It is found by it.
        Approved = "approved",
        /// It is kept for it.
        Reserved = "reserved",
        /// It is found by it no more.
        Deleted = "deleted",
    }
}
