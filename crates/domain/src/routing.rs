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
mod tests {
    use super::*;
    use crate::calendar::day;

    const ANA: UserId = UserId(1);
    const BRUNO: UserId = UserId(2);
    const CARLA: UserId = UserId(3);
    const SALES: QueueId = QueueId(4);

    /// Ana sent at 10:00 and is online, direct transfer is on; Bruno serves the queue *Sales*.
    #[derive(Clone)]
    struct Given(RoutingFacts);

    impl Given {
        fn a_send_by_ana() -> Self {
            Self(RoutingFacts {
                answered: Vec::new(),
                direct_transfer: true,
                service: NormalService {
                    queue: Some(SALES),
                    agents: Vec::new(),
                    distribution: Distribution::FewestTickets,
                },
            })
            .sent_by(ANA, "10:00")
            .serving(BRUNO, 0, 5, Some("08:00"), "08:00")
        }

        fn sent_by(mut self, id: UserId, time: &str) -> Self {
            let agent =
                SendingAgent { id, membership: Membership::Present, presence: Presence::Online };
            self.0.answered.push(AnsweredSend { sent_at: day(1, time), agent: Some(agent) });
            self
        }

        fn sent_by_a_token(mut self, time: &str) -> Self {
            self.0.answered.push(AnsweredSend { sent_at: day(1, time), agent: None });
            self
        }

        fn sender(mut self, change: impl Fn(&mut SendingAgent)) -> Self {
            self.0.answered.iter_mut().filter_map(|send| send.agent.as_mut()).for_each(change);
            self
        }

        fn ana_is(self, presence: Presence) -> Self {
            self.sender(|agent| {
                if agent.id == ANA {
                    agent.presence = presence;
                }
            })
        }

        fn without_direct_transfer(mut self) -> Self {
            self.0.direct_transfer = false;
            self
        }

        fn without_sends(mut self) -> Self {
            self.0.answered.clear();
            self
        }

        fn alone(mut self) -> Self {
            self.0.service.agents.clear();
            self
        }

        fn by_idleness(mut self) -> Self {
            self.0.service.distribution = Distribution::LongestIdle;
            self
        }

        fn serving(
            mut self,
            id: UserId,
            active_tickets: u32,
            max_tickets: u32,
            last_ticket: Option<&str>,
            idle_since: &str,
        ) -> Self {
            self.0.service.agents.push(ServingAgent {
                id,
                presence: Presence::Online,
                active_tickets,
                max_tickets,
                last_ticket_at: last_ticket.map(|time| day(1, time)),
                idle_since: day(1, idle_since),
            });
            self
        }

        fn nobody_online(mut self) -> Self {
            self.0.service.agents.iter_mut().for_each(|agent| agent.presence = Presence::OnBreak);
            self
        }
    }

    fn to_sales(agent: Option<UserId>) -> Route {
        Route::Queue { queue: Some(SALES), agent }
    }

    #[test]
    fn ro_01_to_ro_04_say_where_a_ticket_goes() {
        let given = Given::a_send_by_ana;
        let cases = [
            ("RO-01: straight to who sent", given(), Route::InProgress(ANA)),
            ("RO-02: invisible", given().ana_is(Presence::Invisible), Route::WaitFor(ANA)),
            ("RO-02: on break", given().ana_is(Presence::OnBreak), Route::WaitFor(ANA)),
            ("RO-02: offline", given().ana_is(Presence::Offline), Route::WaitFor(ANA)),
            ("RO-02: no direct transfer", given().without_direct_transfer(), Route::WaitFor(ANA)),
            (
                "RO-02: absent",
                given().sender(|agent| agent.membership = Membership::Absent),
                to_sales(Some(BRUNO)),
            ),
            (
                "RO-02: removed",
                given().sender(|agent| agent.membership = Membership::Removed),
                to_sales(Some(BRUNO)),
            ),
            ("RO-03: the later", given().sent_by(CARLA, "11:00"), Route::InProgress(CARLA)),
            ("RO-03: the earlier", given().sent_by(CARLA, "09:00"), Route::InProgress(ANA)),
            (
                "RO-03: the later decides alone",
                given().sent_by(CARLA, "09:00").ana_is(Presence::Offline),
                Route::WaitFor(ANA),
            ),
            ("AM-12: no referral", given().sent_by_a_token("11:00"), Route::InProgress(ANA)),
            ("RO-04: nothing sent", given().without_sends(), to_sales(Some(BRUNO))),
            ("RO-04: nobody online", given().without_sends().nobody_online(), to_sales(None)),
            ("RO-04: nobody at all", given().without_sends().alone(), to_sales(None)),
        ];
        for (case, given, expected) in cases {
            assert_eq!(route(&given.0), expected, "{case}");
        }
    }

