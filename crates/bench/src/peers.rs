//! `peers`: the same webhooks, sends and list pages as `django-meta-whatsapp`, in turns on this machine; and what each
//! of the two loses or doubles when it is killed in the middle.

mod contender;
mod django;
mod janela;
mod ledger;
mod resend;

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

use self::{
    contender::{Contender, Kept},
    django::Django,
    janela::Janela,
    ledger::{Ledger, Verdict},
};
use crate::{
    BenchError, Database, DatabaseChoice,
    desk::Connection,
    dispatch::platform::{Platform, THROUGHPUT},
    load::{self, Post},
    report::{Report, Row, machine, percentile},
    serving,
};

/// Connections over which webhooks and sends are posted.
const CONNECTIONS: usize = 32;
/// Messages whose receipts and answers both get before the list page is asked for: as many conversations.
const CONVERSATIONS: u64 = 500;
/// Messages whose receipts and answers come in while the process is killed.
const KILLED_WEBHOOKS: u64 = 250;
/// Sends asked for one by one, and at once, while the process is killed.
const KILLED_SENDS: u64 = 200;
/// Messages there are; the closed loop ends sooner than they do.
const SENDS: u64 = 30_000;
/// What the platform takes to answer a send while a process is killed; it has taken it at once.
const ANSWERED_AFTER_MS: u32 = 100;
/// How long what was asked for may take to be done.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long no send has come when nothing more is expected.
const QUIET: Duration = Duration::from_secs(5);

/// The customers of each part.
const ONE_BY_ONE: u64 = 351_930_000_000;
const KILLED_ONE_BY_ONE: u64 = 351_935_000_000;
const AT_ONCE: Range<u64> = 351_938_000_000..351_938_000_000 + KILLED_SENDS;

/// Measures both on each database asked for, `lasting` in each closed loop.
///
/// # Errors
/// When either cannot be installed or does not serve, or a database refuses.
pub fn run(databases: DatabaseChoice, lasting: Duration) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for database in databases.each() {
        let ours = measure(|platform| Janela::set_up(database, platform), lasting)?;
        let theirs = measure(|platform| Django::set_up(database, platform), lasting)?;
        rows.extend(compare(database, &ours, &theirs));
    }
    Ok(Report { name: "peers", machine: machine(), rows })
}

/// What one of the two reached.
struct Reached {
    name: &'static str,
    /// Webhooks a second, from the first post until the last was applied.
    webhooks: f64,
    /// From a post to its answer, milliseconds.
    webhook: f64,
    /// Sends a second, from the first request until the sandbox had the last.
    sends: f64,
    /// A list page, milliseconds.
    page: f64,
    /// After a kill amid webhooks.
    kept: Kept,
    /// After a kill amid sends asked for one by one.
    one_by_one: Verdict,
    /// After a kill amid sends asked for at once.
    at_once: Verdict,
}

