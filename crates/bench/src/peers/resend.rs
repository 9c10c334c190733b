//! Posts that are repeated until they are answered with success, as the platform repeats webhooks and as a careful
//! client repeats requests.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{BenchError, load::Post};

/// Between two tries of a post.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an answer may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);

/// Posts all of `posts` over `connections`, each again until it is answered with success, and does `halfway` once
/// half of them are.
///
/// # Errors
/// When a post was not answered with success within `patience`, or `halfway` fails.
pub fn post_until_answered(
    address: SocketAddr,
    posts: &[Post],
    connections: usize,
    patience: Duration,
    halfway: impl FnOnce() -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let (next, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let deadline = Instant::now() + patience;
    let speak = || {
        let mut stream = None;
        while let Some(post) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
            loop {
                match attempt(address, &mut stream, post) {
                    Ok(status) if (200..300).contains(&status) => break,
                    Ok(_) => {}
                    Err(_) => stream = None,
                }
                if deadline < Instant::now() {
                    return;
                }
                thread::sleep(PAUSE);
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(speak);
        }
        while answered.load(Ordering::Relaxed) < posts.len() / 2 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        halfway()
    })?;
    match posts.len() - answered.into_inner() {
        0 => Ok(()),
        left => Err(BenchError::Broken(format!("{left} posts were never answered with success"))),
    }
}

/// Posts over `stream`, which is opened when there is none, and tells the status of the answer.
fn attempt(address: SocketAddr, stream: &mut Option<TcpStream>, post: &Post) -> io::Result<u16> {
    let mut open = match stream.take() {
        Some(open) => open,
        None => {
            let open = TcpStream::connect(address)?;
            open.set_nodelay(true)?;
            open.set_read_timeout(Some(LONGEST_ANSWER))?;
            open
        }
    };
    open.write_all(post.bytes())?;
    let (status, stays_open) = read_answer(&mut open)?;
    *stream = stays_open.then_some(open);
    Ok(status)
}

/// Reads an answer to its end: its status, and whether the connection stays open.
fn read_answer(stream: &mut impl Read) -> io::Result<(u16, bool)> {
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    let end = loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&piece[..length]);
        if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end;
        }
    };
    let head = std::str::from_utf8(&answer[..end]).map_err(io::Error::other)?.to_lowercase();
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim())
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("an answer without a status"))?;
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    let is_kept = header("connection") != Some("close");
    match length {
        Some(length) => {
            let mut rest = vec![0; (end + 4 + length).saturating_sub(answer.len())];
            stream.read_exact(&mut rest)?;
            Ok((status, is_kept))
        }
        None => Ok((status, false)),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, sync::Mutex};

    use super::*;

    #[test]
    fn a_post_is_repeated_until_it_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let posts: Vec<Post> =
            (0..8).map(|turn| Post::new(address, "/", &[], &[b'a' + turn])).collect();
        let seen = Mutex::new(Vec::new());
        thread::scope(|scope| {
            // Refuses the first, hangs up on the second, and takes whatever comes after that.
            scope.spawn(|| {
                let mut served = 0;
                while served < 10 {
                    let (mut stream, _) = listener.accept().unwrap();
                    let mut bytes = [0; 1_024];
                    while let Ok(length @ 1..) = stream.read(&mut bytes) {
                        seen.lock().unwrap().push(bytes[length - 1]);
                        served += 1;
                        match served {
                            1 => write!(stream, "HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno")
                                .unwrap(),
                            2 => break,
                            _ => write!(stream, "HTTP/1.1 200 Yes\r\ncontent-length: 0\r\n\r\n")
                                .unwrap(),
                        }
                    }
                }
            });
            let halfway = || Ok(());
            post_until_answered(address, &posts, 1, Duration::from_secs(20), halfway).unwrap();
        });
        assert_eq!(seen.into_inner().unwrap(), b"aaabcdefgh");
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let cases: [(&str, (u16, bool)); 3] = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, true)),
            ("HTTP/1.1 400 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", (400, false)),
            ("HTTP/1.1 204 No\r\n\r\n", (204, false)),
        ];
        for (answer, expected) in cases {
            assert_eq!(read_answer(&mut answer.as_bytes()).unwrap(), expected, "{answer}");
        }
    }
}
