//! What section 11 of the protocol asks of a sandbox beside sends and receipts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    ACCOUNT, CUSTOMER, NUMBER, OTHER_NUMBER, SECRET, Stage, TOKEN, template_body, until,
};

const SAMPLE: &[u8] = b"\x89PNG sandbox";

/// Uploads a small picture by the number and returns its id.
async fn upload(stage: &Stage, mime: &str) -> (u16, Value) {
    let boundary = "sandboxboundary";
    let mut body = Vec::new();
    for (name, value) in [("messaging_product", "whatsapp"), ("type", mime)] {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
    }
    body.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: {mime}\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(SAMPLE);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let request = stage.client.post(format!("{}/v25.0/{NUMBER}/media", stage.base));
    let request = request
        .bearer_auth(TOKEN)
        .header("Content-Type", format!("multipart/form-data; boundary={boundary}"));
    let answer = request.body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn status_of(stage: &Stage, url: &str, token: Option<&str>) -> u16 {
    let mut request = stage.client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_file_is_fetched_by_its_address_with_the_owners_token_for_five_minutes() {
    let stage = Stage::set().await;
    assert_eq!(upload(&stage, "image/tiff").await.1["error"]["code"], 100);
    let (status, answer) = upload(&stage, "image/png").await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["id"].as_str().unwrap();
    let node = stage.get(&format!("/v25.0/{id}?phone_number_id={NUMBER}")).await;
    assert_eq!(node["file_size"], SAMPLE.len());
    assert_eq!(node["sha256"].as_str().unwrap().len(), 64, "hexadecimal");
    let url = node["url"].as_str().unwrap();
    assert!(url.starts_with(&stage.base), "{url}");
    assert_eq!(status_of(&stage, url, None).await, 401);
    assert_eq!(status_of(&stage, url, Some("token-2")).await, 403);
    let file = stage.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap(), SAMPLE);
    stage.advance("PT5M").await;
    assert_eq!(status_of(&stage, url, Some(TOKEN)).await, 404, "five minutes later");
    let other = stage.get(&format!("/{id}?phone_number_id={OTHER_NUMBER}")).await;
    assert_eq!(other["error"]["code"], 100);
    let image = json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "image",
        "image": { "id": id, "caption": "c" } });
    stage.control(&format!("/phones/{CUSTOMER}/reply"), json!({ "text": "Hi" })).await;
    assert_eq!(stage.send(image.clone()).await.0, 200);
    let gone = stage.client.delete(format!("{}/v25.0/{id}/", stage.base)).bearer_auth(TOKEN);
    assert_eq!(
        gone.send().await.unwrap().json::<Value>().await.unwrap(),
        json!({ "success": true })
    );
    assert_eq!(stage.send(image).await.1["error"]["code"], 131_009);
}

