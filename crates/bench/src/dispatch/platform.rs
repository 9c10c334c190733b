//! The sandbox as its own program, with one fast number.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    BenchError,
    load::{self, Post},
};

/// Messages a second the number may send.
pub const THROUGHPUT: u32 = 2_000;
/// More than anyone sends: what the sandbox can do is measured without the number's own limit.
pub const BEYOND_REACH: u32 = 1_000_000;
/// Prepared sends of the bare client.
const SENDS: u32 = 60_000;

/// A running sandbox; stopped when dropped.
pub struct Platform {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// The number's id.
    pub number: String,
    /// The account's id.
    pub account: String,
    /// The number's token.
    pub token: String,
    /// What its webhooks are signed with.
    pub app_secret: String,
}

impl Platform {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(binary: &Path) -> Result<Self, BenchError> {
        let mut process = Command::new(binary)
            .args(["sandbox", "--json", "--bind", "127.0.0.1:0", "--smtp-bind", "127.0.0.1:0"])
            .env("JANELA_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let told: Value = serde_json::from_str(&line)?;
        let channel = &told["channels"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let address = text(&told["sandbox"]);
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        let platform = Self {
            process,
            address: address.parse().map_err(|_| BenchError::NoFigure("the sandbox's address"))?,
            number: text(&channel["phone_number_id"]),
            account: text(&channel["waba_id"]),
            token: text(&channel["access_token"]),
            app_secret: text(&channel["app_secret"]),
        };
        Ok(platform)
    }

    /// Lets its first number send `throughput` messages a second.
    ///
    /// # Errors
    /// When it refuses.
    pub fn limit(&self, throughput: u32) -> Result<(), BenchError> {
        let number = &self.number;
        self.order(&format!("/control/numbers/{number}/throughput"), json!({"mps": throughput}))
    }

    fn order(&self, path: &str, order: Value) -> Result<(), BenchError> {
        let post = Post::new(self.address, path, &[], order.to_string().as_bytes());
        let done =
            load::run_closed_loop(self.address, &[post], std::time::Duration::from_secs(1), 1)?;
        match done.refused {
            0 => Ok(()),
            _ => Err(BenchError::Broken(format!("the sandbox refused {path}"))),
        }
    }

    /// How many sends it took, copies counted.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn count_sends(&self) -> Result<u64, BenchError> {
        let ledger: Vec<Value> =
            serde_json::from_slice(&load::get(self.address, "/control/ledger")?)?;
        Ok(ledger.iter().filter_map(|entry| entry["times"].as_u64()).sum())
    }

    /// What Janela would send, each to another customer.
    pub fn sends(&self) -> Vec<Post> {
        let path = format!("/v25.0/{}/messages", self.number);
        let token = format!("Bearer {}", self.token);
        let send = |turn: u32| {
            let body = json!({
                "messaging_product": "whatsapp", "recipient_type": "individual",
                "to": format!("55119{}", 10_000_000 + turn), "type": "template",
                "template": {"name": "come_back", "language": {"code": "pt_BR"}, "components": [
                    {"type": "body", "parameters": [{"type": "text", "parameter_name": "name", "text": "Ana"}]}]},
                "biz_opaque_callback_data": format!("bare-{turn}"),
            });
            Post::new(
                self.address,
                &path,
                &[("authorization", &token)],
                body.to_string().as_bytes(),
            )
        };
        (0..SENDS).map(send).collect()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            let _exit = self.process.wait();
        }
    }
}
