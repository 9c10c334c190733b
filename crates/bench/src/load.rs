//! Posts over kept connections: at a rate whatever the answers, or each as soon as the last is answered.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::LocalSet,
};

use crate::BenchError;

/// A post, or another request, as it goes over the wire, head and body.
pub struct Post {
    bytes: Vec<u8>,
    body_at: usize,
}

impl Post {
    /// `body` posted to `path` as JSON, with `headers`, which are without secrets of anyone.
    pub fn new(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let body_at = head.len();
        Self { bytes: [head.as_bytes(), body].concat(), body_at }
    }

    /// `path` asked for, with `headers`.
    pub fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        Self { body_at: head.len(), bytes: head.into_bytes() }
    }

    /// Head and body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is posted.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body_at..]
    }
}

/// What became of the posts.
pub struct Load {
    /// From when a post was due to its answer, in the open loop; from when it was sent, in the closed one. Sorted.
    pub milliseconds: Vec<f64>,
    /// Posts not answered with success.
    pub refused: u64,
    /// Answers a second.
    pub rate: f64,
}

/// Posts that are due, and what became of others.
#[derive(Default)]
struct Queue {
    /// With when each was due; in the closed loop, that is when it is sent.
    due: RefCell<VecDeque<(usize, Option<Instant>)>>,
    more: Notify,
    closed: std::cell::Cell<bool>,
    milliseconds: RefCell<Vec<f64>>,
    refused: std::cell::Cell<u64>,
}

/// The body of `path`.
///
/// # Errors
/// When nothing answers.
pub fn get(address: SocketAddr, path: &str) -> Result<Vec<u8>, BenchError> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.ok_or(BenchError::NoFigure("an answer"))?;
    Ok(answer.split_off(end + 4))
}

/// Posts all of `posts`, `rate` a second, over `connections`: a post that finds none free waits, and that counts.
///
/// # Errors
/// When the program cannot be reached.
pub fn run_open_loop(
    address: SocketAddr,
    posts: &[Post],
    rate: u64,
    connections: usize,
) -> Result<Load, BenchError> {
    let run = async |queue: Rc<Queue>| {
        let begun = Instant::now();
        for turn in 0..posts.len() {
            let due = begun + Duration::from_nanos(turn as u64 * 1_000_000_000 / rate);
            let wait = due.saturating_duration_since(Instant::now());
            // The timer is not finer than that; posts due meanwhile go together.
            if Duration::from_millis(1) < wait {
                tokio::time::sleep(wait).await;
            }
            queue.due.borrow_mut().push_back((turn, Some(due)));
            queue.more.notify_one();
        }
    };
    drive(address, posts, connections, run)
}

/// Posts for as long as `lasting`, or until `posts` are used up, each connection one after the other.
///
/// # Errors
/// When the program cannot be reached.
pub fn run_closed_loop(
    address: SocketAddr,
    posts: &[Post],
    lasting: Duration,
    connections: usize,
) -> Result<Load, BenchError> {
    let run = async |queue: Rc<Queue>| {
        let now = Instant::now();
        queue.due.borrow_mut().extend((0..posts.len()).map(|turn| (turn, None)));
        for _ in 0..connections {
            queue.more.notify_one();
            tokio::task::yield_now().await;
        }
        while !queue.due.borrow().is_empty() && now.elapsed() < lasting {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        queue.due.borrow_mut().clear();
    };
    drive(address, posts, connections, run)
}

fn drive(
    address: SocketAddr,
    posts: &[Post],
    connections: usize,
    run: impl AsyncFnOnce(Rc<Queue>),
) -> Result<Load, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let queue = Rc::new(Queue::default());
        let posts: Rc<[Rc<[u8]>]> =
            posts.iter().map(|post| Rc::from(post.bytes.as_slice())).collect();
        let mut speakers = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (queue, posts) = (Rc::clone(&queue), Rc::clone(&posts));
            speakers.push(tokio::task::spawn_local(speak(stream, queue, posts)));
        }
        let begun = Instant::now();
        run(Rc::clone(&queue)).await;
        queue.closed.set(true);
        queue.more.notify_waiters();
        for speaker in speakers {
            queue.more.notify_waiters();
            speaker.await.map_err(io::Error::other)??;
        }
        let mut milliseconds = queue.milliseconds.take();
        let answered = u32::try_from(milliseconds.len()).unwrap_or(u32::MAX);
        milliseconds.sort_by(f64::total_cmp);
        let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
        Ok(Load { milliseconds, refused: queue.refused.get(), rate })
    })
}

