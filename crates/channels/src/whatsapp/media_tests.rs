//! Files against platforms that misbehave (C21, R3): addresses that are over, lead away or never end.

use std::time::{Duration, Instant};

use domain::{
    channel::{BoxFuture, ChannelAccess},
    ids::ChannelId,
};
use serde_json::json;

use super::*;
use crate::test_server::{Reply, TestServer};

const MEGABYTE: u64 = 1024 * 1024;

fn access(server: &TestServer) -> ChannelAccess {
    ChannelAccess {
        channel: ChannelId(1),
        api_base_url: server.url("/v25.0"),
        external_id: "730055819924406".into(),
        account_id: "884120037765421".into(),
        access_token: "token-1".into(),
        app_secret: "secret".into(),
        verify_token: "verify".into(),
    }
}

fn node(url: &str, size: &serde_json::Value) -> Reply {
    let body = json!({
        "messaging_product": "whatsapp", "url": url, "mime_type": "image/jpeg",
        "sha256": "7d1a54", "file_size": size, "id": "2207714400331902"
    });
    Reply::json(200, &body.to_string())
}

fn file(bytes: &[u8]) -> Reply {
    Reply::with(200, "Content-Type: image/jpeg", bytes)
}

/// A server whose first answer says that the file lies below it; the others follow.
async fn serving(replies: Vec<Reply>) -> TestServer {
    TestServer::start_knowing(|address| {
        let first = node(&format!("http://{address}/files?hash=1"), &json!("5"));
        [vec![first], replies].concat()
    })
    .await
}

async fn fetch(server: &TestServer, limit: u64) -> Result<Vec<u8>, MediaFailure> {
    let mut opened = open(&server.client(), &access(server), "2207714400331902", limit).await?;
    let mut whole = Vec::new();
    while let Some(piece) = opened.body.next().await? {
        whole.extend(piece);
    }
    Ok(whole)
}

#[tokio::test]
async fn a_file_is_asked_for_by_its_id_and_fetched_with_the_token() {
    let server = serving(vec![file(b"glaze")]).await;
    let opened = open(&server.client(), &access(&server), "2207714400331902", 10).await.unwrap();
    assert_eq!((opened.content_type.as_deref(), opened.size), (Some("image/jpeg"), Some(5)));
    assert_eq!(opened.sha256.as_deref(), Some("7d1a54"));
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /v25.0/2207714400331902 HTTP/1.1"), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /files?hash=1 HTTP/1.1"), "{}", requests[1]);
    for request in requests {
        let head = request.to_ascii_lowercase();
        assert!(head.contains("authorization: bearer token-1"), "{head}");
        assert!(head.contains("user-agent: janela/"), "{head}");
    }
    assert_eq!(fetch(&serving(vec![file(b"glaze")]).await, 5).await, Ok(b"glaze".to_vec()));
}

#[tokio::test]
async fn a_redirect_inside_the_platform_is_followed_and_none_that_leads_away() {
    let redirect = |to: &str| Reply::with(302, &format!("Location: {to}"), b"");
    let within = serving(vec![redirect("/elsewhere/1"), file(b"glaze")]).await;
    assert_eq!(fetch(&within, 10).await, Ok(b"glaze".to_vec()));

    let stranger = TestServer::start(vec![file(b"poison")]).await;
    let away = serving(vec![redirect(&stranger.url("/poison"))]).await;
    assert_eq!(fetch(&away, 10).await, Err(MediaFailure::Elsewhere));
    let told = stranger.url("/poison");
    let told_away = TestServer::start(vec![node(&told, &json!(6))]).await;
    assert_eq!(fetch(&told_away, 10).await, Err(MediaFailure::Elsewhere));
    assert_eq!(stranger.connections(), 0, "nothing was contacted");

    let round = serving(vec![redirect("/files?hash=1")]).await;
    assert!(matches!(fetch(&round, 10).await, Err(MediaFailure::Unreachable(_))));
    assert_eq!(round.requests().len(), 2 + MOST_REDIRECTS);
}

#[test]
fn c_21_where_the_platforms_files_may_lie() {
    let base = Url::parse("https://graph.facebook.com/v25.0").unwrap();
    let cases = [
        ("https://graph.facebook.com/x", true),
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true),
        ("https://mmg.whatsapp.net/v/t62", true),
        ("https://scontent.xx.fbcdn.net/v", true),
        ("http://lookaside.fbsbx.com/x", false),
        ("https://lookaside.fbsbx.com.example/x", false),
        ("https://notfbsbx.com/x", false),
        ("https://127.0.0.1/x", false),
        ("file:///etc/passwd", false),
        ("gopher://lookaside.fbsbx.com/x", false),
    ];
    for (url, expected) in cases {
        assert_eq!(is_platforms(&Url::parse(url).unwrap(), &base), expected, "{url}");
    }
}

