//! What the demo prints once it serves: for people, or one line of JSON (the contract).

use serde_json::json;

use crate::{
    demo::{DemoError, company, stand_in, state::DemoState},
    desk::RunningDesk,
    print,
};

/// Prints addresses and sign-ins.
///
/// # Errors
/// `Incomplete` when something that is printed does not run, `Print` when it cannot be printed.
pub fn announce(
    as_json: bool,
    desk: &RunningDesk,
    sandbox: &sandbox::Sandbox,
    state: &DemoState,
) -> Result<(), DemoError> {
    let address = desk.address.ok_or(DemoError::Incomplete("the demo serves no pages"))?;
    let metrics = desk.metrics.ok_or(DemoError::Incomplete("the demo serves no metrics"))?;
    let desk_url = format!("http://{address}");
    let sandbox_url = format!("http://{}", sandbox.http_addr());
    if as_json {
        let users: Vec<_> = company::USERS
            .iter()
            .map(|user| {
                json!({"email": user.email, "password": company::PASSWORD, "role": user.role.as_str()})
            })
            .collect();
        let channels: Vec<_> = stand_in::numbers()
            .into_iter()
            .zip(state.channels())
            .map(|(number, channel)| {
                json!({
                    "id": channel.to_string(),
                    "kind": "whatsapp",
                    "phone_number_id": number.phone_number_id,
                    "waba_id": number.waba_id,
                    "app_secret": number.app_secret,
                    "verify_token": number.verify_token,
                    "webhook": format!("{desk_url}/webhooks/whatsapp/{channel}"),
                })
            })
            .collect();
        let line = json!({
            "desk": desk_url,
            "sandbox": sandbox_url,
            "metrics": format!("http://{metrics}/metrics"),
            "users": users,
            "api_token": state.api_token,
            "channels": channels,
        });
        return Ok(print::line(line)?);
    }
    let agent = company::USERS[crate::demo::seed::first_agent()].email;
    let admin = company::USERS[0].email;
    Ok(print::line(format_args!(
        "Janela is ready.

  Desk      {desk_url}/desk       as {agent}
  Portal    {desk_url}/portal     as {admin}
  Phones    {sandbox_url}/phones     play the customers, move the clock
  Mailbox   {sandbox_url}/mailbox
  Metrics   http://{metrics}/metrics

  The password of everyone is {}
  Token of the API: {}

Press Ctrl+C to stop.",
        company::PASSWORD,
        state.api_token
    ))?)
}
