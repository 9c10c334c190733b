//! Janela as one of the two.

use std::{
    net::SocketAddr,
    ops::Range,
    path::PathBuf,
    time::{Duration, Instant},
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Text},
};
use domain::ids::UserId;
use persistence::{
    api_token::{self, ApiScope},
    error::PersistenceError,
    session::{self, SessionPolicy},
    store::Store,
};
use serde_json::json;
use tempfile::TempDir;

use super::{
    CONNECTIONS, PATIENCE, SENDS, connected,
    contender::{Contender, Kept, TEMPLATE, TEMPLATE_BODY},
};
use crate::{
    BenchError, Database, clock,
    database::Place,
    desk::{AGENT, Connection},
    dispatch::platform::{Platform, THROUGHPUT},
    ingest::{
        past::{self, Past},
        webhook,
    },
    load::{self, Post},
    serving::{self, Running},
};

/// `janela serve` on a database of its own.
pub struct Janela {
    binary: PathBuf,
    folder: TempDir,
    place: Place,
    store: Store,
    address: SocketAddr,
    platform: SocketAddr,
    connection: Connection,
    past: Past,
    /// One for each connection, so that none is held up for asking too often.
    tokens: Vec<String>,
    session: String,
    running: Option<Running>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Phone {
    #[diesel(sql_type = Text)]
    phone: String,
}

impl Janela {
    /// Makes the desk at `platform`.
    ///
    /// # Errors
    /// When the database or the system refuses.
    pub fn set_up(database: Database, platform: &Platform) -> Result<Self, BenchError> {
        let binary = serving::release_binary()?;
        let folder = tempfile::tempdir()?;
        let place = Place::named(database, "peers_janela")?;
        place.make_empty()?;
        let store = place.open()?;
        let now = clock::now();
        let connection = Connection {
            api_base_url: format!("http://{}", platform.address),
            number: platform.number.clone(),
            account: platform.account.clone(),
            access_token: platform.token.clone(),
            app_secret: platform.app_secret.clone(),
            template: [TEMPLATE, "en", TEMPLATE_BODY],
        };
        let past = past::fill_connected(&store, folder.path(), &connection, SENDS, now)?;
        let (tokens, session) = store.blocking_write(|db| {
            diesel::sql_query(format!("UPDATE numbers SET throughput = {THROUGHPUT}"))
                .execute(db)?;
            let question = format!("SELECT id AS number FROM users WHERE email = '{AGENT}'");
            let agent: Count = diesel::sql_query(question).get_result(db)?;
            let agent = UserId(agent.number);
            let token = |_| Ok(api_token::create(db, agent, "bench", &ApiScope::ALL, now)?.token);
            let tokens = (0..CONNECTIONS).map(token).collect::<Result<_, PersistenceError>>()?;
            let session = session::open(db, agent, "bench", None, SessionPolicy::default(), now)?;
            Ok((tokens, session.token))
        })?;
        Ok(Self {
            binary,
            folder,
            place,
            store,
            address: serving::free_address()?,
            platform: platform.address,
            connection,
            past,
            tokens,
            session,
            running: None,
        })
    }

    fn count(&self, question: &str) -> Result<u64, BenchError> {
        let found: Count =
            self.store.blocking_read(|db| Ok(diesel::sql_query(question).get_result(db)?))?;
        Ok(found.number.unsigned_abs())
    }
}

impl Contender for Janela {
    fn name(&self) -> &'static str {
        "Janela"
    }

    fn start(&mut self) -> Result<(), BenchError> {
        let (binary, folder, url) = (&self.binary, self.folder.path(), self.place.url());
        let running = serving::start_at(self.address, binary, folder, &url, Some(self.platform))?;
        self.running = Some(running);
        Ok(())
    }

    fn kill(&mut self) -> Result<(), BenchError> {
        self.running.take().map_or(Ok(()), Running::kill)
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn webhooks(&self, sends: Range<u64>) -> Vec<Post> {
        let now = clock::now();
        let sign = |post: Post| {
            let body = connected(post.body(), &self.connection);
            let secret = &self.connection.app_secret;
            webhook::sign_with(secret, self.address, self.past.channel, &body)
        };
        let of_send = |send| {
            let posts = webhook::posts_of(&self.past, self.address, send..send + 1, now);
            posts.into_iter().map(sign).collect()
        };
        super::spread(sends.map(of_send).collect())
    }

    fn list_page(&self) -> Post {
        let cookie = format!("janela_session={}", self.session);
        Post::get(self.address, "/desk/waiting", &[("cookie", &cookie)])
    }

    fn wait_until_applied(&self) -> Result<(), BenchError> {
        let begun = Instant::now();
        let waiting = "SELECT count(*) AS number FROM webhook_inbox WHERE done_at IS NULL";
        while 0 < self.count(waiting)? {
            if PATIENCE < begun.elapsed() {
                return Err(BenchError::Broken("webhooks were never applied".into()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn kept(&self, sends: u64) -> Result<Kept, BenchError> {
        self.wait_until_applied()?;
        let answers = "FROM messages WHERE direction = 'in'";
        let behind = format!(
            "SELECT count(*) AS number FROM messages WHERE direction = 'out' AND state <> 'read'
                 AND id < {sends} + (SELECT min(id) FROM messages WHERE direction = 'out')"
        );
        let unread = "SELECT CAST(coalesce(sum(unread), 0) AS BIGINT) AS number FROM tickets";
        Ok(Kept {
            answers: self.count(&format!("SELECT count(*) AS number {answers}"))?,
            distinct_answers: self
                .count(&format!("SELECT count(DISTINCT provider_id) AS number {answers}"))?,
            behind: self.count(&behind)?,
            unread: self.count(unread)?,
        })
    }

    fn sends(&self, customers: Range<u64>) -> Vec<Post> {
        let post = |(customer, token): (u64, &String)| {
            let body = json!({
                "channel": self.past.channel.to_string(),
                "template": {"name": TEMPLATE, "language": "en"},
                "to": {"phone": format!("+{customer}")},
                "agent": AGENT,
            });
            let (token, key) = (format!("Bearer {token}"), format!("offer-{customer}"));
            let headers = [("authorization", token.as_str()), ("idempotency-key", &key)];
            let body = body.to_string();
            Post::new(self.address, "/api/v1/active-messages", &headers, body.as_bytes())
        };
        customers.zip(self.tokens.iter().cycle()).map(post).collect()
    }

    /// A request for each: what was accepted goes out by itself.
    fn begin_at_once(&self, customers: Range<u64>) -> Result<(), BenchError> {
        let posts = self.sends(customers);
        let asked = load::run_closed_loop(self.address, &posts, PATIENCE, CONNECTIONS)?;
        super::refuse(asked.refused, "sends")
    }

    fn has_sent_all(&self) -> Result<bool, BenchError> {
        let left = "SELECT count(*) AS number FROM outbox WHERE state <> 'unknown'";
        Ok(self.count(left)? == 0)
    }

    fn in_doubt(&self) -> Result<Vec<String>, BenchError> {
        let phones: Vec<Phone> = self.store.blocking_read(|db| {
            let question = "SELECT coalesce(contacts.phone, '') AS phone FROM outbox
                JOIN contacts ON contacts.id = outbox.contact_id WHERE outbox.state = 'unknown'";
            Ok(diesel::sql_query(question).get_results(db)?)
        })?;
        Ok(phones.iter().map(|it| it.phone.trim_start_matches('+').to_owned()).collect())
    }
}

impl Drop for Janela {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Err(error) = self.place.remove() {
            eprintln!("bench: left behind: {error}");
        }
    }
}
