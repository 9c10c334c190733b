//! The sandbox as the desk and a tester see it: over HTTP, with signed webhooks coming back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::atomic::Ordering;

use sandbox::{PastContent, PastFate, PastMessage};
use serde_json::{Value, json};
use support::{ACCOUNT, CUSTOMER, NUMBER, START_MS, Stage, TOKEN, receiver, template_body, until};

fn text_body(text: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "text", "text": { "body": text } })
}

#[tokio::test]
async fn a_send_is_told_as_sent_delivered_and_read_by_the_sandboxs_clock() {
    let stage = Stage::set().await;
    let id = stage.send_template("attempt-1").await;
    until("sent", || stage.received.status_words() == ["sent"]).await;
    stage.advance("PT1S").await;
    until("delivered", || stage.received.status_words() == ["sent", "delivered"]).await;
    stage.advance("PT24H").await;
    until("read", || stage.received.status_words() == ["sent", "delivered", "read"]).await;
    let statuses = stage.received.statuses();
    for status in &statuses {
        assert_eq!(status["id"], id);
        assert_eq!(status["recipient_id"], CUSTOMER);
        assert_eq!(status["biz_opaque_callback_data"], "attempt-1");
    }
    assert_eq!(statuses[0]["pricing"]["category"], "utility");
    assert_eq!(statuses[0]["pricing"]["type"], "regular");
    assert!(statuses[2].get("pricing").is_none());
    assert_eq!(statuses[2]["timestamp"], "1789000003", "at its own instant, not a day later");
}

#[tokio::test]
async fn a_customer_answers_and_the_window_opens_for_free_text() {
    let stage = Stage::set().await;
    let (status, _) = stage.send(text_body("Too early")).await;
    assert_eq!(status, 200);
    until("failed", || stage.received.status_words() == ["failed"]).await;
    assert_eq!(stage.received.statuses()[0]["errors"][0]["code"], 131_047);

    stage.control(&format!("/phones/{CUSTOMER}/reply"), json!({ "text": "Hi é 👍" })).await;
    until("the reply", || !stage.received.messages().is_empty()).await;
    let body = stage.received.bodies().pop().unwrap();
    let value = &body["entry"][0]["changes"][0]["value"];
    assert_eq!(value["messages"][0]["text"]["body"], "Hi é 👍");
    assert_eq!(value["contacts"][0]["profile"]["name"], "Imani Okoro é");
    assert_eq!(value["metadata"]["phone_number_id"], NUMBER);

    stage.send(text_body("Hello")).await;
    until("sent", || stage.received.status_words() == ["failed", "sent"]).await;
    let pricing = stage.received.statuses()[1]["pricing"].clone();
    assert_eq!(pricing["type"], "free_customer_service");

    stage.advance("PT24H").await;
    stage.send(text_body("Too late")).await;
    let failures = || stage.received.status_words().iter().filter(|word| *word == "failed").count();
    until("failed again", || failures() == 2).await;
}

#[tokio::test]
async fn a_customer_without_a_name_has_a_profile_without_one() {
    let stage = Stage::set().await;
    stage.control("/phones/351912000111/reply", json!({ "text": "Hi" })).await;
    until("the reply", || !stage.received.messages().is_empty()).await;
    stage.control("/phones/351912000111/stop", json!({})).await;
    until("the stop", || stage.received.bodies().len() == 2).await;
    for body in stage.received.bodies() {
        let contact = &body["entry"][0]["changes"][0]["value"]["contacts"][0];
        assert_eq!(*contact, json!({ "profile": {}, "wa_id": "351912000111" }));
    }
}

#[tokio::test]
async fn a_tap_on_a_quick_reply_comes_as_a_button_with_its_context() {
    let stage = Stage::set().await;
    let id = stage.send_template("a").await;
    stage.advance("PT1S").await;
    let tap = json!({ "message": id, "button": 0 });
    stage.control(&format!("/phones/{CUSTOMER}/tap"), tap).await;
    until("the tap", || !stage.received.messages().is_empty()).await;
    let message = stage.received.messages().remove(0);
    assert_eq!(message["type"], "button");
    assert_eq!(message["button"], json!({ "payload": "RESCHEDULE:8812", "text": "Reschedule" }));
    assert_eq!(message["context"], json!({ "from": "447700900101", "id": id }));
    let reaction = json!({ "message": id, "emoji": "❤️" });
    stage.control(&format!("/phones/{CUSTOMER}/react"), reaction).await;
    until("the reaction", || stage.received.messages().len() == 2).await;
    assert_eq!(stage.received.messages()[1]["reaction"]["message_id"], id);
}

