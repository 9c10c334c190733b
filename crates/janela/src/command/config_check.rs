//! `janela config check`: each setting, its value, where the value comes from.

use crate::settings::LoadedSettings;

/// Prints the settings, as a table or as JSON.
///
/// # Errors
/// When the report cannot be written as JSON.
pub fn run(loaded: &LoadedSettings, json: bool) -> Result<(), serde_json::Error> {
    if json {
        println!("{}", serde_json::to_string(&loaded.sources)?);
        return Ok(());
    }
    for line in &loaded.sources {
        let value = match &line.value {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        println!("{:20} {value:36} {}", line.key, line.source);
    }
    Ok(())
}
