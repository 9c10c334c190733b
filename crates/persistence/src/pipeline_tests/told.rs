//! What the platform tells of accounts, numbers and templates, and what nobody here has a use for.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        AccountEvent, AccountUpdate, AccountUpdateEvent, Ban, BanState, BusinessCapability,
        CategoryNews, ChannelEvent, InboundContent, InboundMessage, MessagingLimit, NumberEvent,
        NumberNameUpdate, NumberQualityUpdate, NumberReading, Receipt, ReceiptStatus, Recipient,
        Restriction, RestrictionKind, ReviewDecision, SenderIdentity, TemplateChange,
        TemplateComponents, TemplateNews, WebhookElement,
    },
    clock::Clock,
    ids::NumberId,
};

use super::{count, permutations, sent};
use crate::{
    channel::{self, NewChannel},
    inbox, message_template,
    number::{self, history},
    policy,
    schema::{message_templates, numbers},
    test_desk::{ACCOUNT, TestDesk, element, new_channel, platform_template},
    test_support::on_both,
};

fn told(raw: &str, event: AccountEvent, at: DateTime<Utc>) -> WebhookElement {
    WebhookElement {
        account_id: Some(ACCOUNT.to_owned()),
        external_id: None,
        told_at: Some(at),
        ..element(raw, ChannelEvent::Account { event, at: Some(at) })
    }
}

fn limit(contacts: u32, at: DateTime<Utc>) -> WebhookElement {
    let capability = BusinessCapability {
        portfolio_limit: Some(MessagingLimit::Contacts(contacts)),
        ..BusinessCapability::default()
    };
    told("capability", AccountEvent::Capability(capability), at)
}

fn update(event: AccountUpdateEvent) -> AccountUpdate {
    AccountUpdate { event: Some(event), violation: None, restrictions: Vec::new(), ban: None }
}

fn restricted(
    kind: RestrictionKind,
    until: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> WebhookElement {
    let restriction = Restriction { kind: Some(kind), until, remediation: None };
    let update = AccountUpdate {
        restrictions: vec![restriction],
        ..update(AccountUpdateEvent::Restriction)
    };
    told("restriction", AccountEvent::Update(update), at)
}

fn banned(state: BanState, at: DateTime<Utc>) -> WebhookElement {
    let ban = Ban { state: Some(state.clone()), date: Some("September 20, 2026".to_owned()) };
    let update = AccountUpdate { ban: Some(ban), ..update(AccountUpdateEvent::Disabled) };
    told(state.as_str(), AccountEvent::Update(update), at)
}

/// One more number of the desk's account.
fn second_number(desk: &TestDesk) -> NumberId {
    let now = desk.clock.now();
    let vault = desk.store.vault().unwrap();
    let new = NewChannel { external_id: "730055819924407", ..new_channel(desk.chatbot) };
    desk.store
        .blocking_write(|db| {
            let policy = policy::find_or_create_default(db, now)?;
            let channel = channel::create(db, &vault, &new, now)?;
            number::create(db, channel, "+351210000002", policy, now)
        })
        .unwrap()
}

/// Status, limit and end of the restriction of every number, by id.
fn standing(desk: &TestDesk) -> Vec<(String, Option<i64>, Option<DateTime<Utc>>)> {
    let rows: Vec<(String, Option<i64>, Option<crate::instant::Instant>)> = count(desk, |db| {
        numbers::table
            .order(numbers::id.asc())
            .select((
                numbers::platform_status,
                numbers::platform_limit,
                numbers::platform_restricted_until,
            ))
            .load(db)
    })
    .unwrap();
    rows.into_iter()
        .map(|(status, limit, until)| (status, limit, until.map(DateTime::from)))
        .collect()
}

fn kinds(desk: &TestDesk, number: NumberId) -> Vec<String> {
    let list = |db: &mut _| history::list_events(db, number, 100);
    let events = desk.store.blocking_read(list).unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[test]
fn an_account_event_reaches_all_numbers_of_its_account_and_the_latest_holds_in_any_order() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let second = second_number(&desk);
        for order in permutations(3) {
            desk.clock.advance(TimeDelta::hours(1));
            let start = desk.clock.now();
            for index in &order {
                let contacts = [250, 2_000, 10_000][*index];
                let at = start + TimeDelta::seconds(*index as i64);
                let element = limit(contacts, at);
                assert_eq!(desk.apply(vec![element.clone()]).applied, 1);
                assert_eq!(desk.apply(vec![element]).copies, 1);
            }
            let limits: Vec<_> = standing(&desk).into_iter().map(|it| it.1).collect();
            assert_eq!(limits, [Some(10_000), Some(10_000)], "{order:?}");
        }
        assert_eq!(kinds(&desk, second).len(), 18, "the same words at another time are no copy");
        // What was read since stands against what comes late.
        let read_at = desk.clock.now() + TimeDelta::hours(1);
        let reading = NumberReading {
            display_phone: "+351 21 000 0001".to_owned(),
            quality_rating: "GREEN".to_owned(),
            status: "CONNECTED".to_owned(),
            limit: Some(2_000),
            throughput: 80,
        };
        store
            .blocking_write(|db| number::save_reading(db, desk.channel, &reading, read_at))
            .unwrap();
        desk.apply(vec![limit(50, read_at - TimeDelta::seconds(1))]);
        assert_eq!(standing(&desk)[0].1, Some(2_000));
        assert_eq!(standing(&desk)[1].1, Some(50), "nothing newer is known of the other");
    });
}

