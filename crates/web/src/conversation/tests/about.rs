//! What stands beside a conversation, and the whole page.

use super::*;

#[test]
fn may_i_write_names_every_reason_and_when_it_ends() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    insta::assert_snapshot!(render_about(&thread, about(Some(outlook(capped()))), None));
}

#[test]
fn may_i_write_in_all_its_verdicts() {
    let open = || thread(closing_soon(), Some(open_ticket(mine())));
    let closed = SessionState::Closed { since: None };
    let lasting = |code| vec![Refusal { code, until: None }];
    let cases = [
        (open(), capped(), "Reply yes. Active message not yet"),
        (open(), lasting(RefusalCode::ContactOptedOut), "Reply yes. Active message no"),
        (thread(closed, Some(open_ticket(mine()))), Vec::new(), "Reply no. Template yes"),
        (thread(closed, None), Vec::new(), "Active message yes"),
        (thread(closed, None), lasting(RefusalCode::AgentNotOnline), "Not yet"),
        (thread(closed, None), lasting(RefusalCode::NumberNotReady), "No</p>"),
    ];
    for (thread, reasons, expected) in cases {
        let shown = render_about(&thread, about(Some(outlook(reasons))), None);
        assert!(shown.contains(expected), "{expected}");
    }
    let shown = render_about(&open(), about(None), None);
    assert!(shown.contains("Not known yet"));
}

#[test]
fn li_05_own_sends_stand_beside_the_conversation_with_their_history() {
    let thread = thread(SessionState::Closed { since: None }, None);
    let row = sent_row(ActiveMessageState::Delivered, None);
    let shown = render_about(&thread, about(Some(outlook(Vec::new()))), Some(row));
    insta::assert_snapshot!(shown);
}

#[test]
fn li_02_the_steps_of_a_send_read_as_a_life_whatever_the_instants_are_cut_to() {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let viewer = visit.viewer();
    let row = sent_row(ActiveMessageState::Read, None);
    let latest = row.latest.clone();
    let receipt = |kind| DeliveryEvent {
        kind,
        at: latest.at - TimeDelta::milliseconds(122),
        source: EventSource::Platform,
    };
    let kinds = [DeliveryEventKind::Read, DeliveryEventKind::Delivered, DeliveryEventKind::Sent];
    let about = AboutView::new(AboutParts {
        thread: &thread(SessionState::Closed { since: None }, None),
        about: about(Some(outlook(Vec::new()))),
        sent: Some(row),
        logs: BTreeMap::from([(latest.message, kinds.map(receipt).to_vec())]),
        prices: prices(),
        query: String::new(),
        session: &session,
        viewer: &viewer,
    });
    let steps: Vec<&str> = about.sends[0].steps.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(steps, ["Sending", "Sent", "Delivered", "Read"]);
}

#[test]
fn the_whole_page_in_portuguese() {
    let (session, visit) = (session(Presence::Online), visit(Locale::PtBR));
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    let rows = Rows::InProgress(vec![row(42, "Luiza Prado", closing_soon())]);
    let page = ConversationsPage {
        t: visit.t(),
        page: Page::new(&visit, &session, "Luiza Prado".to_owned(), Place::Conversations),
        pane: "thread",
        list: list(Tab::InProgress, rows, "", &session, &visit),
        open: Some(OpenView {
            about: about_view(&thread, about(Some(outlook(capped()))), None, &session, &visit),
            thread: thread_view(&thread, Typed::default(), &session, &visit),
        }),
        status: actix_web::http::StatusCode::OK,
    };
    let shown = page.render().unwrap();
    assert!(shown.contains("lang=\"pt-BR\""));
    assert!(shown.contains("Esta sessão fecha em"));
    assert!(shown.contains("id=\"close-42\""));
    assert!(shown.contains("612 de 1.000"));
}

#[test]
fn only_its_own_conversation_and_what_concerns_all_fetch_a_side_panel_anew() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    let shown = render_about(&thread, about(Some(outlook(Vec::new()))), None);
    assert!(shown.contains("janela:gate from:body") && shown.contains("janela:thread-1-42"));
    assert!(shown.contains("janela:counts from:body throttle:60s"), "the number's usage");
    let shown = render_about(&thread, about(None), None);
    assert!(!shown.contains("janela:counts"), "no number shows");
}
