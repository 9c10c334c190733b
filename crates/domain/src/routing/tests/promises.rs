//! What holds whoever sent and whoever serves (RO-01 to RO-04).

use proptest::prelude::*;

use super::*;

const AGENTS: i64 = 6;

/// Few instants, so that ties are common.
fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..5).prop_map(|hours| day(1, "08:00") + TimeDelta::hours(hours))
}

fn any_presence() -> impl Strategy<Value = Presence> {
    // Online as often as all others together, so that there is somebody to choose among.
    prop_oneof![
        3 => Just(Presence::Online),
        1 => Just(Presence::OnBreak),
        1 => Just(Presence::Invisible),
        1 => Just(Presence::Offline),
    ]
}

fn any_membership() -> impl Strategy<Value = Membership> {
    prop_oneof![
        3 => Just(Membership::Present),
        1 => Just(Membership::Absent),
        1 => Just(Membership::Removed),
    ]
}

fn any_distribution() -> impl Strategy<Value = Distribution> {
    prop::sample::select(Distribution::ALL.to_vec())
}

prop_compose! {
    fn any_serving_agent()(
        presence in any_presence(),
        active_tickets in 0_u32..4,
        max_tickets in 0_u32..5,
        last_ticket_at in prop::option::of(any_instant()),
        idle_since in any_instant(),
    ) -> ServingAgent {
        let id = UserId(0);
        ServingAgent { id, presence, active_tickets, max_tickets, last_ticket_at, idle_since }
    }
}

/// Those who serve a queue, each once, in any order.
fn any_team() -> impl Strategy<Value = Vec<ServingAgent>> {
    prop::collection::vec(any_serving_agent(), 0..8)
        .prop_map(|agents| {
            agents.into_iter().zip(1..).map(|(agent, id)| ServingAgent { id: UserId(id), ..agent })
        })
        .prop_map(Iterator::collect::<Vec<_>>)
        .prop_shuffle()
}

fn any_service() -> impl Strategy<Value = NormalService> {
    let queue = prop::option::of(Just(SALES));
    (queue, any_team(), any_distribution())
        .prop_map(|(queue, agents, distribution)| NormalService { queue, agents, distribution })
}

/// Sends of agents who are each in one state, and of tokens, in any order.
fn any_sends() -> impl Strategy<Value = Vec<AnsweredSend>> {
    let agents = prop::collection::vec((any_membership(), any_presence()), AGENTS as usize);
    let sends = prop::collection::vec((any_instant(), prop::option::of(0..AGENTS)), 0..6);
    (agents, sends).prop_map(|(agents, sends)| {
        let agent = |place: i64| {
            let (membership, presence) = agents[usize::try_from(place).unwrap()];
            SendingAgent { id: UserId(place), membership, presence }
        };
        sends
            .into_iter()
            .map(|(sent_at, sender)| AnsweredSend { sent_at, agent: sender.map(agent) })
            .collect()
    })
}

prop_compose! {
    fn any_facts()(
        answered in any_sends(), direct_transfer in any::<bool>(), service in any_service(),
    ) -> RoutingFacts {
        RoutingFacts { answered, direct_transfer, service }
    }
}

/// Those of the latest sends that name an agent; several when they were sent at the same instant.
fn latest_senders(sends: &[AnsweredSend]) -> Vec<SendingAgent> {
    let named = || sends.iter().filter_map(|send| Some((send.sent_at, send.agent?)));
    let latest = named().map(|(sent_at, _)| sent_at).max();
    named().filter(|(sent_at, _)| Some(*sent_at) == latest).map(|(_, agent)| agent).collect()
}

fn of_team(agents: &[ServingAgent], id: UserId) -> &ServingAgent {
    agents.iter().find(|agent| agent.id == id).expect("who is chosen serves the queue")
}

