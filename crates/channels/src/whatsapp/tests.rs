//! The adapter against servers that misbehave (R3).

use std::time::{Duration, Instant};

use domain::{
    channel::{
        Channel, ChannelAccess, ChannelError, OutgoingContent, OutgoingMessage, RefusalClass,
        RetryScope, SendOutcome, Signal, SignalKind,
    },
    ids::{ChannelId, MessageId},
};
use serde_json::{Value, json};

use super::WhatsApp;
use crate::{
    http::OutgoingHttp,
    test_server::{Reply, TestServer, client},
};

const TAKEN: &str = r#"{"messages": [{"id": "wamid.1", "message_status": "accepted"}]}"#;

fn access(base: &str) -> ChannelAccess {
    ChannelAccess {
        channel: ChannelId(1),
        api_base_url: base.into(),
        external_id: "730055819924406".into(),
        account_id: "884120037765421".into(),
        access_token: "token-1".into(),
        app_secret: "secret".into(),
        verify_token: "verify".into(),
    }
}

fn message() -> OutgoingMessage {
    OutgoingMessage {
        id: MessageId(7),
        to: "447700900777".into(),
        callback_id: "janela-7".into(),
        quotes: None,
        content: OutgoingContent::Text { body: "Hello".into() },
    }
}

async fn send_to(http: OutgoingHttp, base: &str) -> SendOutcome {
    WhatsApp::new(http).send(&access(base), &message()).await
}

/// What becomes of a send to a server that replies so, and the server.
async fn send_against(reply: Reply) -> (SendOutcome, TestServer) {
    let server = TestServer::start(vec![reply]).await;
    let outcome = send_to(server.client(), &server.url("/v25.0")).await;
    (outcome, server)
}

#[tokio::test]
async fn a_send_is_one_post_with_the_token() {
    let (outcome, server) = send_against(Reply::json(200, TAKEN)).await;
    assert_eq!(outcome, SendOutcome::Accepted { provider_id: "wamid.1".into() });
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v25.0/730055819924406/messages HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("authorization: bearer token-1"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["biz_opaque_callback_data"], json!("janela-7"));
}

/// 131063: the first way refuses, so nothing is on its way; what the second says is what became of it.
#[tokio::test]
async fn a_marketing_template_takes_the_way_that_its_account_leaves_it() {
    let cases = [
        ("taken", Reply::json(200, TAKEN), "accepted", 2),
        ("refused again", refused(131_063), "131063", 2),
        ("still syncing", refused(134_101), "134101", 2),
        ("no readable answer", Reply::json(502, ""), "unknown", 2),
    ];
    for (case, second, expected, calls) in cases {
        let server = TestServer::start(vec![refused(131_063), second]).await;
        let outcome = send_to(server.client(), &server.url("/v25.0")).await;
        let told = match &outcome {
            SendOutcome::Accepted { .. } => "accepted",
            SendOutcome::Refused { refusal, .. } => refusal.code.as_str(),
            SendOutcome::Unknown { .. } => "unknown",
            SendOutcome::NotSent { .. } => "not sent",
        };
        assert_eq!(told, expected, "{case}");
        let requests = server.requests();
        let bodies: Vec<&str> =
            requests.iter().filter_map(|it| it.split_once("\r\n\r\n")).map(|it| it.1).collect();
        assert_eq!(requests.len(), calls, "{case}");
        assert!(requests[1].starts_with("POST /v25.0/730055819924406/marketing_messages "));
        assert_eq!(bodies[0], bodies[1], "{case}: the same message, with the same callback data");
    }
}

