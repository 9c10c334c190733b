//! What both have to do, and what is looked at afterwards.

use std::{net::SocketAddr, ops::Range};

use serde::Deserialize;

use crate::{BenchError, load::Post};

/// The name of the template that both send; it has no variables.
pub const TEMPLATE: &str = "offer";
/// What it says.
pub const TEMPLATE_BODY: &str = "We have missed you. There is news in the shop.";

/// A desk that is measured. It is set up with messages just accepted, in a database of its own, removed when dropped.
pub trait Contender {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Serves, and comes back once it answers; always at the same address.
    fn start(&mut self) -> Result<(), BenchError>;

    /// Ends at once, with all its processes, as a power cut would.
    fn kill(&mut self) -> Result<(), BenchError>;

    /// Where it serves.
    fn address(&self) -> SocketAddr;

    /// The receipts of the messages `sends`, and the answers to them, in the order in which they come.
    fn webhooks(&self, sends: Range<u64>) -> Vec<Post>;

    /// The page an agent starts from, asked for by an agent who is signed in.
    fn list_page(&self) -> Post;

    /// Comes back once every webhook that was answered is applied.
    fn wait_until_applied(&self) -> Result<(), BenchError>;

    /// What is kept of the first `sends` messages and the answers to them.
    fn kept(&self, sends: u64) -> Result<Kept, BenchError>;

    /// Requests to send the template to `customers`, one each. A request may be repeated.
    fn sends(&self, customers: Range<u64>) -> Vec<Post>;

    /// Asks to send the template to all `customers`, in the way meant for many, and comes back once that goes on by
    /// itself.
    fn begin_at_once(&self, customers: Range<u64>) -> Result<(), BenchError>;

    /// Whether nothing is left to send, so far as it knows.
    fn has_sent_all(&self) -> Result<bool, BenchError>;

    /// The customers of whom it says that their message may or may not have been sent, in digits.
    fn in_doubt(&self) -> Result<Vec<String>, BenchError>;
}

/// What is kept of messages, of which each was sent, delivered, read and answered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Kept {
    /// Answers.
    pub answers: u64,
    /// Answers, each counted once.
    pub distinct_answers: u64,
    /// Messages that are not shown as read.
    pub behind: u64,
    /// Answers that are counted as not looked at; nobody looked at any.
    pub unread: u64,
}

impl Kept {
    /// Answers that are not there, of `expected`.
    pub fn lost(&self, expected: u64) -> u64 {
        expected.saturating_sub(self.distinct_answers)
    }

    /// Answers that are there again.
    pub fn doubled(&self) -> u64 {
        self.answers - self.distinct_answers
    }

    /// By how many the count of unread answers is off.
    pub fn miscounted(&self) -> u64 {
        self.unread.abs_diff(self.answers)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn what_is_missing_and_what_is_there_twice_do_not_make_up_for_each_other() {
        let kept = Kept { answers: 100, distinct_answers: 98, behind: 0, unread: 103 };
        assert_eq!((kept.lost(100), kept.doubled(), kept.miscounted()), (2, 2, 3));
    }
}
