//! The databases that benches measure on: files under `target/bench-data`, or databases of a server.

use std::path::{Path, PathBuf};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::Bool,
};
use persistence::{
    error::PersistenceError,
    secret::{KeyEncryptionKey, Vault},
    store::{DatabaseSettings, Store},
};

use crate::{BenchError, Database};

/// A database by name, which may exist or not.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a server.
    Postgres {
        /// Where the server is, with the database to connect to first.
        server: String,
        /// The database.
        name: String,
    },
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

impl Place {
    /// The place called `name`, made of letters, digits and `_`. Nothing is made yet.
    ///
    /// # Errors
    /// When no server is named, or the folder of the files cannot be made.
    pub fn named(database: Database, name: &str) -> Result<Self, BenchError> {
        match database {
            Database::Sqlite => {
                let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
                let folder = top.join("target/bench-data");
                std::fs::create_dir_all(&folder)?;
                Ok(Self::Sqlite(folder.join(format!("{name}.db"))))
            }
            Database::Postgres => {
                let server = std::env::var("JANELA_TEST_POSTGRES_URL");
                let server = server.map_err(|_| BenchError::NoPostgres)?;
                Ok(Self::Postgres { server, name: format!("janela_bench_{name}") })
            }
        }
    }

    /// What Janela opens it with.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres { server, name } => {
                let (address, parameters) =
                    server.split_at(server.find('?').unwrap_or(server.len()));
                let after_scheme = address.find("://").map_or(0, |place| place + 3);
                let end = address[after_scheme..]
                    .find('/')
                    .map_or(address.len(), |slash| after_scheme + slash);
                format!("{}/{name}{parameters}", &address[..end])
            }
        }
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn exists(&self) -> Result<bool, BenchError> {
        match self {
            Self::Sqlite(file) => Ok(file.try_exists()?),
            Self::Postgres { server, name } => {
                let question = format!(
                    "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}') AS yes"
                );
                let answer: Answer = diesel::sql_query(question)
                    .get_result(&mut PgConnection::establish(server)?)?;
                Ok(answer.yes)
            }
        }
    }

    /// Makes it anew, without tables.
    ///
    /// # Errors
    /// When the system or the server refuses.
    pub fn make_empty(&self) -> Result<(), BenchError> {
        self.remove()?;
        match self {
            // Janela makes the file.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres { server, name } => {
                run_on(server, &format!("CREATE DATABASE {name} TEMPLATE template0"))
            }
        }
    }

    /// Removes it if it is there.
    ///
    /// # Errors
    /// When the system or the server refuses.
    pub fn remove(&self) -> Result<(), BenchError> {
        match self {
            Self::Sqlite(file) => {
                for file in [
                    file.clone(),
                    beside(file, "-wal"),
                    beside(file, "-shm"),
                    beside(file, "-serving"),
                ] {
                    if file.try_exists()? {
                        std::fs::remove_file(file)?;
                    }
                }
                Ok(())
            }
            Self::Postgres { server, name } => {
                run_on(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            }
        }
    }

    /// Makes it anew as a copy of `other`, which nobody has open.
    ///
    /// # Errors
    /// When the system or the server refuses.
    pub fn copy_from(&self, other: &Self) -> Result<(), BenchError> {
        self.remove()?;
        match (self, other) {
            (Self::Sqlite(file), Self::Sqlite(other)) => {
                std::fs::copy(other, file)?;
                std::fs::File::open(file)?.sync_all()?;
                Ok(())
            }
            (Self::Postgres { server, name }, Self::Postgres { name: other, .. }) => {
                run_on(server, &format!("CREATE DATABASE {name} TEMPLATE {other}"))?;
                run_on(server, "CHECKPOINT")
            }
            (Self::Sqlite(_), Self::Postgres { .. }) | (Self::Postgres { .. }, Self::Sqlite(_)) => {
                Err(BenchError::NoFigure("a copy to another kind of database"))
            }
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// When Janela cannot.
    pub fn open(&self) -> Result<Store, BenchError> {
        let settings =
            DatabaseSettings { url: self.url(), data_dir: PathBuf::new(), connections: 2 };
        Ok(Store::open(&settings)?)
    }
}

/// Makes the tables of `store` and a key in `folder`, where a program that serves it looks for it.
///
/// # Errors
/// When the database or the system refuses.
pub fn prepare(store: &Store, folder: &Path) -> Result<Vault, BenchError> {
    store.migrate()?;
    let key = KeyEncryptionKey::generate().map_err(PersistenceError::from)?;
    std::fs::write(folder.join("secret.key"), key.to_hex())?;
    store.unlock(&key)?;
    Ok(store.vault()?)
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn run_on(server: &str, command: &str) -> Result<(), BenchError> {
    Ok(PgConnection::establish(server)?.batch_execute(command)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_in_the_place_of_the_servers_own() {
        let cases = [
            ("postgres:///postgres?host=/tmp&user=ana", "postgres:///desk?host=/tmp&user=ana"),
            ("postgres://ana@db.example:5433/postgres", "postgres://ana@db.example:5433/desk"),
            ("postgres://ana@db.example", "postgres://ana@db.example/desk"),
        ];
        for (server, expected) in cases {
            let place = Place::Postgres { server: server.into(), name: "desk".into() };
            assert_eq!(place.url(), expected);
        }
    }
}
