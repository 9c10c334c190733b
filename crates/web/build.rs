//! Turns `locales/` into one typed function per message, and notices new static files.

use std::{env, error::Error, path::PathBuf};

use fluent_typed::{BuildOptions, FtlOutputOptions, LintLevel, try_build_from_locales_folder};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../static");
    println!("cargo::rerun-if-changed=../../templates");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let options = BuildOptions::default()
        .with_locales_folder("../../locales")
        .with_output_file_path(&out.join("l10n.rs").to_string_lossy())
        .with_ftl_output(FtlOutputOptions::single_file(
            &out.join("translations.ftl").to_string_lossy(),
        ))
        .with_prefix("")
        .with_lint_level(LintLevel::Strict)
        .without_format()
        .without_bidi_isolation();
    try_build_from_locales_folder(options)?;
    Ok(())
}
