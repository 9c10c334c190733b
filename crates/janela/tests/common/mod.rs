//! The built binary at a test's own database.

use std::process::{Command, Stdio};

use persistence::test_support::{TEST_KEY, TestStore};

/// `janela` with these arguments, without settings of whoever runs the test.
pub fn janela(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_janela"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JANELA_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).env("JANELA_LOG", "off").stdin(Stdio::null());
    command
}

/// [`janela`] at `store`.
#[allow(dead_code, reason = "not every test has a store")]
pub fn janela_at(store: &TestStore, arguments: &[&str]) -> Command {
    let mut command = janela(arguments);
    let settings = store.settings();
    command
        .env("JANELA_DATABASE_URL", &settings.url)
        .env("JANELA_DATA_DIR", &settings.data_dir)
        .env("JANELA_SECRET_KEY", TEST_KEY);
    if settings.url.starts_with("sqlite:") {
        // The file's name is relative.
        command.current_dir(&settings.data_dir);
    }
    command
}
