//! What can go wrong between a use case and the database.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use thiserror::Error;

/// Why something asked of the database was not done.
#[derive(Debug, Error)]
pub enum PersistenceError {
    /// A row that must be there is not, or may not be known to who asks.
    #[error("no such row")]
    NotFound,
    /// A row with the same key is there already.
    #[error("the row exists already")]
    Duplicate,
    /// Who asks lacks the permission.
    #[error("not permitted")]
    Denied,
    /// The database is held by someone else; the same call may pass in a moment.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached, or has no room to write; the same call may pass once it can, or has.
    #[error("the database is not available")]
    Unavailable(#[source] DieselError),
    /// The wall clock jumped and is not trusted yet; the same call may pass once it is (JO-05).
    #[error("the wall clock jumped and is not trusted yet")]
    ClockJumped,
    /// A stored value that this program does not know.
    #[error("cannot read {value:?} in {table}.{column}")]
    Unreadable {
        /// The table it stands in.
        table: &'static str,
        /// The column it stands in.
        column: &'static str,
        /// What stands there. Never a secret.
        value: String,
    },
    /// The settings name no database this program can open.
    #[error("{0}")]
    Settings(String),
    /// The database could not be opened at start.
    #[error("cannot open the database {location}: {reason}")]
    Open {
        /// The file, or the server without its password.
        location: String,
        /// What the database said.
        reason: String,
    },
    /// The migrations did not run through.
    #[error("cannot migrate the database: {0}")]
    Migration(String),
    /// A secret could not be sealed or opened.
    #[error("{0}")]
    Secret(#[from] crate::secret::SecretError),
    /// A thread of the pool ended without an answer.
    #[error("a database thread was lost")]
    ThreadLost,
    /// Anything else the database says.
    #[error("the database refused")]
    Database(#[source] DieselError),
}

impl PersistenceError {
    /// Whether the SQLite file is none, or is damaged: then asking again helps nobody.
    #[must_use]
    pub fn tells_of_damage(&self) -> bool {
        let said = match self {
            Self::Open { reason, .. } | Self::Migration(reason) => reason.clone(),
            Self::Database(error) => error.to_string(),
            _ => return false,
        };
        said.contains("file is not a database") || said.contains("disk image is malformed")
    }

    /// Whether the database or the clock is to blame, and the same call may pass in a while.
    #[must_use]
    pub fn may_pass_later(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Unavailable(_)
                | Self::ClockJumped
                | Self::Open { .. }
                | Self::ThreadLost
        )
    }

    /// A value of `table.column` that this program does not know.
    pub(crate) fn unreadable(
        table: &'static str,
        column: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self::Unreadable { table, column, value: value.into() }
    }
}

impl From<DieselError> for PersistenceError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Duplicate,
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Busy,
            DieselError::DatabaseError(_, ref information) if is_busy(information.message()) => {
                Self::Busy
            }
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | DieselError::BrokenTransactionManager => Self::Unavailable(error),
            DieselError::DatabaseError(_, ref information) if is_away(information.message()) => {
                Self::Unavailable(error)
            }
            other => Self::Database(other),
        }
    }
}

/// Whether the database says that someone else holds what was needed.
fn is_busy(message: &str) -> bool {
    message.contains("database is locked")
        || message.contains("deadlock detected")
        || message.contains("lock timeout")
}

/// Whether the database says that it is gone for now, or cannot write: restarted, cut off, its disk full.
fn is_away(message: &str) -> bool {
    const SIGNS: [&str; 12] = [
        "database or disk is full",
        "disk I/O error",
        "No space left on device",
        "unable to open database file",
        "server closed the connection",
        "terminating connection",
        "no connection to the server",
        "could not receive data from server",
        "could not send data to server",
        "the database system is",
        "connection to server",
        "connection pointer is NULL",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        let told = |message: &str| {
            let kind = DatabaseErrorKind::Unknown;
            DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
        };
        assert!(matches!(told("database is locked"), PersistenceError::Busy));
        for message in [
            "database or disk is full",
            "server closed the connection unexpectedly\n\tThis probably means the server terminated",
            "terminating connection due to administrator command",
            "FATAL:  the database system is starting up",
        ] {
            assert!(matches!(told(message), PersistenceError::Unavailable(_)), "{message}");
        }
        assert!(matches!(told("no such table: messages"), PersistenceError::Database(_)));
    }
}
