//! The thread: messages, composer in each of its states, and what else asks for a word.

use domain::{
    channel::{
        CallAnswer, CallPermission, CardPhone, ContactCard, FormReply, Forwarded, GeoPoint,
        InboundContent, Location, Order, OrderItem, Unsupported, UnsupportedReason,
    },
    money::Millionths,
};
use persistence::conversation::Quoted;

use super::*;

#[test]
fn a_thread_shows_template_answer_and_failure_and_says_that_the_session_closes() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    insta::assert_snapshot!(render_thread(&thread, Typed::default()));
}

#[test]
fn sw_04_an_expired_session_keeps_what_was_typed_and_offers_a_template() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    let thread = thread(closed, Some(open_ticket(mine())));
    let typed = Typed {
        text: "Shall I send it?".to_owned(),
        problem: Some("Not sent".to_owned()),
        key: String::new(),
        quote: None,
    };
    let shown = render_thread(&thread, typed);
    assert!(shown.contains("Session expired") && shown.contains("Shall I send it?"));
    insta::assert_snapshot!(shown);
}

/// A thread in which the platform knows the contact's message, with what we put on it.
fn answerable(kind: ChannelKind, put: &str) -> Thread {
    let open = SessionState::Open { ends_at: now() + TimeDelta::hours(20) };
    let mut thread = thread(open, Some(open_ticket(mine())));
    thread.channel = Some((ChannelId(1), kind));
    let reactions = match put {
        "" => Vec::new(),
        emoji => vec![Reaction { side: ReactionSide::Desk, emoji: emoji.to_owned() }],
    };
    for message in &mut thread.messages {
        message.around.known_on = Some(ChannelId(1));
        if message.side == Side::Contact {
            message.around.reactions = reactions.clone();
        }
    }
    thread
}

#[test]
fn a_message_is_answered_above_the_composer_until_that_is_taken_back() {
    let thread = answerable(ChannelKind::WhatsApp, "");
    let theirs = thread.messages.iter().find(|message| message.side == Side::Contact).unwrap();
    let typed = Typed { quote: Some(theirs.id), ..Typed::default() };
    let shown = render_thread(&thread, typed);
    let composer = &shown[shown.find("<form class=\"composer\"").unwrap()..];
    insta::assert_snapshot!(&composer[..composer.find("</form>").unwrap()]);
    let unknown = Typed { quote: Some(MessageId(999)), ..Typed::default() };
    assert!(!render_thread(&thread, unknown).contains("name=\"quote\""), "not there any more");
}

#[test]
fn what_a_channel_cannot_do_it_does_not_offer() {
    let cases =
        [(ChannelKind::WhatsApp, true), (ChannelKind::WeChat, false), (ChannelKind::Sms, false)];
    for (kind, can) in cases {
        let shown = render_thread(&answerable(kind, ""), Typed::default());
        assert_eq!(shown.contains("&amp;quote=") || shown.contains("&#38;quote="), can, "{kind:?}");
        assert_eq!(shown.contains("name=\"emoji\""), can, "{kind:?}");
        assert_eq!(shown.contains("data-typing="), can, "{kind:?}");
    }
    let closed = SessionState::Closed { since: Some(now()) };
    let mut late = answerable(ChannelKind::WhatsApp, "");
    late.session = closed;
    assert!(!render_thread(&late, Typed::default()).contains("name=\"emoji\""), "SW-04");
}

#[test]
fn what_is_on_a_message_of_ours_shows_as_pressed_and_can_be_taken_back() {
    let shown = render_thread(&answerable(ChannelKind::WhatsApp, "🙏"), Typed::default());
    assert_eq!(shown.matches("aria-pressed=\"true\"").count(), 1);
    assert!(shown.contains(">Take back</button>"));
    let bare = render_thread(&answerable(ChannelKind::WhatsApp, ""), Typed::default());
    assert!(!bare.contains("aria-pressed") && !bare.contains("Take back"));
}

