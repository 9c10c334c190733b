//! Several `janela serve` on one database, and posts to all of them at once.

use std::{net::SocketAddr, path::Path, thread, time::Duration};

use crate::{
    BenchError,
    load::{self, Post},
    serving::{self, Running},
};

/// Processes that serve one database.
pub struct Crowd(Vec<Running>);

/// What became of the posts to all of them.
#[derive(Debug, Default, PartialEq)]
pub struct Load {
    /// Posts answered, with whatever.
    pub answered: u64,
    /// Posts not answered with success.
    pub refused: u64,
    /// Answers a second.
    pub rate: f64,
}

impl Crowd {
    /// Starts `processes`, one after the other.
    ///
    /// # Errors
    /// When one does not serve.
    pub fn start(
        binary: &Path,
        folder: &Path,
        database_url: &str,
        platform: Option<SocketAddr>,
        processes: usize,
    ) -> Result<Self, BenchError> {
        let start = |_| serving::start(binary, folder, database_url, platform);
        Ok(Self((0..processes).map(start).collect::<Result<_, _>>()?))
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|running| running.address).collect()
    }

    /// Deals `posts` out to the processes in turns.
    pub fn share(&self, posts: Vec<Post>) -> Vec<Vec<Post>> {
        let mut shares: Vec<Vec<Post>> = self.0.iter().map(|_| Vec::new()).collect();
        let processes = shares.len().max(1);
        for (turn, post) in posts.into_iter().enumerate() {
            shares[turn % processes].push(post);
        }
        shares
    }

    /// Posts each process its share, all at once and each from a thread of its own, for as long as `lasting`, over
    /// `connections` in all.
    ///
    /// # Errors
    /// When one cannot be reached.
    pub fn post(
        &self,
        shares: Vec<Vec<Post>>,
        lasting: Duration,
        connections: usize,
    ) -> Result<Load, BenchError> {
        let each = (connections / self.0.len().max(1)).max(1);
        let loads = thread::scope(|scope| {
            let speakers: Vec<_> = self
                .addresses()
                .into_iter()
                .zip(&shares)
                .map(|(address, share)| {
                    scope.spawn(move || load::run_closed_loop(address, share, lasting, each))
                })
                .collect();
            speakers
                .into_iter()
                .map(|speaker| speaker.join().unwrap_or(Err(BenchError::NoFigure("a share"))))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let add = |sum: Load, load: &load::Load| Load {
            answered: sum.answered + load.milliseconds.len() as u64,
            refused: sum.refused + load.refused,
            rate: sum.rate + load.rate,
        };
        Ok(loads.iter().fold(Load::default(), add))
    }
}
