//! `live`: from a webhook to the desks that must hear of it, with a thousand of them connected; and what an idle one
//! keeps in memory.

mod company;
mod listen;

use std::{
    collections::{HashMap, HashSet},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Text},
};
use persistence::store::Store;

use self::{
    company::{Company, PROVIDER_ID},
    listen::{Heard, Listeners},
};
use crate::{
    BenchError, Database, DatabaseChoice,
    database::Place,
    load::{self, Post},
    report::{Report, Row, machine, percentile},
    serving::{self, Running},
};

/// Desks connected, each with an agent and a session of its own.
const DESKS: usize = 1_000;
/// How the agents are put into teams, and how many webhooks come in each second. With one team every desk must
/// hear of everything.
const SHAPES: [Shape; 2] = [Shape { teams: 20, rate: 20 }, Shape { teams: 1, rate: 2 }];
/// How long memory is left to settle before it is read.
const SETTLED: Duration = Duration::from_secs(10);
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A company of [`DESKS`] agents.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Teams of the same size, each with a chatbot and a number of its own.
    teams: usize,
    /// Webhooks a second, to the numbers in turns.
    rate: u32,
}

impl Shape {
    /// Desks that must hear of one webhook.
    fn team(self) -> usize {
        DESKS / self.teams
    }
}

/// Measures on each database asked for, `lasting` with each shape.
///
/// # Errors
/// When the program does not serve, refuses a page, a stream or a webhook, or a database refuses.
pub fn run(databases: DatabaseChoice, lasting: Duration) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for database in databases.each() {
        for shape in SHAPES {
            rows.extend(measure_on(database, shape, lasting)?);
        }
    }
    Ok(Report { name: "live", machine: machine(), rows })
}

fn measure_on(database: Database, shape: Shape, lasting: Duration) -> Result<Vec<Row>, BenchError> {
    let binary = serving::release_binary()?;
    let folder = tempfile::tempdir()?;
    let place = Place::named(database, "live")?;
    place.make_empty()?;
    let store = place.open()?;
    let company = Company::set_up(&store, folder.path(), shape.teams, shape.team())?;
    let server = serving::start(&binary, folder.path(), &place.url(), None)?;

    open_every_desk(server.address, &company)?;
    std::thread::sleep(SETTLED);
    let without = server.resident_mebibytes()?;
    let listeners = Listeners::connect(server.address, company.sessions())?;
    std::thread::sleep(SETTLED);
    let each = kibibytes_of_each(&server, without)?;

    let posts = shape.rate * u32::try_from(lasting.as_secs()).unwrap_or(u32::MAX);
    let posted = post_steadily(&company.posts(server.address, posts), server.address, shape.rate)?;
    std::thread::sleep(PATIENCE);
    let heard = listeners.stop()?;
    drop(server);
    let must_hear = |desk, turn| company.team_of_desk(desk) == company.team_of_post(turn);
    let expected = posted.len() * shape.team();
    let found = judge(&posted, must_hear, expected, &heard, &message_ids(&store)?);
    drop(store);
    place.remove()?;
    Ok(rows(database, shape, each, &found))
}

fn rows(database: Database, shape: Shape, each: f64, found: &Found) -> Vec<Row> {
    let name = database.name();
    let teams = match shape.teams {
        1 => "one team".to_owned(),
        teams => format!("{teams} teams"),
    };
    let what = |figure: &str| format!("{figure}, {DESKS} desks, {teams}");
    let off = u32::try_from(found.off).unwrap_or(u32::MAX);
    let taken = |share| percentile(&found.latencies, share);
    vec![
        Row::at_most(what("memory of each idle one"), name, each, "KiB", 16.0),
        Row::figure(what("webhook to wire, p50"), name, taken(0.5), "ms"),
        Row::at_most(what("webhook to wire, p99"), name, taken(0.99), "ms", 300.0),
        Row::figure(what("webhook to wire, longest"), name, taken(1.0), "ms"),
        Row::at_most(what("events not heard, or twice"), name, f64::from(off), "", 0.0),
    ]
}

/// Every desk gets its page once, as a browser does before it listens: what pages need in memory is no part of what
/// a stream needs.
fn open_every_desk(address: SocketAddr, company: &Company) -> Result<(), BenchError> {
    let cookies: Vec<String> = company.sessions().iter().map(|session| session.cookie()).collect();
    let pages: Vec<Post> = cookies
        .iter()
        .map(|cookie| Post::get(address, "/desk/waiting", &[("cookie", cookie)]))
        .collect();
    let opened = load::run_closed_loop(address, &pages, Duration::from_secs(300), 8)?;
    match opened.refused {
        0 => Ok(()),
        refused => Err(BenchError::Broken(format!("{refused} desks did not open"))),
    }
}

