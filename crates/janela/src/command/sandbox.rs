//! `janela sandbox`: the provider stand-ins alone, for other programs and for tests.

use std::sync::Arc;

use sandbox::{RealClock, Sandbox, SandboxConfig, SandboxError};
use thiserror::Error;

use crate::{
    cli::SandboxArgs,
    demo::stand_in,
    print::{self, PrintError},
};

/// Why the stand-ins do not run, or nobody is told of them.
#[derive(Debug, Error)]
pub enum StandInError {
    /// They do not start or stop, or the webhook does not pass its handshake.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Their addresses cannot be printed.
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Starts the sandbox with the demo's numbers and templates, and waits for a signal to stop.
///
/// # Errors
/// [`StandInError`].
pub async fn run(args: &SandboxArgs) -> Result<(), StandInError> {
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
    announce(args.json, &sandbox, &numbers)?;
    crate::stop::requested().await;
    Ok(sandbox.stop().await?)
}

fn announce(
    json: bool,
    sandbox: &Sandbox,
    numbers: &[sandbox::NumberSeed],
) -> Result<(), PrintError> {
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
        return print::line(line);
    }
    print::line(format_args!("Phones     http://{http}/phones"))?;
    print::line(format_args!("Mailbox    http://{http}/mailbox"))?;
    print::line(format_args!("Graph API  http://{http}/v25.0"))?;
    print::line(format_args!("Mail       smtp://{smtp}"))?;
    for number in numbers {
        print::line(format_args!(
            "Number     {} {}, token {}",
            number.phone_number_id, number.display_phone_number, number.access_token
        ))?;
    }
    Ok(())
}
