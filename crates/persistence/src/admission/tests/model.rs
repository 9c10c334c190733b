//! 3,000 random steps, 30,000 in the long form, beside a model that counts everything anew each time: every decision is equal.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    admission::{Refusal, RefusalCode},
    clock::Clock,
    contact_cap::CapScope,
    ids::{ContactId, MessageId},
};

use crate::{
    admission::{Outcome, Recipient, check_counters, expire, give_back, move_counted},
    db::on_either,
    given::Desk,
    instant::Instant,
    schema::session_windows,
    test_support::{on_both, rounds},
};

const DAY: TimeDelta = TimeDelta::hours(24);

struct Sent {
    message: MessageId,
    agent: usize,
    contact: usize,
    queued_at: DateTime<Utc>,
    counted_at: Option<DateTime<Utc>>,
    failed: bool,
}

struct Model {
    sends: Vec<Sent>,
    last_inbound: BTreeMap<usize, DateTime<Utc>>,
    limit: usize,
    cap: Option<usize>,
    scope: CapScope,
}

impl Model {
    /// The latest counted instant of each contact within `window`, oldest first.
    fn counted(&self, window: TimeDelta, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut latest: BTreeMap<usize, DateTime<Utc>> = BTreeMap::new();
        for sent in self.sends.iter().filter(|sent| !sent.failed) {
            if let Some(at) = sent.counted_at {
                let of_contact = latest.entry(sent.contact).or_insert(at);
                *of_contact = at.max(*of_contact);
            }
        }
        let mut counted: Vec<_> = latest.into_values().filter(|at| now - window < *at).collect();
        counted.sort_unstable();
        counted
    }

    fn is_notification(&self, contact: usize, now: DateTime<Utc>) -> bool {
        self.last_inbound.get(&contact).is_none_or(|at| *at + DAY <= now)
    }

    fn refusals(&self, agent: usize, contact: usize, now: DateTime<Utc>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let counted = self.counted(DAY, now);
        if self.is_notification(contact, now) && self.limit <= counted.len() {
            let until = Some(counted[counted.len() - self.limit] + DAY);
            refusals.push(Refusal { code: RefusalCode::TierLimitReached, until });
        }
        let of_cap = |sent: &&Sent| {
            !sent.failed
                && sent.contact == contact
                && now - DAY < sent.queued_at
                && (self.scope == CapScope::AllAgents || sent.agent == agent)
        };
        let sends: Vec<&Sent> = self.sends.iter().filter(of_cap).collect();
        if let Some(cap) = self.cap.filter(|cap| *cap <= sends.len()) {
            let until = Some(sends[sends.len() - cap].queued_at + DAY);
            refusals.push(Refusal { code: RefusalCode::AgentContactCap, until });
        }
        refusals
    }
}

/// Xorshift: the same steps in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