#[test]
fn a_restriction_keeps_templates_back_until_its_end_and_a_reinstated_account_is_free() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let until = start + TimeDelta::days(3);
        let initiate = RestrictionKind::InitiateMessages;
        desk.apply(vec![restricted(initiate.clone(), Some(until), start)]);
        assert_eq!(standing(&desk)[0].2, Some(until));
        // An older word on the same changes nothing.
        let earlier = start - TimeDelta::hours(1);
        desk.apply(vec![restricted(initiate.clone(), Some(start), earlier)]);
        assert_eq!(standing(&desk)[0].2, Some(until));
        let freed_at = start + TimeDelta::hours(2);
        desk.apply(vec![banned(BanState::Reinstated, freed_at)]);
        assert_eq!(standing(&desk)[0].2, None);
        let late = freed_at - TimeDelta::minutes(1);
        desk.apply(vec![restricted(RestrictionKind::AnswerMessages, None, late)]);
        assert_eq!(standing(&desk)[0].2, None, "forbidden before it was freed");
        let anew = freed_at + TimeDelta::minutes(1);
        desk.apply(vec![restricted(initiate, Some(until), anew)]);
        assert_eq!(standing(&desk)[0].2, Some(until));
    });
}

#[test]
fn a_ban_and_its_end_hold_by_their_own_instants() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |hours| start + TimeDelta::hours(hours);
        let status = |desk: &TestDesk| standing(desk)[0].0.clone();
        desk.apply(vec![banned(BanState::ScheduledForDisable, at(1))]);
        assert_eq!(status(&desk), "UNKNOWN", "announced only");
        desk.apply(vec![banned(BanState::Disabled, at(2))]);
        assert_eq!(status(&desk), "BANNED");
        desk.apply(vec![banned(BanState::Reinstated, at(4))]);
        desk.apply(vec![banned(BanState::Disabled, at(3))]);
        assert_eq!(status(&desk), "CONNECTED");
        assert_eq!(kinds(&desk, NumberId(1)), ["account_update"; 4]);
    });
}

#[test]
fn an_event_that_names_a_number_reaches_that_one_and_an_unknown_one_is_put_aside() {
    let quality = |phone: &str| {
        AccountEvent::NumberQuality(NumberQualityUpdate {
            display_phone: Some(phone.to_owned()),
            event: Some(NumberEvent::Upgrade),
            old_limit: None,
            current_limit: Some(MessagingLimit::Contacts(10_000)),
            portfolio_limit: None,
        })
    };
    on_both(|store| {
        let desk = TestDesk::new(store);
        let second = second_number(&desk);
        let at = desk.clock.now();
        desk.apply(vec![told("up", quality("351210000002"), at)]);
        assert_eq!(kinds(&desk, second), ["quality_update"]);
        assert_eq!(kinds(&desk, NumberId(1)), [""; 0]);
        let name = AccountEvent::NumberName(NumberNameUpdate {
            display_phone: Some("+351 21 000 0002".to_owned()),
            decision: Some(ReviewDecision::Approved),
            requested_name: Some("Harbour Lane".to_owned()),
            rejection_reason: None,
        });
        desk.apply(vec![told("name", name, at)]);
        let of_another_account =
            WebhookElement { account_id: Some("1".to_owned()), ..limit(50, at) };
        let report = desk.apply(vec![
            told("who", quality("351999999999"), at),
            of_another_account,
            told("fine", AccountEvent::Review(ReviewDecision::Approved), at),
        ]);
        assert_eq!((report.applied, report.quarantined), (1, 2), "and spoils no other");
        assert_eq!(kinds(&desk, NumberId(1)), ["review"]);
    });
}

fn template(news: TemplateNews, at: DateTime<Utc>) -> WebhookElement {
    let raw = format!("{news:?}");
    let change = TemplateChange {
        external_id: None,
        name: "hello".to_owned(),
        language: "en".to_owned(),
        at: Some(at),
        news,
    };
    WebhookElement {
        external_id: None,
        told_at: Some(at),
        ..element(&raw, ChannelEvent::Template(change))
    }
}

