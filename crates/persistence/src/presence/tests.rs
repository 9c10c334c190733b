//! Tests of presence, on both databases (RO-06).

use chrono::TimeDelta;
use domain::policy::Policy;

use super::*;
use crate::{
    test_support::on_both,
    user::{self, NewUser},
};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_348_800_000).unwrap()
}

fn ana(db: &mut Db) -> UserId {
    agent(db, "ana@example.com")
}

fn agent(db: &mut Db, email: &str) -> UserId {
    let ana = NewUser {
        email,
        name: "Ana",
        password_hash: "x",
        language: None,
        time_zone: None,
        max_tickets: 5,
    };
    user::create(db, &ana, now()).unwrap()
}

#[test]
fn ro_06_entering_starts_invisible_and_leaving_is_offline() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                assert_eq!(find(db, ana)?, Presence::Offline);
                enter(db, ana, now())?;
                assert_eq!(find(db, ana)?, Presence::Invisible);
                choose(db, ana, Presence::Online, now())?;
                enter(db, ana, now())?;
                assert_eq!(find(db, ana)?, Presence::Online, "another browser changes nothing");
                leave(db, ana, now())?;
                assert_eq!(find(db, ana)?, Presence::Offline);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_06_offline_90_s_after_the_last_stream_or_5_min_after_the_last_request() {
    let policy = Policy::default().service;
    let at = |seconds| now() + TimeDelta::seconds(seconds);
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                enter(db, ana, at(0))?;
                choose(db, ana, Presence::Online, at(0))?;
                assert_eq!(turn_absent_offline(db, &policy, at(299))?, 0);
                stream_opened(db, ana, at(10))?;
                assert_eq!(turn_absent_offline(db, &policy, at(20))?, 0, "streaming");
                renew_streams(db, &[ana], at(8_990))?;
                assert_eq!(turn_absent_offline(db, &policy, at(9_000))?, 0, "streaming");
                stream_lost(db, ana, at(9_000))?;
                assert_eq!(turn_absent_offline(db, &policy, at(9_089))?, 0);
                assert_eq!(turn_absent_offline(db, &policy, at(9_090))?, 1);
                assert_eq!(find(db, ana)?, Presence::Offline);
                stream_opened(db, ana, at(9_100))?;
                assert_eq!(find(db, ana)?, Presence::Invisible, "back, and invisible");
                leave(db, ana, at(9_200))?;
                enter(db, ana, at(9_300))?;
                drop_streams(db, at(9_300))?;
                assert_eq!(turn_absent_offline(db, &policy, at(9_390))?, 1);
                Ok(())
            })
            .unwrap();
    });
}

/// An agent streams since second 0 and is online; the job looks at each of `looks`, and their process
/// says at each of `signs` that the stream is open.
fn presence_after(db: &mut Db, agent: UserId, signs: &[i64], looks: &[i64]) -> Presence {
    let policy = Policy::default().service;
    let at = |second: i64| now() + TimeDelta::seconds(second);
    stream_opened(db, agent, at(0)).unwrap();
    choose(db, agent, Presence::Online, at(0)).unwrap();
    let mut seconds: Vec<i64> = signs.iter().chain(looks).copied().collect();
    seconds.sort_unstable();
    seconds.dedup();
    for second in seconds {
        if looks.contains(&second) {
            turn_absent_offline(db, &policy, at(second)).unwrap();
        }
        if signs.contains(&second) {
            renew_streams(db, &[agent], at(second)).unwrap();
        }
    }
    find(db, agent).unwrap()
}