#[tokio::test]
async fn each_spoilt_answer_is_spoilt_and_the_message_accepted() {
    let stage = Stage::set().await;
    let cases = [
        ("broken_json", json!({ "kind": "broken_json" })),
        ("reset_during", json!({ "kind": "reset_during" })),
        ("reset_end", json!({ "kind": "reset_end" })),
        ("huge", json!({ "kind": "huge", "bytes": 2_000_000 })),
        ("slow", json!({ "kind": "slow", "ms": 2 })),
    ];
    for (accepted, (case, fault)) in cases.into_iter().enumerate() {
        stage.control("/faults", fault).await;
        let url = format!("{}/v25.0/{NUMBER}/messages", stage.base);
        let body = template_body("kiln_ready", case).to_string();
        let began = Instant::now();
        let answer = stage.client.post(url).bearer_auth(TOKEN).body(body).send().await;
        let bytes = match answer {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        match case {
            "broken_json" => assert!(serde_json::from_slice::<Value>(&bytes.unwrap()).is_err()),
            "huge" => assert!(2_000_000 < bytes.unwrap().len()),
            "slow" => {
                assert!(bytes.unwrap().len() > 100);
                assert!(Duration::from_millis(200) < began.elapsed());
            }
            _ => assert!(bytes.is_err(), "{case}"),
        }
        let ledger = stage.get("/control/ledger").await;
        assert_eq!(ledger.as_array().unwrap().len(), accepted + 1, "{case}");
    }
}

#[tokio::test]
async fn refusals_say_when_to_come_back_and_redirects_lead_into_a_trap() {
    let stage = Stage::set().await;
    let url = format!("{}/v25.0/{NUMBER}/messages", stage.base);
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let send =
        || client.post(&url).bearer_auth(TOKEN).body(template_body("kiln_ready", "a").to_string());
    let fault = json!({ "kind": "error", "status": 429, "code": 4, "retry_after": 7 });
    stage.control("/faults", fault).await;
    let answer = send().send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    stage.control("/faults", json!({ "kind": "redirect" })).await;
    let answer = send().send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert!(answer.headers()["location"].to_str().unwrap().ends_with("/redirected"));
    assert_eq!(stage.get("/control/ledger").await, json!([]));
    let calls = stage.get("/control/calls").await;
    let statuses: Vec<u64> =
        calls.as_array().unwrap().iter().map(|call| call["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [429, 302]);
    stage.control("/faults", json!({ "kind": "error", "number": OTHER_NUMBER })).await;
    assert_eq!(send().send().await.unwrap().status(), 200, "another number's fault");
}

#[tokio::test]
async fn a_held_template_goes_out_later_or_fails() {
    let stage = Stage::set().await;
    stage.control("/faults", json!({ "kind": "held", "ms": 60_000 })).await;
    let (_, answer) = stage.send(template_body("kiln_ready", "a")).await;
    assert_eq!(answer["messages"][0]["message_status"], "held_for_quality_assessment");
    stage.advance("PT59S").await;
    stage.settled().await;
    assert!(stage.received.status_words().is_empty());
    stage.advance("PT1S").await;
    until("sent", || stage.received.status_words() == ["sent"]).await;
    stage.control("/faults", json!({ "kind": "held", "code": 132_015 })).await;
    stage.send_template("b").await;
    stage.advance("PT1M").await;
    until("failed", || stage.received.status_words().contains(&"failed".to_owned())).await;
    let failed = stage.received.statuses().into_iter().find(|s| s["status"] == "failed").unwrap();
    assert_eq!(failed["errors"][0]["code"], 132_015);
}

#[tokio::test]
async fn updates_are_put_together_and_bent_as_asked() {
    let stage = Stage::set().await;
    stage.control("/settings", json!({ "batch": 3 })).await;
    for text in ["a", "b", "c"] {
        stage.control(&format!("/phones/{CUSTOMER}/reply"), json!({ "text": text })).await;
    }
    until("one webhook", || stage.received.bodies().len() == 1).await;
    let body = stage.received.bodies().remove(0);
    let value = &body["entry"][0]["changes"][0]["value"];
    assert_eq!(value["messages"].as_array().unwrap().len(), 3);
    assert_eq!(value["contacts"].as_array().unwrap().len(), 1);
    stage.control("/settings", json!({ "batch": 1 })).await;
    stage.control("/faults", json!({ "kind": "bent", "bend": "no_contacts" })).await;
    stage.control(&format!("/phones/{CUSTOMER}/reply"), json!({ "text": "d" })).await;
    until("the bent one", || stage.received.bodies().len() == 2).await;
    let bent = &stage.received.bodies()[1]["entry"][0]["changes"][0]["value"];
    assert!(bent.get("contacts").is_none());
    stage.control("/settings", json!({ "webhook_version": 23 })).await;
    stage.send_template("x").await;
    until("sent", || !stage.received.statuses().is_empty()).await;
    assert!(stage.received.statuses()[0]["conversation"]["id"].is_string());
}

#[tokio::test]
async fn every_kind_of_message_and_any_change_arrives() {
    let stage = Stage::set().await;
    let kinds = [
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "button",
        "system",
        "unsupported",
    ];
    for (place, kind) in kinds.into_iter().enumerate() {
        stage.control(&format!("/phones/{CUSTOMER}/send"), json!({ "type": kind })).await;
        until(kind, || stage.received.messages().len() == place + 1).await;
        assert_eq!(stage.received.messages()[place]["type"], kind);
    }
    let system = stage.received.bodies().into_iter().rfind(|body| {
        body.pointer("/entry/0/changes/0/value/messages/0/type") == Some(&json!("system"))
    });
    assert!(system.unwrap()["entry"][0]["changes"][0]["value"].get("contacts").is_none());
    let image = &stage.received.messages()[1]["image"];
    assert!(image["url"].as_str().unwrap().contains("source=webhook"));
    let change = json!({ "subject": NUMBER, "field": "account_update", "value": {
        "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": "DISABLE" } } });
    stage.control("/changes", change).await;
    until("the ban", || stage.received.changes("account_update").len() == 1).await;
    let (status, answer) = stage.send(template_body("kiln_ready", "a")).await;
    assert_eq!((status, &answer["error"]["code"]), (403, &json!(131_031)));
}

#[tokio::test]
async fn standing_tokens_and_registration_refuse_with_their_codes() {
    let stage = Stage::set().await;
    let code = || async { stage.send(template_body("kiln_ready", "a")).await };
    let refuse = |code: Value| json!({ "subject": ACCOUNT, "code": code });
    stage.control("/refusals", refuse(json!(368))).await;
    assert_eq!(code().await.1["error"]["code"], 368);
    stage.control("/refusals", refuse(Value::Null)).await;
    stage.control("/tokens", json!({ "token": TOKEN, "expired": true })).await;
    let (status, answer) = code().await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    stage.control("/tokens", json!({ "token": TOKEN, "expired": false })).await;
    assert_eq!(stage.post(&format!("/{NUMBER}/deregister"), json!({})).await.0, 200);
    assert_eq!(code().await.1["error"]["code"], 133_010);
    let pin = json!({ "messaging_product": "whatsapp", "pin": "123456" });
    assert_eq!(stage.post(&format!("/v25.0/{NUMBER}/register/"), pin).await.0, 200);
    let list = json!({ "recipients": ["447700900778"] });
    stage.control(&format!("/numbers/{NUMBER}/recipients"), list).await;
    assert_eq!(code().await.1["error"]["code"], 131_030);
}

#[tokio::test]
async fn an_app_gets_a_token_and_takes_the_fields_it_asked_for() {
    let stage = Stage::set().await;
    let (received, url) = support::receiver();
    let app = sandbox::APP_ID;
    let path = format!(
        "/oauth/access_token?client_id={app}&client_secret={SECRET}&grant_type=client_credentials"
    );
    let token = stage.get(&path).await["access_token"].as_str().unwrap().to_owned();
    let order = json!({ "object": "whatsapp_business_account", "callback_url": url,
        "verify_token": "my-chosen-token", "fields": "messages" });
    let request = stage.client.post(format!("{}/v25.0/{app}/subscriptions", stage.base));
    let answer = request.bearer_auth(&token).json(&order).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "success": true }));
    let none = json!({ "webhook_configuration": { "override_callback_uri": "" } });
    assert_eq!(stage.post(&format!("/v25.0/{NUMBER}"), none).await.0, 200);
    stage.control(&format!("/phones/{CUSTOMER}/reply"), json!({ "text": "Hi" })).await;
    until("at the app's address", || received.messages().len() == 1).await;
    let change = json!({ "subject": ACCOUNT, "field": "account_alerts", "value": {} });
    stage.control("/changes", change).await;
    stage.settled().await;
    assert_eq!(received.bodies().len(), 1, "a field it did not ask for");
}

