//! Whether an agent takes part right now (RO-06).

/// What an agent chose, or fell to when the last page was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// May send active messages and is given tickets.
    Online,
    /// Keeps tickets, gets none; a timer runs.
    OnBreak,
    /// Keeps tickets, gets none. Entering starts here.
    Invisible,
    /// No page of the desk is open.
    Offline,
}

impl Presence {
    /// Every presence.
    pub const ALL: [Self; 4] = [Self::Online, Self::OnBreak, Self::Invisible, Self::Offline];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::OnBreak => "on_break",
            Self::Invisible => "invisible",
            Self::Offline => "offline",
        }
    }

    /// The presence stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|presence| presence.as_str() == word)
    }

    /// Whether the agent may send active messages and is given tickets.
    #[must_use]
    pub fn is_online(self) -> bool {
        self == Self::Online
    }
}
