//! What each class of refusal means, told by the answer to a send and by a receipt (protocol, 8.5 and 8.6).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    admission::ContactReach,
    channel::{
        Pause, PauseScope, PausedSends, PlatformRefusal, ReceiptStatus, RefusalClass, RetryScope,
        SendOutcome,
    },
    clock::Clock,
    ids::{ChannelId, ContactId, MessageId, NumberId, TicketId, UserId},
    permission::Role,
};

use super::PHONE;
use crate::{
    channel::{self, NewChannel},
    conversation::{self, ConversationId, Held, Side},
    error::PersistenceError,
    instant::Instant,
    live::LiveKind,
    number::{self, pause},
    outbox, policy,
    schema::{
        contact_identities, message_templates, messages, number_events, numbers, opt_outs,
        outbox as outbox_rows, tickets,
    },
    test_desk::{TestDesk, dispatch_policy, inbound, new_channel, receipt},
    test_support::on_both,
    ticket::{self, Reply, ReplyDraft},
    user::{self, Actor},
};

fn refusal(code: &str) -> PlatformRefusal {
    PlatformRefusal { code: code.to_owned(), title: "The platform's words".to_owned() }
}

fn refused(code: &str, class: RefusalClass) -> SendOutcome {
    SendOutcome::Refused { refusal: refusal(code), class }
}

fn stop(scope: PauseScope, sends: PausedSends) -> RefusalClass {
    RefusalClass::Pause(Pause { scope, sends })
}

/// How a refusal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Answer,
    Receipt,
}

/// Sends to `phone` and has the platform refuse it.
fn refuse(desk: &TestDesk, phone: &str, code: &str, class: RefusalClass, way: Way) -> MessageId {
    let message = desk.send(desk.agents[0], phone);
    let claims = desk.claim(100);
    let claim = claims.iter().find(|claim| claim.outgoing.id == message).expect("a claim");
    match way {
        Way::Answer => {
            let _done = desk.record(claim, &refused(code, class));
        }
        Way::Receipt => {
            let provider_id = format!("wamid.{message}");
            let accepted = SendOutcome::Accepted { provider_id: provider_id.clone() };
            let _done = desk.record(claim, &accepted);
            let failed = ReceiptStatus::Failed { refusal: refusal(code), class };
            desk.apply(vec![receipt(&provider_id, None, failed, desk.clock.now())]);
        }
    }
    message
}

/// What is left of a refusal, for a table.
#[derive(Debug, PartialEq, Eq, Default)]
struct Left {
    /// The message's state and code.
    message: (String, Option<String>),
    /// Its state in the outbox.
    waits: Option<String>,
    /// All sends of the number rest.
    number: bool,
    /// Its templates do.
    templates: bool,
    template: String,
    credentials_fail: bool,
    unreachable: bool,
    opted_out: bool,
    /// What the history of the number says.
    told: Vec<String>,
}

fn left(desk: &TestDesk, message: MessageId) -> Left {
    let now = desk.clock.now();
    let at = Instant::from(now);
    let shown = desk.state_of(message);
    desk.store
        .blocking_read(|db| {
            let rests: (Option<Instant>, Option<Instant>) = numbers::table
                .select((numbers::paused_until, numbers::templates_paused_until))
                .order(numbers::id.asc())
                .first(db)?;
            let reachable: Vec<String> =
                contact_identities::table.select(contact_identities::reachable).load(db)?;
            let channels = channel::list_all(db)?;
            Ok(Left {
                message: shown,
                waits: outbox_rows::table
                    .find(message.0)
                    .select(outbox_rows::state)
                    .first(db)
                    .optional()?,
                number: rests.0.is_some_and(|until| at < until),
                templates: rests.1.is_some_and(|until| at < until),
                template: message_templates::table.select(message_templates::status).first(db)?,
                credentials_fail: channels[0].credentials_failing_since.is_some(),
                unreachable: reachable
                    .iter()
                    .any(|word| word == ContactReach::NotOnPlatform.as_str()),
                opted_out: opt_outs::table.count().get_result::<i64>(db)? == 1,
                told: number_events::table
                    .order(number_events::id.asc())
                    .select(number_events::kind)
                    .load(db)?,
            })
        })
        .unwrap()
}

