//! All that the platform's protocol names, through the running product: every type of message, every status and
//! every event of an account is kept, and stands where people look.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use journeys::{Agent, Browser, Database, Demo, client, text_of, until};
use reqwest::Client;
use serde_json::{Value, json};

/// A customer nobody knows, called by their number.
const PHONE: &str = "447700900777";
/// An approved template of the demo.
const TEMPLATE: &str = "come_back";

#[tokio::test]
async fn whatever_the_protocol_names_is_kept_and_shown_on_sqlite() {
    tell_all(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn whatever_the_protocol_names_is_kept_and_shown_on_postgres() {
    tell_all(&Demo::start(Database::Postgres)).await;
}

async fn tell_all(demo: &Demo) {
    let platform = Platform { demo, client: client(), channel: demo.line["channels"][0].clone() };
    let agent = Agent::first(demo).await;
    each_message_stands_in_the_thread(&platform, &agent).await;
    each_change_of_a_person_stands_in_their_history(&platform, &agent).await;
    each_status_moves_its_message_or_nothing(&platform, &agent).await;
    each_event_stands_in_the_history_of_its_number(&platform).await;
}

/// The platform, which tells what it is told to.
struct Platform<'a> {
    demo: &'a Demo,
    client: Client,
    channel: Value,
}

impl Platform<'_> {
    fn word(&self, name: &str) -> &str {
        self.channel[name].as_str().expect("a word")
    }

    async fn change(&self, subject: &str, field: &str, value: Value) {
        let order = json!({ "subject": self.word(subject), "field": field, "value": value });
        self.demo.control(&self.client, "/changes", &order).await;
    }

    /// A value of the field `messages`, or one that looks like it.
    fn value(&self, mut value: Value) -> Value {
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({
            "display_phone_number": "551140001000",
            "phone_number_id": self.word("phone_number_id"),
        });
        value
    }

    async fn say(&self, id: &str, mut message: Value) {
        message["from"] = json!(PHONE);
        message["id"] = json!(id);
        message["timestamp"] = json!(seconds_now().to_string());
        let contacts = json!([{ "profile": { "name": PHONE }, "wa_id": PHONE }]);
        let value = self.value(json!({ "contacts": contacts, "messages": [message] }));
        self.change("phone_number_id", "messages", value).await;
    }

    async fn status(&self, mut status: Value) {
        status["timestamp"] = json!(seconds_now().to_string());
        let value = self.value(json!({ "statuses": [status] }));
        self.change("phone_number_id", "messages", value).await;
    }
}

fn seconds_now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of time")
}