#[test]
fn a_message_that_waits_says_why_and_until_when() {
    let held = [
        (
            Held::NumberPaused(now() + minutes(15)),
            "It waits: WhatsApp has stopped this number. Next try:",
        ),
        (
            Held::TemplatesPaused(now() + minutes(15)),
            "WhatsApp takes no templates from this number now.",
        ),
        (Held::CredentialsFailing, "the connection to WhatsApp fails."),
        (Held::TriedAgain(now() + minutes(1)), "WhatsApp was busy. Next try:"),
        (Held::OutcomeUnknown, "It may have left; WhatsApp has not said so yet."),
    ];
    for (reason, words) in held {
        let mut thread = answerable(ChannelKind::WhatsApp, "");
        let side = Side::Ours {
            agent: None,
            state: MessageState::Sending,
            failure: None,
            held: Some(reason),
        };
        thread.messages = vec![message(9, side, "Hello", now())];
        let shown = render_thread(&thread, Typed::default());
        assert!(shown.contains("Sending") && shown.contains(words), "{reason:?}: {shown}");
    }
}

#[test]
fn sw_05_what_an_expired_session_offers_instead_depends_on_the_channel() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    let cases =
        [(ChannelKind::WhatsApp, true), (ChannelKind::WeChat, false), (ChannelKind::WeCom, false)];
    for (kind, offers_a_template) in cases {
        let mut thread = thread(closed, Some(open_ticket(mine())));
        thread.channel = Some((ChannelId(1), kind));
        let shown = render_thread(&thread, Typed::default());
        assert!(shown.contains("You may write freely again once the customer answers"), "{kind:?}");
        assert_eq!(shown.contains("Send a template"), offers_a_template, "{kind:?}");
        let leads_there = shown.contains("href=\"/desk/active-message?contact=");
        assert_eq!(leads_there, offers_a_template, "{kind:?}");
    }
}

#[test]
fn am_01_whoever_is_invisible_goes_online_before_a_template_is_sent() {
    let closed = SessionState::Closed { since: Some(now() - minutes(1)) };
    for ticket in [Some(open_ticket(mine())), None] {
        let thread = thread(closed, ticket);
        let shown = render_thread_to(Presence::Invisible, &thread, Typed::default());
        assert!(!shown.contains("href=\"/desk/active-message"), "no way into the dialog");
        assert!(shown.contains("aria-disabled=\"true\""));
        assert!(shown.contains("You are invisible. Go online to send"));
        assert!(shown.contains("name=\"presence\" value=\"online\""), "the switch stands there");
    }
}

#[test]
fn a_conversation_without_a_ticket_offers_a_template_to_its_contact() {
    let thread = thread(SessionState::Closed { since: None }, None);
    insta::assert_snapshot!(render_thread(&thread, Typed::default()));
}

