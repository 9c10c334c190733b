//! Contacts: how they are reached, how they are found, and which chatbots know them.

mod identity;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, UserId},
    phone::PhoneNumber,
};

pub use self::identity::{Identity, add_identity, find_by_identity};
pub(crate) use self::identity::{find_holder, forget_identity, leave_phones, move_identity};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    schema::{chatbot_contacts, contact_words, contacts},
    user::Actor,
};

/// A person the workspace writes to.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// As the person or an agent wrote it; empty when unknown.
    pub name: String,
    /// In full; `None` for people known by another identity only.
    pub phone: Option<PhoneNumber>,
    /// The language written in; `None` when unknown.
    pub language: Option<String>,
    /// The IANA zone lived in; `None` when it is read from the number.
    pub time_zone: Option<String>,
    /// The portfolio owner (OH-13).
    pub responsible_agent: Option<UserId>,
    /// Sorted, without doubles.
    pub tags: Vec<String>,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Contact").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is known of a contact who is new.
#[derive(Clone, Default)]
pub struct NewContact {
    /// Empty when unknown.
    pub name: String,
    /// `None` for someone without a number.
    pub phone: Option<PhoneNumber>,
    /// `None` when unknown.
    pub language: Option<String>,
    /// An IANA zone; `None` when it is read from the number.
    pub time_zone: Option<String>,
    /// The portfolio owner.
    pub responsible_agent: Option<UserId>,
    /// Free words.
    pub tags: Vec<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = contacts)]
struct ContactRow {
    id: i64,
    name: String,
    phone: Option<String>,
    language: Option<String>,
    time_zone: Option<String>,
    responsible_agent_id: Option<i64>,
    tags: String,
}

impl TryFrom<ContactRow> for Contact {
    type Error = PersistenceError;

