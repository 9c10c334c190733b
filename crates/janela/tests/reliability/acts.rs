//! What people, programs, operators and the platform do with a desk, act by act: by them a running program comes by its
//! fault points. Each can be done again and again, also by someone whose desk dies under it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl, sql_types::Text};
use domain::permission::WorkspacePermission;
use fault::SEEN;
use futures_util::StreamExt;
use persistence::{password, user};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    points,
    world::{AGENT, World, phone, seconds_now},
};

/// How long an act waits for what the desk does by itself.
const ACT_WITHIN: Duration = Duration::from_secs(10);
const PASSWORD: &str = "correct horse battery";
/// The signal of `abort`.
pub const SIGABRT: i32 = 6;

/// One thing that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Nobody does anything: what the desk does by the clock.
    Wait,
    /// A program sends, and a customer writes.
    SendAndWrite,
    /// The customer edits, takes back, reacts, shows what nobody knows, and asks to be left alone.
    Customer,
    /// The customer sends files, which are fetched, and an agent asks for one again.
    Files,
    /// The platform tells of numbers, accounts and templates.
    Platform,
    /// An agent signs in, chooses a language, looks, and signs out.
    SignIn,
    /// An agent takes a conversation, answers, reacts, types and closes it.
    Conversation,
    /// An agent sends a file.
    Attach,
    /// An agent sends by the dialog.
    Dialog,
    /// An admin changes settings, lets a number go on, and runs a job.
    Admin,
    /// An operator adds a user and looks after it. Other processes than the one that serves.
    Operator,
}

impl Act {
    pub const ALL: [Self; 11] = [
        Self::Wait,
        Self::SendAndWrite,
        Self::Customer,
        Self::Files,
        Self::Platform,
        Self::SignIn,
        Self::Conversation,
        Self::Attach,
        Self::Dialog,
        Self::Admin,
        Self::Operator,
    ];
}

/// What was asked of the desk and taken by it, to be judged at the end.
#[derive(Default)]
struct Taken {
    sends: BTreeSet<i64>,
    texts: BTreeSet<String>,
}

/// Those who act.
pub struct Stage {
    world: Arc<World>,
    cookie: String,
    url: String,
    taken: Mutex<Taken>,
}

/// `None` without an answer, or with one that tells of a failure.
type Done<T = ()> = Option<T>;

impl Stage {
    pub fn set_up(world: &Arc<World>) -> Self {
        let (agent, hash) = (world.agent, password::hash(PASSWORD).expect("a hash"));
        let rights = world.store.blocking_write(|db| {
            user::set_password(db, agent, &hash)?;
            user::save_workspace_permissions(db, agent, &WorkspacePermission::ALL)
        });
        rights.expect("rights");
        let cookie = world.session();
        Self { world: Arc::clone(world), cookie, url: world.url_of(0), taken: Mutex::default() }
    }

    /// The ids of the sends, and of the customers' texts, that were taken.
    pub fn list_taken(&self) -> (BTreeSet<i64>, BTreeSet<String>) {
        let taken = self.taken.lock().expect("what was taken");
        (taken.sends.clone(), taken.texts.clone())
    }