#[test]
fn am_07_a_sent_file_shows_as_its_picture_or_as_a_card() {
    let with = |kind, url: &str, media| {
        let mut thread = thread(closing_soon(), Some(open_ticket(mine())));
        let message = thread.messages.first_mut().unwrap();
        message.media = media;
        let template = message.template.as_mut().unwrap();
        template.content.header = Some(FilledHeader::Media { kind, url: Some(url.to_owned()) });
        render_thread(&thread, Typed::default())
    };
    let kept = |name: &str, has_picture| {
        Some(SentMedia { name: name.to_owned(), size: 7_721, has_picture })
    };
    let url = "https://shop.example/media/pick%20up.jpg?v=2";
    let picture = with(MediaKind::Image, url, kept("pick up.jpg", true));
    assert!(picture.contains(r#"<img src="/media/messages/1" alt="Image, pick up.jpg">"#));
    assert!(!picture.contains("shop.example"), "nothing is loaded from elsewhere");
    let card = with(MediaKind::Image, url, None);
    assert!(card.contains("pick up.jpg") && card.contains("Image · shop.example"));
    assert!(!card.contains("<img"));
    let document = with(MediaKind::Document, url, kept("Fatura.pdf", false));
    assert!(document.contains("Fatura.pdf") && document.contains("Document · shop.example"));
}

#[test]
fn only_the_thread_and_the_row_of_a_conversation_are_fetched_anew() {
    let thread = thread(closing_soon(), Some(open_ticket(mine())));
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("janela:thread-1-42 from:body") && !shown.contains("janela:message"));
    let rows = Rows::InProgress(vec![row(42, "Luiza Prado", closing_soon())]);
    let list = render_list(Tab::InProgress, rows, "", Presence::Online);
    assert!(list.contains("janela-row:1-42 from:body") && list.contains("&#38;row=1-42\""));
}

#[test]
fn without_script_the_question_to_close_stands_at_the_ticket() {
    let (session, visit) = (session(Presence::Online), visit(Locale::En));
    let viewer = visit.viewer();
    let ask = |thread: &Thread| {
        let parts = ThreadParts {
            query: "?tab=conversations".to_owned(),
            tab: Tab::InProgress,
            is_earlier: false,
            asks_to_close: true,
            typed: Typed::default(),
            session: &session,
            viewer: &viewer,
        };
        let thread = ThreadView::new(thread, parts);
        let page = Page::new(&visit, &session, String::new(), Place::Conversations);
        ThreadFragment { t: visit.t(), page, thread }.render().unwrap()
    };
    let shown = ask(&thread(closing_soon(), Some(open_ticket(mine()))));
    let (_, question) = shown.split_once("id=\"close-question\"").unwrap();
    let (question, _) = question.split_once("</form>").unwrap();
    assert!(question.contains("action=\"/desk/conversations/1-42/close\""));
    assert!(question.contains("href=\"/desk/conversations/1-42?tab=conversations\">Keep it open"));
    let of_another = Holding { agent: Some(UserId(9)), ..mine() };
    let shown = ask(&thread(closing_soon(), Some(open_ticket(of_another))));
    assert!(!shown.contains("close-question"), "not the reader's to close");
}

#[test]
fn a_waiting_conversation_is_to_be_taken_first() {
    let waiting = Holding { state: TicketState::Waiting, agent: None, only_agent: None };
    let shown =
        render_thread(&thread(closing_soon(), Some(open_ticket(waiting))), Typed::default());
    assert!(shown.contains("/take") && !shown.contains("/reply\""));
    let for_another = Holding { only_agent: Some(UserId(9)), ..waiting };
    let thread = thread(closing_soon(), Some(open_ticket(for_another)));
    assert!(!render_thread(&thread, Typed::default()).contains("/take"));
}

#[test]
fn what_another_agent_serves_is_only_named() {
    let thread = Thread { is_served_elsewhere: true, ..thread(closing_soon(), None) };
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("Another agent serves this customer now"));
    assert!(!shown.contains("<form"));
}

#[test]
fn li_06_a_thread_of_sent_whose_customer_wrote_leads_to_where_it_is_now() {
    let shown_in = |tab, ticket| {
        let (session, visit) = (session(Presence::Online), visit(Locale::En));
        let viewer = visit.viewer();
        let parts = ThreadParts {
            query: "?tab=sent".to_owned(),
            tab,
            is_earlier: false,
            asks_to_close: false,
            typed: Typed::default(),
            session: &session,
            viewer: &viewer,
        };
        let thread = ThreadView::new(&thread(closing_soon(), ticket), parts);
        let page = Page::new(&visit, &session, String::new(), Place::Conversations);
        ThreadFragment { t: visit.t(), page, thread }.render().unwrap()
    };
    let answered = shown_in(Tab::Sent, Some(open_ticket(mine())));
    assert!(answered.contains("The customer wrote: this conversation is in progress now."));
    assert!(answered.contains("href=\"/desk/conversations/1-42?tab=conversations\""));
    assert!(answered.contains("Open in progress"));
    let waiting = Holding { state: TicketState::Waiting, agent: None, only_agent: Some(UserId(1)) };
    let waiting = shown_in(Tab::Sent, Some(open_ticket(waiting)));
    assert!(waiting.contains("1-42?tab=waiting\"") && waiting.contains("Open in Waiting"));
    for (tab, ticket) in [(Tab::InProgress, Some(open_ticket(mine()))), (Tab::Sent, None)] {
        assert!(!shown_in(tab, ticket).contains("class=\"banner"), "{tab:?}: it is where it was");
    }
}