#[test]
fn every_class_of_refusal_has_its_effect_however_it_is_told() {
    let failed = |code: &str| ("failed".to_owned(), Some(code.to_owned()));
    let sending = || ("sending".to_owned(), None);
    let told = |kind: &str| vec![kind.to_owned()];
    let waits = |state: &str| Some(state.to_owned());
    let approved = || "approved".to_owned();
    let plain =
        |code: &str| Left { message: failed(code), template: approved(), ..Left::default() };
    let held = |state: &str| Left {
        message: sending(),
        waits: waits(state),
        template: approved(),
        ..Left::default()
    };
    let retry = |scope| RefusalClass::Retry { after: None, scope };
    let all = stop(PauseScope::Number, PausedSends::All);
    let templates = stop(PauseScope::Account, PausedSends::Templates);
    let cases: [(&str, RefusalClass, Way, Left); 18] = [
        ("131000", retry(RetryScope::Message), Way::Answer, held("queued")),
        ("131000", retry(RetryScope::Message), Way::Receipt, plain("131000")),
        ("130429", retry(RetryScope::Number), Way::Answer, held("queued")),
        ("130429", retry(RetryScope::Number), Way::Receipt, plain("130429")),
        ("131049", RefusalClass::Fail, Way::Answer, plain("131049")),
        ("131049", RefusalClass::Fail, Way::Receipt, plain("131049")),
        (
            "130497",
            RefusalClass::FailAlert,
            Way::Answer,
            Left { told: told("refusal"), ..plain("130497") },
        ),
        (
            "130497",
            RefusalClass::FailAlert,
            Way::Receipt,
            Left { told: told("refusal"), ..plain("130497") },
        ),
        (
            "131026",
            RefusalClass::FailContact,
            Way::Answer,
            Left { unreachable: true, ..plain("131026") },
        ),
        (
            "131026",
            RefusalClass::FailContact,
            Way::Receipt,
            Left { unreachable: true, ..plain("131026") },
        ),
        (
            "131050",
            RefusalClass::FailOptedOut,
            Way::Receipt,
            Left { opted_out: true, ..plain("131050") },
        ),
        (
            "132015",
            RefusalClass::PauseTemplate,
            Way::Answer,
            Left { template: "paused".into(), told: told("refusal"), ..plain("132015") },
        ),
        (
            "132015",
            RefusalClass::PauseTemplate,
            Way::Receipt,
            Left { template: "paused".into(), told: told("refusal"), ..plain("132015") },
        ),
        ("131031", all, Way::Answer, Left { number: true, told: told("paused"), ..held("held") }),
        (
            "131031",
            all,
            Way::Receipt,
            Left { number: true, told: told("paused"), ..plain("131031") },
        ),
        (
            "131042",
            templates,
            Way::Answer,
            Left { templates: true, told: told("paused"), ..held("held") },
        ),
        (
            "131042",
            templates,
            Way::Receipt,
            Left { templates: true, told: told("paused"), ..plain("131042") },
        ),
        (
            "190",
            RefusalClass::CredentialsFail,
            Way::Answer,
            Left { credentials_fail: true, ..held("held") },
        ),
    ];
    for (code, class, way, expected) in cases {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let message = refuse(&desk, PHONE, code, class, way);
            assert_eq!(left(&desk, message), expected, "{code} by {way:?}");
        });
    }
}

/// Makes `agent` an admin of the desk's chatbot.
fn admin(desk: &TestDesk, agent: UserId) -> Actor {
    desk.store
        .blocking_write(|db| {
            user::save_membership(db, agent, desk.chatbot, Role::Admin, Role::Admin.permissions())
        })
        .unwrap();
    desk.actor(agent)
}