fn kibibytes_of_each(server: &Running, without: f64) -> Result<f64, BenchError> {
    let desks = f64::from(u32::try_from(DESKS).unwrap_or(u32::MAX));
    Ok((server.resident_mebibytes()? - without) * 1_024.0 / desks)
}

/// Posts one after the other, `rate` a second, and tells when each was on its way.
fn post_steadily(
    posts: &[Post],
    address: SocketAddr,
    rate: u32,
) -> Result<Vec<Instant>, BenchError> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 4_096];
    let begun = Instant::now();
    let mut posted = Vec::with_capacity(posts.len());
    for (turn, post) in (0..).zip(posts) {
        let due = begun + Duration::from_secs(1) * turn / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        posted.push(Instant::now());
        stream.write_all(post.bytes())?;
        let length = stream.read(&mut answer)?;
        if !answer[..length].starts_with(b"HTTP/1.1 200") {
            return Err(BenchError::Broken(format!("webhook {turn} was not taken")));
        }
    }
    Ok(posted)
}

#[derive(QueryableByName)]
struct Arrival {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    provider_id: String,
}

/// Which of the posts each message came with.
fn message_ids(store: &Store) -> Result<HashMap<i64, usize>, BenchError> {
    let arrivals: Vec<Arrival> = store.blocking_read(|db| {
        let question = "SELECT id, provider_id FROM messages
            WHERE direction = 'in' AND provider_id IS NOT NULL";
        Ok(diesel::sql_query(question).get_results(db)?)
    })?;
    let turn = |arrival: &Arrival| arrival.provider_id.strip_prefix(PROVIDER_ID)?.parse().ok();
    Ok(arrivals.iter().filter_map(|arrival| Some((arrival.id, turn(arrival)?))).collect())
}

/// What the desks heard of the posts meant for their own team.
struct Found {
    /// From a post to a desk that had to hear of it, in milliseconds, sorted.
    latencies: Vec<f64>,
    /// How often a desk did not hear of a post, or heard of it again.
    off: usize,
}

/// Sorts out what was `heard` of what was `posted`; `must_hear` says whether a desk must hear of a post, and
/// `expected` how often that is so.
fn judge(
    posted: &[Instant],
    must_hear: impl Fn(usize, usize) -> bool,
    expected: usize,
    heard: &[Heard],
    messages: &HashMap<i64, usize>,
) -> Found {
    let mut pairs = HashSet::new();
    let mut latencies = Vec::with_capacity(expected);
    for Heard { desk, message, at } in heard {
        let Some(turn) = messages.get(message).copied() else { continue };
        let Some(begun) = posted.get(turn).filter(|_| must_hear(*desk, turn)) else { continue };
        pairs.insert((*desk, turn));
        latencies.push(at.duration_since(*begun).as_secs_f64() * 1_000.0);
    }
    latencies.sort_by(f64::total_cmp);
    let off = expected.saturating_sub(pairs.len()) + (latencies.len() - pairs.len());
    Found { latencies, off }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_is_late_or_deaf_only_for_what_its_team_must_hear() {
        let begun = Instant::now();
        let after = |desk, message, milliseconds| Heard {
            desk,
            message,
            at: begun + Duration::from_millis(milliseconds),
        };
        // Desks 0 and 1 must hear of post 0, desks 2 and 3 of post 1.
        let must_hear = |desk: usize, turn: usize| desk / 2 == turn;
        let messages = HashMap::from([(70, 0), (71, 1)]);
        let cases = [
            (
                "all heard once",
                vec![after(0, 70, 5), after(1, 70, 9), after(2, 71, 7), after(3, 71, 8)],
                4,
                0,
            ),
            ("another team hears too", vec![after(2, 70, 1)], 0, 4),
            ("a message of nobody's", vec![after(0, 99, 1)], 0, 4),
            (
                "one deaf, one told twice",
                vec![after(0, 70, 5), after(0, 70, 6), after(2, 71, 7), after(3, 71, 8)],
                4,
                2,
            ),
        ];
        for (case, heard, times, off) in cases {
            let found = judge(&[begun, begun], must_hear, 4, &heard, &messages);
            assert_eq!((found.latencies.len(), found.off), (times, off), "{case}");
        }
    }
}
