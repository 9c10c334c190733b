//! The tables of RULES.md, section 2, and the admission lines of section 7.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::given::{ANA, BRUNO, Given, MILLISECOND, at};
use crate::{
    admission::{
        ContactReach, EffectiveLimit, LimitChange, NumberTroubleKind, RefusalCode, admit_schedule,
        recheck,
    },
    channel::ChannelKind,
    ids::TicketId,
    opt_out::OptOutScope,
    presence::Presence,
    template::{TemplateCategory, TemplateStatus},
};

/// The sends of table A: 09:00, 12:00 and 15:00 on day 1.
fn three_sends() -> [DateTime<Utc>; 3] {
    [at(1, "09:00"), at(1, "12:00"), at(1, "15:00")]
}

/// The rows of table A that are about instants and X. Those about what is counted (A4, A5, A6, the switch of
/// A8, A9, A11) are decided where the sends are: `persistence/src/admission/tests/table_a.rs` shows all rows
/// with real sends.
#[test]
fn cl_01_ad_04_table_a_when_the_cap_holds() {
    let [first, second, third] = three_sends();
    let sent_again = [first, second, third, at(2, "09:00")];
    let blocked = |day, time| Some(at(day, time));
    type Case<'a> = (&'a str, u32, &'a [DateTime<Utc>], DateTime<Utc>, Option<DateTime<Utc>>);
    #[rustfmt::skip]
    let cases: [Case<'_>; 13] = [
        ("A1: blocked for 17 h", 3, &[first, second, third], at(1, "16:00"), blocked(2, "09:00")),
        ("A2: a second before", 3, &[first, second, third], at(2, "08:59:59"), blocked(2, "09:00")),
        ("A2: a millisecond before", 3, &[first, second, third], at(2, "08:59:59.999"), blocked(2, "09:00")),
        ("A2: a day old to the millisecond", 3, &[first, second, third], at(2, "09:00"), None),
        ("A3: sent again, blocked until the next ages out", 3, &sent_again, at(2, "09:01"), blocked(2, "12:00")),
        ("A3: the newest X are enough to tell", 3, &sent_again[1..], at(2, "09:01"), blocked(2, "12:00")),
        ("A7: X lowered to 2", 2, &[first, second, third], at(1, "16:00"), blocked(2, "12:00")),
        ("A7: X lowered to 2, the day after", 2, &[first, second, third], at(2, "12:00"), None),
        ("A7: X lowered to 1", 1, &[first, second, third], at(1, "16:00"), blocked(2, "15:00")),
        ("A7: X lowered to 1, a millisecond before", 1, &[first, second, third], at(2, "14:59:59.999"), blocked(2, "15:00")),
        ("A7: X lowered to 1, the day after", 1, &[first, second, third], at(2, "15:00"), None),
        ("A7: X lowered to 2, a millisecond before", 2, &[first, second, third], at(2, "11:59:59.999"), blocked(2, "12:00")),
        ("A8: X raised to 4", 4, &[first, second, third], at(1, "16:00"), None),
    ];
    for (case, sends, sent_at, now, expected) in cases {
        let given = Given::desk().with_cap(sends, sent_at);
        let refusal = given.admit(now).headline();
        assert_eq!(refusal.and_then(|refusal| refusal.until), expected, "{case}");
        assert_eq!(
            refusal.map(|refusal| refusal.code),
            expected.map(|_| RefusalCode::AgentContactCap),
            "{case}"
        );
    }
}

#[test]
fn ad_04_a1_the_wait_is_seventeen_hours() {
    let now = at(1, "16:00");
    let until = Given::desk().with_cap(3, &three_sends()).until(now);
    assert_eq!(until.map(|until| until - now), Some(TimeDelta::hours(17)));
}

#[test]
fn a10_the_outside_hours_screen_meets_the_same_cap() {
    let given = Given::desk().with_cap(3, &three_sends());
    assert_eq!(given.codes(at(1, "16:00")), [RefusalCode::AgentContactCap]);
    let called_back = given.called_back_by(BRUNO);
    let both = [RefusalCode::AlreadyCalledBack, RefusalCode::AgentContactCap];
    assert_eq!(called_back.codes(at(1, "16:00")), both);
}

