//! The sandbox as its own program: what it was asked to send, what it does on command, and what it signs.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{client, janela, seconds_now};

/// A running sandbox; killed when dropped.
pub struct Platform {
    process: Child,
    client: Client,
    url: String,
    /// Its numbers, with their secrets, as it printed them.
    pub numbers: Vec<Value>,
}

/// One send that the sandbox accepted.
#[derive(Debug, Clone)]
pub struct Entry {
    pub to: String,
    pub callback: String,
    pub provider_id: String,
    pub times: u64,
}

impl Platform {
    pub fn start(speed: u32) -> Self {
        let mut process = janela(&["sandbox", "--json", "--bind", "127.0.0.1:0"])
            .args(["--smtp-bind", "127.0.0.1:0", "--speed", &speed.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("its line");
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let url = told["sandbox"].as_str().expect("its address").trim_end_matches('/').to_owned();
        let numbers = told["channels"].as_array().expect("numbers").clone();
        Self { process, client: client(), url, numbers }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its address as `outgoing_allow` wants it.
    pub fn host_and_port(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// A word of its `nth` number, such as `app_secret`.
    pub fn word(&self, nth: usize, name: &str) -> &str {
        self.numbers[nth][name].as_str().expect("a word")
    }

    pub async fn order(&self, path: &str, order: Value) {
        let address = format!("{}/control{path}", self.url);
        let answer = self.client.post(address).json(&order).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("text"));
    }

    pub async fn look(&self, path: &str) -> Value {
        let address = format!("{}/control{path}", self.url);
        let answer = self.client.get(address).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    pub async fn clear_faults(&self) {
        let address = format!("{}/control/faults", self.url);
        self.client.delete(address).send().await.expect("an answer");
    }

    /// Lets every number send `rate` messages a second, so that the sandbox is no bound.
    pub async fn lift_limits(&self, rate: u32) {
        for nth in 0..self.numbers.len() {
            let number = self.word(nth, "phone_number_id");
            self.order(&format!("/numbers/{number}/throughput"), json!({ "mps": rate })).await;
        }
    }

    pub async fn ledger(&self) -> Vec<Entry> {
        let ledger = self.look("/ledger").await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entry = |entry: &Value| Entry {
            to: text(&entry["to"]),
            callback: text(&entry["callback_data"]),
            provider_id: text(&entry["provider_id"]),
            times: entry["times"].as_u64().unwrap_or_default(),
        };
        ledger.as_array().expect("a list").iter().map(entry).collect()
    }

    /// Has the webhooks of the `nth` number delivered to `webhook`, after a handshake.
    pub async fn subscribe(&self, nth: usize, webhook: &str) {
        let number = self.word(nth, "phone_number_id");
        let order = json!({ "webhook_configuration": {
            "override_callback_uri": webhook, "verify_token": self.word(nth, "verify_token"),
        } });
        let request = self
            .client
            .post(format!("{}/v25.0/{number}", self.url))
            .bearer_auth(self.word(nth, "access_token"))
            .json(&order);
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        assert!(status.is_success(), "{status}: {}", answer.text().await.expect("text"));
    }

    /// What the platform writes beside a webhook of its `nth` number.
    pub fn signature(&self, nth: usize, body: &[u8]) -> String {
        let secret = self.word(nth, "app_secret").as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any key fits");
        mac.update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    /// Posts a webhook of the `nth` number, signed, as the platform does; `None` without an answer.
    pub async fn post(&self, nth: usize, webhook: &str, body: Vec<u8>) -> Option<StatusCode> {
        let signature = self.signature(nth, &body);
        let request = self.client.post(webhook).header("x-hub-signature-256", signature);
        let answer = request.header("content-type", "application/json").body(body).send().await;
        answer.ok().map(|answer| answer.status())
    }

    /// The envelope around one `value` of the field `messages` of the `nth` number.
    pub fn envelope(&self, nth: usize, mut value: Value) -> Value {
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({
            "display_phone_number": "551140001000",
            "phone_number_id": self.word(nth, "phone_number_id"),
        });
        let change = json!({ "field": "messages", "value": value });
        json!({ "object": "whatsapp_business_account",
                "entry": [{ "id": self.word(nth, "waba_id"), "changes": [change] }] })
    }

    /// A webhook with one text of a customer.
    pub fn text(&self, from: &str, id: &str, text: &str) -> Vec<u8> {
        let value = json!({
            "contacts": [{ "profile": { "name": "Luísa" }, "wa_id": from }],
            "messages": [message(from, id, text)],
        });
        self.envelope(0, value).to_string().into_bytes()
    }

    /// A webhook with one receipt; `at` in seconds since 1970.
    pub fn receipt(&self, entry: &Entry, status: &str, at: i64) -> Vec<u8> {
        let mut receipt = json!({
            "id": entry.provider_id, "status": status, "timestamp": at.to_string(),
            "recipient_id": entry.to, "biz_opaque_callback_data": entry.callback,
        });
        if status == "failed" {
            receipt["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
        }
        self.envelope(0, json!({ "statuses": [receipt] })).to_string().into_bytes()
    }
}

/// A text of a customer as a webhook holds it.
pub fn message(from: &str, id: &str, text: &str) -> Value {
    json!({ "from": from, "id": id, "timestamp": seconds_now().to_string(), "type": "text",
            "text": { "body": text } })
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}
