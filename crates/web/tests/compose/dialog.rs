//! The dialog as a whole: who may open it, the send, and what was left unfinished.

use super::*;

#[actix_web::test]
async fn am_01_who_is_invisible_is_told_and_may_go_online() {
    let given = Given::desk().await;
    given.choose(Presence::Invisible);
    insta::assert_snapshot!(shown(given.show("").await, 200).await);
}

#[actix_web::test]
async fn am_11_the_same_press_twice_is_one_message_and_another_is_told() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let common = [("template", template.as_str()), ("recipient", "+34600111213")];
    let shown_step = [("step", "recipient"), common[0], common[1], ("go", "continue")];
    let page = given.press(&shown_step).await.text().await.unwrap();
    let key = key_in(&page);
    let send = [("step", "variables"), common[0], common[1], ("key", &key), ("go", "send")];
    for _ in 0..3 {
        let answer = given.press(&send).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "/desk/sent");
    }
    assert_eq!(given.count_sends(), 1);
    let luis = format!("c{}", given.luis);
    let other =
        [("step", "variables"), common[0], ("recipient", &luis), ("key", &key), ("go", "send")];
    let page = shown(given.press(&other).await, 409).await;
    assert!(page.contains("sent before with other content"), "{page}");
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn am_09_in_the_dialog_it_closes_and_a_toast_says_so() {
    let given = Given::desk().await;
    let (template, luis) = (given.plain.to_string(), format!("c{}", given.luis));
    let send = [
        ("dialog", "1"),
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    let answer = given.posting(&send).header("hx-request", "true").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let trigger = answer.headers()["hx-trigger"].to_str().unwrap().to_owned();
    let events: serde_json::Value = serde_json::from_str(&trigger).unwrap();
    assert_eq!(events["janela:toast"]["text"], "Message sent to \u{2068}Luís Cabrera\u{2069}");
    assert!(events.get("janela:close-dialog").is_some());
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn am_09_on_a_page_of_its_own_the_next_page_says_so_once() {
    let given = Given::desk().await;
    let (template, luis) = (given.plain.to_string(), format!("c{}", given.luis));
    let send = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    let answer = given.press(&send).await;
    let (_, said) = left_to_say(&answer).unwrap();
    let page = given.browser.get("/desk/sent").header("cookie", said).send().await.unwrap();
    assert!(left_to_say(&page).is_none(), "the browser forgets it");
    let page = page.text().await.unwrap();
    assert!(page.contains("Message sent to \u{2068}Luís Cabrera\u{2069}"), "{page}");
    for path in ["/desk/sent".to_owned(), format!("/desk/sent?sent_to={}", given.luis)] {
        let page = given.browser.get(&path).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("Message sent to"), "{path}");
    }
}

#[actix_web::test]
async fn a_refused_send_gives_every_reason_and_the_end_of_the_whole() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(2, luiza).await;
    let (template, chosen) = (given.plain.to_string(), format!("c{luiza}"));
    let send = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", chosen.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    insta::assert_snapshot!(shown(given.press(&send).await, 409).await);
    assert_eq!(given.count_sends(), 2);
}