/// Until when the number of `channel` rests: all sends, and templates.
fn rests(desk: &TestDesk, channel: ChannelId) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let row: (Option<Instant>, Option<Instant>) = desk
        .store
        .blocking_read(|db| {
            Ok(numbers::table
                .filter(numbers::channel_id.eq(channel.0))
                .select((numbers::paused_until, numbers::templates_paused_until))
                .first(db)?)
        })
        .unwrap();
    (row.0.map(DateTime::from), row.1.map(DateTime::from))
}

#[test]
fn an_account_told_to_stop_rests_with_all_its_numbers_and_no_other() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let vault = store.vault().unwrap();
        let another = |external_id: &'static str, account_id: &'static str| {
            let new = NewChannel { external_id, account_id, ..new_channel(desk.chatbot) };
            let now = desk.clock.now();
            store
                .blocking_write(|db| {
                    let policy = policy::find_or_create_default(db, now)?;
                    let channel = channel::create(db, &vault, &new, now)?;
                    number::create(db, channel, "+351210000009", policy, now)?;
                    Ok(channel)
                })
                .unwrap()
        };
        let sibling = another("sibling", crate::test_desk::ACCOUNT);
        let stranger = another("stranger", "another account");
        let stopped = stop(PauseScope::Account, PausedSends::All);
        let message = desk.send(desk.agents[0], PHONE);
        let claim = desk.claim(1).remove(0);
        assert_eq!(claim.outgoing.id, message);
        let (outcome, now) = (refused("368", stopped), desk.clock.now());
        store
            .blocking_write(|db| {
                let told = [(&claim, &outcome)].into_iter();
                outbox::record_outcomes(db, told, &dispatch_policy(), now)
            })
            .unwrap();
        let until = Some(now + TimeDelta::minutes(15));
        assert_eq!(rests(&desk, desk.channel), (until, None));
        assert_eq!(rests(&desk, sibling), (until, None));
        assert_eq!(rests(&desk, stranger), (None, None));
    });
}

#[test]
fn while_templates_rest_answers_go_on_and_the_thread_says_what_waits() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let stopped = stop(PauseScope::Number, PausedSends::Templates);
        let first = refuse(&desk, "+351912345679", "131048", stopped, Way::Answer);
        let until = desk.clock.now() + TimeDelta::minutes(15);
        let waiting = desk.send(desk.agents[0], PHONE);
        assert!(desk.claim(10).is_empty(), "no template leaves");
        assert_eq!(left(&desk, waiting).waits.as_deref(), Some("held"));
        assert_eq!(held(&desk, waiting), Some(Held::TemplatesPaused(until)));

        desk.apply(vec![inbound("hi", "351912345670", "hello", desk.clock.now())]);
        let (ticket, holder): (i64, Option<i64>) = store
            .blocking_read(|db| {
                Ok(tickets::table.select((tickets::id, tickets::agent_id)).first(db)?)
            })
            .unwrap();
        let holder = desk.actor(UserId(holder.unwrap()));
        let draft = ReplyDraft {
            ticket: TicketId(ticket),
            text: "Good morning".into(),
            key: "key".into(),
            quotes: None,
        };
        let reply =
            store.blocking_write(|db| ticket::reply(db, &holder, &draft, &*desk.clock)).unwrap();
        let Reply::Queued(reply) = reply else { panic!("{reply:?}") };
        let claims: Vec<MessageId> = desk.claim(10).iter().map(|claim| claim.outgoing.id).collect();
        assert_eq!(claims, [reply], "an answer does");

        desk.clock.advance(TimeDelta::minutes(15));
        let mut claims: Vec<MessageId> =
            desk.claim(10).iter().map(|claim| claim.outgoing.id).collect();
        claims.sort();
        assert_eq!(claims, [first, waiting], "the rest is over");
        assert_eq!(held(&desk, waiting), None);
    });
}

