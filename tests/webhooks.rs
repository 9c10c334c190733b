//! What the platform may send us: signed or not, whole or broken, once or twice, small or at the limit.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use journeys::{Agent, Database, Demo, client, text_of, until};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

/// Most bytes of one webhook.
const LIMIT: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn webhooks_are_verified_and_applied_on_sqlite() {
    receive(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn webhooks_are_verified_and_applied_on_postgres() {
    receive(&Demo::start(Database::Postgres)).await;
}

async fn receive(demo: &Demo) {
    let platform = Platform::of(demo);
    let agent = Agent::first(demo).await;
    only_what_is_signed_is_taken(&platform, &agent).await;
    the_handshake_answers_who_knows_the_token(&platform).await;
    what_is_not_known_is_no_obstacle(&platform, &agent).await;
    a_repeated_body_is_applied_once(&platform, &agent).await;
    sizes_are_limited(&platform).await;
    a_batch_of_a_thousand_is_applied_whole(&platform, &agent).await;
}

/// The platform as the first channel's webhooks come from it.
struct Platform {
    client: Client,
    channel: Value,
    metrics: String,
}

impl Platform {
    fn of(demo: &Demo) -> Self {
        let metrics = demo.url("metrics").to_owned();
        Self { client: client(), channel: demo.line["channels"][0].clone(), metrics }
    }

    fn word(&self, name: &str) -> &str {
        self.channel[name].as_str().expect("a word")
    }

    fn signature(&self, body: &[u8]) -> String {
        let secret = self.word("app_secret").as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any key fits");
        mac.update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    /// Posts a body with the signature it ought to have.
    async fn post(&self, body: &[u8]) -> StatusCode {
        self.post_signed(self.word("webhook"), body, Some(&self.signature(body))).await
    }

    async fn post_signed(&self, to: &str, body: &[u8], signature: Option<&str>) -> StatusCode {
        let mut request = self.client.post(to).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        request.send().await.expect("an answer").status()
    }

    /// The envelope around one `value` of the field `messages`.
    fn envelope(&self, mut value: Value) -> Value {
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({
            "display_phone_number": "551140001000",
            "phone_number_id": self.word("phone_number_id"),
        });
        let change = json!({"field": "messages", "value": value});
        json!({"object": "whatsapp_business_account",
               "entry": [{"id": self.word("waba_id"), "changes": [change]}]})
    }

    /// A webhook with one message from `phone`, whose owner is called by their number.
    fn inbound(&self, phone: &str, id: &str, text: &str) -> Value {
        self.envelope(json!({
            "contacts": [{"profile": {"name": phone}, "wa_id": phone}],
            "messages": [message(phone, id, text)],
        }))
    }

    /// How many elements of webhooks were applied since the start.
    async fn count_applied(&self) -> u64 {
        let answer = self.client.get(&self.metrics).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let counted = text.lines().find(|line| {
            line.starts_with("janela_webhook_elements_total") && line.contains("\"applied\"")
        });
        let number = counted.and_then(|line| line.rsplit(' ').next());
        number.and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

fn message(phone: &str, id: &str, text: &str) -> Value {
    json!({"from": phone, "id": id, "timestamp": seconds_now(), "type": "text",
           "text": {"body": text}})
}

fn seconds_now() -> String {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    since.as_secs().to_string()
}

/// The row of a customer who wrote, wherever the desk put the ticket.
async fn find_customer(agent: &Agent<'_>, phone: &str) -> Option<journeys::Row> {
    for tab in ["conversations", "waiting"] {
        if let Some(row) = agent.search(tab, phone).await {
            return Some(row);
        }
    }
    None
}

async fn wait_for_customer(agent: &Agent<'_>, phone: &str, words: &str) -> journeys::Row {
    until(&format!("{words} of {phone}"), async || {
        find_customer(agent, phone).await.filter(|row| row.text.contains(words))
    })
    .await
}

async fn only_what_is_signed_is_taken(platform: &Platform, agent: &Agent<'_>) {
    let phone = "5511955550021";
    let body = platform.inbound(phone, "wamid.unsigned", "Olá?").to_string().into_bytes();
    let signature = platform.signature(&body);
    let mut altered = body.clone();
    let at = altered.iter().position(|byte| *byte == b'?').expect("the mark");
    altered[at] = b'!';
    let mut other = signature.clone();
    other.replace_range(7..8, if other[7..].starts_with('0') { "1" } else { "0" });
    let webhook = platform.word("webhook");
    let cases = [
        ("no signature", &body, None),
        ("a wrong one", &body, Some(other.as_str())),
        ("not in hexadecimal", &body, Some("sha256=signed")),
        ("of a body with one other byte", &altered, Some(signature.as_str())),
    ];
    for (case, body, signature) in cases {
        let status = platform.post_signed(webhook, body, signature).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "C1: {case}");
    }
    let broken = b"{\"object\": \"whatsapp_business_account\", \"entry\": [";
    let unsigned = platform.post_signed(webhook, broken, Some(&signature)).await;
    assert_eq!(unsigned, StatusCode::UNAUTHORIZED, "C2: the signature first");
    assert_eq!(platform.post(broken).await, StatusCode::BAD_REQUEST, "signed, but broken");

    let nowhere = webhook.replace("/whatsapp/1", "/whatsapp/999");
    let unknown = platform.post_signed(&nowhere, &body, Some(&signature)).await;
    assert_eq!(unknown, StatusCode::NOT_FOUND);
    assert!(find_customer(agent, phone).await.is_none(), "nothing of the refused ones");
}

async fn the_handshake_answers_who_knows_the_token(platform: &Platform) {
    let ask = async |token: &str| {
        let query =
            [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "4711")];
        let request = platform.client.get(platform.word("webhook")).query(&query);
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("text"))
    };
    let right = ask(platform.word("verify_token")).await;
    assert_eq!(right, (StatusCode::OK, "4711".to_owned()));
    let (status, text) = ask("somebody-else").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "C4");
    assert!(!text.contains("4711"), "C4: no echo");
}

async fn what_is_not_known_is_no_obstacle(platform: &Platform, agent: &Agent<'_>) {
    let phone = "5511955550022";
    let mut body = platform.inbound(phone, "wamid.unknown-fields", "Bom dia");
    body["entry"][0]["changes"][0]["value"]["messages"][0]["mood"] = json!({"of": ["tomorrow"]});
    body["entry"][0]["season"] = json!(4);
    body["entry"].as_array_mut().expect("entries").insert(0, json!({"id": 1, "changes": [7]}));
    assert_eq!(platform.post(body.to_string().as_bytes()).await, StatusCode::OK);
    wait_for_customer(agent, phone, "Bom dia").await;
}

async fn a_repeated_body_is_applied_once(platform: &Platform, agent: &Agent<'_>) {
    let phone = "5511955550023";
    let body = platform.inbound(phone, "wamid.repeated", "Uma vez").to_string().into_bytes();
    for _ in 0..3 {
        assert_eq!(platform.post(&body).await, StatusCode::OK, "C3");
    }
    let next = platform.inbound(phone, "wamid.next", "Depois").to_string();
    assert_eq!(platform.post(next.as_bytes()).await, StatusCode::OK);
    let row = wait_for_customer(agent, phone, "Depois").await;
    assert!(row.text.contains("2 unread"), "{}", row.text);
    let thread = text_of(&agent.browser.page(&row.address).await);
    assert_eq!(thread.matches("Uma vez").count(), 1, "{thread}");
}

async fn sizes_are_limited(platform: &Platform) {
    let mut body = b"{}".to_vec();
    body.resize(LIMIT, b' ');
    assert_eq!(platform.post(&body).await, StatusCode::OK);
    body.push(b' ');
    assert_eq!(platform.post(&body).await, StatusCode::PAYLOAD_TOO_LARGE);
}

/// 999 messages of 50 customers and one receipt, padded to 3 MB.
async fn a_batch_of_a_thousand_is_applied_whole(platform: &Platform, agent: &Agent<'_>) {
    let quiet = json!({"delivered": false, "read": false});
    agent.demo.control(&agent.control, "/settings", &quiet).await;
    let reader = "+5511955550024";
    agent.send(reader).await;
    agent.wait_for_row("/desk/sent", reader, "Sent").await;
    let ledger = agent.demo.look(&agent.control, "/ledger").await;
    let entries = ledger.as_array().expect("a list");
    let sent = entries.iter().find(|entry| entry["to"] == reader[1..]).expect("the send");

    let customer = |index: usize| format!("55119555510{:02}", index % 50);
    let padding = "x".repeat(2_900);
    let messages: Vec<Value> = (0..999)
        .map(|index| {
            let id = format!("wamid.batch-{index}");
            let mut message = message(&customer(index), &id, &format!("mensagem {index}"));
            message["padding"] = json!(padding);
            message
        })
        .collect();
    let names: Vec<Value> = (0..50)
        .map(|index| json!({"profile": {"name": customer(index)}, "wa_id": customer(index)}))
        .collect();
    let receipt = json!({"id": sent["provider_id"], "status": "read", "timestamp": seconds_now(),
                         "recipient_id": &reader[1..]});
    let body = platform
        .envelope(json!({"contacts": names, "messages": messages, "statuses": [receipt]}))
        .to_string();
    assert!(3_000_000 <= body.len() && body.len() <= LIMIT, "{}", body.len());

    let before = platform.count_applied().await;
    let began = Instant::now();
    assert_eq!(platform.post(body.as_bytes()).await, StatusCode::OK);
    println!("a batch of {} bytes was answered in {:?}", body.len(), began.elapsed());
    agent.wait_for_row("/desk/sent", reader, "Read").await;
    wait_for_customer(agent, &customer(998), "mensagem 998").await;
    wait_for_customer(agent, &customer(0), "20 unread").await;
    until("a thousand applied", async || {
        (before + 1_000 <= platform.count_applied().await).then_some(())
    })
    .await;
}
