//! What became of everything that was asked for: the sandbox's ledger judges, the invariants of the desk's own tables
//! are checked beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Nullable, Text},
};
use persistence::store::Store;

use crate::{
    platform::Entry,
    world::{World, count},
};

/// The four numbers that every test prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// What went as it should.
    pub ok: usize,
    /// What was accepted, never left, and says nowhere why.
    pub lost: usize,
    /// What left more often than once.
    pub duplicated: usize,
    /// What was under way when something failed, and came to its end all the same.
    pub recovered: usize,
}

impl Tally {
    /// Prints the line of test `name`.
    pub fn print(self, name: &str) {
        let Self { ok, lost, duplicated, recovered } = self;
        println!("{name} ok={ok} lost={lost} duplicated={duplicated} recovered={recovered}");
    }

    /// Prints the line, and fails when something was lost or came twice.
    pub fn must_be_clean(self, name: &str) {
        self.print(name);
        assert_eq!((self.lost, self.duplicated), (0, 0), "{name}");
    }
}

/// An active message as the desk's tables show it.
#[derive(Debug, QueryableByName)]
pub struct Sent {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub callback: Option<String>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub failure: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub outbox: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub untold: i64,
}

/// Every active message there is.
pub fn list_sent(store: &Store) -> Vec<Sent> {
    let query = "SELECT m.id AS id, m.callback_id AS callback, a.state AS state, m.failure_code AS failure,
            o.state AS outbox,
            (SELECT count(*) FROM attempts t WHERE t.message_id = m.id) AS attempts,
            (SELECT count(*) FROM attempts t WHERE t.message_id = m.id AND t.outcome IS NULL) AS untold
        FROM messages m JOIN active_messages a ON a.message_id = m.id
        LEFT JOIN outbox o ON o.message_id = m.id
        ORDER BY m.id";
    store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("messages")
}

