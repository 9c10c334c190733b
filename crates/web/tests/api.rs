//! The API as a program meets it, on both databases: shapes, statuses, scopes, and one send per key.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use std::time::Duration;

use common::{ADMIN, TestDesk};
use domain::{
    admission::{ContactReach, RefusalCode},
    clock::Clock,
    ids::{ContactId, DecisionId},
    phone::PhoneNumber,
    template::{
        MediaKind, PlatformTemplate, TemplateCategory, TemplateContent, TemplateHeader,
        TemplateStatus,
    },
};
use futures_util::future::join_all;
use persistence::{
    admission::decision::{self, Decision},
    api_token::{self, ApiScope},
    channel,
    chatbot::{self, SaveOutcome, Settings},
    contact::{self, NewContact},
    db::Db,
    error::PersistenceError,
    message_template, number, policy,
    test_support::{TestStore, postgres_is_wanted},
    user::{self, UserStatus},
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

const SENDS: &str = "/api/v1/active-messages";
const CHECK: &str = "/api/v1/active-messages/check";

/// A desk with a cap of 3, two templates, two contacts of its own and one of another chatbot.
struct Given {
    desk: TestDesk,
    client: Client,
    token: String,
    luiza: ContactId,
    foreign: ContactId,
}

impl Given {
    fn on(store: TestStore) -> Self {
        let desk = TestDesk::start_on(store, None);
        let now = desk.clock.now();
        let (chatbot, channel, agent) = (desk.chatbot, desk.channel, desk.agent);
        let (token, luiza, foreign) = desk
            .store()
            .blocking_write(|db| {
                let policy = policy::find_or_create_default(db, now)?;
                number::create(db, channel, "+551140001000", policy, now)?;
                message_template::save_all(db, "2001", &templates(), now)?;
                channel::mark_webhook_verified(db, channel, now)?;
                let admin = user::find_credentials(db, ADMIN)?.expect("an admin").user;
                let admin = user::find_actor(db, admin)?.expect("an admin");
                let settings = Settings {
                    active_messages_enabled: true,
                    cap_enabled: true,
                    cap_sends: 3,
                    ..Settings::default()
                };
                let saved = chatbot::save_settings(db, &admin, chatbot, &settings, now)?;
                assert_eq!(saved, SaveOutcome::Saved);
                let other = chatbot::create(db, "Support", "Europe/Madrid", now)?;
                let mut add = |of, name: &str, phone: &str| {
                    let phone = PhoneNumber::from_e164(phone).ok();
                    let new = NewContact { name: name.to_owned(), phone, ..NewContact::default() };
                    let id = contact::create(db, &new, now)?;
                    contact::join_chatbot(db, of, id, None, None, now)?;
                    Ok::<_, PersistenceError>(id)
                };
                let luiza = add(chatbot, "Luiza Prado", "+5511987654321")?;
                add(chatbot, "Luis Keller", "+4915123456789")?;
                let foreign = add(other, "Marta Gil", "+34600111222")?;
                let token = api_token::create(db, agent, "CRM", &ApiScope::ALL, now)?.token;
                Ok((token, luiza, foreign))
            })
            .expect("a seeded desk");
        Self { desk, client: Client::new(), token, luiza, foreign }
    }

    fn asking(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.desk.address)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Response {
        self.asking(Method::GET, path).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.asking(Method::POST, path).json(body).send().await.unwrap()
    }

    async fn post_text(&self, path: &str, body: &str) -> Response {
        let request = self.asking(Method::POST, path).header("content-type", "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    }

    fn body(&self) -> Value {
        json!({
            "channel": self.desk.channel.to_string(),
            "template": { "name": "hello", "language": "en" },
            "to": { "contact": self.luiza.to_string() },
            "variables": { "name": "{contact.name}" },
        })
    }

    /// The body with what stands at `pointer` replaced.
    fn body_with(&self, pointer: &str, value: Value) -> Value {
        let mut body = self.body();
        *body.pointer_mut(pointer).expect("a field") = value;
        body
    }

    /// The decision that was logged as the `id`th.
    fn decision(&self, id: i64) -> Decision {
        let read = |db: &mut Db| {
            let admin = user::find_credentials(db, ADMIN)?.expect("an admin").user;
            let admin = user::find_actor(db, admin)?.expect("an admin");
            decision::get(db, &admin, DecisionId(id))
        };
        self.desk.store().blocking_read(read).expect("a decision")
    }

    fn token_of(&self, scopes: &[ApiScope]) -> String {
        let (agent, now) = (self.desk.agent, self.desk.clock.now());
        let made = self
            .desk
            .store()
            .blocking_write(|db| api_token::create(db, agent, "Another", scopes, now));
        made.expect("a token").token
    }
}

fn templates() -> Vec<PlatformTemplate> {
    let template = |name: &str, header| PlatformTemplate {
        external_id: name.to_owned(),
        name: name.to_owned(),
        language: "en".to_owned(),
        category: TemplateCategory::Utility,
        status: TemplateStatus::Approved,
        named_parameters: true,
        content: TemplateContent {
            header,
            body: "Hi {{name}}, may we help?".to_owned(),
            footer: None,
            buttons: Vec::new(),
        },
        quality: None,
        unfillable: None,
    };
    vec![template("hello", None), template("offer", Some(TemplateHeader::Media(MediaKind::Image)))]
}

/// Runs `test` on SQLite and on PostgreSQL.
async fn on_both(test: impl AsyncFn(&Given)) {
    eprintln!("on SQLite");
    test(&Given::on(TestStore::sqlite())).await;
    if postgres_is_wanted() {
        eprintln!("on PostgreSQL");
        test(&Given::on(TestStore::postgres())).await;
    }
}

/// The body of an answer that must have `status`; a problem must say so.
async fn read(answer: Response, status: u16) -> Value {
    let (found, kind) = (answer.status(), answer.headers()["content-type"].clone());
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(found, status, "{body}");
    let marks = ['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];
    assert!(!body.to_string().contains(marks), "marks that only pages need: {body}");
    if 400 <= status {
        assert_eq!(kind, "application/problem+json");
        assert_eq!(body["status"], status);
        assert!(body["type"].as_str().is_some_and(|it| it.starts_with("urn:janela:problem:")));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    } else {
        assert_eq!(kind, "application/json");
    }
    body
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn a_send_is_accepted_and_can_be_followed() {
    on_both(async |given| {
        let sent = read(given.post(SENDS, &given.body()).await, 202).await;
        assert_eq!(keys(&sent), ["contact", "decision", "id", "state"]);
        assert_eq!(sent["state"], "sending");
        assert_eq!(sent["contact"], given.luiza.to_string());
        let path = format!("{SENDS}/{}", sent["id"].as_str().expect("a string"));
        let followed = read(given.get(&path).await, 200).await;
        let expected = json!({
            "id": sent["id"],
            "state": "sending",
            "failure": null,
            "history": [
                { "state": "sending", "at": "2026-11-22T17:02:00.000Z", "source": "api" },
            ],
        });
        assert_eq!(followed, expected);
        let mut to_a_stranger = given.body_with("/to", json!({ "phone": "+34 600 999 888" }));
        to_a_stranger["variables"]["name"] = json!("you");
        read(given.post(SENDS, &to_a_stranger).await, 202).await;
    })
    .await;
}

#[actix_web::test]
async fn am_12_the_cap_refuses_with_every_reason_and_until_when() {
    on_both(async |given| {
        for _ in 0..3 {
            read(given.post(SENDS, &given.body()).await, 202).await;
        }
        given.desk.clock.advance(Duration::from_hours(7));
        let mut body = given.body();
        body["variables"] = json!({});
        let refused = read(given.post(SENDS, &body).await, 409).await;
        assert_eq!(refused["type"], "urn:janela:problem:refused");
        let codes: Vec<&Value> = refused["reasons"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|reason| {
                assert_eq!(keys(reason), ["code", "message", "until"]);
                &reason["code"]
            })
            .collect();
        assert_eq!(codes, ["agent_contact_cap", "variables_invalid"]);
        assert_eq!(refused["reasons"][0]["until"], "2026-11-23T17:02:00.000Z");
        assert_eq!(refused["until"], Value::Null, "waiting does not mend a variable");
        assert_eq!(refused["fields"]["name"], "Fill in a value");
        let refused = read(given.post(SENDS, &given.body()).await, 409).await;
        assert_eq!(refused["until"], "2026-11-23T17:02:00.000Z");
        // The token counts as an agent of its own; an agent who is named has their own count (AM-12).
        let mut named = given.body();
        named["agent"] = json!(common::AGENT);
        read(given.post(SENDS, &named).await, 202).await;
        named["agent"] = json!(given.desk.agent.to_string());
        read(given.post(SENDS, &named).await, 202).await;
        given.desk.clock.advance(Duration::from_hours(17) - Duration::from_millis(1));
        read(given.post(SENDS, &given.body()).await, 409).await;
        given.desk.clock.advance(Duration::from_millis(1));
        read(given.post(SENDS, &given.body()).await, 202).await;
    })
    .await;
}

#[actix_web::test]
async fn who_lacks_the_permission_is_named_when_it_is_the_agent_of_the_send() {
    on_both(async |given| {
        let mut named = given.body();
        named["agent"] = json!(common::MANAGER);
        let refused = read(given.post(SENDS, &named).await, 409).await;
        assert_eq!(refused["code"], "not_permitted");
        assert_eq!(refused["title"], "Rui Paz may not send active messages here");
        let message = "Rui Paz may not send active messages here. The agent named lacks the \
                       permission in Sales Brazil. Name another one, or ask an admin.";
        assert_eq!(refused["reasons"][0]["message"], message);
        assert_eq!(refused["detail"], message);
        let checked = read(given.post(CHECK, &named).await, 200).await;
        assert_eq!(checked["reasons"][0]["message"], message);

        let create = |db: &mut Db| {
            let manager = user::find_credentials(db, common::MANAGER)?.expect("a manager").user;
            api_token::create(db, manager, "BI", &ApiScope::ALL, given.desk.clock.now())
        };
        let token = given.desk.store().blocking_write(create).expect("a token").token;
        for agent in [None, Some(common::AGENT), Some(common::MANAGER)] {
            let mut body = given.body();
            if let Some(agent) = agent {
                body["agent"] = json!(agent);
            }
            let asked = given.client.post(format!("{}{SENDS}", given.desk.address));
            let answer = asked.bearer_auth(&token).json(&body).send().await.unwrap();
            let refused = read(answer, 409).await;
            assert_eq!(refused["title"], "You may not send active messages here", "{agent:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_check_says_the_same_and_consumes_nothing() {
    on_both(async |given| {
        let allowed = json!({ "allowed": true, "reasons": [], "until": null });
        for _ in 0..5 {
            assert_eq!(read(given.post(CHECK, &given.body()).await, 200).await, allowed);
        }
        let mut decisions = Vec::new();
        for _ in 0..3 {
            let sent = read(given.post(SENDS, &given.body()).await, 202).await;
            decisions.push(sent["decision"].as_str().unwrap().parse::<i64>().unwrap());
            let _checked = given.post(CHECK, &given.body()).await;
        }
        let first = decisions[0];
        assert_eq!(decisions, [first, first + 1, first + 2], "checks are not in the log");
        let checked = read(given.post(CHECK, &given.body()).await, 200).await;
        assert_eq!(checked["allowed"], false);
        assert_eq!(checked["reasons"][0]["code"], "agent_contact_cap");
        assert_eq!(checked["until"], "2026-11-23T17:02:00.000Z");
    })
    .await;
}

#[actix_web::test]
async fn am_11_sixteen_requests_with_one_key_are_one_message() {
    on_both(async |given| {
        let keyed = |key: &str, body: &Value| {
            given.asking(Method::POST, SENDS).header("Idempotency-Key", key).json(body).send()
        };
        let body = given.body();
        let answers = join_all((0..16).map(|_| keyed("order-17", &body))).await;
        let mut texts = Vec::new();
        for answer in answers {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 202);
            texts.push(answer.text().await.unwrap());
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        // Two places of the cap are left, so one was taken.
        read(keyed("order-18", &body).await.unwrap(), 202).await;
        read(keyed("order-19", &body).await.unwrap(), 202).await;
        let refused = keyed("order-20", &body).await.unwrap();
        read(refused, 409).await;
        // Written otherwise it is the same request; asking something else it is another.
        let spaced = serde_json::to_string_pretty(&body).unwrap();
        let again = given
            .asking(Method::POST, SENDS)
            .header("Idempotency-Key", "order-17")
            .header("content-type", "application/json")
            .body(spaced);
        let again = again.send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.text().await.unwrap()), (202, texts.remove(0)));
        let another = given.body_with("/variables/name", json!("someone else"));
        let reused = read(keyed("order-17", &another).await.unwrap(), 422).await;
        assert_eq!(reused["code"], "idempotency_key_reused");
        // A refusal is not kept: the same key passes once the cap lets it.
        given.desk.clock.advance(Duration::from_hours(24));
        read(keyed("order-20", &body).await.unwrap(), 202).await;
        for bad in ["", "a b", "ä", &"k".repeat(256)] {
            let problem = read(keyed(bad, &body).await.unwrap(), 422).await;
            assert_eq!(keys(&problem["fields"]), ["Idempotency-Key"], "{bad:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn c17_c31_each_wrong_field_is_named() {
    on_both(async |given| {
        let mut with_role = given.body();
        with_role["role"] = json!("admin");
        let mut scheduled = given.body();
        scheduled["send_at"] = json!("2026-11-23T12:00:00.000Z");
        let mut both = given.body();
        both["to"]["phone"] = json!("+5511987654321");
        let cases = [
            (with_role, "role"),
            (scheduled, "send_at"),
            (both, "to"),
            (given.body_with("/to", json!({})), "to"),
            (given.body_with("/to", json!({ "phone": 12 })), "to.phone"),
            (given.body_with("/to", json!({ "contact": 7 })), "to.contact"),
            (given.body_with("/channel", json!(1)), "channel"),
            (given.body_with("/template", json!({ "name": "hello" })), "template.language"),
            (given.body_with("/template/name", json!("a\0")), "template.name"),
            (given.body_with("/variables", json!([])), "variables"),
            (given.body_with("/variables/name", json!(null)), "variables.name"),
            (json!([]), ""),
        ];
        for (body, field) in cases {
            for path in [SENDS, CHECK] {
                let problem = read(given.post(path, &body).await, 422).await;
                assert_eq!(keys(&problem["fields"]), [field], "{body}");
            }
        }
        let twice = given.body().to_string().replacen('{', r#"{"channel":"1","#, 1);
        let problem = read(given.post_text(SENDS, &twice).await, 422).await;
        assert_eq!(keys(&problem["fields"]), ["channel"]);
    })
    .await;
}

#[actix_web::test]
async fn a_send_to_what_is_no_number_is_refused_and_logged() {
    on_both(async |given| {
        let cases = [
            ("", "Digits are missing"),
            ("12", "+ and the country code"),
            ("luiza", "No such number exists"),
            ("+999 123 456 789", "No country has the code +999"),
            ("+34 600", "Digits are missing"),
            ("+551234", "Digits are missing"),
        ];
        for (number, (phone, said)) in (1..).zip(cases) {
            let body = given.body_with("/to", json!({ "phone": phone }));
            let refused = read(given.post(SENDS, &body).await, 409).await;
            assert_eq!(refused["code"], "contact_unreachable", "{phone}");
            assert_eq!(refused["until"], Value::Null);
            let cause = refused["fields"]["to.phone"].as_str().expect("words");
            assert!(cause.contains(said), "{phone}: {cause}");
            assert!(refused["detail"].as_str().expect("words").contains(cause));
            let checked = read(given.post(CHECK, &body).await, 200).await;
            assert_eq!(checked["reasons"], refused["reasons"]);
            let logged = given.decision(number);
            assert_eq!(logged.codes[0], RefusalCode::ContactUnreachable);
            assert_eq!(logged.facts.contact, ContactReach::InvalidNumber);
        }
    })
    .await;
}

#[actix_web::test]
async fn c31_what_is_no_json_is_a_bad_request() {
    on_both(async |given| {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for text in ["", "{", "nope", r#"{"channel":"\ud800"}"#, r#"{"channel":1e400}"#, &deep] {
            let problem = read(given.post_text(SENDS, text).await, 400).await;
            assert_eq!(problem["code"], "broken_json", "{}", &text[..text.len().min(30)]);
        }
        let form = given.asking(Method::POST, SENDS).body("channel=1").send().await.unwrap();
        read(form, 415).await;
        let large = given.post_text(SENDS, &" ".repeat(256 * 1024 + 1)).await;
        read(large, 413).await;
        let method = given.asking(Method::DELETE, SENDS).send().await.unwrap();
        read(method, 405).await;
        read(given.get("/api/v1/no-such-thing").await, 404).await;
        read(given.get("/api/v2").await, 404).await;
        let in_spanish = given.get("/api/v1/no-such-thing?lang=es").await;
        assert!(!in_spanish.headers().contains_key("set-cookie"));
        assert_eq!(read(in_spanish, 404).await["title"], "Eso no existe aquí");
    })
    .await;
}

#[actix_web::test]
async fn c15_what_is_unknown_or_another_chatbots_is_not_found() {
    on_both(async |given| {
        let foreign = given.foreign.to_string();
        let cases = [
            (given.body_with("/channel", json!("99")), "channel"),
            (given.body_with("/channel", json!("one")), "channel"),
            (given.body_with("/template/name", json!("bye")), "template"),
            (given.body_with("/template/language", json!("es")), "template"),
            (given.body_with("/to/contact", json!("9999")), "to.contact"),
            (given.body_with("/to/contact", json!(foreign)), "to.contact"),
        ];
        for (body, field) in cases {
            let problem = read(given.post(SENDS, &body).await, 404).await;
            assert_eq!(keys(&problem["fields"]), [field], "{body}");
        }
        let mut by_nobody = given.body();
        by_nobody["agent"] = json!("nobody@example.com");
        read(given.post(SENDS, &by_nobody).await, 404).await;
        for path in [format!("{SENDS}/99"), format!("{SENDS}/x"), "/api/v1/numbers/99".to_owned()] {
            read(given.get(&path).await, 404).await;
        }
    })
    .await;
}

#[actix_web::test]
async fn am_07_a_file_is_judged_by_what_the_server_finds() {
    on_both(async |given| {
        let mut body = given.body_with("/template/name", json!("offer"));
        let cases = [
            ("https://example.com/quote.pdf", "a PDF"),
            ("http://127.0.0.1/inner", "inner network"),
            ("https://example.com/none", "Nothing answers"),
        ];
        for (url, said) in cases {
            body["variables"]["header"] = json!(url);
            let refused = read(given.post(SENDS, &body).await, 409).await;
            assert_eq!(refused["reasons"][0]["code"], "variables_invalid");
            let why = refused["fields"]["header"].as_str().expect("words");
            assert!(why.contains(said), "{why}");
            for told in [&refused["detail"], &refused["reasons"][0]["message"]] {
                assert!(told.as_str().expect("words").contains(why), "{told}");
            }
            let checked = read(given.post(CHECK, &body).await, 200).await;
            assert_eq!(
                (&checked["allowed"], &checked["fields"]["header"]),
                (&json!(false), &json!(why))
            );
        }
        body["variables"]["header"] = json!("https://example.com/tile.png");
        read(given.post(SENDS, &body).await, 202).await;
    })
    .await;
}

#[actix_web::test]
async fn ad_01_a_refused_file_is_one_reason_among_all_and_stands_in_the_log() {
    on_both(async |given| {
        for _ in 0..3 {
            read(given.post(SENDS, &given.body()).await, 202).await;
        }
        let mut body = given.body_with("/template/name", json!("offer"));
        body["variables"]["header"] = json!("https://example.com/quote.pdf");
        read(given.post(CHECK, &body).await, 200).await;
        let refused = read(given.post(SENDS, &body).await, 409).await;
        let codes: Vec<&str> = refused["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["code"].as_str())
            .collect();
        assert_eq!(codes, ["agent_contact_cap", "variables_invalid"]);
        assert_eq!(refused["until"], Value::Null, "waiting does not mend the file");
        let logged = given.decision(4);
        assert_eq!(logged.codes.iter().map(|code| code.as_str()).collect::<Vec<_>>(), codes);
        assert_eq!(logged.facts.variable_problems[0].name.0, "header");
    })
    .await;
}

#[actix_web::test]
async fn lists_come_page_by_page() {
    on_both(async |given| {
        let first = read(given.get("/api/v1/contacts?limit=1").await, 200).await;
        assert_eq!(keys(&first), ["data", "next"]);
        assert_eq!(first["data"][0]["id"], given.luiza.to_string());
        assert_eq!(first["data"][0]["phone"], "+5511987654321");
        let next = first["next"].as_str().expect("a cursor");
        let path = format!("/api/v1/contacts?limit=1&cursor={next}");
        let second = read(given.get(&path).await, 200).await;
        assert_eq!(second["data"][0]["name"], "Luis Keller");
        assert_eq!(second["next"], Value::Null, "the other chatbot's contact is not listed");
        let templates = read(given.get("/api/v1/templates").await, 200).await;
        assert_eq!(templates["data"][1]["variables"][0]["kind"], "image");
        let channels = read(given.get("/api/v1/channels").await, 200).await;
        assert_eq!(channels["data"][0]["id"], given.desk.channel.to_string());
        let number = channels["data"][0]["number"]["id"].as_str().expect("a number");
        read(given.post(SENDS, &given.body()).await, 202).await;
        let number = read(given.get(&format!("/api/v1/numbers/{number}")).await, 200).await;
        assert_eq!((&number["limit"], &number["recipients_24h"]), (&json!(1000), &json!(1)));
        given.desk.clock.advance(Duration::from_hours(24));
        let path = format!("/api/v1/numbers/{}", number["id"].as_str().expect("an id"));
        let number = read(given.get(&path).await, 200).await;
        assert_eq!(
            (&number["recipients_24h"], &number["recipients_7d"], &number["capacity"]),
            (&json!(0), &json!(1), &json!("open"))
        );
        for query in ["limit=0", "limit=101", "limit=x", "cursor=57", "page=2", "limit=1&limit=1"] {
            read(given.get(&format!("/api/v1/contacts?{query}")).await, 422).await;
        }
    })
    .await;
}

#[actix_web::test]
async fn c15_each_call_needs_its_scope_and_a_token_that_holds() {
    on_both(async |given| {
        let calls = [
            (Method::POST, SENDS, Some(ApiScope::SendActiveMessages), 415),
            (Method::POST, CHECK, Some(ApiScope::SendActiveMessages), 415),
            (Method::GET, "/api/v1/active-messages/1", Some(ApiScope::ReadActiveMessages), 404),
            (Method::GET, "/api/v1/contacts", Some(ApiScope::ReadContacts), 200),
            (Method::GET, "/api/v1/contacts/99/wishes", Some(ApiScope::ReadContacts), 404),
            (Method::POST, "/api/v1/contacts/99/wishes", Some(ApiScope::WriteContacts), 415),
            (Method::GET, "/api/v1/templates", Some(ApiScope::ReadTemplates), 200),
            (Method::GET, "/api/v1/channels", Some(ApiScope::ReadChannels), 200),
            (Method::GET, "/api/v1/numbers/99", Some(ApiScope::ReadChannels), 404),
            (Method::GET, "/api/v1/openapi.json", None, 200),
        ];
        for scope in ApiScope::ALL {
            let token = given.token_of(&[scope]);
            for (method, path, needed, status) in &calls {
                let url = format!("{}{path}", given.desk.address);
                let request = given.client.request(method.clone(), &url);
                let answer = request.try_clone().unwrap().bearer_auth(&token).send().await.unwrap();
                let expected = if needed.is_none_or(|it| it == scope) { *status } else { 403 };
                assert_eq!(answer.status(), expected, "{method} {path} with {}", scope.as_str());
                let answer = request.send().await.unwrap();
                assert!(answer.headers().contains_key("www-authenticate"));
                assert!(!answer.headers().contains_key("set-cookie"));
                read(answer, 401).await;
            }
        }
        let agent = given.desk.agent;
        let now = given.desk.clock.now();
        given
            .desk
            .store()
            .blocking_write(|db| user::set_status(db, agent, UserStatus::Disabled, now))
            .unwrap();
        read(given.get("/api/v1/contacts").await, 401).await;
    })
    .await;
}

#[actix_web::test]
async fn c8_wrong_tokens_wait_and_right_ones_do_not() {
    let given = Given::on(TestStore::sqlite());
    let contacts = format!("{}/api/v1/contacts", given.desk.address);
    let wrong = || given.client.get(&contacts).bearer_auth("janela_wrong").send();
    for _ in 0..10 {
        read(wrong().await.unwrap(), 401).await;
    }
    let waiting = wrong().await.unwrap();
    assert!(waiting.headers().contains_key("retry-after"));
    read(waiting, 429).await;
    read(given.get("/api/v1/contacts").await, 200).await;
}

#[actix_web::test]
async fn jo_05_while_the_clock_is_not_trusted_a_send_is_told_to_come_again() {
    on_both(async |given| {
        given.desk.clock.distrust(true);
        let answer = given.post(SENDS, &given.body()).await;
        assert_eq!(answer.headers()["retry-after"], "60");
        let problem = read(answer, 503).await;
        assert_eq!(problem["code"], "clock_jumped");
        assert_eq!(problem["title"], "This server's clock jumped, so sending is paused");
        given.desk.clock.distrust(false);
        read(given.post(SENDS, &given.body()).await, 202).await;
    })
    .await;
}

#[actix_web::test]
async fn the_description_in_docs_is_the_one_that_is_served() {
    let given = Given::on(TestStore::sqlite());
    let served = given.get("/api/v1/openapi.json").await.text().await.unwrap();
    let committed = include_str!("../../../docs/openapi.json");
    assert!(served.trim() == committed.trim(), "write it anew: janela openapi > docs/openapi.json");
}

#[actix_web::test]
async fn ad_09_a_program_enters_a_wish_and_the_next_send_obeys_it() {
    on_both(async |given| {
        let path = format!("/api/v1/contacts/{}/wishes", given.luiza);
        let none =
            json!({ "contact": given.luiza.to_string(), "opt_outs": [], "marketing_opt_in": null });
        assert_eq!(read(given.get(&path).await, 200).await, none);
        let at = "2026-11-22T17:02:00.000Z";
        let stopped = read(given.post(&path, &json!({ "wish": "stop_all" })).await, 200).await;
        assert_eq!(stopped["opt_outs"], json!([{ "scope": "all", "source": "api", "at": at }]));
        let refused = read(given.post(SENDS, &given.body()).await, 409).await;
        assert_eq!(refused["reasons"][0]["code"], "contact_opted_out");

        let wrong = [
            (json!({ "wish": "resume" }), "reason"),
            (json!({ "wish": "opt_in", "reason": " " }), "reason"),
            (json!({ "wish": "stop_all", "reason": "x".repeat(201) }), "reason"),
            (json!({ "wish": "stop" }), "wish"),
            (json!({ "reason": "said so" }), "wish"),
        ];
        for (body, field) in wrong {
            let problem = read(given.post(&path, &body).await, 422).await;
            assert!(problem["fields"][field].is_string(), "{body}: {problem}");
        }
        let again = json!({ "wish": "opt_in", "reason": "Asked in the shop" });
        let entered = read(given.post(&path, &again).await, 200).await;
        assert_eq!(entered["opt_outs"], json!([]));
        assert_eq!(entered["marketing_opt_in"], json!({ "source": "api", "at": at }));
        read(given.post(SENDS, &given.body()).await, 202).await;
        let foreign = format!("/api/v1/contacts/{}/wishes", given.foreign);
        read(given.post(&foreign, &json!({ "wish": "stop_all" })).await, 404).await;
    })
    .await;
}
