//! `janela healthcheck`: asks a running Janela whether it is ready, for containers.

use std::time::Duration;

use thiserror::Error;

use crate::settings::Settings;

/// Why the process is not ready.
#[derive(Debug, Error)]
pub enum HealthcheckError {
    /// Nothing answers.
    #[error("no answer from the desk")]
    NoAnswer(#[from] reqwest::Error),
    /// It answers that it is not ready.
    #[error("the desk is not ready: status {0}")]
    NotReady(u16),
}

/// Asks `/readyz` on the bound address.
///
/// # Errors
/// [`HealthcheckError`] when it does not answer 200 within five seconds.
pub async fn run(settings: &Settings) -> Result<(), HealthcheckError> {
    let mut address = settings.bind;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await?;
    match answer.status() {
        reqwest::StatusCode::OK => Ok(()),
        status => Err(HealthcheckError::NotReady(status.as_u16())),
    }
}
