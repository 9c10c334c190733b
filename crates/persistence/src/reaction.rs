//! What each side last put on a message. It names the message as the platform does, so that one on a message that
//! is not known yet needs nobody to wait for it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::{ChannelId, MessageId, UserId};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::{messages, reactions},
};

/// The kind of a message of ours that puts something on a contact's; it is no bubble of its own.
pub(crate) const REACTION: &str = "reaction";

/// What such a message holds besides its emoji.
#[derive(serde::Serialize, serde::Deserialize)]
struct TargetJson {
    to: String,
}

/// The payload of a message that puts something on the one the platform knows as `to`.
pub(crate) fn payload(to: &str) -> Result<String, PersistenceError> {
    serde_json::to_string(&TargetJson { to: to.to_owned() })
        .map_err(|error| PersistenceError::unreadable("messages", "payload", error.to_string()))
}

/// The platform's id of the message that `message` of ours is put on.
pub(crate) fn target(db: &mut Db, message: MessageId) -> Result<String, PersistenceError> {
    let payload: String = messages::table.find(message.0).select(messages::payload).first(db)?;
    let target: TargetJson = serde_json::from_str(&payload)
        .map_err(|error| PersistenceError::unreadable("messages", "payload", error.to_string()))?;
    Ok(target.to)
}

/// Takes what `message` of ours put on another back, because it never got there; what was put there since stays.
pub(crate) fn undo(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    let row: Option<(i64, Instant)> = messages::table
        .find(message.0)
        .filter(messages::kind.eq(REACTION))
        .filter(messages::direction.eq("out"))
        .select((messages::channel_id, messages::occurred_at))
        .first(db)
        .optional()?;
    let Some((channel, at)) = row else { return Ok(()) };
    let to = target(db, message)?;
    let place = reactions::table.find((channel, to.as_str(), ReactionSide::Desk.as_str()));
    diesel::update(place.filter(reactions::at.eq(at))).set(reactions::emoji.eq("")).execute(db)?;
    Ok(())
}

/// Whose reaction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReactionSide {
    /// The contact's.
    Contact,
    /// Ours.
    Desk,
}

impl ReactionSide {
    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Desk => "desk",
        }
    }

    /// The side stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Contact, Self::Desk].into_iter().find(|side| side.as_str() == word)
    }
}

/// A reaction on its way to its message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewReaction<'a> {
    pub channel: ChannelId,
    /// The platform's id of the message.
    pub to: &'a str,
    pub side: ReactionSide,
    /// Who of us; `None` for the contact's, and for what was put on the phone app.
    pub agent: Option<UserId>,
    /// Empty to take it back.
    pub emoji: &'a str,
    /// By the platform's clock where it tells.
    pub at: DateTime<Utc>,
}

/// What is on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Whose it is.
    pub side: ReactionSide,
    /// The emoji; never empty.
    pub emoji: String,
}

/// Keeps `reaction` in place of what its side had put there, unless that is newer. Of one instant the one told last
/// holds.
pub(crate) fn save(db: &mut Db, reaction: &NewReaction<'_>) -> Result<(), PersistenceError> {
    let place = (
        reactions::channel_id.eq(reaction.channel.0),
        reactions::provider_id.eq(reaction.to),
        reactions::side.eq(reaction.side.as_str()),
    );
    let at = Instant::from(reaction.at);
    let what = (
        reactions::agent_id.eq(reaction.agent.map(|agent| agent.0)),
        reactions::emoji.eq(reaction.emoji),
        reactions::at.eq(at),
    );
    let is_new = on_either!(db => diesel::insert_into(reactions::table)
        .values((place, what))
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 0 {
        let known = (reaction.channel.0, reaction.to, reaction.side.as_str());
        diesel::update(reactions::table.find(known).filter(reactions::at.le(at)))
            .set(what)
            .execute(db)?;
    }
    Ok(())
}

/// What of ours is on the message that the platform knows as `to`; `None` when nothing is.
pub(crate) fn find_ours(
    db: &mut Db,
    channel: ChannelId,
    to: &str,
) -> Result<Option<String>, PersistenceError> {
    Ok(reactions::table
        .find((channel.0, to, ReactionSide::Desk.as_str()))
        .filter(reactions::emoji.ne(""))
        .select(reactions::emoji)
        .first(db)
        .optional()?)
}

/// The reactions on messages of `channels` that the platform knows by `provider_ids`, by channel and id, the
/// contact's first; what was taken back is left out. One query, by the primary key.
pub(crate) fn list_on(
    db: &mut Db,
    channels: &[i64],
    provider_ids: &[&str],
) -> Result<BTreeMap<(i64, String), Vec<Reaction>>, PersistenceError> {
    let mut found: BTreeMap<(i64, String), Vec<Reaction>> = BTreeMap::new();
    if provider_ids.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(i64, String, String, String)> = reactions::table
        .filter(reactions::channel_id.eq_any(channels))
        .filter(reactions::provider_id.eq_any(provider_ids))
        .filter(reactions::emoji.ne(""))
        .select((reactions::channel_id, reactions::provider_id, reactions::side, reactions::emoji))
        .load(db)?;
    for (channel, provider_id, side, emoji) in rows {
        let side = ReactionSide::parse(&side)
            .ok_or_else(|| PersistenceError::unreadable("reactions", "side", side))?;
        found.entry((channel, provider_id)).or_default().push(Reaction { side, emoji });
    }
    for reactions in found.values_mut() {
        reactions.sort_by_key(|reaction| reaction.side);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;

    use super::*;
    use crate::{pipeline_tests::permutations, test_desk::TestDesk, test_support::on_both};

    fn on(desk: &TestDesk, to: &str) -> Vec<(ReactionSide, String)> {
        let found = desk.store.blocking_read(|db| list_on(db, &[desk.channel.0], &[to])).unwrap();
        let reactions = found.into_values().flatten();
        reactions.map(|reaction| (reaction.side, reaction.emoji)).collect()
    }

    #[test]
    fn the_latest_reaction_of_each_side_holds_in_whatever_order_they_are_told() {
        // Seconds, sides and emoji; the empty one takes back.
        let told = [
            (1, ReactionSide::Contact, "👍"),
            (2, ReactionSide::Contact, ""),
            (3, ReactionSide::Contact, "❤️"),
            (2, ReactionSide::Desk, "🙏"),
            (4, ReactionSide::Desk, ""),
        ];
        on_both(|store| {
            let desk = TestDesk::new(store);
            let start = desk.clock.now();
            for (round, order) in permutations(told.len()).into_iter().enumerate() {
                let to = format!("wamid.{round}");
                for index in order {
                    let (second, side, emoji) = told[index];
                    let reaction = NewReaction {
                        channel: desk.channel,
                        to: &to,
                        side,
                        agent: None,
                        emoji,
                        at: start + TimeDelta::seconds(second),
                    };
                    // A copy changes nothing.
                    for _ in 0..2 {
                        store.blocking_write(|db| save(db, &reaction)).unwrap();
                    }
                }
                assert_eq!(on(&desk, &to), [(ReactionSide::Contact, "❤️".to_owned())]);
            }
        });
    }
}
