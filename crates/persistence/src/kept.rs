//! An `UPDATE` that stays prepared.

use diesel::{
    QueryResult, RunQueryDsl, Table,
    backend::Backend,
    expression::{AppearsOnTable, Expression},
    query_builder::{AsChangeset, AstPass, QueryFragment, QueryId},
    sql_types::Bool,
};

/// The `UPDATE` of `table` by `changes` where `condition` holds, looked up by its text and prepared once for each
/// connection and text.
///
/// diesel prepares every `UPDATE` anew, because the text of one may be another at each run, and that takes as long
/// as running it. This one is made of the same parts, for hot paths where its text is one of a few.
pub(crate) fn kept_update<T, C, P>(
    table: T,
    condition: P,
    changes: C,
) -> KeptUpdate<T, C::Changeset, P>
where
    T: Table,
    C: AsChangeset<Target = T>,
    P: AppearsOnTable<T> + Expression<SqlType = Bool>,
{
    KeptUpdate { table, changes: changes.as_changeset(), condition }
}

/// What [`kept_update`] makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptUpdate<T, C, P> {
    table: T,
    changes: C,
    condition: P,
}

impl<T, C, P> QueryId for KeptUpdate<T, C, P> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, C, P, DB> QueryFragment<DB> for KeptUpdate<T, C, P>
where
    DB: Backend,
    T: QueryFragment<DB>,
    C: QueryFragment<DB>,
    P: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("UPDATE ");
        self.table.walk_ast(pass.reborrow())?;
        pass.push_sql(" SET ");
        self.changes.walk_ast(pass.reborrow())?;
        pass.push_sql(" WHERE ");
        self.condition.walk_ast(pass)
    }
}

impl<T, C, P, Conn> RunQueryDsl<Conn> for KeptUpdate<T, C, P> {}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use diesel::{
        connection::{Connection, InstrumentationEvent},
        prelude::*,
    };

    use super::*;
    use crate::{db::on_either, schema::chatbots, test_desk::TestDesk, test_support::on_both};

    #[test]
    fn a_kept_update_changes_its_rows_and_is_prepared_once() {
        on_both(|store| {
            let chatbot = TestDesk::new(store).chatbot;
            let kept = Arc::new(Mutex::new(Vec::new()));
            let listener = Arc::clone(&kept);
            let last_name: String = store
                .blocking_write(|db| {
                    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                            listener.lock().unwrap().push(sql.to_owned());
                        }
                    });
                    for turn in 1..=5 {
                        let name = chatbots::name.eq(format!("turn {turn}"));
                        let update = kept_update(chatbots::table, chatbots::id.eq(chatbot.0), name);
                        assert_eq!(on_either!(db => update.execute(db))?, 1);
                    }
                    db.set_instrumentation(|_: InstrumentationEvent<'_>| {});
                    Ok(chatbots::table.find(chatbot.0).select(chatbots::name).first(db)?)
                })
                .unwrap();
            assert_eq!(last_name, "turn 5");
            let kept = kept.lock().unwrap();
            assert_eq!(kept.len(), 1, "{kept:?}");
        });
    }
}
