//! Table A of the cap: what is counted, row by row, with real sends, receipts, replies and settings.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    admission::{Refusal, RefusalCode},
    channel::{PlatformRefusal, ReceiptStatus, RefusalClass},
    clock::Clock,
    contact_cap::CapScope,
    ids::{MessageId, TicketId, UserId},
    permission::{Permission, Role},
    phone::PhoneNumber,
};

use crate::{
    admission::{self, Door, Draft, Outcome, Recipient},
    chatbot::{self, SaveOutcome},
    schema::{messages, tickets},
    store::Store,
    test_desk::{TestDesk, inbound, receipt},
    test_support::on_both,
    ticket::{self, TicketOutcome},
    user,
};

const LUISA: &str = "+351912345678";
const MARTA: &str = "+351912345679";

/// Ana and Bruno, who may send and set the cap, at 09:00 of day 1.
struct Story {
    desk: TestDesk,
    day_1: DateTime<Utc>,
    ana: UserId,
    bruno: UserId,
}

impl Story {
    /// X is 3, for each agent separately.
    fn given(store: &Store) -> Self {
        let desk = TestDesk::new(store);
        let [ana, bruno] = desk.agents;
        let chatbot = desk.chatbot;
        store
            .blocking_write(|db| {
                user::save_membership(db, ana, chatbot, Role::Admin, &Permission::ALL)
            })
            .unwrap();
        desk.clock.advance(TimeDelta::hours(23));
        let day_1 = desk.clock.now() - TimeDelta::hours(9);
        let story = Self { desk, day_1, ana, bruno };
        story.save_cap(|settings| (settings.cap_enabled, settings.cap_sends) = (true, 3));
        story
    }

    /// Ana has sent to Luísa at 09:00, 12:00 and 15:00, and it is 16:00.
    fn after_three_sends(store: &Store) -> Self {
        let story = Self::given(store);
        for hour in [9, 12, 15] {
            story.go_to(1, hour, 0);
            story.send(story.ana, LUISA);
        }
        story.go_to(1, 16, 0);
        story
    }

    fn at(&self, day: i64, hour: i64, minute: i64) -> DateTime<Utc> {
        self.day_1 + TimeDelta::days(day - 1) + TimeDelta::hours(hour) + TimeDelta::minutes(minute)
    }

    fn go_to(&self, day: i64, hour: i64, minute: i64) {
        self.desk.clock.advance(self.at(day, hour, minute) - self.desk.clock.now());
    }

    fn save_cap(&self, change: impl Fn(&mut chatbot::Settings)) {
        let (actor, now) = (self.desk.actor(self.ana), self.desk.clock.now());
        let saved = self.desk.store.blocking_write(|db| {
            let mut settings = chatbot::get(db, &actor, self.desk.chatbot)?.settings;
            change(&mut settings);
            chatbot::save_settings(db, &actor, self.desk.chatbot, &settings, now)
        });
        assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    }

    fn draft(&self, agent: UserId, phone: &str, door: Door) -> Draft {
        Draft {
            channel: self.desk.channel,
            template: self.desk.template,
            to: Recipient::Phone(PhoneNumber::from_e164(phone).unwrap()),
            values: std::collections::BTreeMap::new(),
            refused_media: Vec::new(),
            agent: Some(agent),
            door,
            ticket: None,
            key: None,
        }
    }

    fn try_at(&self, agent: UserId, phone: &str, door: Door) -> Result<MessageId, Vec<Refusal>> {
        let (actor, draft) = (self.desk.actor(agent), self.draft(agent, phone, door));
        let outcome = self
            .desk
            .store
            .blocking_write(|db| admission::admit_and_queue(db, &actor, &draft, &*self.desk.clock));
        match outcome.unwrap() {
            Outcome::Queued(queued) => Ok(queued.message),
            Outcome::Refused(refused) => Err(refused.reasons),
            other => panic!("{other:?}"),
        }
    }

    fn try_to(&self, agent: UserId, phone: &str) -> Result<MessageId, Vec<Refusal>> {
        self.try_at(agent, phone, Door::Desk)
    }