/// Each type with its own part, and what is read of it in the thread (protocol, 4.9).
fn messages() -> Vec<(&'static str, Value, &'static str)> {
    let reply = |part: Value| json!({ "type": "interactive", "interactive": part });
    let file = |kind: &str, part: Value| json!({ "type": kind, kind: part });
    let mime = |mime: &str, caption: &str| json!({ "id": "2207714400331902", "mime_type": mime, "caption": caption, "sha256": "ZXhhbXBsZQ==" });
    vec![
        (
            "text",
            json!({ "type": "text", "text": { "body": "Is Friday still free?" } }),
            "Is Friday still free?",
        ),
        ("image", file("image", mime("image/jpeg", "Cracked here")), "Cracked here"),
        ("video", file("video", mime("video/mp4", "Kiln noise")), "Kiln noise"),
        ("audio", file("audio", json!({ "id": "1", "mime_type": "audio/mpeg" })), "Audio"),
        (
            "voice",
            file(
                "audio",
                json!({ "id": "2", "mime_type": "audio/ogg; codecs=opus", "voice": true }),
            ),
            "Voice message",
        ),
        (
            "document",
            file(
                "document",
                json!({ "id": "3", "mime_type": "application/pdf", "filename": "quote-8812-signed.pdf", "caption": "Signed here" }),
            ),
            "Signed here",
        ),
        (
            "sticker",
            file("sticker", json!({ "id": "4", "mime_type": "image/webp", "animated": false })),
            "Sticker",
        ),
        (
            "location",
            json!({ "type": "location", "location": { "latitude": 51.0731, "longitude": -4.0572, "name": "Quay car park", "address": "Marine Parade, Instow" } }),
            "Quay car park",
        ),
        (
            "contacts",
            json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "Noor Castell" }, "phones": [{ "phone": "+44 7700 900333" }] }] }),
            "Noor Castell",
        ),
        (
            "button_reply",
            reply(
                json!({ "type": "button_reply", "button_reply": { "id": "day:fri", "title": "Friday" } }),
            ),
            "Friday",
        ),
        (
            "list_reply",
            reply(
                json!({ "type": "list_reply", "list_reply": { "id": "ws-1", "title": "First bowl", "description": "Two hours" } }),
            ),
            "First bowl",
        ),
        (
            "nfm_reply",
            reply(
                json!({ "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": "{\"flow_token\":\"bk\",\"slot\":\"fri-15\"}" } }),
            ),
            "fri-15",
        ),
        (
            "call_permission_reply",
            reply(
                json!({ "type": "call_permission_reply", "call_permission_reply": { "response": "accept" } }),
            ),
            "May be called",
        ),
        (
            "interactive without content",
            json!({ "type": "interactive", "errors": [{ "code": 131051, "title": "Message type unknown" }] }),
            "A message that WhatsApp does not hand over",
        ),
        (
            "button",
            json!({ "type": "button", "button": { "payload": "RESCHEDULE:8812", "text": "Reschedule" } }),
            "Reschedule",
        ),
        (
            "order",
            json!({ "type": "order", "order": { "catalog_id": "6155", "text": "Gift wrap please", "product_items": [{ "product_retailer_id": "BOWL-BLUE", "quantity": 2, "item_price": 24.5, "currency": "GBP" }] } }),
            "BOWL-BLUE",
        ),
        (
            "unsupported",
            json!({ "type": "unsupported", "errors": [{ "code": 131051, "title": "Message type unknown" }], "unsupported": { "type": "poll_creation" } }),
            "WhatsApp does not hand messages of this kind over",
        ),
        (
            "unknown",
            json!({ "type": "unknown", "errors": [{ "code": 131060, "title": "Unavailable" }] }),
            "does not have the content of this message",
        ),
        (
            "lost media",
            json!({ "type": "image", "errors": [{ "code": 131052, "title": "Media download error" }] }),
            "The platform itself could not get it",
        ),
        (
            "a type of tomorrow",
            json!({ "type": "hologram", "hologram": { "depth": 3 } }),
            "A message of the kind",
        ),
        (
            "forwarded",
            json!({ "type": "text", "text": { "body": "Look at this" }, "context": { "forwarded": true } }),
            "Forwarded",
        ),
        (
            "forwarded often",
            json!({ "type": "text", "text": { "body": "Everybody reads this" }, "context": { "frequently_forwarded": true } }),
            "Forwarded many times",
        ),
        (
            "about a product",
            json!({ "type": "text", "text": { "body": "Still there?" }, "context": { "from": "551140001000", "id": "wamid.none", "referred_product": { "catalog_id": "6155", "product_retailer_id": "BOWL-GREEN" } } }),
            "BOWL-GREEN",
        ),
        (
            "from an ad",
            json!({ "type": "text", "text": { "body": "I saw your workshop" }, "referral": { "source_url": "https://fb.example/ad/771", "source_id": "120200771", "source_type": "ad", "headline": "Throw your first bowl", "body": "Two hours by the sea" } }),
            "Throw your first bowl",
        ),
        (
            "reaction",
            json!({ "type": "reaction", "reaction": { "message_id": "wamid.protocol.0", "emoji": "\u{2764}\u{fe0f}" } }),
            "reacted with \u{2764}\u{fe0f}",
        ),
        (
            "edit",
            json!({ "type": "edit", "edit": { "original_message_id": "wamid.protocol.0", "message": { "type": "text", "text": { "body": "Is Saturday still free?" } } } }),
            "Is Saturday still free?",
        ),
        (
            "revoke",
            json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.protocol.1" } }),
            "The customer deleted this message",
        ),
    ]
}

async fn each_message_stands_in_the_thread(platform: &Platform<'_>, agent: &Agent<'_>) {
    for (place, (_, message, _)) in messages().into_iter().enumerate() {
        platform.say(&format!("wamid.protocol.{place}"), message).await;
    }
    let thread = until("the last of them", async || {
        let page = open(agent).await?;
        page.contains("The customer deleted this message").then_some(page)
    })
    .await;
    for (case, _, words) in messages() {
        // What was taken back is not shown any more.
        if case != "image" {
            assert!(thread.contains(words), "{case}: {words:?} is not in: {thread}");
        }
    }
    assert!(!thread.contains("Cracked here"), "nothing is left of what was taken back");
    let echo = json!({
        "from": "551140001000", "to": PHONE, "id": "wamid.echo",
        "timestamp": seconds_now().to_string(), "type": "text",
        "text": { "body": "Hi, Teodor here" },
    });
    let value = platform.value(json!({ "message_echoes": [echo] }));
    platform.change("phone_number_id", "smb_message_echoes", value).await;
    until("the echo", async || open(agent).await?.contains("Hi, Teodor here").then_some(())).await;
}

/// The conversation with the customer, as it reads.
async fn open(agent: &Agent<'_>) -> Option<String> {
    for list in ["/desk/waiting", "/desk/conversations", "/desk/sent"] {
        if let Some(row) = agent.row(list, PHONE).await {
            let address = row.address.replace("&amp;", "&");
            return Some(text_of(&agent.browser.page(&address).await));
        }
    }
    None
}