    /// Does `act` for the `nth` time. `None` when something of it was not answered.
    pub async fn perform(&self, act: Act, nth: u32) -> Done {
        match act {
            Act::Wait => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Some(())
            }
            Act::SendAndWrite => self.send_and_write(nth).await,
            Act::Customer => self.customer(nth).await,
            Act::Files => self.files(nth).await,
            Act::Platform => self.platform(nth).await,
            Act::SignIn => self.sign_in().await,
            Act::Conversation => self.conversation(nth).await,
            Act::Attach => self.attach(nth).await,
            Act::Dialog => self.dialog(nth).await,
            Act::Admin => self.admin().await,
            Act::Operator => self.operate(nth, "nowhere=off").all(|it| it.success()).then_some(()),
        }
    }

    async fn send_and_write(&self, nth: u32) -> Done {
        let send = self.world.send(&self.url, nth);
        let id = tokio::time::timeout(ACT_WITHIN, send).await.ok()?;
        self.taken.lock().expect("what was taken").sends.insert(id);
        self.write(nth).await
    }

    /// The `nth` customer writes.
    async fn write(&self, nth: u32) -> Done {
        let id = format!("wamid.act.{nth}");
        let body = self.world.platform.text(&customer(nth), &id, "Olá");
        self.post(body).await?;
        self.taken.lock().expect("what was taken").texts.insert(id);
        Some(())
    }

    async fn post(&self, body: Vec<u8>) -> Done {
        let webhook = self.world.webhook_at(&self.url);
        let status = self.world.platform.post(0, &webhook, body).await?;
        (status == StatusCode::OK).then_some(())
    }

    async fn post_message(&self, nth: u32, message: Value) -> Done {
        let from = customer(nth);
        let mut message = message;
        message["from"] = json!(from);
        message["timestamp"] = json!(seconds_now().to_string());
        let value = json!({
            "contacts": [{ "profile": { "name": "Luísa" }, "wa_id": from }], "messages": [message],
        });
        self.post(self.world.platform.envelope(0, value).to_string().into_bytes()).await
    }

    async fn customer(&self, nth: u32) -> Done {
        self.write(nth).await?;
        let first = format!("wamid.act.{nth}");
        let id = |what: &str| format!("wamid.act.{what}.{nth}");
        for message in [
            json!({ "id": id("gone"), "type": "text", "text": { "body": "Engano" } }),
            json!({ "id": id("edit"), "type": "edit", "edit": {
                "original_message_id": first, "message": { "type": "text", "text": { "body": "Olá!" } } } }),
            json!({ "id": id("revoke"), "type": "revoke", "revoke": { "original_message_id": id("gone") } }),
            json!({ "id": id("reaction"), "type": "reaction",
                    "reaction": { "message_id": first, "emoji": "👍" } }),
            json!({ "id": id("odd"), "type": "hologram", "hologram": { "depth": 3 } }),
            json!({ "id": id("stop"), "type": "text", "text": { "body": "PARAR" } }),
        ] {
            self.post_message(nth, message).await?;
        }
        let broken = json!({ "messages": [{ "from": 7, "id": id("broken") }] });
        self.post(self.world.platform.envelope(0, broken).to_string().into_bytes()).await?;
        // A receipt of a message that nobody knows.
        let stray = json!({ "statuses": [{ "id": id("stray"), "status": "delivered",
            "timestamp": seconds_now().to_string(), "recipient_id": customer(nth) }] });
        self.post(self.world.platform.envelope(0, stray).to_string().into_bytes()).await?;
        self.until_applied().await
    }

    async fn files(&self, nth: u32) -> Done {
        let from = customer(nth);
        let order = async |path: String, order: Value| {
            self.world.platform.order(&path, order).await;
        };
        order(format!("/phones/{from}/identity"), json!({ "name": "Luísa" })).await;
        let before = self.latest_file();
        for kind in ["image", "document"] {
            order(format!("/phones/{from}/send"), json!({ "type": kind })).await;
        }
        let new = async || self.latest_file().filter(|id| before.as_ref() != Some(id));
        let id = self.until(new).await?;
        let open =
            format!("SELECT count(*) AS n FROM media WHERE state = 'waiting' AND id = '{id}'");
        self.until(async || (self.number(&open) == 0).then_some(())).await?;
        self.press(&format!("/desk/files/{id}/fetch"), "/desk/conversations", &[]).await?;
        self.until_applied().await
    }

    async fn platform(&self, nth: u32) -> Done {
        let word = |name: &str| self.world.platform.word(0, name).to_owned();
        let (number, account) = (word("phone_number_id"), word("waba_id"));
        let changes = [
            (
                "account_update",
                json!({ "event": "ACCOUNT_VIOLATION",
                "violation_info": { "violation_type": "SPAM" } }),
            ),
            (
                "phone_number_quality_update",
                json!({ "display_phone_number": "551140001000",
                "event": "UPGRADE", "current_limit": "TIER_10K" }),
            ),
            ("business_capability_update", json!({ "max_daily_conversation_per_phone": 10_000 })),
            (
                "message_template_status_update",
                json!({ "event": "APPROVED",
                "message_template_id": 594, "message_template_name": "come_back",
                "message_template_language": "pt_BR", "reason": "NONE" }),
            ),
            (
                "template_category_update",
                json!({ "message_template_id": 594,
                "message_template_name": "come_back", "message_template_language": "pt_BR",
                "previous_category": "MARKETING", "new_category": "UTILITY" }),
            ),
            (
                "user_preferences",
                json!({ "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "551140001000", "phone_number_id": number },
                "user_preferences": [{ "wa_id": customer(nth), "detail": "stop", "category":
                "marketing_messages", "value": "stop", "timestamp": seconds_now() }] }),
            ),
            ("flows", json!({ "event": "ENDPOINT_AVAILABILITY" })),
        ];
        for (field, value) in changes {
            let entry = json!({ "id": account, "time": seconds_now(),
                "changes": [{ "field": field, "value": value }] });
            let body = json!({ "object": "whatsapp_business_account", "entry": [entry] });
            self.post(body.to_string().into_bytes()).await?;
        }
        self.until_applied().await
    }

    async fn sign_in(&self) -> Done {
        let form = [("email", AGENT), ("password", PASSWORD), ("next", "")];
        let wrong = [("email", AGENT), ("password", "wrong"), ("next", "")];
        let sign_in = |form: &[(&str, &str)]| {
            let request = self.world.client.post(format!("{}/account/sign-in", self.url));
            request.header("sec-fetch-site", "same-origin").form(form).send()
        };
        sign_in(&wrong).await.ok()?;
        let answer = sign_in(&form).await.ok()?;
        let cookies = answer.headers().get_all("set-cookie").iter();
        let cookie = cookies
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned))
            .find(|cookie| cookie.starts_with("janela_session="))?;
        let guest = Self {
            world: Arc::clone(&self.world),
            cookie,
            url: self.url.clone(),
            taken: Mutex::default(),
        };
        guest.press("/account/preferences", "/desk/conversations", &[("language", "en")]).await?;
        guest.press("/desk/presence", "/desk/conversations", &[("presence", "invisible")]).await?;
        guest.press("/desk/presence", "/desk/conversations", &[("presence", "online")]).await?;
        guest
            .press(
                "/desk/search",
                "/desk/conversations",
                &[("q", "Luísa"), ("tab", "conversations")],
            )
            .await?;
        // A live stream that opens, and closes.
        let events = guest.get("/events").timeout(Duration::from_secs(5)).send().await.ok()?;
        let _first = events.bytes_stream().next().await;
        guest.press("/account/sign-out", "/desk/conversations", &[]).await.map(drop)
    }

    async fn conversation(&self, nth: u32) -> Done {
        // Nobody is given a ticket, so that it is there to be taken.
        self.world.run("UPDATE users SET max_tickets = 0");
        let done = self.take_and_close(nth).await;
        self.world.run("UPDATE users SET max_tickets = 5");
        done
    }

    async fn take_and_close(&self, nth: u32) -> Done {
        self.write(nth).await?;
        let (path, ticket) = self.find_conversation(nth).await?;
        let message = self
            .number(&format!("SELECT id AS n FROM messages WHERE provider_id = 'wamid.act.{nth}'"));
        let (ticket, message) = (ticket.to_string(), message.to_string());
        let of = ("ticket", ticket.as_str());
        let press = async |what: &str, fields: &[(&str, &str)]| {
            self.press(&format!("{path}/{what}"), &path, fields).await
        };
        press("take", &[of]).await?;
        press("seen", &[]).await?;
        press("typing", &[]).await?;
        let key = format!("reply-{nth}");
        let reply = [of, ("text", "Bom dia"), ("key", key.as_str())];
        press("reply", &reply).await?;
        press("react", &[of, ("message", message.as_str()), ("emoji", "👍")]).await?;
        press("wish", &[("wish", "stop_marketing"), ("reason", "asked")]).await?;
        press("close", &[of]).await.map(drop)
    }

    async fn attach(&self, nth: u32) -> Done {
        self.write(nth).await?;
        let (path, ticket) = self.find_conversation(nth).await?;
        let of = ticket.to_string();
        // Whoever is given it already cannot take it; that is an answer as well.
        self.press(&format!("{path}/take"), &path, &[("ticket", &of)]).await?;
        let token = self.token_in(&path).await?;
        let part = reqwest::multipart::Part::bytes(QUOTE).file_name("quote.pdf");
        let form = reqwest::multipart::Form::new()
            .text("form_token", token)
            .text("key", format!("file-{nth}"))
            .text("ticket", of.clone())
            .text("caption", "A proposta")
            .part("file", part.mime_str("application/pdf").ok()?);
        let request = self.post_to(&format!("{path}/file")).multipart(form);
        answered(request).await?;
        self.press(&format!("{path}/close"), &path, &[("ticket", &of)]).await.map(drop)
    }

    async fn dialog(&self, nth: u32) -> Done {
        self.press("/desk/presence", "/desk/conversations", &[("presence", "online")]).await?;
        let template = self.number("SELECT min(id) AS n FROM message_templates");
        let (template, to, key) =
            (template.to_string(), phone(50_000 + nth), format!("{nth:032x}"));
        let send = [
            ("step", "variables"),
            ("template", template.as_str()),
            ("recipient", to.as_str()),
            ("v_name", "Ana"),
            ("key", key.as_str()),
            ("go", "send"),
        ];
        self.press("/desk/active-message", "/desk/active-message", &send).await.map(drop)
    }

    async fn admin(&self) -> Done {
        let path = "/portal/chatbots/1/general-settings";
        let page = self.page(path).await?;
        let seen = value_of(&page, "seen")?.to_owned();
        let settings = [("seen", seen.as_str()), ("active_messages", "on"), ("read_marks", "on")];
        self.press(path, path, &settings).await?;
        self.press("/portal/chatbots/1/numbers/1/resume", path, &[]).await?;
        let growth = "/portal/growth/active-messages";
        let filter = ["agent", "template", "state", "chatbot", "from", "to"].map(|name| (name, ""));
        self.press(growth, growth, &[&[("contact", "Luísa")], &filter[..]].concat()).await?;
        self.press("/portal/jobs/tidy/run", "/portal/jobs", &[]).await.map(drop)
    }

    /// Lets an operator's command end at `point`; whether one did.
    pub fn crash_command(&self, point: &str, nth: u32) -> bool {
        self.operate(nth, &format!("{point}=return")).any(|it| it.signal() == Some(SIGABRT))
    }

    /// What an operator does, command by command, with what `armed` says. What is so already is no failure.
    fn operate<'a>(&'a self, nth: u32, armed: &'a str) -> impl Iterator<Item = ExitStatus> + 'a {
        let file = self.world.folder().join("password");
        fs::write(&file, PASSWORD).expect("a file");
        let (email, file) = (format!("user-{nth}@example.com"), file.display().to_string());
        let known = format!("SELECT count(*) AS n FROM users WHERE email = '{email}'");
        let add = format!("user add --email {email} --name Rui --password-file {file}");
        let add = (self.world.count(&known) == 0).then_some(add);
        let others = [
            format!("user absent {email}"),
            format!("user present {email}"),
            format!("user disable {email}"),
            format!("user enable {email}"),
            format!("user password {email} --password-file {file}"),
            "clock confirm".to_owned(),
            "migrate".to_owned(),
        ];
        add.into_iter().chain(others).map(move |line| {
            let arguments: Vec<&str> = line.split(' ').collect();
            let mut command = points::armed_command(&self.world, 0, &arguments);
            command.env("FAILPOINTS", armed).env(SEEN, self.world.folder().join("seen"));
            command.stderr(Stdio::null()).status().expect("it runs")
        })
    }

    /// The address of the `nth` customer's conversation, and its open ticket.
    async fn find_conversation(&self, nth: u32) -> Done<(String, i64)> {
        let query = format!(
            "SELECT t.id AS n FROM tickets t JOIN messages m ON m.contact_id = t.contact_id
             WHERE m.provider_id = 'wamid.act.{nth}' AND t.closed_at IS NULL"
        );
        let ticket = self.until(async || Some(self.number(&query)).filter(|id| *id > 0)).await?;
        let contact =
            self.number(&format!("SELECT contact_id AS n FROM tickets WHERE id = {ticket}"));
        Some((format!("/desk/conversations/1-{contact}"), ticket))
    }

    /// What a query of one number answers; 0 where there is no row.
    fn number(&self, query: &str) -> i64 {
        self.world.count(&format!("SELECT COALESCE((SELECT n FROM ({query}) q LIMIT 1), 0) AS n"))
    }

    fn latest_file(&self) -> Option<String> {
        let query = "SELECT id FROM media ORDER BY created_at DESC, id LIMIT 1";
        let files: Vec<File> =
            self.world.store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).ok()?;
        files.into_iter().next().map(|file| file.id)
    }

    async fn until_applied(&self) -> Done {
        let open = "SELECT count(*) AS n FROM webhook_inbox WHERE done_at IS NULL";
        self.until(async || (self.number(open) == 0).then_some(())).await
    }

    async fn until<T>(&self, mut condition: impl AsyncFnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + ACT_WITHIN;
        while Instant::now() < deadline {
            if let Some(found) = condition().await {
                return Some(found);
            }
            // Nobody waits for a desk that is gone.
            self.get("/livez").send().await.ok()?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.world.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie)
    }

    fn post_to(&self, path: &str) -> RequestBuilder {
        let request = self.world.client.post(format!("{}{path}", self.url));
        request.header("cookie", &self.cookie).header("sec-fetch-site", "same-origin")
    }

    async fn page(&self, path: &str) -> Done<String> {
        let answer = self.get(path).send().await.ok()?;
        answer.text().await.ok()
    }

    async fn token_in(&self, path: &str) -> Done<String> {
        Some(value_of(&self.page(path).await?, "form_token")?.to_owned())
    }

    /// Presses a button of the page at `from`.
    async fn press(&self, path: &str, from: &str, fields: &[(&str, &str)]) -> Done<StatusCode> {
        let token = self.token_in(from).await?;
        let form = [&[("form_token", token.as_str())], fields].concat();
        answered(self.post_to(path).form(&form)).await
    }
}

#[derive(QueryableByName)]
struct File {
    #[diesel(sql_type = Text)]
    id: String,
}

/// A small document.
const QUOTE: &[u8] = include_bytes!("../../../../static/sandbox/samples/quote.pdf");

/// The number of the `nth` customer, as the platform writes it.
fn customer(nth: u32) -> String {
    format!("55116{nth:08}")
}

/// The status answered, unless it is a failure of the server's.
async fn answered(request: RequestBuilder) -> Done<StatusCode> {
    let status = request.send().await.ok()?.status();
    (!status.is_server_error()).then_some(status)
}

/// The value of the hidden field `name` in a page.
fn value_of<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\""))?;
    rest.split_once("value=\"")?.1.split('"').next()
}