fn measure<C: Contender>(
    set_up: impl FnOnce(&Platform) -> Result<C, BenchError>,
    lasting: Duration,
) -> Result<Reached, BenchError> {
    let platform = Platform::start(&serving::release_binary()?)?;
    platform.limit(THROUGHPUT)?;
    ledger::approve_template(&platform)?;
    let mut contender = set_up(&platform)?;
    let name = contender.name();
    contender.start()?;
    let tell = |stage: &str| eprintln!("peers: {}: {stage}", name);

    tell("list pages");
    let posts = contender.webhooks(0..CONVERSATIONS);
    resend::post_until_answered(contender.address(), &posts, CONNECTIONS, PATIENCE, || Ok(()))?;
    let pages: Vec<Post> = (0..2_000).map(|_| contender.list_page()).collect();
    let page = load::run_closed_loop(contender.address(), &pages, lasting, 1)?;
    refuse(page.refused, "list pages")?;

    tell("webhooks, killed amid them");
    let sends = CONVERSATIONS + KILLED_WEBHOOKS;
    let posts = contender.webhooks(CONVERSATIONS..sends);
    let address = contender.address();
    let killed = || contender.kill().and_then(|()| contender.start());
    resend::post_until_answered(address, &posts, CONNECTIONS, PATIENCE, killed)?;
    let kept = contender.kept(sends)?;

    tell("webhooks");
    let posts = contender.webhooks(sends..SENDS);
    let begun = Instant::now();
    let webhooks = load::run_closed_loop(address, &posts, lasting, CONNECTIONS)?;
    refuse(webhooks.refused, "webhooks")?;
    contender.wait_until_applied()?;
    let applied = rate(webhooks.milliseconds.len(), begun);

    tell("sends");
    let posts = contender.sends(ONE_BY_ONE..ONE_BY_ONE + SENDS);
    let begun = Instant::now();
    let asked = load::run_closed_loop(address, &posts, lasting, CONNECTIONS)?;
    refuse(asked.refused, "sends")?;
    ledger::wait_for(&platform, asked.milliseconds.len(), PATIENCE)?;
    let sent = rate(asked.milliseconds.len(), begun);

    tell("sends one by one, killed amid them");
    ledger::answer_late(&platform, ANSWERED_AFTER_MS)?;
    let customers = KILLED_ONE_BY_ONE..KILLED_ONE_BY_ONE + KILLED_SENDS;
    let posts = contender.sends(customers.clone());
    let killed = || contender.kill().and_then(|()| contender.start());
    resend::post_until_answered(address, &posts, CONNECTIONS, PATIENCE, killed)?;
    settle(&contender, &platform)?;
    let one_by_one = Ledger::read(&platform)?.judge(customers, &contender.in_doubt()?);

    tell("sends at once, killed amid them");
    contender.begin_at_once(AT_ONCE)?;
    ledger::wait_for_customers(&platform, AT_ONCE, KILLED_SENDS / 2, PATIENCE)?;
    contender.kill()?;
    contender.start()?;
    settle(&contender, &platform)?;
    let at_once = Ledger::read(&platform)?.judge(AT_ONCE, &contender.in_doubt()?);

    Ok(Reached {
        name,
        webhooks: applied,
        webhook: percentile(&webhooks.milliseconds, 0.99),
        sends: sent,
        page: percentile(&page.milliseconds, 0.5),
        kept,
        one_by_one,
        at_once,
    })
}

/// How many messages later than one receipt of a message its next comes, and the answer: far enough that no
/// connection overtakes another by so much.
const APART: usize = 50;

/// The webhooks of each message, each in its own order, and spread over time.
fn spread(mut of_each: Vec<VecDeque<Post>>) -> Vec<Post> {
    let of_a_message = of_each.first().map_or(0, VecDeque::len);
    let all = of_each.iter().map(VecDeque::len).sum();
    let mut posts = Vec::with_capacity(all);
    let mut turn = 0;
    while posts.len() < all {
        let due = (0..=turn).rev().step_by(APART).take(of_a_message);
        for message in due {
            posts.extend(of_each.get_mut(message).and_then(VecDeque::pop_front));
        }
        turn += 1;
    }
    posts
}

/// The body of a webhook, told of the number and the account of `connection`.
fn connected(body: &[u8], connection: &Connection) -> Vec<u8> {
    let usual = Connection::default();
    let body = String::from_utf8_lossy(body);
    let body = body.replace(&usual.number, &connection.number);
    body.replace(&usual.account, &connection.account).into_bytes()
}

fn refuse(refused: u64, what: &str) -> Result<(), BenchError> {
    match refused {
        0 => Ok(()),
        refused => Err(BenchError::Broken(format!("{refused} {what} were refused"))),
    }
}

fn rate(times: usize, begun: Instant) -> f64 {
    f64::from(u32::try_from(times).unwrap_or(u32::MAX)) / begun.elapsed().as_secs_f64()
}

