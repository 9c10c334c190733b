//! Passwords: read unseen from a terminal, or from a pipe or a file; and `janela user password`.

use std::{
    fs,
    io::{self, BufRead, ErrorKind, IsTerminal, Write},
    path::Path,
};

use persistence::{
    error::PersistenceError,
    password,
    user::{self, UserStatus},
};
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use super::UserError;
use crate::{cli::UserPasswordArgs, database, print, settings::Settings};

/// The least characters of a password.
pub const SHORTEST_PASSWORD: usize = 12;

/// Gives a user a new password, and ends all their sessions with the old one.
///
/// # Errors
/// `Unknown` when nobody has the address; then no password is asked for.
pub fn replace(args: &UserPasswordArgs, settings: &Settings) -> Result<(), UserError> {
    let store = database::open_current(settings)?;
    let known = store.blocking_read(|db| user::find_credentials(db, &args.email))?;
    let known = known.ok_or_else(|| UserError::Unknown(args.email.clone()))?;
    let hash = read_hashed(&args.email, args.password_file.as_deref())?;
    store.blocking_write(|db| user::set_password(db, known.user, &hash))?;
    store.tell_serving_process()?;
    print::line(format_args!("{} has a new password and is signed out everywhere", args.email))?;
    match known.status {
        UserStatus::Active => {}
        UserStatus::Disabled => print::line(format_args!(
            "{0} is disabled; `janela user enable {0}` lets them sign in",
            args.email
        ))?,
    }
    Ok(())
}

/// Reads the password of `email` from `file`, or asks for it, and answers its hash.
///
/// # Errors
/// `NoPassword` or `Terminal` when it cannot be read, `GivenUp` when none is typed, `Differ` and `WeakPassword` when it is of no use.
pub fn read_hashed(email: &str, file: Option<&Path>) -> Result<String, UserError> {
    let password = match file {
        Some(path) => read_file(path)?,
        None if io::stdin().is_terminal() => ask_unseen(email)?,
        None => ask(email)?,
    };
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(UserError::WeakPassword);
    }
    Ok(password::hash(&password).map_err(PersistenceError::from)?)
}

fn read_file(path: &Path) -> Result<String, UserError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|source| UserError::NoPassword(path.to_owned(), source))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks whoever sits at the terminal, twice, for nothing shows what they type.
fn ask_unseen(email: &str) -> Result<String, UserError> {
    // An interrupt must end the reading, not the process: the terminal would go on showing nothing.
    #[cfg(unix)]
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    #[cfg(unix)]
    let _interrupts_end_nothing_else = {
        let _entered = runtime.enter();
        signal(SignalKind::interrupt())?
    };
    let password = type_unseen(&format!("Password for {email}: "))?;
    if type_unseen("The same again: ")? != password {
        return Err(UserError::Differ);
    }
    Ok(password)
}

fn type_unseen(prompt: &str) -> Result<String, UserError> {
    rpassword::prompt_password(prompt).map_err(|error| match error.kind() {
        ErrorKind::Interrupted | ErrorKind::UnexpectedEof => UserError::GivenUp,
        _ => UserError::Terminal(error),
    })
}

/// Asks whatever is at the other end of the pipe, once.
fn ask(email: &str) -> Result<String, UserError> {
    let mut prompt = io::stderr();
    write!(prompt, "Password for {email}: ")?;
    prompt.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