#[test]
fn ro_06_a_stream_whose_process_died_is_lost_by_its_silence() {
    const DAY: i64 = 86_400;
    let cases: [(&str, &[i64], &[i64], Presence); 7] = [
        ("it gives signs", &[60, 120, 180, 240], &[89, 150, 209, 300], Presence::Online),
        ("silent for less than 90 s", &[60], &[149], Presence::Online),
        ("silent for 90 s: within the grace", &[60], &[150, 239], Presence::Online),
        ("silent for 3 min", &[60], &[150, 240], Presence::Offline),
        ("a sign within the grace", &[60, 239], &[150, 240, 300], Presence::Online),
        ("the job comes late", &[60], &[9_000, 9_089], Presence::Online),
        (
            "the clock is moved by a day, then comes the next sign",
            &[60, DAY + 80],
            &[DAY + 61, DAY + 71, DAY + 81, DAY + 160],
            Presence::Online,
        ),
    ];
    on_both(|store| {
        store
            .blocking_write(|db| {
                for (index, (case, signs, looks, expected)) in cases.into_iter().enumerate() {
                    let agent = agent(db, &format!("{index}@example.com"));
                    assert_eq!(presence_after(db, agent, signs, looks), expected, "{case}");
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_sign_of_a_stream_brings_nobody_back_who_left() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                enter(db, ana, now())?;
                stream_opened(db, ana, now())?;
                leave(db, ana, now())?;
                renew_streams(db, &[ana, UserId(9_999)], now() + TimeDelta::seconds(4))?;
                assert_eq!(find(db, ana)?, Presence::Offline, "signed out");
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_06_five_minutes_count_from_the_last_request_to_the_millisecond() {
    let policy = Policy::default().service;
    let moment = TimeDelta::milliseconds(1);
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                enter(db, ana, now())?;
                choose(db, ana, Presence::Online, now())?;
                let last = now() + TimeDelta::milliseconds(59_999);
                note_past_request(db, ana, last)?;
                note_past_request(db, ana, now())?;
                let end = last + TimeDelta::minutes(5);
                assert_eq!(find_at(db, ana, &policy, end - moment)?, Presence::Online);
                assert_eq!(turn_absent_offline(db, &policy, end - moment)?, 0);
                assert_eq!(find_at(db, ana, &policy, end)?, Presence::Offline);
                assert_eq!(turn_absent_offline(db, &policy, end)?, 1);
                note_past_request(db, ana, end)?;
                assert_eq!(find(db, ana)?, Presence::Offline, "what is past brings nobody back");
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_06_whoever_comes_back_while_they_are_taken_for_absent_stays() {
    let policy = Policy::default().service;
    let later = now() + TimeDelta::hours(1);
    type Back = fn(&mut Db, UserId, DateTime<Utc>) -> Result<(), PersistenceError>;
    let cases: [(&str, Back, Presence); 4] = [
        ("nothing happens", |_, _, _| Ok(()), Presence::Offline),
        (
            "a request",
            |db, ana, now| note_request(db, ana, now).map(|back| assert_eq!(back, None)),
            Presence::OnBreak,
        ),
        ("a stream", stream_opened, Presence::OnBreak),
        ("the switch", |db, ana, now| choose(db, ana, Presence::Online, now), Presence::Online),
    ];
    on_both(|store| {
        store
            .blocking_write(|db| {
                for (index, (case, come_back, expected)) in cases.into_iter().enumerate() {
                    let agent = agent(db, &format!("{index}@example.com"));
                    enter(db, agent, now())?;
                    choose(db, agent, Presence::OnBreak, now())?;
                    let absent = list_absent(db, &policy, later)?;
                    assert_eq!(absent.len(), 1, "{case}");
                    come_back(db, agent, later)?;
                    let turned = turn_offline(db, &absent[0], later)?;
                    assert_eq!(turned, expected == Presence::Offline, "{case}");
                    assert_eq!(find(db, agent)?, expected, "{case}");
                    leave(db, agent, later)?;
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_06_a_request_tells_what_it_brought_back_and_nothing_else() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                enter(db, ana, now())?;
                assert_eq!(note_request(db, ana, now())?, None, "they were here");
                leave(db, ana, now())?;
                let back = note_request(db, ana, now() + TimeDelta::minutes(1))?;
                assert!(back.is_some());
                assert_eq!(back, find_noted(db, ana)?, "as it would be read anew");
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_06_a_break_counts_from_when_it_was_chosen_first() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let ana = ana(db);
                enter(db, ana, now())?;
                let began = now() + TimeDelta::minutes(1);
                choose(db, ana, Presence::OnBreak, began)?;
                choose(db, ana, Presence::OnBreak, began + TimeDelta::minutes(7))?;
                note_request(db, ana, began + TimeDelta::minutes(9))?;
                stream_opened(db, ana, began + TimeDelta::minutes(9))?;
                let noted = Noted { presence: Presence::OnBreak, since: began, streaming: true };
                assert_eq!(find_noted(db, ana)?, Some(noted));
                let ended = began + TimeDelta::minutes(12);
                choose(db, ana, Presence::Online, ended)?;
                assert_eq!(find_noted(db, ana)?.unwrap().since, ended);
                Ok(())
            })
            .unwrap();
    });
}
