//! A small server that answers as told, however badly, and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::http::{HostPort, OutgoingHttp, OutgoingSettings};

/// What the server does once it has read a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Writes these bytes and closes.
    Raw(Vec<u8>),
    /// Writes these bytes, then one more every so often until the other side leaves.
    Trickle(Vec<u8>, Duration),
    /// Writes these bytes, then a megabyte at a time up to so many.
    Flood(Vec<u8>, usize),
    /// Reads and stays silent.
    Silence,
    /// Closes at once, before reading.
    CloseUnread,
}

impl Reply {
    /// A whole answer.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "Content-Type: application/json", body.as_bytes())
    }

    /// A whole answer with one header line of choice.
    pub(crate) fn with(status: u16, header: &str, body: &[u8]) -> Self {
        let head =
            format!("HTTP/1.1 {status} X\r\n{header}\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::Raw([head.as_bytes(), body].concat())
    }

    /// Whether the answer never comes to its end.
    fn is_endless(&self) -> bool {
        matches!(self, Self::Trickle(..) | Self::Silence)
    }
}

/// The server; it stops with its runtime.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    is_endless: bool,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl TestServer {
    /// Answers the first request with the first reply and so on; the last reply serves for all that follow.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::start_knowing(|_| replies).await
    }

    /// As [`Self::start`], with replies that know where the server is.
    pub(crate) async fn start_knowing(replies: impl FnOnce(SocketAddr) -> Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let replies = replies(address);
        let is_endless = replies.iter().any(Reply::is_endless);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (seen, counted) = (requests.clone(), connections.clone());
        tokio::spawn(async move {
            let mut replies = replies.into_iter().peekable();
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                let Some(reply) = replies.next() else { continue };
                if replies.peek().is_none() {
                    replies = vec![reply.clone()].into_iter().peekable();
                }
                tokio::spawn(serve(stream, reply, seen.clone()));
            }
        });
        Self { address, is_endless, requests, connections }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request read so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How often anyone connected.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// A client that may call this server. Its deadline is short where the server keeps it waiting for ever.
    pub(crate) fn client(&self) -> OutgoingHttp {
        let deadline = if self.is_endless { SOON } else { PATIENCE };
        client_with(vec![self.address.to_string().parse().unwrap()], deadline)
    }
}

/// The deadline of a request to a server that never answers: that it is reached is what the test is about.
const SOON: Duration = Duration::from_secs(3);

/// The deadline of every other request: far longer than it takes, as the machine may be busy with other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that is patient.
pub(crate) fn client(allow: Vec<HostPort>) -> OutgoingHttp {
    client_with(allow, PATIENCE)
}

fn client_with(allow: Vec<HostPort>, request_timeout: Duration) -> OutgoingHttp {
    // On loopback the system connects at once; a name that does not exist may take this long to be given up.
    let connect_timeout = Duration::from_secs(5).min(request_timeout.mul_f32(0.8));
    OutgoingHttp::new(OutgoingSettings { allow, connect_timeout, request_timeout }).unwrap()
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<String>>>) {
    if matches!(reply, Reply::CloseUnread) {
        return;
    }
    let Some(request) = read_request(&mut stream).await else { return };
    seen.lock().unwrap().push(request);
    match reply {
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Trickle(bytes, pause) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Flood(bytes, megabytes) => {
            let _ = stream.write_all(&bytes).await;
            let megabyte = vec![b'x'; 1024 * 1024];
            for _ in 0..megabytes {
                if stream.write_all(&megabyte).await.is_err() {
                    return;
                }
            }
        }
        Reply::Silence => {
            let _ = stream.read(&mut [0; 16]).await;
        }
        Reply::CloseUnread => {}
    }
}

/// The head and the body of a request; `None` when the other side left first.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            if length <= body.len() {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