/// Waits until no send has come for a while and none is expected.
fn settle(contender: &impl Contender, platform: &Platform) -> Result<(), BenchError> {
    let begun = Instant::now();
    let (mut sends, mut since) = (0, begun);
    while since.elapsed() < QUIET || !contender.has_sent_all()? {
        if PATIENCE < begun.elapsed() {
            return Err(BenchError::Broken(format!("{} never came to rest", contender.name())));
        }
        std::thread::sleep(Duration::from_millis(500));
        let found = platform.count_sends()?;
        if found != sends {
            (sends, since) = (found, Instant::now());
        }
    }
    Ok(())
}

/// What it is, its unit, where it is, and whether more of it is better.
type Figure = (&'static str, &'static str, fn(&Reached) -> f64, bool);

/// Janela must not be slower in anything, and must neither lose nor double.
fn compare(database: Database, ours: &Reached, theirs: &Reached) -> Vec<Row> {
    let name = database.name();
    let mut rows = Vec::new();
    let figures: [Figure; 4] = [
        ("webhooks answered and applied", "/s", |it| it.webhooks, true),
        ("webhook answered in, p99", "ms", |it| it.webhook, false),
        ("sends taken by the platform", "/s", |it| it.sends, true),
        ("list page, p50", "ms", |it| it.page, false),
    ];
    for (what, unit, of, more_is_better) in figures {
        for it in [ours, theirs] {
            rows.push(Row::figure(format!("{what}, {}", it.name), name, of(it), unit));
        }
        let ratio = if more_is_better { of(ours) / of(theirs) } else { of(theirs) / of(ours) };
        rows.push(Row::at_least(format!("{what}, times better"), name, ratio, "times", 1.0));
    }
    rows.extend(killed_rows(name, ours, |what, count| Row::at_most(what, name, count, "", 0.0)));
    rows.extend(killed_rows(name, theirs, |what, count| Row::figure(what, name, count, "")));
    rows
}

fn killed_rows(database: &'static str, it: &Reached, row: impl Fn(String, f64) -> Row) -> Vec<Row> {
    let count = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let lost = [
        ("webhooks: answers lost", it.kept.lost(CONVERSATIONS + KILLED_WEBHOOKS)),
        ("webhooks: answers doubled", it.kept.doubled()),
        ("webhooks: last state missed", it.kept.behind),
        ("webhooks: unread miscounted", it.kept.miscounted()),
        ("sends one by one: lost", it.one_by_one.lost),
        ("sends one by one: doubled", it.one_by_one.doubled),
        ("sends at once: lost", it.at_once.lost),
        ("sends at once: doubled", it.at_once.doubled),
    ];
    let lost =
        lost.map(|(what, many)| row(format!("killed amid {what}, {}", it.name), count(many)));
    let doubt =
        [("one by one", &it.one_by_one), ("at once", &it.at_once)].map(|(what, verdict)| {
            let what = format!("killed amid sends {what}: shown in doubt, {}", it.name);
            Row::figure(what, database, count(verdict.in_doubt), "")
        });
    lost.into_iter().chain(doubt).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn the_webhooks_of_a_message_come_in_their_order_and_far_apart() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let post = |body: String| Post::new(address, "/", &[], body.as_bytes());
        let of_each =
            |message: usize| (0..4).map(|kind| post(format!("{message} {kind}"))).collect();
        let posts = spread((0..60).map(of_each).collect());
        let told: Vec<String> =
            posts.iter().map(|post| String::from_utf8_lossy(post.body()).into_owned()).collect();
        assert_eq!(told.len(), 240);
        for message in 0..60 {
            let place = |kind| told.iter().position(|it| *it == format!("{message} {kind}"));
            let places: Vec<usize> = (0..4).map(|kind| place(kind).unwrap()).collect();
            assert!(places.windows(2).all(|pair| pair[0] + APART <= pair[1]), "{places:?}");
        }
    }
}