#[tokio::test]
async fn an_outage_refuses_every_connection_and_ends() {
    // An address of its own: nobody else may take its port meanwhile.
    let stage = Stage::set_at("127.0.0.78:0").await;
    stage.control("/outage", json!({ "ms": 500 })).await;
    let probe = || async { stage.client.get(format!("{}/control/clock", stage.base)).send().await };
    let deadline = Instant::now() + support::PATIENCE;
    while !probe().await.is_err_and(|error| error.is_connect()) {
        assert!(Instant::now() < deadline, "never refused");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while probe().await.is_err() {
        assert!(Instant::now() < deadline, "never back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.send_template("after").await;
    stage.sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_is_written_to_by_the_scoped_id_and_an_unknown_one_is_refused() {
    let stage = Stage::set().await;
    let identity = json!({ "user_id": "GB.77", "hides": true });
    stage.control(&format!("/phones/{CUSTOMER}/identity"), identity).await;
    let mut body = template_body("kiln_ready", "a");
    body.as_object_mut().unwrap().remove("to");
    body["recipient"] = json!("GB.77");
    let (status, answer) = stage.send(body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"][0], json!({ "input": "GB.77", "user_id": "GB.77" }));
    until("sent", || stage.received.status_words() == ["sent"]).await;
    let told = stage.received.statuses().remove(0);
    assert_eq!(told["recipient_user_id"], "GB.77");
    assert!(told.get("recipient_id").is_none());
    body["recipient"] = json!("GB.78");
    assert_eq!(stage.send(body).await.1["error"]["code"], 131_062);
}