    fn try_from(row: ContactRow) -> Result<Self, PersistenceError> {
        let phone = row.phone.map(|phone| PhoneNumber::from_e164(&phone)).transpose();
        Ok(Self {
            id: ContactId(row.id),
            name: row.name,
            phone: phone.map_err(|_| {
                PersistenceError::unreadable("contacts", "phone", row.id.to_string())
            })?,
            language: row.language,
            time_zone: row.time_zone,
            responsible_agent: row.responsible_agent_id.map(UserId),
            tags: row.tags.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Makes `contact`, reachable by its phone if it has one, and found by its words.
///
/// # Errors
/// `Duplicate` when the number belongs to someone already.
pub fn create(
    db: &mut Db,
    contact: &NewContact,
    now: DateTime<Utc>,
) -> Result<ContactId, PersistenceError> {
    db.write(|db| {
        let mut tags = contact.tags.clone();
        tags.sort();
        tags.dedup();
        let id: i64 = diesel::insert_into(contacts::table)
            .values((
                contacts::name.eq(&contact.name),
                contacts::phone.eq(contact.phone.as_ref().map(PhoneNumber::as_e164)),
                contacts::language.eq(contact.language.as_deref()),
                contacts::time_zone.eq(contact.time_zone.as_deref()),
                contacts::responsible_agent_id.eq(contact.responsible_agent.map(|id| id.0)),
                contacts::tags.eq(tags.join(" ")),
                contacts::created_at.eq(Instant::from(now)),
                contacts::lock_version.eq(0_i64),
            ))
            .returning(contacts::id)
            .get_result(db)?;
        let id = ContactId(id);
        if let Some(phone) = &contact.phone {
            add_identity(db, id, Identity::Phone(phone), now)?;
        }
        save_words(db, id, &contact.name, contact.phone.as_ref())?;
        Ok(id)
    })
}

/// Who has `phone`, made with `name` if nobody has. Two callers at once get the same contact.
///
/// # Errors
/// When the database fails.
pub fn find_or_create_by_phone(
    db: &mut Db,
    phone: &PhoneNumber,
    name: &str,
    now: DateTime<Utc>,
) -> Result<ContactId, PersistenceError> {
    let new =
        NewContact { name: name.to_owned(), phone: Some(phone.clone()), ..NewContact::default() };
    db.write(|db| {
        if let Some(known) = find_by_identity(db, Identity::Phone(phone))? {
            return Ok(known);
        }
        match db.savepoint(|db| create(db, &new, now)) {
            Err(PersistenceError::Duplicate) => {
                find_by_identity(db, Identity::Phone(phone))?.ok_or(PersistenceError::NotFound)
            }
            made => made,
        }
    })
}

/// Gives `contact` the phone it was found to have, as identity and to be found by.
///
/// # Errors
/// `Duplicate` when someone else has it.
pub fn set_phone(
    db: &mut Db,
    contact: ContactId,
    phone: &PhoneNumber,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        add_identity(db, contact, Identity::Phone(phone), now)?;
        diesel::update(contacts::table.find(contact.0))
            .set(contacts::phone.eq(phone.as_e164()))
            .execute(db)?;
        let name: String = contacts::table.find(contact.0).select(contacts::name).first(db)?;
        save_words(db, contact, &name, Some(phone))
    })
}

/// Names `contact`, to be found by the new name only.
///
/// # Errors
/// `NotFound` when there is no such contact.
pub fn set_name(db: &mut Db, contact: ContactId, name: &str) -> Result<(), PersistenceError> {
    db.write(|db| {
        let phone: Option<String> =
            contacts::table.find(contact.0).select(contacts::phone).first(db)?;
        diesel::update(contacts::table.find(contact.0)).set(contacts::name.eq(name)).execute(db)?;
        let phone = phone.and_then(|phone| PhoneNumber::from_e164(&phone).ok());
        save_words(db, contact, name, phone.as_ref())
    })
}

/// Notes that `chatbot` knows `contact`; an agent or channel given becomes the last one.
///
/// # Errors
/// When the database fails.
pub fn join_chatbot(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
    agent: Option<UserId>,
    channel: Option<ChannelId>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let last = LastContact {
        last_agent_id: agent.map(|id| id.0),
        last_channel_id: channel.map(|id| id.0),
    };
    if agent.is_some() || channel.is_some() {
        let known = chatbot_contacts::chatbot_id
            .eq(chatbot.0)
            .and(chatbot_contacts::contact_id.eq(contact.0));
        let update = kept_update(chatbot_contacts::table, known, last);
        if on_either!(db => update.execute(db))? > 0 {
            return Ok(());
        }
    }
    on_either!(db => diesel::insert_into(chatbot_contacts::table)
        .values((
            chatbot_contacts::chatbot_id.eq(chatbot.0),
            chatbot_contacts::contact_id.eq(contact.0),
            chatbot_contacts::first_contact_at.eq(Instant::from(now)),
            chatbot_contacts::last_agent_id.eq(last.last_agent_id),
            chatbot_contacts::last_channel_id.eq(last.last_channel_id),
        ))
        .on_conflict_do_nothing()
        .execute(db))?;
    Ok(())
}

/// `None` leaves what is there.
#[derive(AsChangeset, Clone, Copy)]
#[diesel(table_name = chatbot_contacts)]
struct LastContact {
    last_agent_id: Option<i64>,
    last_channel_id: Option<i64>,
}

/// `contact`, if a chatbot of `actor` knows it.
///
/// # Errors
/// `NotFound` otherwise.
pub fn get(db: &mut Db, actor: &Actor, contact: ContactId) -> Result<Contact, PersistenceError> {
    let known = chatbot_contacts::table
        .filter(chatbot_contacts::chatbot_id.eq_any(actor.chatbot_ids()))
        .select(chatbot_contacts::contact_id);
    contacts::table
        .find(contact.0)
        .filter(contacts::id.eq_any(known))
        .select(ContactRow::as_select())
        .first(db)?
        .try_into()
}

/// Contacts one of whose words begins with each word of `text`, by name then id, `most` at most.
///
/// Only those a chatbot of `actor` knows; only `chatbot`'s when one is given. Case and accents do not
/// matter; a number may be typed with or without its country code. Nothing typed finds nobody.
///
/// Rule: AM-04.
///
/// # Errors
/// When the database fails.
pub fn search(
    db: &mut Db,
    actor: &Actor,
    chatbot: Option<ChatbotId>,
    text: &str,
    most: i64,
) -> Result<Vec<Contact>, PersistenceError> {
    let words = typed_words(text);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<i64> = actor
        .chatbot_ids()
        .into_iter()
        .filter(|id| chatbot.is_none_or(|chatbot| chatbot.0 == *id))
        .collect();
    let known = chatbot_contacts::table
        .filter(chatbot_contacts::chatbot_id.eq_any(asked))
        .select(chatbot_contacts::contact_id);
    let mut query = contacts::table
        .filter(contacts::id.eq_any(known))
        .order((contacts::name.asc(), contacts::id.asc()))
        .limit(most)
        .select(ContactRow::as_select())
        .into_boxed();
    for word in words {
        let end = format!("{word}\u{10ffff}");
        let beginning_so = contact_words::table
            .filter(contact_words::word.ge(word))
            .filter(contact_words::word.lt(end))
            .select(contact_words::contact_id);
        query = query.filter(contacts::id.eq_any(beginning_so));
    }
    query.load(db)?.into_iter().map(Contact::try_from).collect()
}

/// The contacts of `actor`'s chatbots with an id beyond `after`, by id, `most` at most.
///
/// # Errors
/// When the database fails.
pub fn list_after(
    db: &mut Db,
    actor: &Actor,
    after: Option<ContactId>,
    most: i64,
) -> Result<Vec<Contact>, PersistenceError> {
    let known = chatbot_contacts::table
        .filter(chatbot_contacts::chatbot_id.eq_any(actor.chatbot_ids()))
        .select(chatbot_contacts::contact_id);
    let rows: Vec<ContactRow> = contacts::table
        .filter(contacts::id.gt(after.map_or(0, |id| id.0)))
        .filter(contacts::id.eq_any(known))
        .order(contacts::id.asc())
        .limit(most)
        .select(ContactRow::as_select())
        .load(db)?;
    rows.into_iter().map(Contact::try_from).collect()
}

/// Replaces the words a contact is found by.
fn save_words(
    db: &mut Db,
    contact: ContactId,
    name: &str,
    phone: Option<&PhoneNumber>,
) -> Result<(), PersistenceError> {
    diesel::delete(contact_words::table.filter(contact_words::contact_id.eq(contact.0)))
        .execute(db)?;
    let rows: Vec<_> = words_of(name, phone)
        .into_iter()
        .map(|word| (contact_words::word.eq(word), contact_words::contact_id.eq(contact.0)))
        .collect();
    if !rows.is_empty() {
        on_either!(db => diesel::insert_into(contact_words::table).values(&rows).execute(db))?;
    }
    Ok(())
}

/// The folded words of a name, and the digits of a number from each group it is written in, so that
/// `600 111` is found in +34 600 111 222. Sorted, without doubles.
fn words_of(name: &str, phone: Option<&PhoneNumber>) -> Vec<String> {
    let mut words = words_in(name);
    if let Some(phone) = phone {
        let shown = phone.display();
        let groups: Vec<&str> = shown
            .split(|character: char| !character.is_ascii_digit())
            .filter(|group| !group.is_empty())
            .collect();
        words.extend((0..groups.len()).map(|first| groups[first..].concat()));
    }
    words.sort();
    words.dedup();
    words
}

/// What was typed, as words; digits typed apart are one number.
fn typed_words(text: &str) -> Vec<String> {
    let is_number = text.chars().any(|character| character.is_ascii_digit())
        && text
            .chars()
            .all(|character| character.is_ascii_digit() || " +-.()/".contains(character));
    if is_number {
        return vec![text.chars().filter(char::is_ascii_digit).collect()];
    }
    let mut words = words_in(text);
    words.truncate(8);
    words
}

fn words_in(text: &str) -> Vec<String> {
    fold(text)
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{given::Desk, test_support::on_both};

    #[test]
    fn am_04_word_beginnings_find_a_contact_without_case_or_accents() {
        on_both(|store| {
            let desk = Desk::given(store);
            let luisa = desk.contact("Luísa Fernanda", "+5511987654321");
            let joao = desk.contact("João Luís", "+34600111222");
            let found = |text: &str| -> Vec<ContactId> {
                let found = store.blocking_read(|db| search(db, &desk.ana, None, text, 20));
                found.unwrap().into_iter().map(|contact| contact.id).collect()
            };
            let cases: [(&str, &[ContactId]); 12] = [
                ("lui", &[joao, luisa]),
                ("LUÍSA", &[luisa]),
                ("fern lui", &[luisa]),
                ("uisa", &[]),
                ("joao", &[joao]),
                ("+34 600", &[joao]),
                ("600 111", &[joao]),
                ("600111222", &[joao]),
                ("98765", &[luisa]),
                ("55 11 9", &[luisa]),
                ("", &[]),
                ("%", &[]),
            ];
            for (typed, expected) in cases {
                assert_eq!(found(typed), expected, "{typed}");
            }
            store.blocking_write(|db| set_name(db, luisa, "Marina")).unwrap();
            assert_eq!(found("lui"), [joao]);
            assert_eq!(found("mari"), [luisa]);
        });
    }

    #[test]
    fn de_03_a_number_in_two_forms_is_one_person() {
        on_both(|store| {
            let desk = Desk::given(store);
            let with_ninth_digit = desk.contact("Luísa", "+5511987654321");
            let without = desk.contact("Luísa", "+551187654321");
            assert_eq!(with_ninth_digit, without);
        });
    }

    #[test]
    fn nobody_outside_the_team_finds_a_contact() {
        on_both(|store| {
            let desk = Desk::given(store);
            let luisa = desk.contact("Luísa", "+5511987654321");
            let now = DateTime::UNIX_EPOCH;
            let elsewhere = store
                .blocking_write(|db| crate::chatbot::create(db, "Other", "Europe/Madrid", now))
                .unwrap();
            let mut ana = desk.ana.clone();
            assert!(store.blocking_read(|db| get(db, &ana, luisa)).is_ok());
            let of_other =
                store.blocking_read(|db| search(db, &ana, Some(elsewhere), "lui", 20)).unwrap();
            assert_eq!(of_other, []);
            ana = Actor::without_teams(ana.user);
            assert!(matches!(
                store.blocking_read(|db| get(db, &ana, luisa)),
                Err(PersistenceError::NotFound)
            ));
            assert_eq!(store.blocking_read(|db| search(db, &ana, None, "lui", 20)).unwrap(), []);
        });
    }
}