#[actix_web::test]
async fn am_01_a_stale_page_of_an_agent_gone_invisible_sends_nothing_and_offers_the_switch() {
    let given = Given::desk().await;
    let agent = given.desk.agent;
    given.choose(Presence::Invisible);
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut send = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "Luís"),
        ("v_order", "48213"),
        ("go", "send"),
    ];
    let page = shown(given.press(&send).await, 409).await;
    let notice = part(&page, "id=\"compose-presence\"", "<div id=\"compose-problems\">");
    assert!(notice.contains(&format!("janela:presence-{agent} from:body")), "{notice}");
    assert!(notice.contains("You are invisible. Go online to send"), "{notice}");
    assert!(notice.contains("Nothing was sent."), "{notice}");
    assert!(notice.contains("data-problem") && notice.contains("value=\"online\""), "{notice}");
    assert!(
        !page.contains("This message cannot be sent now"),
        "one thing stands against it: {page}"
    );
    assert_eq!(given.count_sends(), 0);

    send.last_mut().unwrap().1 = "online";
    let page = shown(given.press(&send).await, 200).await;
    assert!(!page.contains("You are invisible"), "{page}");
    assert!(page.contains("value=\"48213\""), "what was typed stays: {page}");
    assert_eq!(given.count_sends(), 0, "going online sends nothing");
    let (key, last) = (key_in(&given.press(&send).await.text().await.unwrap()), send.len() - 1);
    send[last].1 = "send";
    send.push(("key", key.as_str()));
    assert_eq!(given.press(&send).await.status(), 303);
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn am_01_going_online_in_the_dialog_keeps_whom_it_was_opened_for() {
    let given = Given::desk().await;
    given.choose(Presence::Invisible);
    let page = shown(given.show(&format!("?contact={}", given.luis)).await, 200).await;
    let chosen = format!("name=\"recipient\" value=\"c{}\"", given.luis);
    assert!(page.contains("You are invisible") && page.contains(&chosen), "{page}");
    let luis = format!("c{}", given.luis);
    let online = [("step", "template"), ("recipient", luis.as_str()), ("go", "online")];
    let page = shown(given.press(&online).await, 200).await;
    assert!(page.contains("id=\"templates\"") && page.contains(&chosen), "{page}");
}

#[actix_web::test]
async fn the_account_button_tells_the_presence_as_it_is() {
    let given = Given::desk().await;
    given.choose(Presence::OnBreak);
    let page = given.browser.fragment("/desk/me").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("data-presence=\"on_break\""), "{page}");
    assert!(page.contains(&format!("janela:presence-{} from:body", given.desk.agent)), "{page}");
    assert!(part(&page, "value=\"on_break\"", ">").contains("aria-current"), "{page}");
}

#[actix_web::test]
async fn a_message_left_unfinished_is_shown_again_and_may_be_begun_anew() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("dialog", "1"),
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_order", "48213"),
        ("go", "resume"),
    ];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("You left this message unfinished"), "{page}");
    assert!(page.contains("value=\"48213\"") && page.contains("data-draft"), "{page}");
    fields[5].1 = "anew";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("data-step=\"template\"") && !page.contains("data-draft"), "{page}");
    assert!(!page.contains("48213") && !page.contains("name=\"recipient\""), "{page}");
}

#[actix_web::test]
async fn what_is_not_the_agents_to_know_is_not_found() {
    let given = Given::desk().await;
    assert_eq!(given.show("?contact=999999").await.status(), 404);
    assert_eq!(given.show("?ticket=999999").await.status(), 404);
    assert_eq!(given.press(&[("sender", "1")]).await.status(), 422);
    let answer = given.browser.get("/media/00000000000000000000000000000000").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[actix_web::test]
async fn without_script_each_press_has_a_page_of_its_own_that_names_nobody_and_sends_nothing() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let to_variables = [
        ("step", "recipient"),
        ("template", template.as_str()),
        ("recipient", "+34600111213"),
        ("to", "Luiza"),
        ("go", "continue"),
    ];
    let answer = given.posting(&to_variables).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let way = draft_of(&answer).unwrap();
    assert!(!way.contains("600111213") && !way.contains("Luiza"), "{way}");
    let page = given.browser.get(&way).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("id=\"compose-send\"") && page.contains("+34600111213"), "{page}");
    let key = key_in(&page);
    let send =
        [("step", "variables"), to_variables[1], to_variables[2], ("key", &key), ("go", "send")];
    let sent = given.posting(&send).send().await.unwrap();
    assert_eq!(
        (sent.status().as_u16(), &sent.headers()["location"]),
        (303, &"/desk/sent".parse().unwrap())
    );

    // Back, and once more: the same press.
    let page = given.browser.get(&way).send().await.unwrap().text().await.unwrap();
    assert_eq!(key_in(&page), key);
    assert_eq!(given.press(&send).await.status(), 303);
    assert_eq!(given.count_sends(), 1);

    let other = given.desk.signed_in(ADMIN).await;
    let cut = way[..way.len() - 4].to_owned();
    for (case, browser, way) in [("someone else's", &other, &way), ("cut", &given.browser, &cut)] {
        let page = browser.get(way).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("+34600111213"), "{case}");
    }
    given.desk.clock.advance(std::time::Duration::from_hours(24));
    let again = given.desk.signed_in(AGENT).await;
    given.choose(Presence::Online);
    let page = again.get(&way).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("id=\"templates\"") && !page.contains("+34600111213"), "a day old");
}