/// Why the thread says that `message` waits.
fn held(desk: &TestDesk, message: MessageId) -> Option<Held> {
    let (actor, now) = (desk.actor(desk.agents[0]), desk.clock.now());
    let thread = desk
        .store
        .blocking_read(|db| {
            let contact: i64 =
                messages::table.find(message.0).select(messages::contact_id).first(db)?;
            let id = ConversationId { chatbot: desk.chatbot, contact: ContactId(contact) };
            conversation::find_thread(db, &actor, id, None, now)
        })
        .unwrap();
    let shown = thread.messages.into_iter().find(|shown| shown.id == message).unwrap();
    match shown.side {
        Side::Ours { held, .. } => held,
        Side::Contact => panic!("it is ours"),
    }
}

#[test]
fn an_admin_lets_a_number_send_again_and_a_second_stop_rests_longer() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let stopped = stop(PauseScope::Number, PausedSends::All);
        let message = refuse(&desk, PHONE, "131031", stopped, Way::Answer);
        let (now, plain) = (desk.clock.now(), desk.actor(desk.agents[1]));
        assert_eq!(held(&desk, message), Some(Held::NumberPaused(now + TimeDelta::minutes(15))));
        let admin = admin(&desk, desk.agents[0]);
        let list = |now| {
            store.blocking_read(|db| pause::list_paused(db, &admin, desk.chatbot, now)).unwrap()
        };
        let paused = list(now);
        assert_eq!((paused.len(), paused[0].code.as_str()), (1, "131031"));
        assert_eq!(paused[0].sends, PausedSends::All);
        let resume = |actor: &Actor, number: NumberId| {
            store.blocking_write(|db| pause::resume(db, actor, desk.chatbot, number, now))
        };
        let denied = resume(&plain, paused[0].number);
        assert!(matches!(denied, Err(PersistenceError::Denied)), "{denied:?}");
        let unknown = resume(&admin, NumberId(paused[0].number.0 + 1));
        assert!(matches!(unknown, Err(PersistenceError::NotFound)), "{unknown:?}");
        resume(&admin, paused[0].number).unwrap();
        assert_eq!(list(now), Vec::new());
        let claim = desk.claim(10).remove(0);
        assert_eq!(claim.outgoing.id, message, "it goes at once");
        let _held = desk.record(&claim, &refused("131031", stopped));
        assert_eq!(rests(&desk, desk.channel).0, Some(now + TimeDelta::minutes(15)));
        desk.clock.advance(TimeDelta::minutes(15));
        let (claim, now) = (desk.claim(10).remove(0), desk.clock.now());
        let _held = desk.record(&claim, &refused("131031", stopped));
        assert_eq!(rests(&desk, desk.channel).0, Some(now + TimeDelta::minutes(30)), "longer");
        assert!(list(now + TimeDelta::minutes(30)).is_empty(), "over");
        assert_eq!(left(&desk, message).told, ["paused", "resumed", "paused", "paused"]);
    });
}

#[test]
fn templates_that_wait_go_as_soon_as_their_number_is_let_go() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let stopped = stop(PauseScope::Number, PausedSends::Templates);
        let message = refuse(&desk, PHONE, "131048", stopped, Way::Answer);
        assert!(desk.claim(10).is_empty());
        let (admin, now) = (admin(&desk, desk.agents[0]), desk.clock.now());
        let paused = |db: &mut _| pause::list_paused(db, &admin, desk.chatbot, now);
        let number = store.blocking_read(paused).unwrap()[0].number;
        store.blocking_write(|db| pause::resume(db, &admin, desk.chatbot, number, now)).unwrap();
        assert_eq!(desk.claim(10)[0].outgoing.id, message);
    });
}

#[test]
fn the_page_is_told_when_a_message_begins_to_wait() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        let claim = desk.claim(1).remove(0);
        let mut live = store.live().subscribe();
        let stopped = stop(PauseScope::Number, PausedSends::All);
        let _held = desk.record(&claim, &refused("131031", stopped));
        let mut told = Vec::new();
        while let Ok(event) = live.try_recv() {
            told.push((event.kind, event.id));
        }
        assert!(told.contains(&(LiveKind::Message, message.0)), "{told:?}");
    });
}
