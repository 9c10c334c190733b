//! The list: tabs, rows, pages of *Sent*, and what stands there without rows.

use super::*;

#[test]
fn the_list_shows_who_who_waits_for_whom_and_how_each_session_stands() {
    let open = SessionState::Open { ends_at: now() + TimeDelta::hours(22) };
    let closed = SessionState::Closed { since: Some(now() - TimeDelta::hours(3)) };
    let rows = vec![
        row(42, "Luiza Prado", closing_soon()),
        TicketRow {
            reserved_for: Some((UserId(1), "Marina Costa".to_owned())),
            ..row(43, "Rafael Torres", open)
        },
        TicketRow { unread: 0, last: None, ..row(44, "", closed) },
    ];
    let page = WaitingPage { rows, more_after: None };
    let shown = render_list(Tab::Waiting, Rows::Waiting(page), "", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn am_01_whoever_is_invisible_is_offered_to_go_online_instead() {
    let shown = render_list(Tab::InProgress, Rows::InProgress(Vec::new()), "", Presence::Invisible);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_search_without_a_result_says_what_was_searched_for() {
    let shown = render_list(Tab::Sent, sent(Vec::new()), "<Rafael>", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn li_05_a_row_of_sent_says_how_the_latest_send_stands_and_why_it_failed() {
    let rows = vec![sent_row(ActiveMessageState::Failed, Some("outcome_unknown"))];
    let shown = render_list(Tab::Sent, sent(rows), "", Presence::Online);
    insta::assert_snapshot!(shown);
}

#[test]
fn sw_08_the_window_of_a_row_names_the_policy_as_the_thread_does() {
    let policy = window_policy().unwrap();
    let link = format!("href=\"{}\"", policy.policy_url);
    let tickets = Rows::InProgress(vec![row(42, "Luiza Prado", closing_soon())]);
    let sends = sent(vec![sent_row(ActiveMessageState::Read, None)]);
    for (tab, rows) in [(Tab::InProgress, tickets), (Tab::Sent, sends)] {
        let shown = render_list(tab, rows, "", Presence::Online);
        assert!(shown.contains(&link) && shown.contains(&policy.policy_name), "{tab:?}");
    }
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    assert!(render_thread(&thread, Typed::default()).contains(&link));
}

#[test]
fn an_arrival_is_announced_by_name_and_without_what_was_written() {
    let rows = Rows::InProgress(vec![row(42, "Luiza Prado", closing_soon())]);
    let shown = render_list(Tab::InProgress, rows, "", Presence::Online);
    let (_, rest) = shown.split_once("data-arrived=\"").unwrap();
    let words = rest.split('"').next().unwrap();
    assert_eq!(words, "New message from \u{2068}Luiza Prado\u{2069}");
}

#[test]
fn li_05_sent_offers_more_rows_and_keeps_what_was_shown() {
    let page = SentPage {
        rows: vec![sent_row(ActiveMessageState::Read, None)],
        more_after: Some(MessageId(9)),
    };
    let shown = render_list(Tab::Sent, Rows::Sent(page), "", Presence::Online);
    let (_, more) = shown.split_once("id=\"rows-more\"").unwrap();
    assert!(more.contains("href=\"/desk/conversations/1-42?tab=sent&#38;through=9\""), "{more}");
    assert!(more.contains("hx-get=\"/desk/list?tab=sent&#38;through=9&#38;open=1-42\""), "{more}");
    assert!(!shown.contains("Only the latest 100"), "search is not the only way on");
    let all = render_list(
        Tab::Sent,
        sent(vec![sent_row(ActiveMessageState::Read, None)]),
        "",
        Presence::Online,
    );
    assert!(!all.contains("rows-more"), "that was all");
}

#[test]
fn waiting_offers_more_rows_and_says_since_when_each_waits() {
    let rows = vec![row(42, "Luiza Prado", closing_soon())];
    let page = WaitingPage { rows, more_after: Some(TicketId(9)) };
    let shown = render_list(Tab::Waiting, Rows::Waiting(page), "", Presence::Online);
    let (_, more) = shown.split_once("id=\"rows-more\"").unwrap();
    assert!(more.contains("href=\"/desk/conversations/1-42?tab=waiting&#38;through=9\""), "{more}");
    assert!(!shown.contains("Only the latest 100"), "search is not the only way on");
    assert!(shown.contains("data-first=\"longest\""), "{shown}");
    let since = (now() - minutes(48)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert!(shown.contains(&format!("data-at=\"{since}\"")), "{shown}");
    assert!(shown.contains("Waiting since"), "{shown}");
}

#[test]
fn a_desk_with_nothing_open_says_what_would_stand_in_each_pane() {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let shown = |rows| {
        let page = ConversationsPage {
            t: visit.t(),
            page: Page::new(&visit, &session, "Conversations".to_owned(), Place::Conversations),
            pane: "list",
            list: list(Tab::InProgress, Rows::InProgress(rows), "", &session, &visit),
            open: None,
            status: actix_web::http::StatusCode::OK,
        };
        page.render().unwrap()
    };
    let some = shown(vec![row(42, "Luiza Prado", closing_soon())]);
    assert!(some.contains("No conversation open") && some.contains("Pick one from the list."));
    let (_, facts) = some.split_once("id=\"facts-pane\"").unwrap();
    assert!(facts.contains("May I write?") && facts.contains("Open a conversation"), "{facts}");
    let none = shown(Vec::new());
    assert!(!none.contains("Pick one from the list."), "there is none to pick");
}

#[test]
fn li_04_a_row_and_a_bubble_of_one_expired_send_say_the_same() {
    let rows = sent(vec![sent_row(ActiveMessageState::Expired, None)]);
    let list = render_list(Tab::Sent, rows, "", Presence::Online);
    assert!(list.contains("Expired: read, but no answer within 24 h"), "{list}");
    let mut thread = thread(SessionState::Closed { since: None }, None);
    thread.messages[0].unanswered_for = Some(TimeDelta::hours(24));
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("Read, but no answer within 24 h"), "{shown}");
}