fn note_reply(desk: &Desk, contact: ContactId) {
    let at = Instant::from(desk.clock.now());
    let row = (
        session_windows::channel_id.eq(desk.channel.0),
        session_windows::contact_id.eq(contact.0),
        session_windows::last_inbound_at.eq(at),
    );
    desk.store
        .blocking_write(|db| {
            on_either!(db => diesel::insert_into(session_windows::table)
                .values(row)
                .on_conflict((session_windows::channel_id, session_windows::contact_id))
                .do_update()
                .set(session_windows::last_inbound_at.eq(at))
                .execute(db))?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_decision_is_the_one_a_count_from_scratch_gives() {
    on_both(|store| {
        let desk = Desk::given(store);
        let agents = [desk.ana.clone(), desk.another_agent("bruno")];
        let contacts: Vec<ContactId> =
            (0..12).map(|at| desk.contact("Luísa", &format!("+5511987650{at:03}"))).collect();
        let mut model = Model {
            sends: Vec::new(),
            last_inbound: BTreeMap::new(),
            limit: 4,
            cap: Some(2),
            scope: CapScope::EachAgent,
        };
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let (mut admitted, mut refused) = (0, 0);
        let save_settings = |model: &Model| {
            let sends = i64::try_from(model.cap.unwrap_or(3)).unwrap();
            desk.save_cap(model.cap.is_some(), sends, model.scope);
            desk.save_platform_limit(i64::try_from(model.limit).unwrap());
        };
        save_settings(&model);
        for step in 0..rounds(3_000, 30_000) {
            let now = desk.clock.now();
            match dice.below(100) {
                0..20 => {
                    let minutes = i64::try_from(dice.below(180)).unwrap();
                    desk.clock.advance(TimeDelta::minutes(minutes) + TimeDelta::milliseconds(1));
                }
                20..28 => {
                    let place = dice.place(model.sends.len().max(1));
                    if let Some(sent) = model.sends.get_mut(place).filter(|sent| !sent.failed) {
                        sent.failed = true;
                        let message = sent.message;
                        store.blocking_write(|db| give_back(db, message, now)).unwrap();
                    }
                }
                28..36 => {
                    let place = dice.place(model.sends.len().max(1));
                    if let Some(sent) = model.sends.get_mut(place) {
                        let age = (now - sent.queued_at).num_milliseconds().unsigned_abs() + 1;
                        let later = i64::try_from(dice.below(age.min(600_000))).unwrap();
                        let at = sent.queued_at + TimeDelta::milliseconds(later);
                        if sent.counted_at.is_some() && !sent.failed {
                            sent.counted_at = Some(at);
                        }
                        let message = sent.message;
                        store.blocking_write(|db| move_counted(db, message, at)).unwrap();
                    }
                }
                36..42 => {
                    model.limit = dice.place(4) + 3;
                    save_settings(&model);
                }
                42..46 => {
                    model.cap = Some(dice.place(4)).filter(|cap| *cap > 0);
                    model.scope = CapScope::ALL[dice.place(2)];
                    save_settings(&model);
                }
                46..50 => {
                    let contact = dice.place(contacts.len());
                    model.last_inbound.insert(contact, now);
                    note_reply(&desk, contacts[contact]);
                }
                50..52 => {
                    store.blocking_write(|db| expire(db, desk.number, &desk.clock, 100)).unwrap();
                }
                _ => {
                    let (agent, contact) = (dice.place(2), dice.place(contacts.len()));
                    let expected = model.refusals(agent, contact, now);
                    let draft =
                        desk.draft(Recipient::Contact(contacts[contact]), agents[agent].id());
                    match desk.send_as(&agents[agent], &draft) {
                        Outcome::Queued(queued) => {
                            assert_eq!(expected, [], "step {step}");
                            let counts = model.is_notification(contact, now);
                            model.sends.push(Sent {
                                message: queued.message,
                                agent,
                                contact,
                                queued_at: now,
                                counted_at: counts.then_some(now),
                                failed: false,
                            });
                            admitted += 1;
                        }
                        Outcome::Refused(answer) => {
                            assert_eq!(answer.reasons, expected, "step {step}");
                            refused += 1;
                        }
                        other => panic!("step {step}: {other:?}"),
                    }
                }
            }
            if step % 25 == 0 {
                let drift = store.blocking_read(|db| check_counters(db, desk.number)).unwrap();
                assert!(drift.is_none(), "step {step}: {drift:?}");
                store.blocking_write(|db| expire(db, desk.number, &desk.clock, 100)).unwrap();
                let exact = store.blocking_read(|db| check_counters(db, desk.number)).unwrap();
                let now = desk.clock.now();
                let week = model.counted(TimeDelta::hours(168), now).len();
                let counted = (model.counted(DAY, now).len(), week);
                let stored = (exact.day as usize, exact.week as usize);
                assert_eq!(stored, counted, "step {step}");
            }
        }
        assert!(200 < admitted && 200 < refused, "{admitted} admitted, {refused} refused");
    });
}
