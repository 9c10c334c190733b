//! Another program sends active messages by the API: once per key, followed to its end, with every refusal
//! told.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use journeys::{Agent, Database, Demo, client, until};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

const SENDS: &str = "/active-messages";
const PHONE: &str = "+5511955550031";

#[tokio::test]
async fn a_program_sends_by_the_api_on_sqlite() {
    send_by_the_api(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn a_program_sends_by_the_api_on_postgres() {
    send_by_the_api(&Demo::start(Database::Postgres)).await;
}

async fn send_by_the_api(demo: &Demo) {
    let program = Program { demo, client: client() };
    let agent = Agent::first(demo).await;
    let body = program.body("Ana");

    let checked = json_of(program.post("/active-messages/check", &body, None).await).await;
    assert_eq!(checked["allowed"], true, "{checked}");
    let first = json_of(program.post(SENDS, &body, Some("order-1")).await).await;
    assert_eq!(first["state"], "sending", "{first}");
    let again = json_of(program.post(SENDS, &body, Some("order-1")).await).await;
    assert_eq!(again, first, "the same key, the same answer");
    let other = program.post(SENDS, &program.body("Bia"), Some("order-1")).await;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY, "the key with another body");

    let path = format!("{SENDS}/{}", first["id"].as_str().expect("an id"));
    let read = until("read", async || {
        let message = json_of(program.get(&path).await).await;
        (message["state"] == "read").then_some(message)
    })
    .await;
    assert_eq!(read["failure"], Value::Null);
    let row = agent.wait_for_row("/desk/sent", PHONE, "Read").await;
    assert!(row.address.contains("/desk/conversations/"), "AM-12: in the agent's Sent");
    assert_eq!(agent.count_sends_to(PHONE).await, 1);

    for key in ["order-2", "order-3"] {
        let answer = program.post(SENDS, &body, Some(key)).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    program.is_told_of_the_limit(&body).await;
    program.is_told_what_is_wrong(&body).await;
    program.finds_what_there_is().await;
    until("three on the phone", async || (agent.count_sends_to(PHONE).await == 3).then_some(()))
        .await;

    demo.control(&program.client, "/clock", &json!({"advance": "PT24H"})).await;
    let _online = Agent::first(demo).await;
    let answer = program.post(SENDS, &body, Some("order-4")).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "a refusal is not kept with the key");
}

/// Something that speaks to the API.
struct Program<'a> {
    demo: &'a Demo,
    client: Client,
}

impl Program<'_> {
    fn body(&self, name: &str) -> Value {
        json!({
            "channel": self.demo.line["channels"][0]["id"],
            "template": {"name": "come_back", "language": "pt_BR"},
            "to": {"phone": PHONE},
            "variables": {"name": name},
            "agent": "marina@casaazul.example",
        })
    }

    async fn get(&self, path: &str) -> Response {
        self.demo.api(&self.client, Method::GET, path).send().await.expect("an answer")
    }

    async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Response {
        let mut request = self.demo.api(&self.client, Method::POST, path).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await.expect("an answer")
    }

    async fn is_told_of_the_limit(&self, body: &Value) {
        let answer = self.post(SENDS, body, Some("order-4")).await;
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let refusal = json_of(answer).await;
        assert_eq!(refusal["status"], 409);
        assert_eq!(refusal["reasons"][0]["code"], "agent_contact_cap");
        assert_eq!(refusal["until"], refusal["reasons"][0]["until"]);
        let until = refusal["until"].as_str().expect("an instant");
        assert!(until.len() == 24 && until.ends_with('Z'), "CL-04: {until}");
        let checked = json_of(self.post("/active-messages/check", body, None).await).await;
        assert_eq!(checked["allowed"], false);
        assert_eq!(checked["until"], refusal["until"]);
    }

    async fn is_told_what_is_wrong(&self, body: &Value) {
        let with = |change: fn(&mut Value)| {
            let mut body = body.clone();
            change(&mut body);
            body
        };
        let cases = [
            ("unknown field", with(|it| it["colour"] = json!("blue")), 422),
            ("ill-typed", with(|it| it["to"] = json!(7)), 422),
            ("no such channel", with(|it| it["channel"] = json!("999")), 404),
            ("no such template", with(|it| it["template"]["name"] = json!("none")), 404),
            ("missing variable", with(|it| it["variables"] = json!({})), 409),
        ];
        for (case, body, status) in cases {
            let answer = self.post(SENDS, &body, None).await;
            assert_eq!(answer.status().as_u16(), status, "{case}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{case}");
        }
        let broken = self.demo.api(&self.client, Method::POST, SENDS).body("{\"to\":");
        let broken = broken.header("content-type", "application/json").send().await;
        assert_eq!(broken.expect("an answer").status(), StatusCode::BAD_REQUEST);
        let url = format!("{}/api/v1{SENDS}", self.demo.url("desk"));
        let stranger = self.client.post(url).bearer_auth("janela_nobody").json(body).send().await;
        assert_eq!(stranger.expect("an answer").status(), StatusCode::UNAUTHORIZED);
        assert_eq!(self.get("/active-messages/999999").await.status(), StatusCode::NOT_FOUND);
    }

    async fn finds_what_there_is(&self) {
        for path in ["/contacts", "/templates", "/channels", "/openapi.json"] {
            let answer = self.get(path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert!(json_of(answer).await.is_object(), "{path}");
        }
    }
}

async fn json_of(answer: Response) -> Value {
    answer.json().await.expect("JSON")
}
