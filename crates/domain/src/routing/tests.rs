//! Where a ticket goes, by the table of the rules; what holds whatever the facts is in `promises`.

mod promises;

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
            queue().serving(ANA, 1, 5, Some("09:01"), "07:00").serving(BRUNO, 1, 5, None, "08:00"),
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
