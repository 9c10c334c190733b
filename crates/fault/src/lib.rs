//! Fault points: places at which a test ends the process, right before or after a commit or a call to the outside.
//!
//! *Lives here*: how a point is named and armed. *Must not live here*: what is tested by it.
//!
//! A point is named by its moment and the place in the source that commits or calls, such as
//! `commit.before persistence/outbox/claim.rs:162`; [`Place::of_caller`] finds that place, so no point is written
//! by hand and none is forgotten. `FAILPOINTS="NAME=return"` ends the process at the first visit of a point,
//! `FAILPOINTS="NAME=3*off->return"` at the fourth, as the crate `fail` reads it; [`SEEN`] lists what was visited.
//! Release builds have no points.

use std::panic::Location;

/// The variable that names the file in which visited points are listed, each once, while any is armed.
pub const SEEN: &str = "FAILPOINTS_SEEN";

/// When in the course of a commit or a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Everything is written, and nothing is committed.
    BeforeCommit,
    /// It is on disk, and nobody was told.
    AfterCommit,
    /// Nothing left this machine.
    BeforeCall,
    /// The answer is here, and nothing is done with it.
    AfterCall,
}

impl Moment {
    /// Every moment.
    pub const ALL: [Self; 4] =
        [Self::BeforeCommit, Self::AfterCommit, Self::BeforeCall, Self::AfterCall];

    /// The first word of a point's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeCommit => "commit.before",
            Self::AfterCommit => "commit.after",
            Self::BeforeCall => "call.before",
            Self::AfterCall => "call.after",
        }
    }
}

/// The name of the point at `moment` in line `line` of the source file `file`, given from the top of the repository.
#[must_use]
pub fn name(moment: Moment, file: &str, line: u32) -> String {
    let file = file.strip_prefix("crates/").unwrap_or(file).replacen("/src/", "/", 1);
    format!("{} {file}:{line}", moment.as_str())
}

/// A place in the source that commits or calls.
#[derive(Debug, Clone, Copy)]
pub struct Place(
    #[allow(dead_code, reason = "not read where there are no points")] &'static Location<'static>,
);

impl Place {
    /// Where the function that asks was called, which is marked with `#[track_caller]` itself.
    #[must_use]
    #[track_caller]
    pub fn of_caller() -> Self {
        Self(Location::caller())
    }
}

#[cfg(all(feature = "points", debug_assertions))]
mod points {
    use std::{
        cell::RefCell,
        collections::HashSet,
        fs::File,
        io::Write,
        path::PathBuf,
        sync::{Mutex, OnceLock, PoisonError},
    };

    use super::{Moment, Place, SEEN, name};

    static ARMED: OnceLock<bool> = OnceLock::new();
    static KNOWN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

    thread_local! {
        /// Places whose transaction waits for its commit.
        static WAITING: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn arm() {
        let asked = std::env::var_os("FAILPOINTS").is_some();
        if *ARMED.get_or_init(|| asked) {
            // Torn down by the end of the process.
            std::mem::forget(fail::FailScenario::setup());
        }
    }

    pub(super) fn visit(moment: Moment, Place(place): Place) {
        if ARMED.get().copied().unwrap_or(false) {
            let name = name(moment, place.file(), place.line());
            note(&name);
            // Only `return` asks for the end; the other actions are done when this returns.
            fail::eval(&name, |_| std::process::abort());
        }
    }

    /// Adds a point to the list of those that were visited, at its first visit.
    fn note(name: &str) {
        let Some(list) = std::env::var_os(SEEN).map(PathBuf::from) else { return };
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get_or_insert_default().insert(name.to_owned()) {
            let mut options = File::options();
            let added = options.create(true).append(true).open(list);
            // A test that asked for the list and finds it short fails by itself.
            let _noted = added.and_then(|mut list| writeln!(list, "{name}"));
        }
    }

    pub(super) fn written(place: Place) {
        visit(Moment::BeforeCommit, place);
        WAITING.with_borrow_mut(|waiting| waiting.push(place));
    }

    pub(super) fn committed() {
        for place in WAITING.take() {
            visit(Moment::AfterCommit, place);
        }
    }

    pub(super) fn undone() {
        WAITING.take();
    }
}

#[cfg(not(all(feature = "points", debug_assertions)))]
mod points {
    use super::{Moment, Place};

    pub(super) fn arm() {}
    pub(super) fn visit(_: Moment, _: Place) {}
    pub(super) fn written(_: Place) {}
    pub(super) fn committed() {}
    pub(super) fn undone() {}
}

/// Reads which points are armed. Called once, before anything else.
pub fn arm() {
    points::arm();
}

/// A call to the outside that is about to be made, or that was answered.
pub fn visit(moment: Moment, place: Place) {
    points::visit(moment, place);
}

/// Everything that `place` writes is written; the commit follows on this thread, or [`undone`].
pub fn written(place: Place) {
    points::written(place);
}

/// What was written on this thread is committed.
pub fn committed() {
    points::committed();
}

/// What was written on this thread and not committed never will be.
pub fn undone() {
    points::undone();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_by_its_moment_and_its_place() {
        let named = name(Moment::AfterCommit, "crates/persistence/src/outbox/claim.rs", 162);
        assert_eq!(named, "commit.after persistence/outbox/claim.rs:162");
    }
}
