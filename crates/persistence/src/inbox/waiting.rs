//! What waits in the inbox, in shares that fit into memory.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types::Binary};
use domain::{
    channel::ChannelKind,
    ids::{ChannelId, InboxId},
};

use crate::{
    among::is_among, db::Db, error::PersistenceError, instant::Instant, message,
    schema::webhook_inbox,
};

/// The most bytes of webhooks taken at once, the first of them aside: posts of 3 MB come one at a time.
const MOST_BYTES: i32 = 4 << 20;

diesel::define_sql_function! {
    /// How many bytes `body` has; neither database reads them for that.
    fn length(body: Binary) -> Integer;
}

/// A webhook as it was kept.
#[derive(Clone)]
pub struct RawWebhook {
    /// Its id in the inbox.
    pub id: InboxId,
    /// The channel it was posted to.
    pub channel: ChannelId,
    /// The platform that posted it; `None` when the channel is gone.
    pub kind: Option<ChannelKind>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The signed bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for RawWebhook {
    /// Without the body, which holds what customers wrote.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RawWebhook").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The webhooks that are not done, oldest first: at most `limit`, and together at most 4 MiB unless the
/// oldest alone has more. Never by a cursor: ids commit out of order. Served by the partial index on open
/// rows.
pub fn list_waiting(db: &mut Db, limit: i64) -> Result<Vec<RawWebhook>, PersistenceError> {
    let sizes: Vec<(i64, i32)> = webhook_inbox::table
        .filter(webhook_inbox::done_at.is_null())
        .order(webhook_inbox::id.asc())
        .limit(limit)
        .select((webhook_inbox::id, length(webhook_inbox::body)))
        .load(db)?;
    let rows: Vec<(i64, i64, Instant, Vec<u8>)> = webhook_inbox::table
        .filter(is_among(webhook_inbox::id, first_that_fit(&sizes)))
        .order(webhook_inbox::id.asc())
        .select((
            webhook_inbox::id,
            webhook_inbox::channel_id,
            webhook_inbox::received_at,
            webhook_inbox::body,
        ))
        .load(db)?;
    let mut kinds = HashMap::new();
    rows.into_iter()
        .map(|(id, channel, received_at, body)| {
            let channel = ChannelId(channel);
            let kind = match kinds.get(&channel) {
                Some(kind) => *kind,
                None => {
                    let kind = message::find_channel(db, channel)?.map(|facts| facts.kind);
                    kinds.insert(channel, kind);
                    kind
                }
            };
            Ok(RawWebhook { id: InboxId(id), channel, kind, received_at: received_at.into(), body })
        })
        .collect()
}

/// The ids at the beginning of `sizes` whose bytes are few enough, at least one.
fn first_that_fit(sizes: &[(i64, i32)]) -> Vec<i64> {
    let mut bytes = 0_i32;
    let fitting = sizes.iter().enumerate().take_while(|(place, (_, size))| {
        bytes = bytes.saturating_add(*size);
        *place == 0 || bytes <= MOST_BYTES
    });
    fitting.map(|(_, (id, _))| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{test_desk::TestDesk, test_support::on_both};

    #[test]
    fn a_share_ends_where_its_bytes_do_but_never_before_its_first() {
        const MIB: i32 = 1 << 20;
        let cases: [(&str, &[i32], &[i64]); 6] = [
            ("nothing waits", &[], &[]),
            ("small ones", &[600, 600, 600], &[0, 1, 2]),
            ("to the byte", &[MIB, 3 * MIB, 1], &[0, 1]),
            ("a byte too many", &[MIB, 3 * MIB + 1, 1], &[0]),
            ("one that alone is too large", &[9 * MIB, 1], &[0]),
            ("empty ones", &[0, 0], &[0, 1]),
        ];
        for (case, sizes, expected) in cases {
            let sizes: Vec<(i64, i32)> = (0..).zip(sizes.iter().copied()).collect();
            assert_eq!(first_that_fit(&sizes), expected, "{case}");
        }
    }

    #[test]
    fn posts_of_3_mb_are_taken_one_by_one_and_none_is_passed_over() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let rows: Vec<_> = [3_000_000, 3_000_000, 500, 500]
                .into_iter()
                .map(|size| {
                    (
                        webhook_inbox::channel_id.eq(desk.channel.0),
                        webhook_inbox::received_at.eq(Instant(1)),
                        webhook_inbox::body.eq(vec![b'x'; size]),
                    )
                })
                .collect();
            store
                .blocking_write(|db| {
                    for row in rows {
                        diesel::insert_into(webhook_inbox::table).values(row).execute(db)?;
                    }
                    Ok(())
                })
                .unwrap();
            let take = || {
                let share = store.blocking_write(|db| {
                    let share = list_waiting(db, 200)?;
                    let ids = share.iter().map(|webhook| webhook.id.0);
                    diesel::update(webhook_inbox::table.filter(webhook_inbox::id.eq_any(ids)))
                        .set(webhook_inbox::done_at.eq(Some(Instant(2))))
                        .execute(db)?;
                    Ok(share)
                });
                share.unwrap().iter().map(|webhook| webhook.body.len()).collect::<Vec<_>>()
            };
            assert_eq!(take(), [3_000_000]);
            assert_eq!(take(), [3_000_000, 500, 500]);
            assert_eq!(take(), [0_usize; 0]);
        });
    }
}
