//! A column that is one of many values, in a text that stays prepared.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Bool, HasSqlType, Text},
};

/// `column` is one of `ids`; of none when there are none.
///
/// diesel's own `eq_any` is prepared anew at each run on SQLite, because its text depends on how many values there
/// are. This one repeats the last value until there are a power of two, so that few texts serve every number.
pub(crate) fn is_among<C>(column: C, ids: impl IntoIterator<Item = i64>) -> Among<C, i64, BigInt> {
    Among::new(column, ids)
}

/// [`is_among`] for names.
pub(crate) fn is_named_among<'a, C>(
    column: C,
    names: impl IntoIterator<Item = &'a str>,
) -> Among<C, &'a str, Text> {
    Among::new(column, names)
}

/// What [`is_among`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Among<C, V, T> {
    column: C,
    values: Vec<V>,
    of_type: std::marker::PhantomData<T>,
}

impl<C, V: Copy, T> Among<C, V, T> {
    fn new(column: C, values: impl IntoIterator<Item = V>) -> Self {
        let mut values: Vec<V> = values.into_iter().collect();
        if let Some(last) = values.last().copied() {
            values.resize(values.len().next_power_of_two(), last);
        }
        Self { column, values, of_type: std::marker::PhantomData }
    }
}

impl<C: Expression, V, T> Expression for Among<C, V, T> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<S>, V, T, S> AppearsOnTable<S> for Among<C, V, T> {}

impl<C: SelectableExpression<S>, V, T, S> SelectableExpression<S> for Among<C, V, T> {}

impl<C: ValidGrouping<()>, V, T> ValidGrouping<()> for Among<C, V, T> {
    type IsAggregate = is_aggregate::No;
}

impl<C, V, T> QueryId for Among<C, V, T> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, V, T, DB> QueryFragment<DB> for Among<C, V, T>
where
    DB: Backend + HasSqlType<T>,
    C: QueryFragment<DB>,
    V: ToSql<T, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.values.is_empty() {
            pass.push_sql("1=0");
            return Ok(());
        }
        self.column.walk_ast(pass.reborrow())?;
        for (place, value) in self.values.iter().enumerate() {
            pass.push_sql(if place == 0 { " IN (" } else { "," });
            pass.push_bind_param::<T, V>(value)?;
        }
        pass.push_sql(")");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use diesel::{
        connection::{Connection, InstrumentationEvent},
        prelude::*,
    };

    use super::*;
    use crate::{schema::users, test_desk::TestDesk, test_support::on_both};

    #[test]
    fn what_is_among_the_values_is_found_and_few_texts_serve_any_number_of_them() {
        on_both(|store| {
            let agents = TestDesk::new(store).agents;
            let texts = Arc::new(Mutex::new(Vec::new()));
            let listener = Arc::clone(&texts);
            store
                .blocking_read(|db| {
                    let first: String =
                        users::table.find(agents[0].0).select(users::email).first(db)?;
                    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                            listener.lock().unwrap().push(sql.to_owned());
                        }
                    });
                    for strangers in 0..8 {
                        let ids = (0..strangers).map(|id| -id).chain([agents[0].0]);
                        let found: Vec<i64> = users::table
                            .filter(is_among(users::id, ids))
                            .select(users::id)
                            .load(db)?;
                        assert_eq!(found, [agents[0].0]);
                        let names = (0..strangers).map(|_| "nobody").chain([first.as_str()]);
                        let named: Vec<i64> = users::table
                            .filter(is_named_among(users::email, names))
                            .select(users::id)
                            .load(db)?;
                        assert_eq!(named, [agents[0].0]);
                    }
                    let none: Vec<i64> =
                        users::table.filter(is_among(users::id, [])).select(users::id).load(db)?;
                    assert!(none.is_empty());
                    db.set_instrumentation(|_: InstrumentationEvent<'_>| {});
                    Ok(())
                })
                .unwrap();
            // 1, 2, 4 and 8 values, twice, and none.
            assert_eq!(texts.lock().unwrap().len(), 9);
        });
    }
}
