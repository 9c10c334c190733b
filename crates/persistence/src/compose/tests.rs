//! What the dialog reads: the same answers as admission's own, for whole lists, on both databases.

use chrono::TimeDelta;
use domain::{
    admission::RefusalCode,
    channel::MediaFile,
    clock::Clock,
    contact_cap::CapScope,
    ids::ContactId,
    opt_out::{OptOutScope, OptOutSource},
    phone::PhoneNumber,
    presence::Presence,
    template::{MediaKind, VariableValues},
};

use super::*;
use crate::{
    admission::{self, Door, Draft, Recipient},
    contact::{self, NewContact},
    opt_out,
    test_desk::TestDesk,
    test_support::on_both,
};

fn draft(desk: &TestDesk, to: Recipient) -> Draft {
    Draft {
        channel: desk.channel,
        template: desk.template,
        to,
        values: VariableValues::new(),
        refused_media: Vec::new(),
        agent: Some(desk.agents[0]),
        door: Door::Desk,
        ticket: None,
        key: None,
    }
}

fn add(db: &mut Db, desk: &TestDesk, name: &str, phone: &str) -> Result<Contact, PersistenceError> {
    let now = desk.clock.now();
    let phone = PhoneNumber::from_e164(phone).ok();
    let new = NewContact { name: name.to_owned(), phone, ..NewContact::default() };
    let id = contact::create(db, &new, now)?;
    contact::join_chatbot(db, desk.chatbot, id, None, None, now)?;
    contact::get(db, &desk.actor(desk.agents[0]), id)
}

#[test]
fn a_list_is_judged_as_admission_judges_each() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        let actor = desk.actor(ana);
        desk.send(ana, "+34600111213");
        desk.clock.advance(TimeDelta::hours(1));
        desk.send(rui, "+34600111213");
        desk.set_presence(ana, Presence::Online);
        let now = desk.clock.now();
        store
            .blocking_write(|db| {
                diesel::update(chatbots::table.find(desk.chatbot.0))
                    .set((
                        chatbots::cap_enabled.eq(true),
                        chatbots::cap_sends.eq(1_i64),
                        chatbots::cap_scope.eq(CapScope::EachAgent.as_str()),
                    ))
                    .execute(db)?;
                let stopped = add(db, &desk, "Luísa Moreira", "+351912345678")?;
                let (scope, source) = (OptOutScope::All, OptOutSource::Agent);
                opt_out::opt_out(db, stopped.id, scope, source, now)?;
                let free = add(db, &desk, "Luis Cabrera", "+525512345678")?;
                let nowhere = add(db, &desk, "Nobody", "")?;
                let written = contact::search(db, &actor, None, "600 111", 5)?;
                let mut people = vec![stopped.clone(), free.clone(), nowhere];
                people.extend(written);
                assert_eq!(people.len(), 4);
                let from = list_sending_numbers(db, &actor)?.remove(0);
                let asked = draft(&desk, Recipient::Contact(ContactId(0)));
                let standings = list_standings(db, &actor, &from, &asked, &people, now)?;
                for (person, standing) in people.iter().zip(&standings) {
                    let alone = draft(&desk, Recipient::Contact(person.id));
                    let judged = admission::check(db, &actor, &alone, now)?;
                    assert_eq!(standing.reasons, judged.reasons, "{}", person.name);
                    assert_eq!(standing.until, judged.until, "{}", person.name);
                }
                let headlines: Vec<_> =
                    standings.iter().map(|it| it.reasons.first().map(|it| it.code)).collect();
                assert_eq!(
                    headlines,
                    [
                        Some(RefusalCode::ContactOptedOut),
                        None,
                        Some(RefusalCode::ContactUnreachable),
                        Some(RefusalCode::AgentContactCap)
                    ]
                );
                assert_eq!(standings[0].opted_out_at, Some(now));
                Ok(())
            })
            .expect("standings");
    });
}

#[test]
fn am_02_templates_are_found_by_part_of_their_name_literally() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        store
            .blocking_read(|db| {
                let account = crate::test_desk::ACCOUNT;
                let mut found = |text: &str, language| {
                    search_templates(db, account, text, language, 10, now).map(|it| it.len())
                };
                assert_eq!(found("", None)?, 1);
                assert_eq!(found("ELL", Some("en"))?, 1);
                assert_eq!(found("ell", Some("pt_BR"))?, 0);
                for wild in ["%", "_", "h%o", "!"] {
                    assert_eq!(found(wild, None)?, 0, "{wild}");
                }
                assert_eq!(list_template_languages(db, account)?, ["en"]);
                Ok(())
            })
            .expect("templates");
    });
}

#[test]
fn am_07_a_file_is_kept_for_who_had_it_looked_at_and_goes_with_age() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        let now = desk.clock.now();
        let file = MediaFile {
            content_type: "image/png".into(),
            size: 3,
            name: "tile.png".into(),
            preview: Some(vec![1, 2, 3]),
        };
        let (url, image) = ("https://shop.example/tile.png", MediaKind::Image);
        store
            .blocking_write(|db| {
                let kept = save_media(db, ana, url, image, file.clone(), now)?;
                assert_eq!(kept.id.len(), 32);
                let before = now - TimeDelta::milliseconds(1);
                assert_eq!(find_recent_media(db, ana, url, image, before)?, Some(kept.clone()));
                assert_eq!(find_recent_media(db, ana, url, image, now)?, None);
                assert_eq!(find_recent_media(db, ana, url, MediaKind::Video, before)?, None);
                assert_eq!(find_recent_media(db, rui, url, image, before)?, None);
                assert!(matches!(get_media(db, rui, &kept.id), Err(PersistenceError::NotFound)));
                assert_eq!(get_media(db, ana, &kept.id)?.file, file);
                let later = now + TimeDelta::milliseconds(1);
                let next =
                    save_media(db, ana, "https://shop.example/2.png", image, file.clone(), later)?;
                assert_eq!(delete_media_until(db, before, 10)?, 0);
                assert_eq!(delete_media_until(db, now, 10)?, 1);
                assert_eq!(get_media(db, ana, &next.id)?.file, file);
                assert!(matches!(get_media(db, ana, &kept.id), Err(PersistenceError::NotFound)));
                Ok(())
            })
            .expect("media");
    });
}
