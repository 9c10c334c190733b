//! What the sandbox was asked to send and how often: the judge of duplicates.

use std::collections::HashMap;

use serde::Serialize;

use crate::clock::instant;

/// One send the sandbox accepted.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub at_ms: i64,
    pub channel: String,
    pub to: String,
    pub callback_data: Option<String>,
    pub provider_id: String,
    /// How many sends with this callback data were accepted; above 1 the customer got it twice.
    pub times: u32,
}

/// An [`Entry`] as the control API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView<'a> {
    at: String,
    channel: &'a str,
    to: &'a str,
    callback_data: Option<&'a str>,
    provider_id: &'a str,
    times: u32,
}

/// Every accepted send, oldest first; a repeated callback data counts on its first entry.
///
/// A refused call is no entry: nothing of it reached a customer.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    by_callback: HashMap<(String, String), usize>,
}

impl Ledger {
    /// Notes one accepted send.
    pub(crate) fn note(
        &mut self,
        at_ms: i64,
        channel: &str,
        to: &str,
        callback_data: Option<&str>,
        provider_id: &str,
    ) {
        if let Some(data) = callback_data {
            let key = (channel.to_owned(), data.to_owned());
            if let Some(entry) = self.by_callback.get(&key).and_then(|at| self.entries.get_mut(*at))
            {
                entry.times += 1;
                return;
            }
            self.by_callback.insert(key, self.entries.len());
        }
        self.entries.push(Entry {
            at_ms,
            channel: channel.to_owned(),
            to: to.to_owned(),
            callback_data: callback_data.map(str::to_owned),
            provider_id: provider_id.to_owned(),
            times: 1,
        });
    }

    /// The entries of `channel`, or all, oldest first.
    pub(crate) fn list(&self, channel: Option<&str>) -> Vec<EntryView<'_>> {
        let wanted = |entry: &&Entry| channel.is_none_or(|channel| entry.channel == channel);
        self.entries
            .iter()
            .filter(wanted)
            .map(|entry| EntryView {
                at: instant(entry.at_ms),
                channel: &entry.channel,
                to: &entry.to,
                callback_data: entry.callback_data.as_deref(),
                provider_id: &entry.provider_id,
                times: entry.times,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_callback_data_counts_on_one_entry_and_none_at_all_never_does() {
        let mut ledger = Ledger::default();
        ledger.note(1, "n1", "a", Some("attempt-1"), "w1");
        ledger.note(2, "n1", "a", Some("attempt-1"), "w2");
        ledger.note(3, "n2", "a", Some("attempt-1"), "w3");
        ledger.note(4, "n1", "a", None, "w4");
        ledger.note(5, "n1", "a", None, "w5");
        let seen: Vec<(&str, u32)> =
            ledger.list(None).iter().map(|e| (e.provider_id, e.times)).collect();
        assert_eq!(seen, [("w1", 2), ("w3", 1), ("w4", 1), ("w5", 1)]);
        assert_eq!(ledger.list(Some("n2")).len(), 1);
    }
}