#[tokio::test]
async fn a_stop_is_told_and_marketing_fails_until_resumed() {
    let stage = Stage::set().await;
    stage.send_template("a").await;
    stage.control(&format!("/phones/{CUSTOMER}/stop"), json!({})).await;
    until("the stop", || stage.received.changes("user_preferences").len() == 1).await;
    let change = stage.received.changes("user_preferences").remove(0);
    let preference = &change["value"]["user_preferences"][0];
    assert_eq!((&preference["value"], &preference["wa_id"]), (&json!("stop"), &json!(CUSTOMER)));
    stage.send(template_body("spring_range", "b")).await;
    until("refused", || stage.received.status_words().contains(&"failed".to_owned())).await;
    let failed = stage.received.statuses().into_iter().find(|s| s["status"] == "failed").unwrap();
    assert_eq!(failed["errors"][0]["code"], 131_050);
    stage.control(&format!("/phones/{CUSTOMER}/resume"), json!({})).await;
    stage.send(template_body("spring_range", "c")).await;
    stage.settled().await;
    assert_eq!(stage.received.status_words().iter().filter(|word| *word == "sent").count(), 2);
}

#[tokio::test]
async fn a_blocked_phone_receives_nothing_and_complaints_move_a_told_rating() {
    let stage = Stage::set().await;
    let number = format!("/v25.0/{NUMBER}?fields=quality_rating,throughput");
    assert_eq!(stage.get(&number).await["quality_rating"], "UNKNOWN");
    stage.control(&format!("/numbers/{NUMBER}/quality"), json!({ "rating": "GREEN" })).await;
    stage.send_template("a").await;
    stage.control(&format!("/phones/{CUSTOMER}/report"), json!({})).await;
    stage.control(&format!("/phones/{CUSTOMER}/block"), json!({})).await;
    stage.advance("PT1H").await;
    stage.settled().await;
    assert_eq!(stage.received.status_words(), ["sent"]);
    assert_eq!(stage.get(&number).await["quality_rating"], "YELLOW");
    let path = format!("/control/phones/{CUSTOMER}/reply");
    assert_eq!(stage.post(&path, json!({ "text": "x" })).await.0, 409);
}

#[tokio::test]
async fn the_ledger_counts_accepted_sends_by_callback_data() {
    let stage = Stage::set().await;
    stage.send_template("attempt-1").await;
    stage.send_template("attempt-1").await;
    stage.send_template("attempt-2").await;
    stage.control("/faults", json!({ "kind": "error", "status": 500, "code": 131_000 })).await;
    assert_eq!(stage.send(template_body("kiln_ready", "attempt-3")).await.0, 500);
    for channel in [NUMBER, "42"] {
        let ledger = stage.get(&format!("/control/ledger?channel={channel}")).await;
        let entries: Vec<(&str, u64)> = ledger
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e["callback_data"].as_str().unwrap(), e["times"].as_u64().unwrap()))
            .collect();
        assert_eq!(entries, [("attempt-1", 2), ("attempt-2", 1)], "{channel}");
        assert_eq!(ledger[0]["to"], CUSTOMER);
        assert_eq!(ledger[0]["at"], "2026-09-10T00:26:40.000Z");
    }
    assert_eq!(stage.get("/control/ledger?channel=nobody").await, json!([]));
}

#[tokio::test]
async fn each_send_fault_does_what_it_says() {
    let stage = Stage::set().await;
    let faults = |body: Value| stage.control("/faults", body);
    faults(json!({ "kind": "error", "status": 429, "code": 130_429 })).await;
    let (status, answer) = stage.send(template_body("kiln_ready", "a")).await;
    assert_eq!((status, &answer["error"]["code"]), (429, &json!(130_429)));

    faults(json!({ "kind": "error", "status": 502 })).await;
    assert_eq!(stage.send(template_body("kiln_ready", "a")).await, (502, Value::Null), "no JSON");

    for (when, accepted) in [("before", 0), ("after", 1)] {
        faults(json!({ "kind": "reset", "when": when })).await;
        let url = format!("{}/v25.0/{NUMBER}/messages", stage.base);
        let call = stage.client.post(url).bearer_auth(TOKEN);
        let body = template_body("kiln_ready", when).to_string();
        let error = call.body(body).send().await.unwrap_err();
        assert!(format!("{error:?}").contains("ConnectionReset"), "{when}: {error:?}");
        let ledger = stage.get("/control/ledger").await;
        assert_eq!(ledger.as_array().unwrap().len(), accepted, "{when}");
    }

    faults(json!({ "kind": "delay", "ms": 300 })).await;
    let began = std::time::Instant::now();
    stage.send_template("late").await;
    assert!(300 <= began.elapsed().as_millis());
    assert_eq!(stage.get("/control/faults").await, json!([]), "all are used up");
}