    fn send(&self, agent: UserId, phone: &str) -> MessageId {
        self.try_to(agent, phone).expect("nothing stands against it")
    }

    /// What the platform tells of `message`, now.
    fn told(&self, message: MessageId, status: ReceiptStatus) {
        let (echo, id) = (self.desk.callback_of(message), format!("wamid.{}", message.0));
        let now = self.desk.clock.now();
        let report = self.desk.apply(vec![receipt(&id, echo.as_deref(), status, now)]);
        assert_eq!(report.quarantined, 0);
    }

    /// Blocked by the cap alone, until that instant.
    fn capped_until(&self, day: i64, hour: i64) -> Result<MessageId, Vec<Refusal>> {
        let until = Some(self.at(day, hour, 0));
        Err(vec![Refusal { code: RefusalCode::AgentContactCap, until }])
    }

    fn count_messages(&self) -> i64 {
        let count = messages::table.count();
        self.desk.store.blocking_read(|db| Ok(count.get_result(db)?)).unwrap()
    }
}

fn failed() -> ReceiptStatus {
    ReceiptStatus::Failed {
        refusal: PlatformRefusal { code: "131049".into(), title: "not delivered".into() },
        class: RefusalClass::Fail,
    }
}

#[test]
fn a1_a2_a3_the_fourth_waits_for_the_first_to_age_out_and_the_fifth_for_the_second() {
    on_both(|store| {
        let story = Story::after_three_sends(store);
        let (until, now) = (story.at(2, 9, 0), story.desk.clock.now());
        assert_eq!(until - now, TimeDelta::hours(17));
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "A1");
        let second = TimeDelta::seconds(1);
        story.desk.clock.advance(until - second - now);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "A2");
        story.desk.clock.advance(second);
        story.send(story.ana, LUISA);
        story.go_to(2, 9, 1);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 12), "A3");
    });
}

#[test]
fn a4_ad_06_another_agent_may_write_unless_all_count_together() {
    on_both(|store| {
        let story = Story::after_three_sends(store);
        story.save_cap(|settings| settings.cap_scope = CapScope::AllAgents);
        assert_eq!(story.try_to(story.bruno, LUISA), story.capped_until(2, 9), "all together");
        story.save_cap(|settings| settings.cap_scope = CapScope::EachAgent);
        story.send(story.bruno, LUISA);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "hers are counted");
        story.save_cap(|settings| settings.cap_scope = CapScope::AllAgents);
        let four = story.capped_until(2, 12);
        assert_eq!(story.try_to(story.ana, LUISA), four, "his counts with hers");
    });
}

#[test]
fn a5_another_contact_is_counted_alone() {
    on_both(|store| {
        let story = Story::after_three_sends(store);
        for scope in CapScope::ALL {
            story.save_cap(|settings| settings.cap_scope = scope);
            assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "{scope:?}");
            story.send(story.ana, MARTA);
        }
        story.send(story.ana, MARTA);
        let since_four = story.capped_until(2, 16);
        assert_eq!(story.try_to(story.ana, MARTA), since_four, "three of her own");
    });
}

#[test]
fn a6_ad_03_a_send_that_failed_is_given_back() {
    on_both(|store| {
        let story = Story::given(store);
        story.send(story.ana, LUISA);
        story.go_to(1, 12, 0);
        let at_noon = story.send(story.ana, LUISA);
        story.go_to(1, 15, 0);
        story.send(story.ana, LUISA);
        story.go_to(1, 16, 0);
        assert_eq!(
            story.try_to(story.ana, LUISA),
            story.capped_until(2, 9),
            "as long as it counts"
        );
        story.told(at_noon, failed());
        story.send(story.ana, LUISA);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "two were counted");
    });
}

#[test]
fn a7_ad_04_a_lower_x_waits_for_the_second_or_the_third() {
    on_both(|store| {
        let story = Story::after_three_sends(store);
        for (sends, hour) in [(2, 12), (1, 15)] {
            story.save_cap(|settings| settings.cap_sends = sends);
            assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, hour), "X = {sends}");
        }
        story.go_to(2, 12, 0);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 15), "X = 1");
        story.save_cap(|settings| settings.cap_sends = 2);
        story.send(story.ana, LUISA);
        story.save_cap(|settings| settings.cap_sends = 1);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(3, 12), "the newest decides");
    });
}

