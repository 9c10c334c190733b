//! The connection that queries are written against, and the one way to write.

#![expect(
    missing_docs,
    reason = "the derive of MultiConnection writes public items without documentation"
)]

use diesel::{
    Connection, MultiConnection, PgConnection, SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager, TransactionManagerStatus},
};

use fault::Place;

use crate::{error::PersistenceError, live};

/// A connection to either database. Only this file takes it apart.
#[derive(MultiConnection)]
pub enum Db {
    /// The embedded file.
    Sqlite(SqliteConnection),
    /// A PostgreSQL server.
    Postgres(PgConnection),
}

/// Expands a query once for each database, for what exists on both but not on [`Db`]: `ON CONFLICT`,
/// inserts of many rows, `returning` of a struct. Also on a hot path: through [`Db`] the text is written anew.
macro_rules! on_either {
    ($db:ident => $query:expr) => {
        match $db {
            $crate::db::Db::Sqlite($db) => $query,
            $crate::db::Db::Postgres($db) => $query,
        }
    };
}
pub(crate) use on_either;

/// Reads one row and keeps it from other writers until the transaction ends, without writing: on the hottest
/// path an `UPDATE` that only locks costs more than the reading. SQLite's writer is alone as it is.
macro_rules! locking {
    ($db:ident => $query:expr) => {
        match $db {
            $crate::db::Db::Sqlite($db) => $query.first($db),
            $crate::db::Db::Postgres($db) => $query.for_update().first($db),
        }
    };
}
pub(crate) use locking;

impl Db {
    /// Runs `work` in a transaction that may write, and commits when it returns `Ok`.
    ///
    /// On SQLite the write lock is taken at once (`BEGIN IMMEDIATE`), because a transaction that starts
    /// to write later fails when someone else writes. Inside another transaction it is a savepoint.
    /// What [`live::note`] was told is published once the outermost transaction is committed.
    ///
    /// # Errors
    /// What `work` returned, after a rollback; `Busy` when the write lock is not to be had.
    #[track_caller]
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let place = Place::of_caller();
        if self.is_in_transaction()? {
            let value = self.savepoint(work)?;
            fault::written(place);
            return Ok(value);
        }
        self.begin()?;
        live::transaction_begins();
        let done = work(self).and_then(|value| {
            live::notify_other_processes(self)?;
            fault::written(place);
            Ok(value)
        });
        let value = self.end(done).inspect_err(|_| fault::undone())?;
        fault::committed();
        live::transaction_committed();
        Ok(value)
    }

    /// Begins a transaction that may write, to be ended by [`Self::commit`].
    pub(crate) fn begin(&mut self) -> Result<(), PersistenceError> {
        match self {
            Self::Sqlite(sqlite) => {
                AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?;
            }
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres)?,
        }
        Ok(())
    }

    /// Ends the transaction, or the savepoint, that was begun last, and keeps its writes.
    pub(crate) fn commit(&mut self) -> Result<(), PersistenceError> {
        Ok(<Self as Connection>::TransactionManager::commit_transaction(self)?)
    }

    /// Whether a transaction is open, in good state and without a savepoint in it.
    pub(crate) fn is_in_outermost_transaction(&mut self) -> bool {
        let status = <Self as Connection>::TransactionManager::transaction_manager_status_mut(self);
        match status {
            TransactionManagerStatus::Valid(valid) => {
                valid.transaction_depth().is_some_and(|depth| depth.get() == 1)
            }
            TransactionManagerStatus::InError => false,
        }
    }

    /// Runs `work` so that its failure undoes its own writes only.
    ///
    /// # Errors
    /// What `work` returned, after its writes are undone.
    #[track_caller]
    pub fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        if !self.is_in_transaction()? {
            return self.write(work);
        }
        <Self as Connection>::TransactionManager::begin_transaction(self)?;
        let noted = live::mark();
        let done = work(self);
        let failed = done.is_err();
        let ended = self.end(done);
        if failed || ended.is_err() {
            live::forget_since(noted);
        }
        ended
    }

    /// Runs `work` so that it leaves nothing behind, neither writes nor locks, unless it answers `Some`.
    ///
    /// # Errors
    /// What `work` returned, after its writes are undone.
    #[track_caller]
    pub fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Option<T>, PersistenceError>,
    ) -> Result<Option<T>, PersistenceError> {
        let mut gave_up = false;
        let done = self.savepoint(|db| {
            work(db)?.ok_or_else(|| {
                gave_up = true;
                // Only to have it undone; whoever gave up is told by the flag.
                PersistenceError::NotFound
            })
        });
        match done {
            Err(PersistenceError::NotFound) if gave_up => Ok(None),
            done => done.map(Some),
        }
    }

    /// Runs `work` on one unchanging view of the data.
    ///
    /// # Errors
    /// What `work` returned.
    pub fn snapshot<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        if self.is_in_transaction()? {
            return work(self);
        }
        match self {
            Self::Sqlite(sqlite) => {
                AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN DEFERRED")?;
            }
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction_sql(
                postgres,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )?,
        }
        let done = work(self);
        self.end(done)
    }

    /// Whether this is the embedded file.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    fn is_in_transaction(&mut self) -> Result<bool, PersistenceError> {
        let status = <Self as Connection>::TransactionManager::transaction_manager_status_mut(self);
        match status {
            TransactionManagerStatus::Valid(valid) => Ok(valid.transaction_depth().is_some()),
            TransactionManagerStatus::InError => {
                Err(PersistenceError::Database(diesel::result::Error::BrokenTransactionManager))
            }
        }
    }

    /// Commits after `Ok`, rolls back after `Err`; the first failure is the one reported.
    fn end<T>(&mut self, done: Result<T, PersistenceError>) -> Result<T, PersistenceError> {
        match done {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                let undone = <Self as Connection>::TransactionManager::rollback_transaction(self);
                // Nothing is left to undo by a database that is gone.
                if let Err(rollback) = undone
                    && !error.may_pass_later()
                {
                    tracing::warn!(error = %rollback, "could not roll back");
                }
                Err(error)
            }
        }
    }
}