#[test]
fn quality_category_and_components_of_a_template_hold_by_their_own_instants() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let quality = |word: &str, at| {
            let news = TemplateNews::Quality { previous: None, current: word.to_owned() };
            template(news, at)
        };
        let category = |word: &str, at| {
            let news = CategoryNews::Changed { previous: None, current: word.to_owned() };
            template(TemplateNews::Category(news), at)
        };
        let says = |body: &str, at| {
            let components =
                TemplateComponents { body: Some(body.to_owned()), ..TemplateComponents::default() };
            template(TemplateNews::Components(components), at)
        };
        let elements = [
            quality("YELLOW", at(20)),
            quality("GREEN", at(10)),
            category("MARKETING", at(20)),
            category("UTILITY", at(10)),
            category("SOMETHING_NEW", at(30)),
            says("Hello again", at(20)),
            says("Hello", at(10)),
        ];
        for element in elements {
            assert_eq!(desk.apply(vec![element]).applied, 1);
        }
        let kept = |desk: &TestDesk| -> (Option<String>, String) {
            count(desk, |db| {
                message_templates::table
                    .select((message_templates::quality, message_templates::category))
                    .first(db)
            })
            .unwrap()
        };
        let body = |desk: &TestDesk| {
            let found = desk.store.blocking_read(|db| message_template::get(db, desk.template));
            found.unwrap().content.body
        };
        assert_eq!(kept(&desk), (Some("YELLOW".to_owned()), "marketing".to_owned()));
        assert_eq!(body(&desk), "Hello again");
        // A list that was read before does not undo it; one read since does.
        let sync = |read_at| {
            let template = platform_template();
            store
                .blocking_write(|db| {
                    let synced = std::slice::from_ref(&template);
                    message_template::save_all(db, ACCOUNT, synced, read_at)
                })
                .unwrap();
        };
        sync(at(15));
        assert_eq!(body(&desk), "Hello again");
        assert_eq!(kept(&desk).0.as_deref(), Some("YELLOW"));
        sync(at(60));
        assert_eq!(body(&desk), "Hello, how are you?");
        assert_eq!(kinds(&desk, NumberId(1)).len(), 7);
    });
}

#[test]
fn what_nobody_knows_is_kept_and_counted_by_its_kind() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let other = |kind: &str, raw: &str, at| WebhookElement {
            told_at: Some(at),
            ..element(raw, ChannelEvent::Other { kind: kind.to_owned() })
        };
        let calls = element("a call", ChannelEvent::Kept { kind: "calls".to_owned() });
        let sender = SenderIdentity {
            phone_digits: Some("351912345678".to_owned()),
            ..SenderIdentity::default()
        };
        let hologram =
            InboundContent::Other { kind: "holo\0gram".to_owned(), raw: "{\"z\":1}".to_owned() };
        let hologram = InboundMessage::new("in.1", sender, start, hologram);
        let report = desk.apply(vec![
            other("moon_phase", "first", start),
            other("moon_phase", "first", start),
            other("moon_phase", "first", start + TimeDelta::seconds(1)),
            calls,
            element("in.1", ChannelEvent::Inbound(hologram)),
        ]);
        assert_eq!((report.applied, report.unknown, report.copies), (4, 3, 1));
        let kept = store.blocking_read(inbox::list_kept).unwrap();
        let kept: Vec<_> = kept.iter().map(|it| (it.kind.as_str(), it.is_known, it.seen)).collect();
        let expected =
            [("calls", true, 1), ("message hologram", false, 1), ("moon_phase", false, 2)];
        assert_eq!(kept, expected);
        let many =
            (0..300).map(|number| other(&format!("kind {number}"), &format!("x {number}"), start));
        desk.apply(many.collect());
        assert_eq!(store.blocking_read(inbox::list_kept).unwrap().len(), 201, "bounded");
        assert_eq!(desk.count_quarantined(), 0);
    });
}

#[test]
fn a_receipt_of_one_in_a_group_moves_no_message() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "wamid.1");
        let at = desk.clock.now();
        let receipt = Receipt {
            recipient: Recipient::Group {
                group: Some("R1JPVVA=".to_owned()),
                participant: SenderIdentity {
                    phone_digits: Some("447700900777".to_owned()),
                    ..SenderIdentity::default()
                },
            },
            ..Receipt::new("wamid.1", ReceiptStatus::Read, at)
        };
        let report = desk.apply(vec![element("group", ChannelEvent::Receipt(receipt))]);
        assert_eq!((report.applied, report.quarantined), (1, 0));
        assert_eq!(desk.state_of(message).0, "sent");
    });
}

#[test]
fn a_batch_replayed_a_week_later_changes_nothing_also_when_the_clock_jumped() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "wamid.1");
        let start = desk.clock.now();
        let batch = vec![
            limit(2_000, start),
            restricted(RestrictionKind::InitiateMessages, Some(start + TimeDelta::days(30)), start),
            crate::test_desk::receipt("wamid.1", None, ReceiptStatus::Read, start),
            crate::test_desk::inbound("in.1", "351912345678", "hi", start),
        ];
        assert_eq!(desk.apply(batch.clone()).applied, 4);
        let told = (standing(&desk), desk.state_of(message), desk.tickets().len());
        for jump in [TimeDelta::days(7), TimeDelta::days(-6)] {
            desk.clock.advance(jump);
            let report = desk.apply(batch.clone());
            assert_eq!((report.applied, report.copies), (0, 4), "{jump}");
            let again = (standing(&desk), desk.state_of(message), desk.tickets().len());
            assert_eq!(again, told, "{jump}");
        }
    });
}