#[test]
fn what_a_contact_sent_that_is_no_text_shows_as_what_it_is() {
    let some = |text: &str| Some(text.to_owned());
    let place = Location {
        point: GeoPoint::new(51.073_1, -4.057_2),
        name: some("Quay car park"),
        address: some("Marine Parade"),
        url: None,
    };
    let card = ContactCard {
        formatted_name: some("Noor <b>Castell</b>"),
        phones: vec![CardPhone { phone: some("+44 7700 900333"), ..CardPhone::default() }],
        ..ContactCard::default()
    };
    let form = FormReply {
        response_json: some(r#"{"flow_token":"secret","visit_day":"fri-15","newsletter":true}"#),
        ..FormReply::default()
    };
    let item = OrderItem {
        product_id: some("BOWL-BLUE"),
        quantity: Some(2),
        price: Some(Millionths(24_500_000)),
        currency: some("GBP"),
    };
    let order = Order { items: vec![item], ..Order::default() };
    let call = CallPermission { answer: Some(CallAnswer::Reject), expires_at: None, source: None };
    let poll = Unsupported { kind: None, reason: UnsupportedReason::Type, error: None };
    let hologram = InboundContent::Other { kind: "hologram".to_owned(), raw: "{}".to_owned() };
    let cases: [(InboundContent, &[&str]); 7] = [
        (
            InboundContent::Location(place),
            &["Quay car park", "Marine Parade", "mlat=51.07310", "rel=\"noreferrer\""],
        ),
        (InboundContent::Contacts(vec![card]), &["Noor &#60;b&#62;Castell", "+44 7700 900333"]),
        (InboundContent::Form(form), &["Filled-in form", "Visit day", "fri-15", "yes"]),
        (InboundContent::Order(order), &["BOWL-BLUE", "2 at 24.50 GBP", "49.00 GBP"]),
        (InboundContent::CallPermission(call), &["Does not want to be called"]),
        (InboundContent::Unsupported(poll), &["Ask the customer to say it in words"]),
        (hologram, &["hologram", "It is kept"]),
    ];
    for (content, expected) in cases {
        let mut thread = thread(closing_soon(), Some(open_ticket(mine())));
        let message = thread.messages.get_mut(1).unwrap();
        message.body = String::new();
        message.around.payload.content = Some(content);
        let shown = render_thread(&thread, Typed::default());
        for words in expected {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("secret"), "the platform's own mark is nobody's answer");
    }
}

#[test]
fn a_quote_leads_to_its_message_and_reactions_edits_and_deletions_show_at_theirs() {
    let mut thread = thread(closing_soon(), Some(open_ticket(mine())));
    let quoted = |id, body: &str| Quoted::Known {
        id: MessageId(id),
        is_ours: true,
        agent: Some((UserId(1), "Marina Costa".to_owned())),
        kind: "text".to_owned(),
        body: body.to_owned(),
        is_revoked: false,
    };
    let message = thread.messages.get_mut(1).unwrap();
    message.around.quoted = Some(quoted(1, "Hi Luiza"));
    message.around.reactions =
        vec![Reaction { side: ReactionSide::Contact, emoji: "👍".to_owned() }];
    message.around.edited_at = Some(now() - minutes(20));
    message.around.earlier = vec![(now() - minutes(30), "No, thanks".to_owned())];
    message.around.payload.forwarded = Some(Forwarded::Often);
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("href=\"#message-1\"") && shown.contains("Hi Luiza"));
    assert!(shown.contains("reacted with 👍") && shown.contains("Forwarded many times"));
    assert!(shown.contains("Edited") && shown.contains("No, thanks"));

    let message = thread.messages.get_mut(1).unwrap();
    message.around.quoted = Some(quoted(900, "Of long ago"));
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("1-42?tab=conversations&#38;to=900#message-900"), "{shown}");

    let message = thread.messages.get_mut(1).unwrap();
    message.around.revoked_at = Some(now());
    let shown = render_thread(&thread, Typed::default());
    assert!(shown.contains("The customer deleted this message"));
    assert!(!shown.contains("Of long ago"));
}
