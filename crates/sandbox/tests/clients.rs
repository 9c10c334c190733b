//! Two clients that others wrote, unmodified, against the sandbox: they send, receive and verify with their own code.
//!
//! Their packages are installed into the build's folder, versions pinned; where that fails, so does the test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use sandbox::{APP_ID, NumberSeed, PhoneSeed, RealClock, Sandbox, SandboxConfig, TemplateSeed};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const NUMBER: &str = "730055819924406";
const ACCOUNT: &str = "884120037765421";
const CUSTOMER: &str = "447700900777";

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// A folder of its own below the build's, which later runs find filled.
fn cache(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn start() -> Sandbox {
    let config = SandboxConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        smtp_bind: "127.0.0.1:0".parse().unwrap(),
        speed: 50.0,
        seed: 7,
        numbers: vec![NumberSeed {
            phone_number_id: NUMBER.into(),
            waba_id: ACCOUNT.into(),
            display_phone_number: "+44 7700 900101".into(),
            verified_name: "Harbour Lane Ceramics".into(),
            app_secret: "sandbox-app-secret-01".into(),
            access_token: "token-1".into(),
            verify_token: "my-chosen-token".into(),
            throughput: 80,
        }],
        templates: vec![TemplateSeed {
            waba_id: ACCOUNT.into(),
            name: "kiln_ready".into(),
            language: "en_GB".into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            components: json!([
                { "type": "BODY", "text": "Hi {{1}}, your slot is ready.",
                  "example": { "body_text": [["Imani"]] } },
                { "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Reschedule" }] }
            ]),
            parameter_format: "POSITIONAL".into(),
        }],
        phones: vec![PhoneSeed { wa_id: CUSTOMER.into(), name: "Imani Okoro é".into() }],
        time_zone: chrono_tz::Tz::Europe__Lisbon,
        clock: Arc::new(RealClock::new()),
    };
    Sandbox::start(config).await.unwrap()
}

/// What a client is told of the world.
fn world(sandbox: &Sandbox) -> Value {
    json!({
        "sandbox": format!("http://{}", sandbox.http_addr()),
        "phone_number_id": NUMBER,
        "waba_id": ACCOUNT,
        "access_token": "token-1",
        "app_id": APP_ID,
        "app_secret": "sandbox-app-secret-01",
        "verify_token": "my-chosen-token",
        "customer": CUSTOMER,
        "picture": Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../static/sandbox/samples/studio.jpg"),
    })
}

/// Runs an installer, which says by itself why it could not.
async fn install(command: &mut Command) {
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Gives the client its world and lets it take its steps.
async fn take_steps(command: &mut Command, world: &Value) {
    let mut client = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(world.to_string().as_bytes()).await.unwrap();
    drop(input);
    let output = client.wait_with_output().await.unwrap();
    let steps: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let failed: Vec<String> = steps
        .iter()
        .filter(|step| step["ok"] != true)
        .map(|step| format!("{}\n{}", step["step"], step["why"].as_str().unwrap_or_default()))
        .collect();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(failed.is_empty(), "{}\n{said}", failed.join("\n"));
    assert!(output.status.success() && 8 <= steps.len(), "{} steps\n{said}", steps.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn pywa_believes_the_sandbox() {
    let folder = cache("pywa");
    let python = folder.join("bin/python");
    if !python.exists() {
        install(Command::new("python3").arg("-m").arg("venv").arg(&folder)).await;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    install(pip.arg(scripts().join("requirements.txt"))).await;
    let sandbox = start().await;
    let mut client = Command::new(&python);
    // Since 2026 every person has a business-scoped id, without which this client knows nobody.
    let world = world(&sandbox);
    let settings = format!("{}/control/settings", world["sandbox"].as_str().unwrap());
    let switch = reqwest::Client::builder().no_proxy().build().unwrap();
    let order = json!({ "user_ids": true }).to_string();
    assert_eq!(switch.post(settings).body(order).send().await.unwrap().status(), 200);
    take_steps(client.arg(scripts().join("pywa_client.py")), &world).await;
    sandbox.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_api_js_believes_the_sandbox() {
    let folder = cache("whatsapp-api-js");
    for name in ["package.json", "package-lock.json", "whatsapp_api_js.mjs"] {
        std::fs::copy(scripts().join(name), folder.join(name)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    install(npm.current_dir(&folder)).await;
    let sandbox = start().await;
    let mut client = Command::new("node");
    client.arg(folder.join("whatsapp_api_js.mjs"));
    take_steps(&mut client, &world(&sandbox)).await;
    sandbox.stop().await.unwrap();
}