#[tokio::test]
async fn what_never_left_was_not_sent() {
    let tls_expected =
        TestServer::start(vec![Reply::Raw(b"HTTP/1.1 400 plain\r\n\r\n".to_vec())]).await;
    let cases = [
        (
            "nothing listens",
            client(vec!["127.0.0.1:1".parse().unwrap()]),
            "http://127.0.0.1:1".to_owned(),
        ),
        ("TLS fails", tls_expected.client(), format!("https://{}", tls_expected.address)),
        ("no such name", client(Vec::new()), "https://graph.invalid/v25.0".to_owned()),
        ("an inner address", client(Vec::new()), "http://10.0.0.1/v25.0".to_owned()),
        ("a name that leads inside", client(Vec::new()), "http://localhost/v25.0".to_owned()),
        ("no address", client(Vec::new()), "graph".to_owned()),
    ];
    for (case, http, base) in cases {
        let outcome = send_to(http, &base).await;
        assert!(matches!(outcome, SendOutcome::NotSent { .. }), "{case}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_left_without_a_readable_answer_is_unknown() {
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\n{length}\r\n").into_bytes();
    let cases = [
        ("silence", Reply::Silence),
        ("one byte at a time", Reply::Trickle(head(""), Duration::from_millis(50))),
        (
            "a head that never ends",
            Reply::Trickle(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), Duration::from_millis(50)),
        ),
        ("cut before the answer", Reply::Raw(Vec::new())),
        (
            "cut within the answer",
            Reply::Raw([&head("Content-Length: 900\r\n"), &b"{\"mess"[..]].concat()),
        ),
        ("50 MB", Reply::Flood(head(""), 50)),
        ("50 MB, stated", Reply::Flood(head("Content-Length: 52428800\r\n"), 50)),
        ("broken JSON", Reply::json(200, "{\"messages\": [")),
        ("empty", Reply::json(200, "")),
        ("502", Reply::with(502, "Content-Type: text/html", b"<html>")),
        ("503", Reply::json(503, "")),
    ];
    for (case, reply) in cases {
        let begun = Instant::now();
        let (outcome, server) = send_against(reply).await;
        assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{case}: {outcome:?}");
        assert!(begun.elapsed() < Duration::from_secs(30), "R3: {case} holds a worker up");
        assert_eq!(server.connections(), 1, "{case}: sent once");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_outcome_not_guessed() {
    let target = TestServer::start(vec![Reply::json(200, TAKEN)]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}", target.url("/v25.0/730055819924406/messages"));
        let server = TestServer::start(vec![Reply::with(status, &location, b"")]).await;
        let allow =
            [server.address, target.address].map(|address| address.to_string().parse().unwrap());
        let outcome = send_to(client(allow.into()), &server.url("")).await;
        assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{status}: {outcome:?}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn too_many_requests_are_tried_again_as_told() {
    let wait = |after| RefusalClass::Retry { after, scope: RetryScope::Number };
    let cases = [
        ("Retry-After: 17", Some(Duration::from_secs(17))),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("X: y", None),
    ];
    for (header, after) in cases {
        for body in ["", r#"{"error": {"code": 130429, "message": "Rate limit hit"}}"#] {
            let (outcome, _) = send_against(Reply::with(429, header, body.as_bytes())).await;
            let SendOutcome::Refused { class, .. } = outcome else {
                panic!("{header}: {outcome:?}")
            };
            assert_eq!(class, wait(after), "{header} {body}");
        }
    }
}

#[tokio::test]
async fn what_is_no_message_is_told_once_and_its_failure_told_back() {
    let of = "wamid.RVhBTVBMRS1NU0ctMDAwNA==";
    let cases = [(SignalKind::Read, None), (SignalKind::Typing, Some(json!({"type": "text"})))];
    for (kind, indicator) in cases {
        let server = TestServer::start(vec![Reply::json(200, r#"{"success": true}"#)]).await;
        let whatsapp = WhatsApp::new(server.client());
        let signal = Signal { kind, of: of.into() };
        whatsapp.signal(&access(&server.url("/v25.0")), &signal).await.unwrap();
        let requests = server.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v25.0/730055819924406/messages HTTP/1.1\r\n"), "{head}");
        let mut expected =
            json!({"messaging_product": "whatsapp", "status": "read", "message_id": of});
        if let Some(indicator) = indicator {
            expected["typing_indicator"] = indicator;
        }
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    }
    for reply in
        [refused(131_009), Reply::json(500, ""), Reply::json(200, "{}"), Reply::Raw(Vec::new())]
    {
        let server = TestServer::start(vec![reply]).await;
        let whatsapp = WhatsApp::new(server.client());
        let signal = Signal { kind: SignalKind::Read, of: of.into() };
        assert!(whatsapp.signal(&access(&server.url("")), &signal).await.is_err());
        assert_eq!(server.connections(), 1, "no second try");
    }
}

fn template(name: &str) -> Value {
    json!({"id": "1", "name": name, "language": "en", "status": "APPROVED", "category": "UTILITY",
           "components": [{"type": "BODY", "text": "Hi"}]})
}

fn page(name: &str, next: Option<&str>) -> Reply {
    let mut paging = json!({"cursors": {"before": "b", "after": next.unwrap_or("end")}});
    if let Some(cursor) = next {
        paging["next"] = json!(format!("https://graph.facebook.com/v25.0/x?after={cursor}"));
    }
    Reply::json(200, &json!({"data": [template(name)], "paging": paging}).to_string())
}

fn refused(code: u32) -> Reply {
    Reply::json(400, &json!({"error": {"code": code, "message": "m"}}).to_string())
}

async fn list(replies: Vec<Reply>) -> (Result<Vec<String>, ChannelError>, Vec<String>) {
    let server = TestServer::start(replies).await;
    let whatsapp = WhatsApp::new(server.client());
    let listed = whatsapp.list_templates(&access(&server.url("/v25.0"))).await;
    let names = listed.map(|listed| listed.into_iter().map(|template| template.name).collect());
    let asked = server.requests().into_iter();
    (names, asked.map(|request| request.lines().next().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn templates_are_read_page_by_page_to_the_end() {
    let (names, asked) =
        list(vec![page("a", Some("c+1/=")), page("b", Some("c2")), page("c", None)]).await;
    assert_eq!(names.unwrap(), ["a", "b", "c"]);
    assert_eq!(asked.len(), 3);
    assert!(
        asked[0].starts_with("GET /v25.0/884120037765421/message_templates?fields=id"),
        "{asked:?}"
    );
    assert!(!asked[0].contains("after="));
    assert!(asked[1].contains("after=c%2B1%2F%3D"), "{asked:?}");
    assert!(asked[2].contains("after=c2"));
    let (names, _) = list(vec![Reply::json(200, r#"{"data": []}"#)]).await;
    assert_eq!(names.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_cursor_that_ran_out_starts_the_list_again() {
    let replies =
        vec![page("a", Some("c1")), refused(131_059), page("a", Some("c2")), page("b", None)];
    assert_eq!(list(replies).await.0.unwrap(), ["a", "b"]);
    // For ever it does not.
    let (names, asked) = list(vec![refused(131_059)]).await;
    assert!(matches!(names, Err(ChannelError::Refused(_))), "{names:?}");
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn an_account_that_asked_too_much_rests_as_long_as_it_is_told() {
    let told = r#"x-business-use-case-usage: {"884120037765421": [{"call_count": 101, "estimated_time_to_regain_access": 17}]}"#;
    let with_usage =
        |status: u16, body: &Value| Reply::with(status, told, body.to_string().as_bytes());
    let error = |code: u32| json!({"error": {"code": code, "message": "m"}});
    let paging = json!({"cursors": {"after": "c1"}, "next": "https://graph.facebook.com/x"});
    let first = json!({"data": [template("a")], "paging": paging});
    let cases = [
        ("a page before the last", vec![with_usage(200, &first), page("b", None)], 17 * 60, 1),
        ("refused", vec![page("a", Some("c1")), with_usage(400, &error(80_008))], 17 * 60, 2),
        ("refused without a time", vec![refused(80_008)], 5 * 60, 1),
        ("429", vec![Reply::with(429, "Retry-After: 44", b"")], 44, 1),
    ];
    for (case, replies, seconds, calls) in cases {
        let (names, asked) = list(replies).await;
        let Err(ChannelError::Busy(rest)) = names else { panic!("{case}: {names:?}") };
        assert_eq!((rest.as_secs(), asked.len()), (seconds, calls), "{case}");
    }
    let last = json!({"data": [template("a")]});
    assert_eq!(list(vec![with_usage(200, &last)]).await.0.unwrap(), ["a"], "the list is whole");
}

#[tokio::test]
async fn half_a_list_is_no_list() {
    let nameless = Reply::json(200, r#"{"data": [{"id": "1"}]}"#);
    let cases = [
        ("refused", vec![page("a", Some("c1")), refused(190)]),
        ("broken", vec![page("a", Some("c1")), Reply::json(200, "{\"data\": [")]),
        ("no data", vec![page("a", Some("c1")), Reply::json(200, "{}")]),
        ("down", vec![page("a", Some("c1")), Reply::json(503, "")]),
        ("cut", vec![page("a", Some("c1")), Reply::Raw(Vec::new())]),
        ("in a circle", vec![page("a", Some("c1"))]),
        ("a template without a name", vec![page("a", Some("c1")), nameless]),
    ];
    for (case, replies) in cases {
        assert!(list(replies).await.0.is_err(), "{case}");
    }
}

#[tokio::test]
async fn a_number_is_read_or_the_refusal_told() {
    let body = json!({"id": "730055819924406", "display_phone_number": "+44 7700 900101",
        "quality_rating": "YELLOW", "status": "CONNECTED", "throughput": {"level": "HIGH"},
        "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED"});
    let server = TestServer::start(vec![Reply::json(200, &body.to_string()), refused(190)]).await;
    let whatsapp = WhatsApp::new(server.client());
    let access = access(&server.url("/v25.0"));
    let reading = whatsapp.read_number(&access).await.unwrap();
    assert_eq!(
        (reading.quality_rating.as_str(), reading.limit, reading.throughput),
        ("YELLOW", None, 1_000)
    );
    assert!(server.requests()[0].starts_with("GET /v25.0/730055819924406?fields=id%2C"));
    let Err(ChannelError::Refused(refusal)) = whatsapp.read_number(&access).await else { panic!() };
    assert_eq!(refusal.code, "190");
}