#[actix_web::test]
async fn what_no_address_holds_is_shown_in_place() {
    let given = Given::desk().await;
    let (template, long) = (given.order_ready.to_string(), "x".repeat(4_000));
    let fields = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", "+34600111213"),
        ("v_name", long.as_str()),
        ("v_order", long.as_str()),
        ("go", "look"),
    ];
    let answer = given.posting(&fields).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains(&long));
}

#[actix_web::test]
async fn ad_01_a_send_forged_by_who_may_send_nowhere_is_refused_and_logged() {
    let mut given = Given::desk().await;
    given.browser = given.desk.signed_in(MANAGER).await;
    let (template, channel) = (given.plain.to_string(), given.desk.channel.to_string());
    let luiza = format!("c{}", given.luiza);
    let forged = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", &luiza),
        ("key", "0123456789abcdef0123456789abcdef"),
        ("go", "send"),
    ];
    let logged = || given.desk.store().dump(&[])["decisions"].clone();
    let with_channel = [&forged[..], &[("channel", channel.as_str())]].concat();
    for (times, fields) in [&forged[..], &with_channel].into_iter().enumerate() {
        let answer = given.posting(fields).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert!(answer.text().await.unwrap().contains("not_permitted"));
        assert_eq!(logged().len(), times + 1);
    }
    assert!(logged().iter().all(|row| row.contains("not_permitted")), "{:?}", logged());
    let toast = given.posting(&forged).header("hx-request", "true").send().await.unwrap();
    assert_eq!((toast.status().as_u16(), logged().len()), (403, 3));
    // What names nothing there is to decide on is refused all the same.
    for fields in
        [&[("go", "send")][..], &[("go", "send"), forged[1]], &[("go", "send"), forged[2]]]
    {
        assert_eq!(given.posting(fields).send().await.unwrap().status(), 403);
    }
    let unknown = [&forged[..], &[("channel", "999")]].concat();
    assert_eq!(given.posting(&unknown).send().await.unwrap().status(), 404);
    assert_eq!(logged().len(), 3);
    assert!(given.desk.store().dump(&[])["active_messages"].is_empty());
}