/// Posts what is due over one connection, one after the other, until the queue is closed and empty.
async fn speak(mut stream: TcpStream, queue: Rc<Queue>, posts: Rc<[Rc<[u8]>]>) -> io::Result<()> {
    let mut answer = Vec::with_capacity(1_024);
    loop {
        let next = queue.due.borrow_mut().pop_front();
        let Some((turn, due)) = next else {
            if queue.closed.get() {
                return Ok(());
            }
            tokio::select! {
                () = queue.more.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            continue;
        };
        let due = due.unwrap_or_else(Instant::now);
        stream.write_all(&posts[turn]).await?;
        let status = read_answer(&mut stream, &mut answer).await?;
        queue.milliseconds.borrow_mut().push(due.elapsed().as_secs_f64() * 1_000.0);
        if !(200..300).contains(&status) {
            queue.refused.set(queue.refused.get() + 1);
        }
    }
}

/// Reads one answer to its end and tells its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<u16> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).map_err(io::Error::other)?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse::<usize>().ok())
            .unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let missing = (end + 4 + length).saturating_sub(answer.len());
        let mut rest = vec![0; missing];
        stream.read_exact(&mut rest).await?;
        return status.ok_or_else(|| io::Error::other("an answer without a status"));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers every third post with 503, after a moment, until all connections are closed.
    fn answer_on(listener: TcpListener, connections: usize) -> thread::JoinHandle<usize> {
        thread::spawn(move || {
            let streams = listener.incoming().take(connections).map(Result::unwrap);
            let speakers: Vec<_> = streams
                .map(|mut stream| {
                    thread::spawn(move || {
                        let mut bytes = [0; 1_024];
                        let mut posts = 0;
                        while 0 < stream.read(&mut bytes).unwrap() {
                            thread::sleep(Duration::from_millis(2));
                            let status = if posts % 3 == 2 { "503 No" } else { "202 Yes" };
                            let body = "content-length: 3\r\n\r\nabc";
                            write!(stream, "HTTP/1.1 {status}\r\n{body}").unwrap();
                            posts += 1;
                        }
                        posts
                    })
                })
                .collect();
            speakers.into_iter().map(|speaker| speaker.join().unwrap()).sum()
        })
    }

    #[test]
    fn every_post_is_posted_once_and_a_wait_before_it_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = answer_on(listener, 1);
        let posts: Vec<Post> = (0..30).map(|_| Post::new(address, "/", &[], b"{}")).collect();
        // One connection answers 500 a second at most, and is asked 2,000: each post waits longer.
        let load = run_open_loop(address, &posts, 2_000, 1).unwrap();
        assert_eq!(server.join().unwrap(), 30);
        assert_eq!((load.milliseconds.len(), load.refused), (30, 10));
        assert!(30.0 < load.milliseconds[29], "the last waited for the others");
    }

    #[test]
    fn a_closed_loop_ends_when_the_posts_do() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = answer_on(listener, 4);
        let posts: Vec<Post> = (0..40).map(|_| Post::new(address, "/", &[], b"{}")).collect();
        let begun = Instant::now();
        let load = run_closed_loop(address, &posts, Duration::from_secs(60), 4).unwrap();
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(30));
        let longest = load.milliseconds[load.milliseconds.len() - 1];
        assert!(longest < taken.as_secs_f64() * 500.0, "no post counts the wait for others");
        assert_eq!((server.join().unwrap(), load.milliseconds.len()), (40, 40));
    }
}
