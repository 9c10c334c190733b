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
    io::copy_bidirectional,
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
    for target in targets {
        if let Ok(mut server) = TcpStream::connect(target).await {
            let until_cut = async {
                while !is_cut.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                () = until_cut => {}
            }
            return;
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