/// Waits until the dispatcher has nothing left to do with any message.
pub async fn until_settled(world: &World, within: Duration) {
    let deadline = Instant::now() + within;
    loop {
        let left = world.count("SELECT count(*) AS n FROM outbox");
        if left == 0 {
            return;
        }
        if deadline < Instant::now() {
            let waiting: Vec<Sent> =
                list_sent(&world.store).into_iter().filter(|it| it.outbox.is_some()).collect();
            panic!("{left} are not settled within {within:?}, such as {:?}", waiting.first());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until every webhook that was kept is applied.
pub async fn until_applied(world: &World, within: Duration) {
    let deadline = Instant::now() + within;
    loop {
        let left = world.count("SELECT count(*) AS n FROM webhook_inbox WHERE done_at IS NULL");
        if left == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{left} webhooks wait after {within:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Judges what was accepted (`ids`) by the ledger, and checks what must always hold.
pub async fn judge(world: &World, ids: &[i64]) -> Tally {
    let (ledger, sent) = (world.platform.ledger().await, list_sent(&world.store));
    check_invariants(&world.store, &sent, &ledger);
    let left: BTreeSet<&str> = ledger.iter().map(|entry| entry.callback.as_str()).collect();
    let by_id: BTreeMap<i64, &Sent> = sent.iter().map(|sent| (sent.id, sent)).collect();
    let mut tally = Tally::default();
    for id in ids {
        let found = by_id.get(id).copied();
        let reached =
            found.and_then(|it| it.callback.as_deref()).is_some_and(|it| left.contains(it));
        let has_reason = found.is_some_and(|it| it.state == "failed" && it.failure.is_some());
        match reached || has_reason {
            true => tally.ok += 1,
            false => tally.lost += 1,
        }
        if found.is_some_and(|it| it.untold > 0 || it.attempts > 1) {
            tally.recovered += 1;
        }
    }
    // Of what is sent within conversations a customer may get several.
    let active: BTreeSet<&str> = sent.iter().filter_map(|it| it.callback.as_deref()).collect();
    let active: Vec<Entry> =
        ledger.iter().filter(|it| active.contains(it.callback.as_str())).cloned().collect();
    tally.duplicated = count_duplicates(&active);
    tally
}

/// How often anything left after the first time: a callback twice, or a customer of one send twice.
pub fn count_duplicates(ledger: &[Entry]) -> usize {
    let repeated: u64 = ledger.iter().map(|entry| entry.times.saturating_sub(1)).sum();
    let customers: BTreeSet<&str> = ledger.iter().map(|entry| entry.to.as_str()).collect();
    usize::try_from(repeated).unwrap_or(usize::MAX) + ledger.len() - customers.len()
}

/// An event of an active message, with the state shown; without an event where there is none.
#[derive(Debug, QueryableByName)]
struct Told {
    #[diesel(sql_type = BigInt)]
    message_id: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
}

/// I1 to I4, I8, I10 and I11 of the requirements, as far as tables and ledger show them.
pub fn check_invariants(store: &Store, sent: &[Sent], ledger: &[Entry]) {
    let all = count(store, "SELECT count(*) AS n FROM active_messages");
    assert_eq!(usize::try_from(all), Ok(sent.len()), "I1: each is in exactly one state");
    for it in sent {
        let is_under_way = it.outbox.is_some();
        assert!(!is_under_way || it.state == "sending", "I1: {it:?}");
    }
    let attempted = list_attempted(store);
    for entry in ledger {
        assert!(attempted.contains(&entry.callback), "I2: no attempt on record of {entry:?}");
    }
    let reopened = count(
        store,
        "SELECT count(*) AS n FROM attempts a WHERE (a.outcome IS NULL OR a.outcome IN ('unknown', 'accepted'))
         AND EXISTS (SELECT 1 FROM attempts b WHERE b.message_id = a.message_id AND b.fence > a.fence)",
    );
    assert_eq!(reopened, 0, "I3: tried again although the attempt before may have arrived");
    let times: u64 = ledger.iter().map(|entry| entry.times.saturating_sub(1)).sum();
    assert_eq!(times, 0, "I4: a message left twice");
    check_folds(store);
    let holders = count(store, "SELECT count(*) AS n FROM job_leases");
    assert!(holders <= 1, "I11: one lease, one row");
}

#[derive(QueryableByName)]
struct Attempted {
    #[diesel(sql_type = Text)]
    callback_id: String,
}

/// The callbacks of all messages that were tried, answers in conversations among them.
fn list_attempted(store: &Store) -> BTreeSet<String> {
    let query = "SELECT DISTINCT m.callback_id AS callback_id FROM messages m
        JOIN attempts a ON a.message_id = m.id WHERE m.callback_id IS NOT NULL";
    let rows: Vec<Attempted> =
        store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("attempts");
    rows.into_iter().map(|row| row.callback_id).collect()
}

/// I8: the state shown is the highest of LI-03 among the events kept. Both in one look: receipts come still.
fn check_folds(store: &Store) {
    let query =
        "SELECT a.message_id AS message_id, a.state AS state, e.kind AS kind, e.code AS code
        FROM active_messages a LEFT JOIN delivery_events e ON e.message_id = a.message_id";
    let told: Vec<Told> =
        store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("events");
    let mut by_message: BTreeMap<i64, Vec<&Told>> = BTreeMap::new();
    for it in &told {
        by_message.entry(it.message_id).or_default().push(it);
    }
    for told in by_message.values() {
        let has = |kind: &str| told.iter().any(|it| it.kind.as_deref() == Some(kind));
        let failed = |known: bool| {
            let is_unknown = |it: &Told| it.code.as_deref() == Some("outcome_unknown");
            let has_failed = |it: &Told| it.kind.as_deref() == Some("failed");
            told.iter().any(|it| has_failed(it) && is_unknown(it) != known)
        };
        let expected = match () {
            () if has("read") => "read",
            () if failed(true) => "failed",
            () if has("delivered") => "delivered",
            () if has("sent") || has("accepted") => "sent",
            () if failed(false) => "failed",
            () => "sending",
        };
        let state = told.first().map_or("", |it| it.state.as_str());
        if !matches!(state, "replied" | "expired") {
            assert_eq!(state, expected, "I8: {told:?}");
        }
    }
}

/// I10: no receipt waits for a message that is there.
pub fn count_orphans(store: &Store) -> i64 {
    count(
        store,
        "SELECT count(*) AS n FROM early_receipts e JOIN messages m
         ON m.channel_id = e.channel_id AND (m.provider_id = e.provider_id OR m.callback_id = e.callback_id)",
    )
}

#[derive(QueryableByName)]
struct Inbound {
    #[diesel(sql_type = Text)]
    provider_id: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How often each message of a customer is kept, by the platform's id.
pub fn list_inbound(store: &Store) -> BTreeMap<String, i64> {
    let query = "SELECT provider_id, count(*) AS n FROM messages WHERE direction = 'in' GROUP BY provider_id";
    let rows: Vec<Inbound> =
        store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("messages");
    rows.into_iter().map(|row| (row.provider_id, row.n)).collect()
}
