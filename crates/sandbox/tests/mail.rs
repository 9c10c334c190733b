//! Mails handed over by SMTP appear in the mailbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use support::Stage;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A mail client that says a line and returns the code of the answer.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(stage: &Stage) -> Self {
        let stream = TcpStream::connect(stage.sandbox.smtp_addr()).await.unwrap();
        let mut client = Self(BufReader::new(stream));
        assert_eq!(client.code().await, "220");
        client
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.code().await
    }

    async fn code(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) == Some(&b' ') {
                return line[..3].to_owned();
            }
        }
    }
}

#[tokio::test]
async fn a_mail_is_parsed_and_listed_newest_first() {
    let stage = Stage::set().await;
    let mut client = Client::connect(&stage).await;
    let alternative = "From: Janela <alerts@janela.example>\r\nTo: m@example.com\r\n\
        Subject: =?UTF-8?Q?Quality_=C3=A9_low?=\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n..dotted\r\nplain\r\n--b\r\n\
        Content-Type: text/html; charset=utf-8\r\n\r\n<p>rich</p>\r\n--b--\r\n.";
    for (said, code) in [
        ("EHLO me", "250"),
        ("DATA", "503"),
        ("MAIL FROM:<alerts@janela.example> SIZE=99999999", "552"),
        ("MAIL FROM:<alerts@janela.example>", "250"),
        ("RCPT TO:<m@example.com>", "250"),
        ("RCPT TO:<n@example.com>", "250"),
        ("DATA", "354"),
        (alternative, "250"),
        ("MAIL FROM:<a@b.example>", "250"),
        ("RSET", "250"),
        ("RCPT TO:<m@example.com>", "503"),
        ("mail from:<a@b.example>", "250"),
        ("rcpt to:<c@d.example>", "250"),
        ("DATA", "354"),
        ("Subject: second\r\n\r\nbare\r\n.", "250"),
        ("WHAT", "502"),
        ("NOOP", "250"),
        ("QUIT", "221"),
    ] {
        assert_eq!(client.say(said).await, code, "{said}");
    }
    let mails = stage.get("/control/mailbox").await;
    assert_eq!(mails.as_array().unwrap().len(), 2);
    assert_eq!(mails[0]["subject"], "second");
    assert_eq!(mails[0]["from"], "a@b.example");
    assert_eq!(mails[0]["html"], serde_json::Value::Null);
    assert_eq!(mails[1]["subject"], "Quality é low");
    assert_eq!(mails[1]["from"], "Janela <alerts@janela.example>");
    assert_eq!(mails[1]["to"], serde_json::json!(["m@example.com", "n@example.com"]));
    assert_eq!(mails[1]["text"].as_str().unwrap().trim(), ".dotted\r\nplain");
    assert_eq!(mails[1]["html"].as_str().unwrap().trim(), "<p>rich</p>");
    let html = stage.client.get(format!("{}/mailbox/1/html", stage.base)).send().await.unwrap();
    let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(html.text().await.unwrap().trim(), "<p>rich</p>");
}