proptest! {
    #[test]
    fn ro_04_who_is_chosen_serves_the_queue_is_online_and_has_a_free_slot(
        agents in any_team(), distribution in any_distribution(),
    ) {
        let can = |agent: &ServingAgent| {
            agent.presence == Presence::Online && agent.active_tickets < agent.max_tickets
        };
        match choose_agent(&agents, distribution) {
            Some(id) => prop_assert!(can(of_team(&agents, id))),
            None => prop_assert!(!agents.iter().any(can), "somebody could serve"),
        }
    }

    #[test]
    fn ro_04_nobody_who_could_serve_comes_before_who_is_chosen(
        agents in any_team(), distribution in any_distribution(),
    ) {
        if let Some(id) = choose_agent(&agents, distribution) {
            let chosen = of_team(&agents, id);
            let others = agents.iter().filter(|agent| agent.id != id && agent.has_free_slot());
            for other in others {
                match distribution {
                    Distribution::FewestTickets => {
                        prop_assert!(chosen.active_tickets <= other.active_tickets);
                        if chosen.active_tickets == other.active_tickets {
                            // Who never had a ticket comes before all who had one.
                            let last = |agent: &ServingAgent| {
                                agent.last_ticket_at.map_or(i64::MIN, |at| at.timestamp_millis())
                            };
                            prop_assert!(last(chosen) <= last(other));
                        }
                    }
                    Distribution::LongestIdle => {
                        prop_assert!(chosen.idle_since <= other.idle_since);
                    }
                }
            }
        }
    }

    #[test]
    fn ro_04_neither_their_order_nor_those_who_cannot_serve_change_who_is_chosen(
        (agents, shuffled) in any_team()
            .prop_flat_map(|agents| (Just(agents.clone()), Just(agents).prop_shuffle())),
        distribution in any_distribution(),
    ) {
        let chosen = choose_agent(&agents, distribution);
        prop_assert_eq!(choose_agent(&shuffled, distribution), chosen);
        let mut able = agents;
        able.retain(ServingAgent::has_free_slot);
        prop_assert_eq!(choose_agent(&able, distribution), chosen);
    }

    #[test]
    fn ro_04_however_many_write_nobody_gets_more_than_their_most_and_no_slot_stays_free(
        mut agents in any_team(), distribution in any_distribution(), written in 0_usize..30,
    ) {
        let before = agents.clone();
        let free = |agent: &ServingAgent| agent.max_tickets.saturating_sub(agent.active_tickets);
        let online = before.iter().filter(|agent| agent.presence.is_online());
        let slots: u32 = online.map(free).sum();
        let mut given = 0;
        for minute in 0..written {
            let now = day(2, "08:00") + TimeDelta::minutes(i64::try_from(minute).unwrap());
            let Some(id) = choose_agent(&agents, distribution) else { break };
            let agent = agents.iter_mut().find(|agent| agent.id == id).unwrap();
            agent.active_tickets += 1;
            (agent.last_ticket_at, agent.idle_since) = (Some(now), now);
            given += 1;
        }
        prop_assert_eq!(given, written.min(slots as usize));
        for (agent, was) in agents.iter().zip(&before) {
            let was_given = agent.active_tickets - was.active_tickets;
            prop_assert!(was_given == 0 || agent.active_tickets <= agent.max_tickets);
        }
    }

    #[test]
    fn ro_04_of_a_team_that_starts_with_nothing_nobody_gets_two_more_than_another(
        agents in 1_i64..6, distribution in any_distribution(), written in 0_usize..40,
    ) {
        let (presence, max_tickets, at) = (Presence::Online, 5, day(1, "08:00"));
        let mut team: Vec<ServingAgent> = (0..agents)
            .map(|id| ServingAgent {
                id: UserId(id), presence, active_tickets: 0, max_tickets, last_ticket_at: None, idle_since: at,
            })
            .collect();
        for minute in 1..=written {
            let now = at + TimeDelta::minutes(i64::try_from(minute).unwrap());
            let Some(id) = choose_agent(&team, distribution) else { break };
            let agent = team.iter_mut().find(|agent| agent.id == id).unwrap();
            agent.active_tickets += 1;
            (agent.last_ticket_at, agent.idle_since) = (Some(now), now);
        }
        let loads = || team.iter().map(|agent| agent.active_tickets);
        prop_assert!(loads().max().unwrap() <= loads().min().unwrap() + 1);
    }

    #[test]
    fn ro_01_ro_02_who_is_referred_to_sent_last_and_is_in_the_team(facts in any_facts()) {
        let senders = latest_senders(&facts.answered);
        let sender = |id| senders.iter().find(|agent| agent.id == id).copied();
        let online = |agent: SendingAgent| agent.presence == Presence::Online;
        match route(&facts) {
            Route::InProgress(id) => {
                let agent = sender(id).expect("one of the latest senders");
                prop_assert!(facts.direct_transfer && online(agent));
                prop_assert_eq!(agent.membership, Membership::Present);
            }
            Route::WaitFor(id) => {
                let agent = sender(id).expect("one of the latest senders");
                prop_assert!(!facts.direct_transfer || !online(agent));
                prop_assert_eq!(agent.membership, Membership::Present);
            }
            by_the_queue @ Route::Queue { .. } => {
                let is_left = |agent: &SendingAgent| agent.membership == Membership::Present;
                prop_assert!(senders.is_empty() || !senders.iter().all(is_left));
                prop_assert_eq!(by_the_queue, route_normally(&facts.service));
            }
        }
    }

    #[test]
    fn ro_01_ro_02_no_load_and_no_queue_changes_a_referral(
        facts in any_facts(), service in any_service(),
    ) {
        let elsewhere = RoutingFacts { service, ..facts.clone() };
        match route(&facts) {
            Route::Queue { .. } => {
                prop_assert_eq!(route(&elsewhere), route_normally(&elsewhere.service));
            }
            referred => prop_assert_eq!(route(&elsewhere), referred),
        }
    }

    #[test]
    fn ro_03_am_12_neither_order_nor_earlier_sends_nor_those_of_tokens_change_anything(
        (facts, shuffled) in any_facts().prop_flat_map(|facts| {
            let shuffled = Just(facts.answered.clone()).prop_shuffle();
            (Just(facts), shuffled)
        }),
        earlier in any_sends(),
        of_tokens in prop::collection::vec(any_instant(), 0..4),
    ) {
        let expected = route(&facts);
        let shuffled = RoutingFacts { answered: shuffled, ..facts.clone() };
        prop_assert_eq!(route(&shuffled), expected);
        let mut more = facts;
        let of_tokens = of_tokens.into_iter().map(|sent_at| AnsweredSend { sent_at, agent: None });
        more.answered.extend(of_tokens);
        if more.answered.iter().any(|send| send.agent.is_some()) {
            let before_all = |send: AnsweredSend| {
                AnsweredSend { sent_at: send.sent_at - TimeDelta::days(1), ..send }
            };
            more.answered.extend(earlier.into_iter().map(before_all));
        }
        prop_assert_eq!(route(&more), expected);
    }

    #[test]
    fn ro_03_whoever_sends_once_more_and_last_is_the_one_referred_to(
        facts in any_facts(), id in 100_i64..200, presence in any_presence(),
    ) {
        let agent = SendingAgent { id: UserId(id), membership: Membership::Present, presence };
        let mut facts = facts;
        facts.answered.push(AnsweredSend { sent_at: day(2, "08:00"), agent: Some(agent) });
        let goes_straight = facts.direct_transfer && presence == Presence::Online;
        let expected =
            if goes_straight { Route::InProgress(agent.id) } else { Route::WaitFor(agent.id) };
        prop_assert_eq!(route(&facts), expected);
    }

    #[test]
    fn ro_02_what_waits_for_one_agent_waits_to_the_end_of_its_time_and_no_longer(
        presence in any_presence(),
        membership in any_membership(),
        direct_transfer in any::<bool>(),
        wait in 1_i64..100_000_000,
        passed in 0_i64..200_000_000,
    ) {
        let agent = SendingAgent { id: ANA, membership, presence };
        let since = day(1, "10:00");
        let becomes = |time_out, passed| {
            let rules = ReferralRules { direct_transfer, time_out };
            what_becomes_of(agent, rules, since, since + TimeDelta::milliseconds(passed))
        };
        let time_out = Some(TimeDelta::milliseconds(wait));
        let at_first = becomes(None, passed);
        match (membership, direct_transfer && presence == Presence::Online) {
            (Membership::Absent | Membership::Removed, _) => {
                prop_assert_eq!(at_first, WaitingTickets::Release);
                prop_assert_eq!(becomes(time_out, passed), WaitingTickets::Release);
            }
            (Membership::Present, true) => {
                prop_assert_eq!(at_first, WaitingTickets::MoveToInProgress);
                prop_assert_eq!(becomes(time_out, passed), WaitingTickets::MoveToInProgress);
            }
            (Membership::Present, false) => {
                prop_assert_eq!(at_first, WaitingTickets::WaitOn, "without a time-out for ever");
                prop_assert_eq!(becomes(time_out, wait - 1), WaitingTickets::WaitOn);
                prop_assert_eq!(becomes(time_out, wait), WaitingTickets::Release);
                let is_over = wait <= passed;
                prop_assert_eq!(becomes(time_out, passed) == WaitingTickets::Release, is_over);
            }
        }
    }
}
