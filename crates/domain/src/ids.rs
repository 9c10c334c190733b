//! Ids given by the database, one type per table so that none is taken for another.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A chatbot: the service unit that settings belong to.
    ChatbotId;
    /// One connection of a chatbot to a platform.
    ChannelId;
    /// A WhatsApp phone number with its rating, standing and level.
    NumberId;
    /// A person.
    ContactId;
    /// Someone who signs in: an agent, a manager, an admin.
    UserId;
    /// A queue in which tickets wait.
    QueueId;
    /// One stretch of service for a contact.
    TicketId;
    /// A message of a conversation, in or out. An active message has the id of its message.
    MessageId;
    /// A message template in one language.
    TemplateId;
    /// One line of the decision log.
    DecisionId;
    /// A version of a policy profile.
    PolicyId;
    /// A web session.
    SessionId;
    /// A bearer token of the API.
    ApiTokenId;
    /// A raw webhook in the inbox.
    InboxId;
}
