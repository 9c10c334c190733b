//! Searches of pages: what was typed stays here, addresses carry its id. Names and numbers never stand in
//! an address, which browsers and proxies keep.

use persistence::{
    db::Db,
    error::PersistenceError,
    search::{self, Search, SearchId},
    user::Actor,
};

use crate::{desk::Desk, session::Session, visit::Visit};

/// The name an address gives the id of a search.
pub const SEARCH: &str = "search";

/// Keeps what was typed; `None` when nothing was.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    desk: &Desk,
    session: &Session,
    visit: &Visit,
    typed: String,
) -> Result<Option<Search>, PersistenceError> {
    let (owner, now) = (session.actor.id(), visit.now);
    desk.store.write(move |db| search::save(db, owner, &typed, now)).await
}

/// The search that `word` of an address names; `None` when it names none that is still there.
///
/// # Errors
/// When the database fails.
pub fn find(db: &mut Db, actor: &Actor, word: &str) -> Result<Option<Search>, PersistenceError> {
    match SearchId::parse(word) {
        Some(id) => search::find(db, actor.id(), &id),
        None => Ok(None),
    }
}
