//! Turns the sandbox's part of `locales/` into one typed function per message, and notices new static files.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use fluent_typed::{BuildOptions, FtlOutputOptions, LintLevel, try_build_from_locales_folder};

const LOCALES: &str = "../../locales";
/// The desk's other words are none of the sandbox's.
const FILES: [&str; 2] = ["sandbox.ftl", "time.ftl"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../static/sandbox");
    println!("cargo::rerun-if-changed=../../templates/sandbox");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let staged = out.join("locales");
    stage(&staged)?;
    let options = BuildOptions::default()
        .with_locales_folder(&staged.to_string_lossy())
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

/// Copies the sandbox's files of each language to `staged`; one that is the same already is left alone.
fn stage(staged: &Path) -> Result<(), Box<dyn Error>> {
    for language in fs::read_dir(LOCALES)? {
        let language = language?;
        let folder = staged.join(language.file_name());
        fs::create_dir_all(&folder)?;
        for name in FILES {
            let source = language.path().join(name);
            println!("cargo::rerun-if-changed={}", source.display());
            let words = fs::read(&source)?;
            let copy = folder.join(name);
            let is_same = fs::read(&copy).is_ok_and(|known| known == words);
            if !is_same {
                fs::write(&copy, words)?;
            }
        }
    }
    Ok(())
}
