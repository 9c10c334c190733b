//! A sandbox with a still clock, a receiver of its webhooks, and a client to drive both.

use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::web::{self, Bytes, Data, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use sandbox::{NumberSeed, PhoneSeed, Sandbox, SandboxClock, SandboxConfig, TemplateSeed, sign};
use serde_json::{Value, json};

pub const NUMBER: &str = "730055819924406";
pub const OTHER_NUMBER: &str = "730055819924407";
pub const ACCOUNT: &str = "884120037765421";
pub const TOKEN: &str = "token-1";
pub const SECRET: &str = "sandbox-app-secret-01";
pub const CUSTOMER: &str = "447700900777";
pub const START_MS: i64 = 1_789_000_000_000;

/// How long anything is waited for: much longer than it takes, so that a busy machine changes no outcome.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that stands still until it is advanced.
pub struct StillClock(AtomicI64);

impl SandboxClock for StillClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn advance(&self, step: Duration) {
        self.0.fetch_add(i64::try_from(step.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// What a receiver saw, and how it answers.
#[derive(Default)]
pub struct Received {
    bodies: Mutex<Vec<Value>>,
    /// So many POSTs are refused before one is taken.
    pub refuse: AtomicUsize,
}

impl Received {
    pub fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }

    /// The statuses seen so far, in the order they came.
    pub fn statuses(&self) -> Vec<Value> {
        let status = |body: &Value| body.pointer("/entry/0/changes/0/value/statuses/0").cloned();
        self.bodies().iter().filter_map(status).collect()
    }

    pub fn status_words(&self) -> Vec<String> {
        self.statuses().iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    /// The messages of customers seen so far.
    pub fn messages(&self) -> Vec<Value> {
        let message = |body: &Value| body.pointer("/entry/0/changes/0/value/messages/0").cloned();
        self.bodies().iter().filter_map(message).collect()
    }

    /// The changes of `field` seen so far.
    pub fn changes(&self, field: &str) -> Vec<Value> {
        let change = |body: &Value| body.pointer("/entry/0/changes/0").cloned();
        self.bodies().iter().filter_map(change).filter(|c| c["field"] == field).collect()
    }
}

/// A sandbox whose webhooks arrive at `received`.
pub struct Stage {
    pub sandbox: Sandbox,
    pub received: Arc<Received>,
    pub client: reqwest::Client,
    pub base: String,
}

impl Stage {
    pub async fn set() -> Self {
        Self::set_at("127.0.0.1:0").await
    }

    /// Sets the stage at an address of its own.
    pub async fn set_at(bind: &str) -> Self {
        let number = |id: &str, account: &str, display: &str, token: &str| NumberSeed {
            phone_number_id: id.into(),
            waba_id: account.into(),
            display_phone_number: display.into(),
            verified_name: "Harbour Lane Ceramics".into(),
            app_secret: SECRET.into(),
            access_token: token.into(),
            verify_token: "my-chosen-token".into(),
            throughput: 80,
        };
        let template = |name: &str, category: &str, status: &str| TemplateSeed {
            waba_id: ACCOUNT.into(),
            name: name.into(),
            language: "en_GB".into(),
            category: category.into(),
            status: status.into(),
            components: json!([
                { "type": "BODY", "text": "Hi {{1}}, your slot is ready." },
                { "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Reschedule" }] }
            ]),
            parameter_format: "POSITIONAL".into(),
        };
        let config = SandboxConfig {
            bind: bind.parse().unwrap(),
            smtp_bind: "127.0.0.1:0".parse().unwrap(),
            speed: 1.0,
            seed: 7,
            numbers: vec![
                number(NUMBER, ACCOUNT, "+44 7700 900101", TOKEN),
                number(OTHER_NUMBER, "884120037765499", "+44 7700 900102", "token-2"),
            ],
            templates: vec![
                template("kiln_ready", "UTILITY", "APPROVED"),
                template("spring_range", "MARKETING", "APPROVED"),
                template("kiln_paused", "UTILITY", "PAUSED"),
                template("kiln_off", "UTILITY", "DISABLED"),
                template("kiln_new", "UTILITY", "PENDING"),
            ],
            phones: vec![PhoneSeed { wa_id: CUSTOMER.into(), name: "Imani Okoro é".into() }],
            time_zone: chrono_tz::Tz::Europe__Lisbon,
            clock: Arc::new(StillClock(AtomicI64::new(START_MS))),
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let (received, url) = receiver();
        sandbox.subscribe(NUMBER, &url).await.unwrap();
        let base = format!("http://{}", sandbox.http_addr());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, received, client, base }
    }

    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        let answer = request.body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn send(&self, body: Value) -> (u16, Value) {
        self.post(&format!("/v25.0/{NUMBER}/messages"), body).await
    }

    /// Sends the template `kiln_ready` to the customer and returns the message's id.
    pub async fn send_template(&self, callback_data: &str) -> String {
        let (status, answer) = self.send(template_body("kiln_ready", callback_data)).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(&format!("/control{path}"), body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn advance(&self, step: &str) {
        self.control("/clock", json!({ "advance": step })).await;
    }

    pub async fn delete_faults(&self) {
        let request = self.client.delete(format!("{}/control/faults", self.base));
        assert_eq!(request.send().await.unwrap().status(), 204);
    }

    /// Waits until no webhook is pending.
    pub async fn settled(&self) {
        self.webhooks("pending", 0).await;
    }

    /// Waits until the dispatcher counts `count` under `name`.
    pub async fn webhooks(&self, name: &str, count: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.get("/control/webhooks").await[name] != count {
            assert!(Instant::now() < deadline, "waited in vain: {count} {name}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A template for the customer.
pub fn template_body(name: &str, callback_data: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "to": CUSTOMER, "type": "template",
        "template": { "name": name, "language": { "code": "en_GB" }, "components": [
            { "type": "body", "parameters": [{ "type": "text", "text": "Imani" }] },
            { "type": "button", "sub_type": "quick_reply", "index": "0",
              "parameters": [{ "type": "payload", "payload": "RESCHEDULE:8812" }] }] },
        "biz_opaque_callback_data": callback_data,
    })
}

/// Waits for `condition`, which a slow machine may take its time for.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A webhook address that checks every signature, and what it received.
pub fn receiver() -> (Arc<Received>, String) {
    let received = Arc::new(Received::default());
    let data = Data::from(Arc::clone(&received));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks/whatsapp/42", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        App::new().app_data(data.clone()).service(
            web::resource("/webhooks/whatsapp/42")
                .route(web::get().to(shake))
                .route(web::post().to(take)),
        )
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    tokio::spawn(server);
    (received, url)
}

async fn shake(query: Query<std::collections::HashMap<String, String>>) -> HttpResponse {
    if query.get("hub.verify_token").is_some_and(|word| word == "my-chosen-token") {
        return HttpResponse::Ok().body(query["hub.challenge"].clone());
    }
    HttpResponse::Forbidden().finish()
}

async fn take(received: Data<Received>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let signature = request.headers().get("X-Hub-Signature-256").unwrap().to_str().unwrap();
    assert_eq!(signature, sign(SECRET, &body));
    assert!(body.is_ascii());
    let refuse = received
        .refuse
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if refuse.is_ok() {
        return HttpResponse::InternalServerError().finish();
    }
    received.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    HttpResponse::Ok().finish()
}
