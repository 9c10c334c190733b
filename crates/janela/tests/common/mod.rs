//! The built binary at a test's own database.

use std::process::{Command, Stdio};

use persistence::test_support::{TEST_KEY, TestStore};

/// `janela` with these arguments at `store`, without settings of whoever runs the test.
pub fn janela_at(store: &TestStore, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_janela"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JANELA_") {
            command.env_remove(name);
        }
    }
    let settings = store.settings();
    command
        .args(arguments)
        .env("JANELA_DATABASE_URL", &settings.url)
        .env("JANELA_DATA_DIR", &settings.data_dir)
        .env("JANELA_SECRET_KEY", TEST_KEY)
        .env("JANELA_LOG", "off")
        .stdin(Stdio::null());
    if settings.url.starts_with("sqlite:") {
        // The file's name is relative.
        command.current_dir(&settings.data_dir);
    }
    command
}