async fn each_change_of_a_person_stands_in_their_history(
    platform: &Platform<'_>,
    agent: &Agent<'_>,
) {
    let preference = |value: &str| {
        let wish = json!({
            "wa_id": PHONE, "detail": "As they said", "category": "marketing_messages", "value": value,
        });
        json!({ "contacts": [{ "wa_id": PHONE }], "user_preferences": [wish] })
    };
    for (value, words) in [
        ("stop", "Told WhatsApp: no more offers"),
        ("resume", "Told WhatsApp: offers again"),
        ("signup", "Signed up on WhatsApp"),
    ] {
        let mut told = platform.value(preference(value));
        told["user_preferences"][0]["timestamp"] = json!(seconds_now());
        platform.change("phone_number_id", "user_preferences", told).await;
        until(words, async || open(agent).await?.contains(words).then_some(())).await;
    }
    let system = |part: Value| json!({ "type": "system", "system": part });
    let changes = [
        (
            system(
                json!({ "type": "customer_identity_changed", "identity": { "acknowledged": "false", "hash": "aGFzaA==" } }),
            ),
            "Another device: make sure who it is",
        ),
        (
            system(
                json!({ "type": "user_changed_user_id", "user_id": "GB.5530871129046618", "wa_id": PHONE }),
            ),
            "Goes by another WhatsApp id",
        ),
    ];
    for (place, (message, words)) in changes.into_iter().enumerate() {
        platform.say(&format!("wamid.system.{place}"), message).await;
        until(words, async || open(agent).await?.contains(words).then_some(())).await;
    }
}

async fn each_status_moves_its_message_or_nothing(platform: &Platform<'_>, agent: &Agent<'_>) {
    let customer = "+5511944443333";
    agent.send(customer).await;
    let digits = customer.trim_start_matches('+');
    let id = until("the message", async || {
        let phone = agent.demo.look(&agent.control, &format!("/phones/{digits}")).await;
        Some(phone["messages"].as_array()?.last()?["id"].as_str()?.to_owned())
    })
    .await;
    let row = agent.wait_for_row("/desk/sent", customer, "Read").await;
    let address = row.address.replace("&amp;", "&");
    let shown = async || text_of(&agent.browser.page(&address).await);
    for status in ["warning", "deleted", "delivered", "sent"] {
        platform.status(json!({ "id": id, "status": status, "recipient_id": digits })).await;
    }
    platform.status(json!({ "id": id, "status": "played", "recipient_id": digits })).await;
    until("played", async || shown().await.contains("Played").then_some(())).await;
    agent.wait_for_row("/desk/sent", customer, "Read").await;
    let errors = json!([{ "code": 131026, "title": "Message undeliverable" }]);
    let failed = json!({ "id": id, "status": "failed", "recipient_id": digits, "errors": errors });
    platform.status(failed).await;
    until("the failure in the history", async || shown().await.contains("Failure").then_some(()))
        .await;
    agent.wait_for_row("/desk/sent", customer, "Read").await;
}