#[test]
fn a8_a_higher_x_and_the_switch_off_allow_at_once_and_on_again_the_past_day_counts() {
    on_both(|store| {
        let story = Story::after_three_sends(store);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "X = 3");
        story.save_cap(|settings| settings.cap_sends = 4);
        story.send(story.ana, LUISA);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9), "four of 4");
        story.save_cap(|settings| settings.cap_enabled = false);
        story.go_to(1, 17, 0);
        story.send(story.ana, LUISA);
        story.save_cap(|settings| (settings.cap_enabled, settings.cap_sends) = (true, 3));
        let of_five = story.capped_until(2, 15);
        assert_eq!(story.try_to(story.ana, LUISA), of_five, "what was sent while off counts too");
        story.go_to(2, 15, 0);
        story.send(story.ana, LUISA);
    });
}

#[test]
fn a9_ad_03_a_reply_and_a_closed_ticket_take_nothing_off_the_count() {
    on_both(|store| {
        let story = Story::given(store);
        for hour in [9, 12] {
            story.go_to(1, hour, 0);
            let sent = story.send(story.ana, LUISA);
            story.told(sent, ReceiptStatus::Sent);
        }
        story.go_to(1, 13, 0);
        let written_at = story.desk.clock.now();
        story.desk.apply(vec![inbound("reply", &LUISA[1..], "Obrigada!", written_at)]);
        let hers = [("in_progress".to_owned(), Some(story.ana), None)];
        assert_eq!(story.desk.tickets(), hers, "the reply was one to her sends");
        let refused = story.try_to(story.ana, LUISA).unwrap_err();
        assert_eq!(refused[0].code, RefusalCode::ContactHasOpenTicket);
        let actor = story.desk.actor(story.ana);
        let closed = store.blocking_write(|db| {
            let ticket = TicketId(tickets::table.select(tickets::id).first(db)?);
            ticket::close(db, &actor, ticket, written_at)
        });
        assert_eq!(closed.unwrap(), TicketOutcome::Done);
        story.go_to(1, 15, 0);
        story.send(story.ana, LUISA);
        story.go_to(1, 16, 0);
        assert_eq!(story.try_to(story.ana, LUISA), story.capped_until(2, 9));
    });
}

#[test]
fn a10_am_12_every_door_counts_in_the_same_counter() {
    on_both(|store| {
        let story = Story::given(store);
        for door in [Door::OutsideHours, Door::Desk, Door::Api] {
            story.try_at(story.ana, LUISA, door).expect("a place is left");
        }
        for door in Door::ALL {
            let refused = story.try_at(story.ana, LUISA, door);
            assert_eq!(refused, story.capped_until(2, 9), "{door:?}");
        }
    });
}

#[test]
fn a11_of_fifteen_recipients_the_two_at_the_cap_are_refused_and_thirteen_are_sent_to() {
    on_both(|store| {
        let story = Story::given(store);
        let phones: Vec<String> = (0..15).map(|place| format!("+3519123400{place:02}")).collect();
        let at_the_cap = [4, 11];
        for hour in [9, 12, 15] {
            story.go_to(1, hour, 0);
            for place in at_the_cap {
                story.send(story.ana, &phones[place]);
            }
            // Bruno is at his cap with the first, Ana is one short of hers with the second, and what was
            // sent to the third failed each time.
            story.send(story.bruno, &phones[0]);
            if hour != 9 {
                story.send(story.ana, &phones[1]);
            }
            let lost = story.send(story.ana, &phones[2]);
            story.told(lost, failed());
        }
        story.go_to(1, 16, 0);
        let before = story.count_messages();
        for (place, phone) in phones.iter().enumerate() {
            let answer = story.try_to(story.ana, phone);
            if at_the_cap.contains(&place) {
                assert_eq!(answer, story.capped_until(2, 9), "recipient {place}");
            } else {
                assert!(answer.is_ok(), "recipient {place}: {answer:?}");
            }
        }
        assert_eq!(story.count_messages() - before, 13);
    });
}
