//! Who serves a contact who wrote: the agent who sent to them, else the normal rules (RO-01 to RO-04).

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ids::{QueueId, UserId},
    presence::Presence,
};

/// What is looked at when a message of a contact is about to open a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingFacts {
    /// The sends to this contact in this chatbot that the message answers, in any order: those for which
    /// [`is_open_for_reply`](crate::delivery::ActiveMessageLife::is_open_for_reply) holds.
    pub answered: Vec<AnsweredSend>,
    /// The chatbot's switch.
    pub direct_transfer: bool,
    /// What holds where no agent is referred to.
    pub service: NormalService,
}

/// An active message that the contact's message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredSend {
    /// When it was sent: acceptance by the platform, or the trigger if that is not known.
    pub sent_at: DateTime<Utc>,
    /// Who sent it; `None` for a send without referral (AM-12), which decides nothing.
    pub agent: Option<SendingAgent>,
}

/// Who sent an active message, as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendingAgent {
    /// Who.
    pub id: UserId,
    /// Whether tickets may be kept for them.
    pub membership: Membership,
    /// Whether they take part right now.
    pub presence: Presence,
}

/// Whether tickets may be kept for an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// In the chatbot's team.
    Present,
    /// Marked absent.
    Absent,
    /// No longer in the chatbot's team, or no longer a user.
    Removed,
}

/// The chatbot's rules for tickets that belong to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalService {
    /// The queue chosen by the chatbot's rules; `None` when it has no queues and the team serves as one.
    pub queue: Option<QueueId>,
    /// Those who serve that queue.
    pub agents: Vec<ServingAgent>,
    /// How one of them is chosen.
    pub distribution: Distribution,
}

/// One who serves a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServingAgent {
    /// Who.
    pub id: UserId,
    /// Whether they take part right now.
    pub presence: Presence,
    /// Tickets in progress with them, in every chatbot.
    pub active_tickets: u32,
    /// The most they serve at once.
    pub max_tickets: u32,
    /// When they were last given a ticket; `None` when never.
    pub last_ticket_at: Option<DateTime<Utc>>,
    /// Since when they have had nothing new: their last ticket given or closed, or their coming online.
    pub idle_since: DateTime<Utc>,
}

/// How an agent of a queue is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Distribution {
    /// Fewest active tickets; among equals the one whose last ticket is oldest.
    #[default]
    FewestTickets,
    /// Longest idle.
    LongestIdle,
}

/// Where a new ticket goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Route {
    /// Straight into *In progress* of the agent who sent, whatever their load (RO-01).
    InProgress(UserId),
    /// It waits for the agent who sent, and for nobody else (RO-02).
    WaitFor(UserId),
    /// By the normal rules (RO-04).
    Queue {
        /// The queue; `None` when the chatbot has none.
        queue: Option<QueueId>,
        /// Who is given it at once; `None` when it waits for a free slot.
        agent: Option<UserId>,
    },
}

/// The chatbot's rules for a ticket that waits for one agent alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferralRules {
    /// The chatbot's switch.
    pub direct_transfer: bool,
    /// How long it waits at most; `None` is for ever, as is usual.
    pub time_out: Option<TimeDelta>,
}

/// What becomes of the tickets that wait for one agent alone when something changes about that agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum WaitingTickets {
    /// They move to *In progress*.
    MoveToInProgress,
    /// They wait on.
    WaitOn,
    /// They go by the normal rules, as [`route_normally`] says.
    Release,
}

/// Where the ticket goes that a contact's message opens.
///
/// The latest answered send that names an agent decides alone (RO-03): when its agent is absent or
/// removed the normal rules hold, and no earlier agent is asked.
///
/// Rules: RO-01 to RO-04.
pub fn route(facts: &RoutingFacts) -> Route {
    let decides = facts
        .answered
        .iter()
        .filter_map(|send| send.agent.map(|agent| (send.sent_at, agent)))
        .max_by_key(|(sent_at, agent)| (*sent_at, agent.id));
    let Some((_, agent)) = decides else { return route_normally(&facts.service) };
    match when_agent_changes(agent, facts.direct_transfer) {
        WaitingTickets::MoveToInProgress => Route::InProgress(agent.id),
        WaitingTickets::WaitOn => Route::WaitFor(agent.id),
        WaitingTickets::Release => route_normally(&facts.service),
    }
}

/// Where a ticket goes that no agent is referred to (RO-04).
pub fn route_normally(service: &NormalService) -> Route {
    Route::Queue {
        queue: service.queue,
        agent: choose_agent(&service.agents, service.distribution),
    }
}

/// Who of `agents` is given the next ticket; `None` when none is online with a free slot.
#[must_use]
pub fn choose_agent(agents: &[ServingAgent], distribution: Distribution) -> Option<UserId> {
    let free = agents.iter().filter(|agent| agent.has_free_slot());
    let chosen = match distribution {
        Distribution::FewestTickets => {
            free.min_by_key(|agent| (agent.active_tickets, agent.last_ticket_at, agent.id))
        }
        Distribution::LongestIdle => free.min_by_key(|agent| (agent.idle_since, agent.id)),
    };
    chosen.map(|agent| agent.id)
}

/// What becomes of the tickets that wait for `agent` alone when their presence or membership changes:
/// coming online with direct transfer on they move, an agent absent or removed releases them (RO-02).
pub fn when_agent_changes(agent: SendingAgent, direct_transfer: bool) -> WaitingTickets {
    match agent.membership {
        Membership::Absent | Membership::Removed => WaitingTickets::Release,
        Membership::Present if direct_transfer && agent.presence.is_online() => {
            WaitingTickets::MoveToInProgress
        }
        Membership::Present => WaitingTickets::WaitOn,
    }
}

/// What becomes, at `now`, of a ticket that waits for `agent` alone since `since`: as [`when_agent_changes`]
/// says, and what waits on is released when its time is out (inclusive).
///
/// Rule: RO-02.
pub fn what_becomes_of(
    agent: SendingAgent,
    rules: ReferralRules,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> WaitingTickets {
    let is_out_of_time = rules.time_out.is_some_and(|time_out| since + time_out <= now);
    match when_agent_changes(agent, rules.direct_transfer) {
        WaitingTickets::WaitOn if is_out_of_time => WaitingTickets::Release,
        becomes => becomes,
    }
}

impl ServingAgent {
    /// Whether they may be given one more ticket by the normal rules.
    #[must_use]
    pub fn has_free_slot(&self) -> bool {
        self.presence.is_online() && self.active_tickets < self.max_tickets
    }
}

impl Distribution {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::FewestTickets, Self::LongestIdle];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FewestTickets => "fewest_tickets",
            Self::LongestIdle => "longest_idle",
        }
    }

    /// The way stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }
}

#[cfg(test)]
mod tests;