/// Each event of sections 3.10 and 5: what it is told of, its field, its value, and what is read of it.
fn events() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let (number, account) = ("phone_number_id", "waba_id");
    let display = "551140001000";
    let template = |mut part: Value| {
        part["message_template_id"] = json!(1_540_088_120_394_477_u64);
        part["message_template_name"] = json!(TEMPLATE);
        part["message_template_language"] = json!("en");
        part
    };
    let quality = |part: Value| (number, "phone_number_quality_update", part);
    let mut events = Vec::new();
    let mut add = |(subject, field, value): (&'static str, &'static str, Value), words| {
        events.push((subject, field, value, words));
    };
    for event in
        ["ONBOARDING", "THROUGHPUT_UPGRADE", "UPGRADE", "DOWNGRADE", "FLAGGED", "UNFLAGGED"]
    {
        let value =
            json!({ "display_phone_number": display, "event": event, "current_limit": "TIER_2K" });
        add(quality(value), event);
    }
    add(
        (
            account,
            "business_capability_update",
            json!({ "max_daily_conversations_per_business": "TIER_10K" }),
        ),
        "10000",
    );
    for kind in
        ["INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED", "OBA_APPROVED", "PROFILE_PICTURE_LOST"]
    {
        let info = json!({ "alert_severity": "WARNING", "alert_status": "ACTIVE", "alert_type": kind, "alert_description": format!("About {kind}") });
        add(
            (
                account,
                "account_alerts",
                json!({ "entity_type": "BUSINESS", "entity_id": "1", "alert_info": info }),
            ),
            kind,
        );
    }
    for event in [
        "ACCOUNT_DELETED",
        "ACCOUNT_OFFBOARDED",
        "ACCOUNT_RECONNECTED",
        "PARTNER_ADDED",
        "PARTNER_REMOVED",
        "PARTNER_APP_INSTALLED",
        "PARTNER_APP_UNINSTALLED",
        "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        "VOLUME_BASED_PRICING_TIER_UPDATE",
        "MM_LITE_TERMS_SIGNED",
        "AD_ACCOUNT_LINKED",
        "VERIFIED_ACCOUNT",
    ] {
        add((account, "account_update", json!({ "event": event })), event);
    }
    add(
        (
            account,
            "account_update",
            json!({ "event": "ACCOUNT_VIOLATION", "violation_info": { "violation_type": "SCAM" } }),
        ),
        "SCAM",
    );
    add(
        (
            account,
            "account_update",
            json!({ "event": "ACCOUNT_RESTRICTION", "restriction_info": [{ "restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": 1_900_000_000 }] }),
        ),
        "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
    );
    add(
        (
            account,
            "account_update",
            json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": "SCHEDULE_FOR_DISABLE", "waba_ban_date": "September 20, 2027" } }),
        ),
        "SCHEDULE_FOR_DISABLE",
    );
    for decision in ["APPROVED", "REJECTED", "PENDING", "DEFERRED"] {
        add((account, "account_review_update", json!({ "decision": decision })), decision);
    }
    add(
        (
            number,
            "phone_number_name_update",
            json!({ "display_phone_number": display, "decision": "REJECTED", "requested_verified_name": "Harbour", "rejection_reason": "NAME_FORMAT_UNACCEPTABLE" }),
        ),
        "NAME_FORMAT_UNACCEPTABLE",
    );
    for event in ["PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS"] {
        add(
            (
                number,
                "security",
                json!({ "display_phone_number": display, "event": event, "requester": "61550012344321" }),
            ),
            event,
        );
    }
    add(
        (
            number,
            "business_username_update",
            json!({ "display_phone_number": display, "username": "harbourlane", "status": "approved" }),
        ),
        "harbourlane",
    );
    for event in [
        "REJECTED",
        "PENDING",
        "PAUSED",
        "DISABLED",
        "FLAGGED",
        "REINSTATED",
        "IN_APPEAL",
        "PENDING_DELETION",
        "DELETED",
        "LOCKED",
        "LIMIT_EXCEEDED",
        "ARCHIVED",
        "UNARCHIVED",
        "APPROVED",
    ] {
        add(
            (
                account,
                "message_template_status_update",
                template(json!({ "event": event, "reason": "NONE" })),
            ),
            event,
        );
    }
    add(
        (
            account,
            "message_template_quality_update",
            template(json!({ "previous_quality_score": "GREEN", "new_quality_score": "YELLOW" })),
        ),
        "YELLOW",
    );
    add(
        (
            account,
            "template_category_update",
            template(
                json!({ "new_category": "UTILITY", "correct_category": "MARKETING", "category_update_timestamp": 1_900_000_000 }),
            ),
        ),
        "MARKETING",
    );
    add(
        (
            account,
            "message_template_components_update",
            template(json!({ "message_template_element": "Hi {{name}}, come back soon." })),
        ),
        "Template text changed",
    );
    events
}

async fn each_event_stands_in_the_history_of_its_number(platform: &Platform<'_>) {
    let admin = platform.demo.sign_in("admin").await;
    for (subject, field, value, words) in events() {
        platform.change(subject, field, value).await;
        until(&format!("{field}: {words}"), async || {
            let lines = history(&admin).await?;
            let told = |line: &String| line.contains(title(field)) && line.contains(words);
            lines.iter().any(told).then_some(())
        })
        .await;
    }
}

/// What a line of the history is called that tells of `field`.
fn title(field: &str) -> &'static str {
    match field {
        "phone_number_quality_update" => "Quality or limit changed",
        "business_capability_update" => "Limit changed",
        "account_alerts" => "WhatsApp alert",
        "account_update" => "Account changed",
        "account_review_update" => "Account reviewed",
        "phone_number_name_update" => "Display name reviewed",
        "security" => "Two-step verification changed",
        "business_username_update" => "Username changed",
        "message_template_status_update" => "Template status changed",
        "message_template_quality_update" => "Template quality changed",
        "template_category_update" => "Template category changed",
        _ => "Template text changed",
    }
}

/// The lines of the history of the first number, the latest first.
async fn history(admin: &Browser) -> Option<Vec<String>> {
    let to = admin.get("/portal/general-settings").await;
    let to = to.headers().get("location")?.to_str().ok()?.to_owned();
    let page = admin.page(&to).await;
    let history = page.split_once("<details class=\"number-history\">")?.1;
    let lines = history.split_once("<ol role=\"list\">")?.1.split_once("</ol>")?.0;
    Some(lines.split("</li>").map(text_of).collect())
}