#[test]
fn every_code_alone_with_both_sides_of_its_edge() {
    use RefusalCode as Code;
    let end = at(2, "12:00");
    let just_before = end - MILLISECOND;
    let full = EffectiveLimit::steady(1);
    let sent = [at(1, "12:00")];
    let paused = |until| Given::desk().with_template(TemplateStatus::Paused { until });
    let trouble = |kind, until| Given::desk().with_number_trouble(kind, until);
    let night = Given::desk().with_quiet_hours_in(&[Tz::UTC]);
    let desk = Given::desk;
    type Case = (&'static str, Given, DateTime<Utc>, Option<(RefusalCode, Option<DateTime<Utc>>)>);
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("everything is in order", desk(), end, None),
        ("no permission", desk().without_permission(), end, Some((Code::NotPermitted, None))),
        ("on break", desk().with_presence(Some(Presence::OnBreak)), end, Some((Code::AgentNotOnline, None))),
        ("invisible", desk().with_presence(Some(Presence::Invisible)), end, Some((Code::AgentNotOnline, None))),
        ("offline", desk().with_presence(Some(Presence::Offline)), end, Some((Code::AgentNotOnline, None))),
        ("AM-12: no person presses Send", desk().with_presence(None), end, None),
        ("the switch is off", desk().with_the_switch_off(), end, Some((Code::ActiveMessagesDisabled, None))),
        ("WeChat", desk().on_channel(ChannelKind::WeChat), end, Some((Code::ChannelCannotInitiate, None))),
        ("WeCom", desk().on_channel(ChannelKind::WeCom), end, Some((Code::ChannelCannotInitiate, None))),
        ("SMS", desk().on_channel(ChannelKind::Sms), end, None),
        ("disconnected", trouble(NumberTroubleKind::Disconnected, None), end, Some((Code::NumberNotReady, None))),
        ("banned", trouble(NumberTroubleKind::Banned, None), end, Some((Code::NumberNotReady, None))),
        ("credentials fail", trouble(NumberTroubleKind::CredentialsFail, None), end, Some((Code::NumberNotReady, None))),
        ("restricted, until unknown", trouble(NumberTroubleKind::Restricted, None), end, Some((Code::NumberNotReady, None))),
        ("restricted, just before its end", trouble(NumberTroubleKind::Restricted, Some(end)), just_before, Some((Code::NumberNotReady, Some(end)))),
        ("restricted, at its end", trouble(NumberTroubleKind::Restricted, Some(end)), end, None),
        ("limit reached, just before", desk().with_recipients(full.clone(), &sent), just_before, Some((Code::TierLimitReached, Some(end)))),
        ("limit reached, a day later", desk().with_recipients(full.clone(), &sent), end, None),
        ("R7: limit reached, window open", desk().with_recipients(full.clone(), &sent).with_window_open_until(end), just_before, None),
        ("limit reached, window just closed", desk().with_recipients(full, &[at(1, "12:00:00.001")]).with_window_open_until(end), end, Some((Code::TierLimitReached, Some(end + MILLISECOND)))),
        ("template pending", desk().with_template(TemplateStatus::Pending), end, Some((Code::TemplateNotApproved, None))),
        ("template rejected", desk().with_template(TemplateStatus::Rejected), end, Some((Code::TemplateNotApproved, None))),
        ("template disabled", desk().with_template(TemplateStatus::Disabled), end, Some((Code::TemplateNotApproved, None))),
        ("template gone", desk().with_template(TemplateStatus::Gone), end, Some((Code::TemplateNotApproved, None))),
        ("template paused, until unknown", paused(None), end, Some((Code::TemplateNotApproved, None))),
        ("template paused, just before the end", paused(Some(end)), just_before, Some((Code::TemplateNotApproved, Some(end)))),
        ("template paused, at the end", paused(Some(end)), end, None),
        ("no identity", desk().with_contact(ContactReach::NoIdentity), end, Some((Code::ContactUnreachable, None))),
        ("invalid number", desk().with_contact(ContactReach::InvalidNumber), end, Some((Code::ContactUnreachable, None))),
        ("not on WhatsApp", desk().with_contact(ContactReach::NotOnPlatform), end, Some((Code::ContactUnreachable, None))),
        ("opted out of all", desk().with_opt_out(OptOutScope::All), end, Some((Code::ContactOptedOut, None))),
        ("opted out of marketing, utility template", desk().with_opt_out(OptOutScope::Marketing), end, None),
        ("opted out of marketing, marketing template", desk().with_opt_out(OptOutScope::Marketing).of_category(TemplateCategory::Marketing), end, Some((Code::ContactOptedOut, None))),
        ("a ticket waits", desk().with_open_ticket_of(None), end, Some((Code::ContactHasOpenTicket, None))),
        ("a ticket is in progress", desk().with_open_ticket_of(Some(BRUNO)), end, Some((Code::ContactHasOpenTicket, None))),
        ("called back already", desk().called_back_by(BRUNO), end, Some((Code::AlreadyCalledBack, None))),
        ("at the cap, just before", desk().with_cap(1, &sent), just_before, Some((Code::AgentContactCap, Some(end)))),
        ("at the cap, a day later", desk().with_cap(1, &sent), end, None),
        ("quiet, just before eight", night.clone(), at(2, "07:59:59.999"), Some((Code::QuietHours, Some(at(2, "08:00"))))),
        ("eight o'clock is allowed", night.clone(), at(2, "08:00"), None),
        ("just before nine in the evening", night.clone(), at(2, "20:59:59.999"), None),
        ("nine in the evening is quiet", night, at(2, "21:00"), Some((Code::QuietHours, Some(at(3, "08:00"))))),
        ("a variable is missing", desk().with_a_missing_variable(), end, Some((Code::VariablesInvalid, None))),
        ("the balance is the price", desk().with_credit(50_000, 50_000, 0), end, None),
        ("the balance is below the price", desk().with_credit(49_999, 50_000, 0), end, Some((Code::InsufficientCredit, None))),
        ("nothing left, free in the open window", desk().with_credit(0, 50_000, 0).with_window_open_until(end), just_before, None),
        ("nothing left, the window just closed", desk().with_credit(0, 50_000, 0).with_window_open_until(end), end, Some((Code::InsufficientCredit, None))),
    ];
    for (case, given, now, expected) in cases {
        let found: Vec<_> = given
            .admit(now)
            .refusals()
            .iter()
            .map(|refusal| (refusal.code, refusal.until))
            .collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn all_codes_at_once_stand_in_the_order_of_the_rules() {
    let now = at(1, "23:00");
    let given = Given::desk()
        .without_permission()
        .with_presence(Some(Presence::Invisible))
        .with_the_switch_off()
        .on_channel(ChannelKind::WeChat)
        .with_number_trouble(NumberTroubleKind::Banned, None)
        .with_recipients(EffectiveLimit::steady(1), &[at(1, "12:00")])
        .with_template(TemplateStatus::Rejected)
        .with_contact(ContactReach::NoIdentity)
        .with_opt_out(OptOutScope::All)
        .with_open_ticket_of(None)
        .called_back_by(BRUNO)
        .with_cap(1, &[at(1, "12:00")])
        .with_quiet_hours_in(&[Tz::UTC])
        .with_a_missing_variable()
        .with_credit(0, 1, 1);
    assert_eq!(given.codes(now), RefusalCode::ALL);
    assert_eq!(given.allowed_from(now), None);
}

#[test]
fn the_words_of_the_codes_are_those_of_the_rules() {
    let words: Vec<&str> = RefusalCode::ALL.into_iter().map(RefusalCode::as_str).collect();
    let table = "not_permitted agent_not_online active_messages_disabled channel_cannot_initiate \
                 number_not_ready tier_limit_reached template_not_approved contact_unreachable \
                 contact_opted_out contact_has_open_ticket already_called_back agent_contact_cap \
                 quiet_hours variables_invalid insufficient_credit";
    assert_eq!(words, table.split_whitespace().collect::<Vec<_>>());
    for code in RefusalCode::ALL {
        assert_eq!(RefusalCode::parse(code.as_str()), Some(code));
    }
    assert_eq!(RefusalCode::parse("too_late"), None);
}

#[test]
fn several_troubles_of_a_number_end_with_the_last() {
    let now = at(1, "09:00");
    let restricted =
        |until| Given::desk().with_number_trouble(NumberTroubleKind::Restricted, Some(until));
    let twice = restricted(at(1, "12:00"))
        .with_number_trouble(NumberTroubleKind::Restricted, Some(at(2, "12:00")));
    assert_eq!(twice.until(now), Some(at(2, "12:00")));
    let also_banned = twice.with_number_trouble(NumberTroubleKind::Banned, None);
    assert_eq!(also_banned.until(now), None);
}

#[test]
fn sw_09_the_holder_may_write_from_the_ticket_while_its_window_is_closed() {
    let now = at(1, "09:00");
    let ticket = TicketId(7);
    let in_progress = Given::desk().with_open_ticket_of(Some(ANA));
    let cases = [
        ("by its holder, never a window", in_progress.clone().sent_from_ticket(ticket, ANA), true),
        (
            "at the end of the window",
            in_progress.clone().sent_from_ticket(ticket, ANA).with_window_open_until(now),
            true,
        ),
        (
            "a millisecond before it",
            in_progress
                .clone()
                .sent_from_ticket(ticket, ANA)
                .with_window_open_until(now + MILLISECOND),
            false,
        ),
        ("by another agent", in_progress.clone().sent_from_ticket(ticket, BRUNO), false),
        ("from another ticket", in_progress.clone().sent_from_ticket(TicketId(8), ANA), false),
        ("from no ticket", in_progress, false),
        (
            "while it waits",
            Given::desk().with_open_ticket_of(None).sent_from_ticket(ticket, ANA),
            false,
        ),
    ];
    for (case, given, allowed) in cases {
        assert_eq!(given.admit(now).is_allowed(), allowed, "{case}");
    }
    let capped = Given::desk()
        .with_open_ticket_of(Some(ANA))
        .sent_from_ticket(ticket, ANA)
        .with_cap(1, &[now]);
    assert_eq!(capped.codes(now), [RefusalCode::AgentContactCap], "every other check holds");
}

/// `contacts` recipients counted at `instant`.
fn recipients(contacts: usize, instant: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    vec![instant; contacts]
}

#[test]
fn table_r_the_limit_of_level_one() {
    let level_one = || EffectiveLimit::steady(1_000);
    let morning = at(1, "09:00:00");
    let now = at(1, "16:00");
    let given = |counted: &[DateTime<Utc>]| Given::desk().with_recipients(level_one(), counted);
    let full = given(&recipients(1_000, morning));

    assert!(given(&recipients(999, morning)).admit(now).is_allowed(), "R1 and R2: a place is left");
    assert_eq!(
        full.codes(now),
        [RefusalCode::TierLimitReached],
        "R3: a new contact and a counted one"
    );
    let open = full.clone().with_window_open_until(now + MILLISECOND);
    assert!(open.admit(now).is_allowed(), "R7: a template inside an open window");

    assert_eq!(full.until(at(2, "08:59:59")), Some(at(2, "09:00:00")), "R4: a second before");
    assert!(!full.admit(at(2, "08:59:59.999")).is_allowed(), "R4: a millisecond before");
    assert!(full.admit(at(2, "09:00:00")).is_allowed(), "R4: open");

    let mut again = recipients(998, morning);
    again.extend([at(1, "14:00"), at(1, "15:00")]);
    let tier = given(&again).facts.tier.unwrap();
    assert_eq!(tier.count_at(at(1, "15:00")), 1_000, "R5: on day 1");
    assert!(!tier.is_reached(at(2, "09:00")), "R5: count 2 on day 2");
}

#[test]
fn r5_the_count_is_two_when_every_instant_is_known() {
    let mut counted = recipients(998, at(1, "09:00"));
    counted.extend([at(1, "14:00"), at(1, "15:00")]);
    let limit = EffectiveLimit::steady(1_000);
    let mut tier = Given::desk().with_recipients(limit, &counted).facts.tier.unwrap();
    tier.oldest_counted = counted;
    assert_eq!(tier.count_at(at(2, "09:00")), 2);
}

#[test]
fn r8_a_fallen_limit_opens_with_the_363rd_oldest() {
    let start = at(1, "09:00");
    let counted: Vec<DateTime<Utc>> =
        (0..612).map(|place| start + TimeDelta::seconds(place * 7)).collect();
    let fallen = Given::desk().with_recipients(EffectiveLimit::steady(250), &counted);
    let until = counted[362] + TimeDelta::hours(24);
    assert_eq!(fallen.until(at(1, "16:00")), Some(until));
    assert!(fallen.admit(until).is_allowed());
    assert!(!fallen.admit(until - MILLISECOND).is_allowed());
}

#[test]
fn a_limit_that_will_rise_or_fall_is_counted_in() {
    let now = at(1, "16:00");
    let counted = recipients(300, at(1, "09:00"));
    let rising = EffectiveLimit {
        current: 250,
        changes: vec![LimitChange { at: at(1, "20:00"), limit: 1_000 }],
    };
    let given = Given::desk().with_recipients(rising, &counted);
    assert_eq!(given.until(now), Some(at(1, "20:00")), "the restriction ends first");

    let falling = EffectiveLimit {
        current: 1_000,
        changes: vec![LimitChange { at: at(1, "20:00"), limit: 250 }],
    };
    let given = Given::desk().with_recipients(falling, &counted);
    assert!(given.admit(at(1, "19:59:59.999")).is_allowed());
    assert_eq!(given.until(at(1, "20:00")), Some(at(2, "09:00")));
    let capped_until_21 = given.with_cap(1, &[at(0, "21:00")]);
    assert_eq!(capped_until_21.until(now), Some(at(1, "21:00")));
    assert_eq!(capped_until_21.allowed_from(now), Some(at(2, "09:00")), "by then it has fallen");
}

#[test]
fn cl_05_the_whole_refusal_ends_when_nothing_stands_any_more() {
    let now = at(1, "16:00");
    let cap_until =
        |instant: DateTime<Utc>| Given::desk().with_cap(1, &[instant - TimeDelta::hours(24)]);
    let cases = [
        ("nothing stands", Given::desk(), Some(now)),
        ("one reason", cap_until(at(1, "18:00")), Some(at(1, "18:00"))),
        (
            "the later of two",
            cap_until(at(1, "18:00"))
                .with_template(TemplateStatus::Paused { until: Some(at(1, "19:00")) }),
            Some(at(1, "19:00")),
        ),
        (
            "the cap ends in the night, so in the morning",
            cap_until(at(1, "22:00")).with_quiet_hours_in(&[Tz::UTC]),
            Some(at(2, "08:00")),
        ),
        (
            "by then the window has closed and the limit stands",
            cap_until(at(1, "18:00"))
                .with_window_open_until(at(1, "17:00"))
                .with_recipients(EffectiveLimit::steady(1), &[at(1, "10:00")]),
            Some(at(2, "10:00")),
        ),
        ("one reason has no end", cap_until(at(1, "18:00")).with_a_missing_variable(), None),
        (
            "a reason without an end comes up while waiting",
            cap_until(at(1, "18:00")).with_window_open_until(at(1, "17:00")).with_credit(0, 1, 0),
            None,
        ),
        (
            "14 days to the millisecond",
            Given::desk()
                .with_template(TemplateStatus::Paused { until: Some(now + TimeDelta::days(14)) }),
            Some(now + TimeDelta::days(14)),
        ),
        (
            "a millisecond beyond 14 days",
            Given::desk().with_template(TemplateStatus::Paused {
                until: Some(now + TimeDelta::days(14) + MILLISECOND),
            }),
            None,
        ),
    ];
    for (case, given, expected) in cases {
        assert_eq!(given.allowed_from(now), expected, "{case}");
    }
}

#[test]
fn am_10_setting_a_schedule_asks_for_permission_presence_template_and_variables_alone() {
    let now = at(1, "23:00");
    let elsewise_refused = Given::desk()
        .with_the_switch_off()
        .with_number_trouble(NumberTroubleKind::Banned, None)
        .with_opt_out(OptOutScope::All)
        .with_open_ticket_of(None)
        .with_cap(1, &[now])
        .with_quiet_hours_in(&[Tz::UTC]);
    assert!(admit_schedule(&elsewise_refused.facts, now).is_allowed());
    let refused = elsewise_refused
        .without_permission()
        .with_presence(Some(Presence::Offline))
        .with_template(TemplateStatus::Pending)
        .with_a_missing_variable();
    let admission = admit_schedule(&refused.facts, now);
    let codes: Vec<RefusalCode> = admission.refusals().iter().map(|refusal| refusal.code).collect();
    let expected = [
        RefusalCode::NotPermitted,
        RefusalCode::AgentNotOnline,
        RefusalCode::TemplateNotApproved,
        RefusalCode::VariablesInvalid,
    ];
    assert_eq!(codes, expected);
}

#[test]
fn ad_11_what_can_have_changed_is_asked_again_and_nothing_else() {
    let now = at(1, "23:00");
    let unasked = Given::desk()
        .without_permission()
        .with_presence(Some(Presence::Offline))
        .with_the_switch_off()
        .with_recipients(EffectiveLimit::steady(1), &[now])
        .with_cap(1, &[now])
        .with_credit(0, 1, 1);
    assert!(recheck(&unasked.recheck_facts(), now).is_allowed());
    let changed = unasked
        .with_number_trouble(NumberTroubleKind::Restricted, None)
        .with_template(TemplateStatus::Paused { until: None })
        .with_opt_out(OptOutScope::All)
        .with_open_ticket_of(Some(BRUNO))
        .with_quiet_hours_in(&[Tz::UTC]);
    let admission = recheck(&changed.recheck_facts(), now);
    let codes: Vec<RefusalCode> = admission.refusals().iter().map(|refusal| refusal.code).collect();
    let expected = [
        RefusalCode::NumberNotReady,
        RefusalCode::TemplateNotApproved,
        RefusalCode::ContactOptedOut,
        RefusalCode::ContactHasOpenTicket,
        RefusalCode::QuietHours,
    ];
    assert_eq!(codes, expected);
}
