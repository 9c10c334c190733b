//! `janela sandbox`: the provider stand-ins alone, for other programs and for tests.

use std::sync::Arc;

use sandbox::{RealClock, Sandbox, SandboxConfig, SandboxError};

use crate::{cli::SandboxArgs, demo::stand_in};

/// Starts the sandbox with the demo's numbers and templates, and waits for a signal to stop.
///
/// # Errors
/// [`SandboxError`] when it does not start or the webhook does not pass its handshake.
pub async fn run(args: &SandboxArgs) -> Result<(), SandboxError> {
    let numbers = stand_in::numbers();
    let sandbox = Sandbox::start(SandboxConfig {
        bind: args.bind,
        smtp_bind: args.smtp_bind,
        speed: args.speed,
        seed: 1,
        numbers: numbers.clone(),
        templates: stand_in::templates(),
        phones: Vec::new(),
        time_zone: chrono_tz::Tz::UTC,
        clock: Arc::new(RealClock::new()),
    })
    .await?;
    if let (Some(webhook), Some(number)) = (&args.webhook, numbers.first()) {
        sandbox.subscribe(&number.phone_number_id, webhook).await?;
    }
    announce(args.json, &sandbox, &numbers);
    crate::stop::requested().await;
    sandbox.stop().await
}

fn announce(json: bool, sandbox: &Sandbox, numbers: &[sandbox::NumberSeed]) {
    let (http, smtp) = (sandbox.http_addr(), sandbox.smtp_addr());
    if json {
        let channels: Vec<_> = numbers
            .iter()
            .map(|number| {
                serde_json::json!({
                    "kind": "whatsapp",
                    "phone_number_id": number.phone_number_id,
                    "waba_id": number.waba_id,
                    "app_secret": number.app_secret,
                    "access_token": number.access_token,
                    "verify_token": number.verify_token,
                })
            })
            .collect();
        let line = serde_json::json!({
            "sandbox": format!("http://{http}/"),
            "smtp": format!("smtp://{smtp}"),
            "channels": channels,
        });
        println!("{line}");
        return;
    }
    println!("Phones     http://{http}/phones");
    println!("Mailbox    http://{http}/mailbox");
    println!("Graph API  http://{http}/v25.0");
    println!("Mail       smtp://{smtp}");
    for number in numbers {
        println!(
            "Number     {} {}, token {}",
            number.phone_number_id, number.display_phone_number, number.access_token
        );
    }
}
