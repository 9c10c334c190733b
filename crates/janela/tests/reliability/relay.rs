//! A relay for TCP on loopback: to the first of several targets that answers, and cut when a test says so.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A running relay; ends when dropped.
pub struct Relay {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    pub async fn start(targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, targets.clone(), Arc::clone(&cut)));
            }
        });
        Self { address, is_cut, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection and lets no new one through, or lets them through again.
    pub fn cut(&self, cut: bool) {
        self.is_cut.store(cut, Ordering::SeqCst);
    }
}

async fn pass_on(mut client: TcpStream, targets: Vec<SocketAddr>, is_cut: Arc<AtomicBool>) {
    if is_cut.load(Ordering::SeqCst) {
        return;
    }
    let until_cut = async {
        while !is_cut.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = pass_to_first(&mut client, targets) => {}
        () = until_cut => {}
    }
}

/// Passes on to the first target that answers. One that closes the connection without a word, as a process does that
/// is asked to stop right then, is none, and the next is asked the same.
async fn pass_to_first(client: &mut TcpStream, targets: Vec<SocketAddr>) {
    let mut asked = Vec::new();
    for target in targets {
        let Ok(mut server) = TcpStream::connect(target).await else { continue };
        if server.write_all(&asked).await.is_ok()
            && let Some(first) = first_words(client, &mut server, &mut asked).await
        {
            if client.write_all(&first).await.is_ok() {
                let _over = copy_bidirectional(client, &mut server).await;
            }
            return;
        }
    }
}

/// What `server` says first to what `client` asks, which is added to `asked`; `None` when it ends without a word.
async fn first_words(
    client: &mut TcpStream,
    server: &mut TcpStream,
    asked: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let mut first = vec![0; 4_096];
    let mut is_asking = true;
    loop {
        let begins = asked.len();
        tokio::select! {
            read = server.read(&mut first) => {
                let read = read.ok().filter(|read| 0 < *read)?;
                first.truncate(read);
                return Some(first);
            }
            read = client.read_buf(asked), if is_asking => {
                is_asking = read.is_ok_and(|read| 0 < read);
                if !is_asking || server.write_all(&asked[begins..]).await.is_err() {
                    return None;
                }
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