#[tokio::test]
async fn an_address_that_is_over_and_a_file_that_is_gone_are_told_apart() {
    let unknown = json!({"error": {"code": 100, "error_subcode": 33, "message": "m"}}).to_string();
    let expired = json!({"error": {"code": 190, "message": "m"}}).to_string();
    let over = serving(vec![Reply::with(404, "X: y", b"")]).await;
    assert_eq!(fetch(&over, 10).await, Err(MediaFailure::AddressExpired));
    let gone = TestServer::start(vec![Reply::json(400, &unknown)]).await;
    assert_eq!(fetch(&gone, 10).await, Err(MediaFailure::Gone));
    let refused = TestServer::start(vec![Reply::json(401, &expired)]).await;
    assert!(matches!(fetch(&refused, 10).await, Err(MediaFailure::Refused(_))));
    for reply in [Reply::json(500, "oops"), Reply::json(200, "[]"), Reply::json(200, "{}")] {
        let broken = TestServer::start(vec![reply]).await;
        assert!(matches!(fetch(&broken, 10).await, Err(MediaFailure::Unreachable(_))));
    }
}

#[tokio::test]
async fn r3_fifty_megabytes_are_cut_at_the_limit_whatever_was_announced() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n".to_vec();
    let silent = serving(vec![Reply::Flood(head, 50)]).await;
    let began = Instant::now();
    let limit = 2 * MEGABYTE;
    assert_eq!(fetch(&silent, limit).await, Err(MediaFailure::TooLarge { limit }));
    assert!(began.elapsed() < Duration::from_secs(30));
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 50 * MEGABYTE);
    let announced = serving(vec![Reply::Flood(long.into_bytes(), 1)]).await;
    assert_eq!(fetch(&announced, limit).await, Err(MediaFailure::TooLarge { limit }));
    let told = TestServer::start(vec![node("https://lookaside.fbsbx.com/x", &json!(3_000_000))]);
    assert_eq!(fetch(&told.await, limit).await, Err(MediaFailure::TooLarge { limit }));
}

/// A file in pieces.
struct Pieces(Vec<&'static [u8]>);

impl MediaBody for Pieces {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, MediaFailure>> {
        let piece = (!self.0.is_empty()).then(|| self.0.remove(0).to_vec());
        Box::pin(std::future::ready(Ok(piece)))
    }
}

async fn hand_over(reply: Reply) -> (Result<String, MediaFailure>, TestServer) {
    let server = TestServer::start(vec![reply]).await;
    let file = MediaUpload {
        name: "Angebot \"8812\"\r\n.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        size: 10,
        body: Box::new(Pieces(vec![b"%PDF-", b"glaze"])),
    };
    (upload(&server.client(), &access(&server), file).await, server)
}

#[tokio::test]
async fn a_file_is_handed_over_as_the_protocol_writes_it() {
    let (id, server) = hand_over(Reply::json(200, r#"{"id": "1199330045871126"}"#)).await;
    assert_eq!(id.as_deref(), Ok("1199330045871126"));
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v25.0/730055819924406/media HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: multipart/form-data"), "{head}");
    for part in ["name=\"messaging_product\"\r\n\r\nwhatsapp", "%PDF-glaze", "application/pdf"] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("\"8812\"\r\n"), "a name stays inside its line: {body}");
}

#[tokio::test]
async fn what_the_platform_does_not_take_is_final_and_all_else_may_pass() {
    let error = |code: u32| json!({"error": {"code": code, "message": "m"}}).to_string();
    for code in [100, 131_053] {
        let (refused, _server) = hand_over(Reply::json(400, &error(code))).await;
        assert!(matches!(refused, Err(MediaFailure::NotTaken(_))), "{code}");
    }
    let (refused, _server) = hand_over(Reply::json(401, &error(190))).await;
    assert!(matches!(refused, Err(MediaFailure::Refused(_))));
    for reply in [Reply::json(503, "busy"), Reply::json(200, "{}")] {
        let (refused, _server) = hand_over(reply).await;
        assert!(matches!(refused, Err(MediaFailure::Unreachable(_))));
    }
}