    #[test]
    fn ro_01_neither_load_nor_queue_stops_the_referral() {
        let busy = Given::a_send_by_ana().serving(ANA, 5, 5, Some("09:00"), "09:00");
        assert_eq!(route(&busy.0), Route::InProgress(ANA));
    }

    #[test]
    fn ro_04_the_queue_chooses_by_load_or_by_idleness() {
        let queue = || Given::a_send_by_ana().without_sends().alone();
        let cases = [
            (
                "fewest active",
                queue().serving(ANA, 2, 5, None, "07:00").serving(BRUNO, 1, 5, None, "08:00"),
                Some(BRUNO),
            ),
            (
                "a full one has no slot",
                queue().serving(ANA, 1, 1, None, "07:00").serving(BRUNO, 4, 5, None, "08:00"),
                Some(BRUNO),
            ),
            ("all full", queue().serving(ANA, 5, 5, None, "07:00"), None),
            (
                "tie: the oldest last ticket",
                queue().serving(ANA, 1, 5, Some("09:01"), "07:00").serving(
                    BRUNO,
                    1,
                    5,
                    Some("09:00"),
                    "08:00",
                ),
                Some(BRUNO),
            ),
            (
                "tie: never had one",
                queue()
                    .serving(ANA, 1, 5, Some("09:01"), "07:00")
                    .serving(BRUNO, 1, 5, None, "08:00"),
                Some(BRUNO),
            ),
            (
                "longest idle, whatever the load",
                queue()
                    .by_idleness()
                    .serving(ANA, 3, 5, Some("09:01"), "07:00")
                    .serving(BRUNO, 0, 5, None, "08:00"),
                Some(ANA),
            ),
        ];
        for (case, given, agent) in cases {
            assert_eq!(route(&given.0), to_sales(agent), "{case}");
        }
    }

    #[test]
    fn ro_02_what_waits_for_an_agent_moves_when_they_come_online() {
        let agent = |membership, presence| SendingAgent { id: ANA, membership, presence };
        let online = agent(Membership::Present, Presence::Online);
        assert_eq!(when_agent_changes(online, true), WaitingTickets::MoveToInProgress);
        assert_eq!(when_agent_changes(online, false), WaitingTickets::WaitOn);
        let invisible = agent(Membership::Present, Presence::Invisible);
        assert_eq!(when_agent_changes(invisible, true), WaitingTickets::WaitOn);
        let absent = agent(Membership::Absent, Presence::Online);
        assert_eq!(when_agent_changes(absent, true), WaitingTickets::Release);
    }

    #[test]
    fn ro_02_a_ticket_that_waits_for_one_agent_is_released_when_its_time_is_out() {
        use WaitingTickets::{MoveToInProgress, Release, WaitOn};
        let agent = |membership, presence| SendingAgent { id: UserId(1), membership, presence };
        let away = agent(Membership::Present, Presence::Invisible);
        let online = agent(Membership::Present, Presence::Online);
        let absent = agent(Membership::Absent, Presence::Invisible);
        let (none, hour) = (None, Some(TimeDelta::hours(1)));
        let cases = [
            ("no time-out", away, none, day(9, "10:00"), WaitOn),
            ("a moment before", away, hour, day(1, "10:59:59.999"), WaitOn),
            ("the time is out", away, hour, day(1, "11:00"), Release),
            ("who is online gets it", online, hour, day(1, "11:00"), MoveToInProgress),
            ("who is absent keeps none", absent, none, day(1, "10:00"), Release),
        ];
        for (case, agent, time_out, now, expected) in cases {
            let rules = ReferralRules { direct_transfer: true, time_out };
            assert_eq!(what_becomes_of(agent, rules, day(1, "10:00"), now), expected, "{case}");
        }
    }
}
