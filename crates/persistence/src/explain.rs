//! How a database would carry out what a read model asks: for tests that its indexes are used.

use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};

use crate::{db::Db, store::Store, test_support::statements_of};

/// A query and how it is carried out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub sql: String,
    /// In the database's own words, one step a line.
    pub steps: String,
}

impl Plan {
    /// The steps that read a whole table, or sort more than is asked for.
    pub(crate) fn detours(&self) -> Vec<&str> {
        self.steps.lines().filter(|step| is_detour(step)).collect()
    }
}

/// Small tables are best read whole: only those that grow without bound count.
fn is_detour(step: &str) -> bool {
    const GROWING: [&str; 14] = [
        "active_messages",
        "messages",
        "contacts",
        "tickets",
        "delivery_events",
        "decisions",
        "chatbot_contacts",
        "outbox",
        "contact_events",
        "opt_outs",
        "number_events",
        "reactions",
        "message_changes",
        "media",
    ];
    let reads_whole = |table: &&str| {
        step == format!("SCAN {table}") || step.ends_with(&format!("Seq Scan on {table}"))
    };
    let node = step.trim_start_matches([' ', '-', '>']);
    let sorts = step.contains("TEMP B-TREE FOR ORDER BY") || node == "Sort";
    sorts || GROWING.iter().any(reads_whole)
}

/// The plans of the queries that `work` makes, in their order.
///
/// They are made without the values and, on PostgreSQL, with whole tables and sorts as the last resort: the
/// tables of a test are too small for a choice by size.
pub(crate) fn plans_of<T>(store: &Store, work: impl FnOnce(&mut Db) -> T) -> Vec<Plan> {
    let mut plans = Vec::new();
    store
        .blocking_read(|db| {
            let ((), asked) = statements_of(db, |db| {
                drop(work(db));
                Ok(())
            })?;
            // What can have no rows reads none, though SQLite plans it as if it did.
            let reads = |sql: &&String| sql.starts_with("SELECT") && !sql.contains("(1=0)");
            for sql in asked.into_iter().filter(|sql| reads(&sql)) {
                plans.push(Plan { steps: explain(db, &sql), sql });
            }
            Ok(())
        })
        .unwrap();
    plans
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

fn explain(db: &mut Db, sql: &str) -> String {
    let steps: Vec<String> = match db {
        Db::Sqlite(sqlite) => {
            let steps = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load::<SqliteStep>(sqlite);
            steps.unwrap().into_iter().map(|step| step.detail).collect()
        }
        Db::Postgres(postgres) => {
            let values = (1..).take_while(|place| sql.contains(&format!("${place}")));
            let nulls = vec!["NULL"; values.count()].join(", ");
            let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
            postgres
                .batch_execute(&format!(
                    "SET enable_seqscan = off; SET enable_sort = off; \
                     SET plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}"
                ))
                .unwrap();
            let steps = sql_query(format!("EXPLAIN (COSTS OFF) EXECUTE asked{arguments}"));
            let steps = steps.load::<PostgresStep>(postgres).unwrap();
            postgres
                .batch_execute(
                    "DEALLOCATE asked; RESET enable_seqscan; RESET enable_sort; \
                     RESET plan_cache_mode",
                )
                .unwrap();
            steps.into_iter().map(|step| step.line).collect()
        }
    };
    steps.join("\n")
}