#[actix_web::test]
async fn what_was_typed_as_a_session_ended_is_there_after_the_sign_in_for_its_author_alone() {
    let given = Given::desk().await;
    let template = given.order_ready.to_string();
    let step = [("step", "recipient"), ("template", &template), ("recipient", "+34600111213")];
    let page = given.press(&[&step[..], &[("go", "continue")]].concat()).await;
    let page = page.text().await.unwrap();
    let author = part(&page, "name=\"author\" value=\"", "\"").to_owned();
    let typed = [("dialog", "1"), ("step", "variables"), step[1], step[2], ("v_order", "48213-B")];
    given.desk.clock.advance(std::time::Duration::from_hours(13));
    let long = "x".repeat(4_000);
    let press = async |own: &[(&str, &str)], is_fragment: bool| {
        let press = given.browser.post(COMPOSE).form(&[&typed[..], own].concat());
        let press = if is_fragment { press.header("hx-request", "true") } else { press };
        press.send().await.unwrap()
    };
    let own = [("author", author.as_str()), ("go", "send")];
    let answer = press(&own, true).await;
    assert_eq!(answer.status(), 401);
    let way = answer.headers()["hx-redirect"].to_str().unwrap().to_owned();
    assert!(way.starts_with("/account/sign-in?expired=1&next="), "{way}");
    assert!(!way.contains("48213") && !way.contains("600111213"), "sealed: {way}");
    let answer = press(&own, false).await;
    assert_eq!(answer.status(), 303);
    let sign_in = given.browser.get(&way).send().await.unwrap().text().await.unwrap();
    let next = part(&sign_in, "name=\"next\" value=\"", "\"").to_owned();
    // What the press would have said of the values, it says now.
    for (email, is_theirs, status) in [(AGENT, true, 422), (ADMIN, false, 200)] {
        let mut browser = given.desk.browser();
        let form = [("email", email), ("password", common::PASSWORD), ("next", &next)];
        let answer = browser.post("/account/sign-in").form(&form).send().await.unwrap();
        browser.keep_session(&answer);
        let next = answer.headers()["location"].to_str().unwrap();
        let page = browser.get(next).send().await.unwrap();
        assert_eq!(page.status(), status, "{email}");
        let page = page.text().await.unwrap();
        for typed in ["value=\"48213-B\"", "+34600111213", "data-step=\"variables\""] {
            assert_eq!(page.contains(typed), is_theirs, "{email}, {typed}: {page}");
        }
        assert!(!page.contains("name=\"dialog\""), "a page of its own: {page}");
    }
    assert_eq!(given.count_sends(), 0);
    // What no address holds stays where it is; a page of nobody's leads to the sign-in alone.
    let too_long = [own[0], ("v_name", &long), ("v_header", &long)];
    let answer = press(&too_long, true).await;
    assert!(answer.headers().get("hx-redirect").is_none() && !answer.status().is_success());
    let answer = press(&[("author", "forged")], true).await;
    assert_eq!(answer.headers()["hx-redirect"], "/account/sign-in?expired=1");
}

#[actix_web::test]
async fn jo_05_while_the_clock_is_not_trusted_the_dialog_stays_as_it_is_and_a_toast_says_why() {
    let given = Given::desk().await;
    let (template, luis) = (given.plain.to_string(), format!("c{}", given.luis));
    let send = [
        ("dialog", "1"),
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    let press = || given.posting(&send).header("hx-request", "true").send();
    given.desk.clock.distrust(true);
    let answer = press().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["hx-reswap"], "none", "nothing typed is lost");
    let trigger = answer.headers()["hx-trigger"].to_str().unwrap().to_owned();
    let events: serde_json::Value = serde_json::from_str(&trigger).unwrap();
    assert_eq!(
        events["janela:toast"]["text"],
        "This server's clock jumped, so sending is paused. Nothing was sent or lost. Send again in ten \
         minutes, or ask your admin to confirm the clock."
    );
    assert_eq!(given.count_sends(), 0);
    given.desk.clock.distrust(false);
    assert_eq!(press().await.unwrap().status(), 200, "the same press goes once it is trusted");
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn jo_05_without_script_the_page_comes_back_with_the_reason_and_what_was_typed() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let send = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_order", "48213-B"),
        ("v_name", "Luís"),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    given.desk.clock.distrust(true);
    let answer = given.posting(&send).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let page = answer.text().await.unwrap();
    assert!(page.contains("This server&#39;s clock jumped, so sending is paused"), "{page}");
    for typed in ["value=\"48213-B\"", "value=\"0123456789abcdef\"", "data-step=\"variables\""] {
        assert!(page.contains(typed), "{typed}: {page}");
    }
    assert_eq!(given.count_sends(), 0);
    given.desk.clock.distrust(false);
    assert_eq!(
        given.posting(&send).send().await.unwrap().status(),
        303,
        "the same press goes later"
    );
    assert_eq!(given.count_sends(), 1);
}
