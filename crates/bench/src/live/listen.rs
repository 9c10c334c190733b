//! Desks that only listen: one connection each to the event stream, all read by one thread.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    thread::{self, JoinHandle},
    time::Instant,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::oneshot,
    task::LocalSet,
};

use super::company::Session;
use crate::BenchError;

/// A desk heard that a customer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Which desk.
    pub desk: usize,
    /// Janela's id of the message.
    pub message: i64,
    /// When it had read the event.
    pub at: Instant,
}

/// Desks that are connected.
pub struct Listeners {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<Vec<Heard>, BenchError>>,
}

impl Listeners {
    /// Connects a desk for each of `sessions`, one after the other, and comes back once all of them listen.
    ///
    /// # Errors
    /// When a stream is refused.
    pub fn connect(address: SocketAddr, sessions: &[Session]) -> Result<Self, BenchError> {
        let cookies: Vec<String> = sessions.iter().map(Session::cookie).collect();
        let (stop, stopped) = oneshot::channel();
        let (ready, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            LocalSet::new().block_on(&runtime, async {
                let heard = Rc::new(RefCell::new(Vec::new()));
                for (desk, cookie) in cookies.iter().enumerate() {
                    let stream = open(address, cookie).await?;
                    tokio::task::spawn_local(listen(desk, stream, Rc::clone(&heard)));
                }
                if ready.send(()).is_ok() {
                    // An error is a bench that was given up: then nobody listens any more either.
                    stopped.await.unwrap_or(());
                }
                Ok(heard.take())
            })
        });
        match told.recv() {
            Ok(()) => Ok(Self { stop, thread }),
            Err(_) => Err(join(thread).err().unwrap_or(BenchError::NoFigure("event streams"))),
        }
    }

    /// Disconnects all, and tells what they heard.
    ///
    /// # Errors
    /// When the thread that listens could not.
    pub fn stop(self) -> Result<Vec<Heard>, BenchError> {
        match self.stop.send(()) {
            Ok(()) => join(self.thread),
            Err(()) => Err(BenchError::NoFigure("what the desks heard")),
        }
    }
}

fn join(thread: JoinHandle<Result<Vec<Heard>, BenchError>>) -> Result<Vec<Heard>, BenchError> {
    thread.join().unwrap_or(Err(BenchError::NoFigure("what the desks heard")))
}

/// Asks for the stream, and reads until it has begun.
async fn open(address: SocketAddr, cookie: &str) -> Result<BufReader<TcpStream>, BenchError> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /events HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\ncookie: {cookie}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut stream = BufReader::with_capacity(1_024, stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(BenchError::Broken(format!("no event stream: {}", line.trim_end())));
    }
    while !line.starts_with("retry:") {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(BenchError::Broken("an event stream ended".into()));
        }
    }
    Ok(stream)
}

/// Notes arrivals until the stream ends. One that ends early is missed by what it no longer hears.
async fn listen(desk: usize, mut stream: BufReader<TcpStream>, heard: Rc<RefCell<Vec<Heard>>>) {
    let (mut line, mut lines) = (Vec::new(), Lines::default());
    while stream.read_until(b'\n', &mut line).await.is_ok_and(|length| 0 < length) {
        if let Some(message) = lines.read(&line) {
            heard.borrow_mut().push(Heard { desk, message, at: Instant::now() });
        }
        line.clear();
    }
}

/// Finds arrivals among the lines of a stream, whatever pieces it came in.
#[derive(Default)]
struct Lines {
    is_arrival: bool,
}

impl Lines {
    /// The message that this line tells the arrival of.
    fn read(&mut self, line: &[u8]) -> Option<i64> {
        let line = line.trim_ascii_end();
        if let Some(event) = line.strip_prefix(b"event: ") {
            self.is_arrival = event == b"arrival";
            return None;
        }
        let data = line.strip_prefix(b"data: ")?;
        let is_arrival = std::mem::take(&mut self.is_arrival);
        let told: serde_json::Value = serde_json::from_slice(data).ok()?;
        is_arrival.then(|| told["id"].as_i64()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_told_from_other_events_and_from_the_sizes_of_pieces() {
        let stream = "30\r\nevent: arrival\ndata: {\"conversation\":\"1-42\",\"id\":7}\n\n\r\n\
            9\r\n: beat\n\n\r\n60\r\nevent: conversation\ndata: {\"conversation\":\"1-42\",\"id\":8}\n\n\
            event: conversations\ndata: {\"id\":8}\n\n\r\nevent: arrival\ndata: {\"id\":9}\n\n";
        let mut lines = Lines::default();
        let found: Vec<i64> =
            stream.split_inclusive('\n').filter_map(|line| lines.read(line.as_bytes())).collect();
        assert_eq!(found, [7, 9]);
    }
}
