//! `janela config check`: each setting, its value, where the value comes from.

use crate::{
    print::{self, PrintError},
    settings::LoadedSettings,
};

/// Prints the settings, as a table or as JSON.
///
/// # Errors
/// When the report cannot be printed.
pub fn run(loaded: &LoadedSettings, json: bool) -> Result<(), PrintError> {
    if json {
        return print::json(&loaded.sources);
    }
    for line in &loaded.sources {
        let value = match &line.value {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        print::line(format_args!("{:20} {value:36} {}", line.key, line.source))?;
    }
    Ok(())
}