#[tokio::test]
async fn each_webhook_fault_does_what_it_says() {
    let stage = Stage::set().await;
    let words = || stage.received.status_words();
    stage.control("/faults", json!({ "kind": "lost" })).await;
    stage.send_template("lost").await;
    stage.advance("PT1S").await;
    until("delivered alone", || words() == ["delivered"]).await;
    stage.control("/faults", json!({ "kind": "doubled" })).await;
    stage.advance("PT10S").await;
    until("read twice", || words() == ["delivered", "read", "read"]).await;

    stage.control("/faults", json!({ "kind": "late", "ms": 60_000 })).await;
    stage.send_template("late").await;
    stage.advance("PT10S").await;
    until("sent is missing", || words()[3..] == ["delivered", "read"]).await;
    stage.advance("PT50S").await;
    until("sent comes late", || words()[3..] == ["delivered", "read", "sent"]).await;

    stage.control("/faults", json!({ "kind": "shuffled", "count": 3 })).await;
    stage.send_template("shuffled").await;
    stage.advance("PT10S").await;
    until("all three", || words().len() == 9).await;
    assert_ne!(words()[6..], ["sent", "delivered", "read"]);

    stage.control("/faults", json!({ "kind": "lost", "count": 9 })).await;
    stage.delete_faults().await;
    stage.send_template("well").await;
    until("sent again", || words().len() == 10).await;
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_taken_and_the_order_holds() {
    let stage = Stage::set().await;
    stage.received.refuse.store(2, Ordering::SeqCst);
    stage.send_template("a").await;
    stage.webhooks("failed_attempts", 2).await;
    stage.advance("PT1H").await;
    until("all in order", || stage.received.status_words() == ["sent", "delivered", "read"]).await;
}

#[tokio::test]
async fn what_stands_against_a_send_has_the_platforms_code() {
    let stage = Stage::set().await;
    let missing = |components: Value| {
        let mut body = template_body("kiln_ready", "a");
        body["template"]["components"] = components;
        body
    };
    let cases = [
        ("unknown name", template_body("nobody_knows", "a"), 404, 132_001),
        ("not approved", template_body("kiln_new", "a"), 404, 132_001),
        ("paused", template_body("kiln_paused", "a"), 400, 132_015),
        ("disabled", template_body("kiln_off", "a"), 400, 132_016),
        ("a variable is missing", missing(json!([])), 400, 132_000),
        ("no product", json!({ "to": CUSTOMER }), 400, 100),
    ];
    for (case, body, status, code) in cases {
        let (got, answer) = stage.send(body).await;
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{case}");
    }
    let call = |token: &'static str, id: &'static str| {
        let url = format!("{}/{id}/messages/", stage.base);
        let request = stage.client.post(url).bearer_auth(token).body("{}");
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(call("nonsense", NUMBER).await["error"]["code"], 190);
    assert_eq!(call("token-2", NUMBER).await["error"]["code"], 200);
    assert_eq!(call(TOKEN, "1").await["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn the_46th_message_of_a_burst_to_one_customer_is_too_many() {
    let stage = Stage::set().await;
    for n in 0..45 {
        stage.send_template(&format!("a{n}")).await;
    }
    let (status, answer) = stage.send(template_body("kiln_ready", "b")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(131_056)));
    stage.advance("PT6S").await;
    stage.send_template("c").await;
}

#[tokio::test]
async fn a_number_beyond_its_throughput_is_told_to_slow_down() {
    let stage = Stage::set().await;
    stage.control(&format!("/numbers/{NUMBER}/throughput"), json!({ "mps": 2 })).await;
    stage.send_template("a").await;
    stage.send_template("b").await;
    let (status, answer) = stage.send(template_body("kiln_ready", "c")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(130_429)));
    stage.control(&format!("/numbers/{NUMBER}/throughput"), json!({ "mps": 2_000 })).await;
    stage.send_template("d").await;
    until("told", || stage.received.changes("phone_number_quality_update").len() == 1).await;
}

#[tokio::test]
async fn a_told_limit_is_reported_told_and_kept() {
    let stage = Stage::set().await;
    let field = "whatsapp_business_manager_messaging_limit";
    let path = format!("/v25.0/{NUMBER}?fields={field}");
    assert!(stage.get(&path).await.get(field).is_none(), "none until told");
    stage.control(&format!("/numbers/{NUMBER}/limit"), json!({ "limit": 1 })).await;
    assert_eq!(stage.get(&path).await[field], "TIER_1");
    stage.send_template("a").await;
    let mut second = template_body("kiln_ready", "b");
    second["to"] = json!("447700900778");
    stage.send(second).await;
    until("over the limit", || stage.received.status_words().contains(&"failed".to_owned())).await;
    let failed = stage.received.statuses().into_iter().find(|s| s["status"] == "failed").unwrap();
    assert_eq!(failed["errors"][0]["code"], 131_048);
}

#[tokio::test]
async fn templates_are_listed_in_pages_and_their_status_is_told() {
    let stage = Stage::set().await;
    let mut path = format!("/v25.0/{ACCOUNT}/message_templates?fields=name,status&limit=2");
    let mut names = Vec::new();
    loop {
        let page = stage.get(&path).await;
        let data = page["data"].as_array().unwrap();
        names.extend(data.iter().map(|t| t["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["paging"]["next"].as_str() else { break };
        path = next.strip_prefix(&stage.base).unwrap().to_owned();
    }
    assert_eq!(names, ["kiln_ready", "spring_range", "kiln_paused", "kiln_off", "kiln_new"]);
    let approve = json!({ "language": "en_GB", "status": "approve" });
    stage.control("/templates/kiln_new/status", approve).await;
    until("told", || stage.received.changes("message_template_status_update").len() == 1).await;
    let change = stage.received.changes("message_template_status_update").remove(0);
    assert_eq!(change["value"]["event"], "APPROVED");
    assert!(change["value"]["message_template_id"].is_u64());
    let approved =
        format!("/v25.0/{ACCOUNT}/message_templates?status=APPROVED&summary=total_count");
    let page = stage.get(&approved).await;
    assert_eq!(page["summary"]["total_count"], 3);
    assert_eq!(page["data"][0]["components"][0]["type"], "BODY");
    let numbers = stage.get(&format!("/{ACCOUNT}/phone_numbers")).await;
    assert_eq!(numbers["data"][0]["id"], NUMBER);
}

#[tokio::test]
async fn an_account_subscribes_only_after_the_handshake() {
    let stage = Stage::set().await;
    let (_, url) = receiver();
    let path = format!("/v25.0/{ACCOUNT}/subscribed_apps");
    let order = |word: &str| json!({ "override_callback_uri": url, "verify_token": word });
    assert_eq!(stage.post(&path, order("wrong")).await.0, 400);
    assert_eq!(stage.post(&path, order("my-chosen-token")).await.1, json!({ "success": true }));
    assert_eq!(stage.get(&path).await["data"][0]["override_callback_uri"], url);
    assert!(stage.sandbox.subscribe("1", &url).await.is_err());
}

#[tokio::test]
async fn many_sends_at_once_are_all_told_each_in_its_order() {
    const SENDS: usize = 300;
    let stage = Stage::set().await;
    stage.control(&format!("/numbers/{NUMBER}/throughput"), json!({ "mps": 2_000 })).await;
    let send = |n: usize| {
        let mut body = template_body("kiln_ready", &format!("attempt-{n}"));
        body["to"] = json!(format!("3460000{n:05}"));
        stage.send(body)
    };
    for answer in futures_util::future::join_all((0..SENDS).map(send)).await {
        assert_eq!(answer.0, 200, "{}", answer.1);
    }
    stage.advance("PT3S").await;
    until("all are told", || stage.received.statuses().len() == 3 * SENDS).await;
    let statuses = stage.received.statuses();
    for n in 0..SENDS {
        let data = format!("attempt-{n}");
        let own = statuses.iter().filter(|s| s["biz_opaque_callback_data"] == *data);
        let words: Vec<&str> = own.map(|s| s["status"].as_str().unwrap()).collect();
        assert_eq!(words, ["sent", "delivered", "read"], "{data}");
    }
}

#[tokio::test]
async fn what_an_old_address_has_not_taken_follows_to_the_new_one() {
    let stage = Stage::set().await;
    stage.received.refuse.store(usize::MAX, Ordering::SeqCst);
    stage.send_template("a").await;
    stage.webhooks("failed_attempts", 2).await;
    let (received, url) = receiver();
    let order = json!({ "webhook_configuration": {
        "override_callback_uri": url, "verify_token": "my-chosen-token" } });
    assert_eq!(stage.post(&format!("/v25.0/{NUMBER}"), order).await.0, 200);
    until("sent at the new address", || received.status_words() == ["sent"]).await;
    let number = stage.get(&format!("/{NUMBER}?fields=webhook_configuration")).await;
    assert_eq!(number["webhook_configuration"]["phone_number"], url);
}

#[tokio::test]
async fn other_sites_may_not_play_the_customer() {
    let stage = Stage::set().await;
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example")] {
        for path in ["/control/clock", "/phones/447700900777/block"] {
            let call = stage.client.post(format!("{}{path}", stage.base)).header(name, value);
            let answer = call.body(r#"{"advance":"PT1H"}"#).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn a_sandbox_stops_and_frees_its_address() {
    // An address of its own: among those of the other tests someone else could take its port at once.
    let stage = Stage::set_at("127.0.0.77:0").await;
    let address = stage.sandbox.http_addr();
    stage.sandbox.stop().await.unwrap();
    assert!(std::net::TcpListener::bind(address).is_ok());
}

#[tokio::test]
async fn a_seeded_past_is_on_the_phone_and_is_told_to_nobody() {
    let stage = Stage::set().await;
    let at = |minutes: i64| START_MS - minutes * 60_000;
    let past = |id: &str, minutes, content| PastMessage {
        wa_id: CUSTOMER.into(),
        phone_number_id: NUMBER.into(),
        id: id.into(),
        at_ms: at(minutes),
        content,
    };
    let template = |fate| PastContent::Template {
        name: "kiln_ready".into(),
        language: "en_GB".into(),
        values: [("1".to_owned(), "Imani".to_owned())].into(),
        fate,
    };
    let messages = vec![
        past("p1", 90, template(PastFate::Read)),
        past("p2", 80, PastContent::Tapped("Reschedule".into())),
        past("p3", 70, PastContent::Answered("Friday then.".into(), PastFate::Read)),
        past("p4", 60, PastContent::Written("Thank you".into())),
        past("p5", 50, template(PastFate::Failed(131_049))),
        past("p6", 40, template(PastFate::Delivered)),
        past("p7", 30, template(PastFate::Sent)),
    ];
    stage.sandbox.remember(messages).unwrap();
    let phone = stage.get(&format!("/control/phones/{CUSTOMER}")).await;
    let shown: Vec<(&str, &str, &str)> = phone["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            let word = |name: &str| message[name].as_str().unwrap();
            (word("id"), word("text"), word("status"))
        })
        .collect();
    let slot = "Hi Imani, your slot is ready.";
    let expected = [
        ("p1", slot, "read"),
        ("p2", "Reschedule", "read"),
        ("p3", "Friday then.", "read"),
        ("p4", "Thank you", "delivered"),
        ("p5", slot, "failed"),
        ("p6", slot, "delivered"),
        ("p7", slot, "sent"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(phone["messages"][0]["tapped"], 0);
    assert_eq!(phone["messages"][1]["context"], "p1");
    assert_eq!(phone["messages"][4]["failure"]["code"], 131_049);
    assert_eq!(phone["unread"], 1, "what was delivered");
    assert_eq!(stage.get("/control/ledger").await, json!([]), "the ledger counts what it was sent");
    stage.settled().await;
    assert!(stage.received.bodies().is_empty(), "{:?}", stage.received.bodies());

    let text = json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "text",
        "text": { "body": "See you" } });
    assert_eq!(stage.send(text).await.0, 200, "the window is open by what was written");
    stage.control(&format!("/phones/{CUSTOMER}/read"), json!({})).await;
    until("the receipt of a past message", || {
        let is_read = |status: &Value| status["id"] == "p6" && status["status"] == "read";
        stage.received.statuses().iter().any(is_read)
    })
    .await;

    let elsewhere = PastMessage {
        phone_number_id: "1".into(),
        ..past("p8", 1, PastContent::Written("?".into()))
    };
    let unknown = stage.sandbox.remember(vec![elsewhere]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the past message p8 cannot be remembered: its number is not known"
    );
    let no_button = past("p9", 1, PastContent::Tapped("Cancel".into()));
    assert!(stage.sandbox.remember(vec![no_button]).is_err());
}
