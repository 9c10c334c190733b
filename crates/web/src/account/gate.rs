//! Stands before the sign-in: counts wrong tries, and lets few passwords be judged at once (C8, C9).

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// An email as typed, hashed: nobody's address is kept for having been typed.
type Account = [u8; 32];

/// Locks are swept when this many are held.
const SWEEP_FROM: usize = 10_000;

/// Counts wrong tries and judges few passwords at once.
pub struct Gate {
    by_account_and_address: WrongTries<(Account, IpAddr)>,
    by_account: WrongTries<Account>,
    by_address: WrongTries<IpAddr>,
    judges: Semaphore,
}

impl Gate {
    /// A gate that lets `hash_parallelism` passwords be judged at once, at least one.
    ///
    /// Wrong tries before a wait: 10 for an account from one address, 50 for an account from anywhere,
    /// 100 from one address. One more is given back every 30, 10 and 5 seconds, so nobody is locked out
    /// for good.
    #[must_use]
    pub fn new(hash_parallelism: usize) -> Self {
        Self {
            by_account_and_address: WrongTries::new(10, Duration::from_secs(30)),
            by_account: WrongTries::new(50, Duration::from_secs(10)),
            by_address: WrongTries::new(100, Duration::from_secs(5)),
            judges: Semaphore::new(hash_parallelism.max(1)),
        }
    }

    /// How long to wait before this account may be tried from this address; `None` when it may be now.
    /// The right password changes nothing about it.
    #[must_use]
    pub fn wait(&self, email: &str, address: IpAddr) -> Option<Duration> {
        let account = account(email);
        let waits = [
            self.by_account_and_address.wait(&(account, address)),
            self.by_account.wait(&account),
            self.by_address.wait(&address),
        ];
        waits.into_iter().flatten().max()
    }

    /// Notes that the password was wrong, or the account unknown, which is the same here.
    pub fn note_wrong(&self, email: &str, address: IpAddr) {
        let account = account(email);
        self.by_account_and_address.note((account, address));
        self.by_account.note(account);
        self.by_address.note(address);
    }

    /// A turn to judge a password; `None` once the gate is closed, which it never is.
    pub async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.judges.acquire().await.ok()
    }
}

fn account(email: &str) -> Account {
    Sha256::digest(email.trim().to_lowercase().as_bytes()).into()
}

type Limiter<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// The wrong tries of one kind of key. Right ones cost nothing.
struct WrongTries<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    quota_period: Duration,
    locked_until: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> WrongTries<K> {
    fn new(burst: u32, period: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let limiter = DefaultKeyedRateLimiter::keyed(quota.allow_burst(burst));
        Self {
            limiter: limiter.with_middleware(),
            quota_period: period,
            locked_until: Mutex::new(HashMap::new()),
        }
    }

    fn wait(&self, key: &K) -> Option<Duration> {
        let locked = self.locked_until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = locked.get(key)?;
        until.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    fn note(&self, key: K) {
        let wait = match self.limiter.check_key(&key) {
            Ok(state) if state.remaining_burst_capacity() > 0 => return,
            Ok(_) => self.quota_period,
            Err(not_until) => not_until.wait_time_from(DefaultClock::default().now()),
        };
        let now = Instant::now();
        let mut locked = self.locked_until.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.len() >= SWEEP_FROM {
            locked.retain(|_, until| *until > now);
            self.limiter.retain_recent();
        }
        locked.insert(key, now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn c8_ten_wrong_tries_close_the_account_for_that_address_only() {
        let gate = Gate::new(2);
        for _ in 0..9 {
            gate.note_wrong("ana@example.com", HERE);
        }
        assert_eq!(gate.wait("ana@example.com", HERE), None);
        gate.note_wrong(" Ana@Example.com", HERE);
        let wait = gate.wait("ana@example.com", HERE).expect("a wait");
        assert!(Duration::from_secs(25) < wait && wait <= Duration::from_secs(30));
        assert_eq!(gate.wait("ana@example.com", IpAddr::from([10, 0, 0, 1])), None);
        assert_eq!(gate.wait("rui@example.com", HERE), None);
    }

    #[test]
    fn c8_many_accounts_from_one_address_and_one_account_from_many_addresses_wait_too() {
        let gate = Gate::new(2);
        for number in 0..100 {
            gate.note_wrong(&format!("user{number}@example.com"), HERE);
        }
        assert!(gate.wait("nobody.yet@example.com", HERE).is_some());
        let gate = Gate::new(2);
        for last in 0..50 {
            gate.note_wrong("ana@example.com", IpAddr::from([10, 0, 0, last]));
        }
        assert!(gate.wait("ana@example.com", IpAddr::from([10, 0, 1, 1])).is_some());
    }
}
