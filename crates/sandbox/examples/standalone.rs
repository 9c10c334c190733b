//! A sandbox by itself with a small world, to look at its pages: `cargo run -p sandbox --example standalone`.

use std::sync::Arc;

use sandbox::{NumberSeed, PhoneSeed, RealClock, Sandbox, SandboxConfig, TemplateSeed};
use serde_json::{Value, json};

const NUMBER: &str = "730055819924406";
const ACCOUNT: &str = "884120037765421";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let phone = |wa_id: &str, name: &str| PhoneSeed { wa_id: wa_id.into(), name: name.into() };
    let template = |name: &str, components: Value| TemplateSeed {
        waba_id: ACCOUNT.into(),
        name: name.into(),
        language: "en_GB".into(),
        category: "UTILITY".into(),
        status: "APPROVED".into(),
        components,
        parameter_format: "POSITIONAL".into(),
    };
    let sandbox = Sandbox::start(SandboxConfig {
        bind: "127.0.0.1:4010".parse()?,
        smtp_bind: "127.0.0.1:4025".parse()?,
        speed: 1.0,
        seed: 1,
        numbers: vec![NumberSeed {
            phone_number_id: NUMBER.into(),
            waba_id: ACCOUNT.into(),
            display_phone_number: "+44 7700 900101".into(),
            verified_name: "Harbour Lane Ceramics".into(),
            app_secret: "secret".into(),
            access_token: "token".into(),
            verify_token: "verify".into(),
            throughput: 80,
        }],
        templates: vec![
            template(
                "kiln_ready",
                json!([
                    { "type": "HEADER", "format": "IMAGE" },
                    { "type": "BODY", "text": "Hi {{1}}, your kiln slot is {{2}}. Shall we keep it for you?" },
                    { "type": "FOOTER", "text": "Harbour Lane Ceramics" },
                    { "type": "BUTTONS", "buttons": [
                        { "type": "QUICK_REPLY", "text": "Yes, keep it" },
                        { "type": "URL", "text": "See the slot", "url": "https://harbourlane.example/o/8812" }] }
                ]),
            ),
            template("hello", json!([{ "type": "BODY", "text": "Hello {{1}}, may we help you with your order?" }])),
        ],
        phones: vec![
            phone("447700900777", "Imani Okoro"),
            phone("5511987654321", "Luiza Prado"),
            phone("34600111222", "Rafael Torres"),
            phone("8613800138000", "陈雨"),
        ],
        time_zone: chrono_tz::Tz::UTC,
        clock: Arc::new(RealClock::new()),
    })
    .await?;
    println!("http://{}  smtp://{}", sandbox.http_addr(), sandbox.smtp_addr());
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await?;
    Ok(())
}
