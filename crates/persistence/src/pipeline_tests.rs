//! Tests of what happens between a webhook or a click and the rows, on both databases.

mod arrivals;
mod dispatch;
mod jobs;
mod receipts;
mod refusals;
mod said;
mod signals;
mod told;

use domain::ids::MessageId;

use crate::{db::Db, test_desk::TestDesk};

pub(crate) const PHONE: &str = "+351912345678";
const DIGITS: &str = "351912345678";

/// Sends, and has the platform accept it under `provider_id`, now.
fn sent(desk: &TestDesk, agent: usize, provider_id: &str) -> MessageId {
    let message = desk.send(desk.agents[agent], PHONE);
    desk.deliver_to_platform(message, provider_id);
    message
}

fn count<T>(desk: &TestDesk, query: impl FnOnce(&mut Db) -> T) -> T {
    desk.store.blocking_read(|db| Ok(query(db))).unwrap()
}

/// Every order of the numbers below `length`.
pub(crate) fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    permutations(length - 1)
        .into_iter()
        .flat_map(|shorter| {
            (0..length).map(move |place| {
                let mut longer = shorter.clone();
                longer.insert(place, length - 1);
                longer
            })
        })
        .collect()
}
