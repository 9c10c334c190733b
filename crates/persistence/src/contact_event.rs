//! The history of a contact: what happened to them other than messages.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{PreferenceCategory, PreferenceChoice, UserPreference},
    ids::{ContactId, UserId},
    opt_out::EnteredWish,
};
use serde_json::{Value, json};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{contact_events, contacts, users},
};

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactEvent {
    /// When, by the platform's clock where it tells.
    pub at: DateTime<Utc>,
    /// What happened.
    pub news: ContactNews,
}

/// What may happen to a contact.
#[derive(Clone, PartialEq, Eq)]
pub enum ContactNews {
    /// They have another number.
    NumberChanged {
        /// In E.164 form; `None` when it was not known.
        from: Option<String>,
        /// In E.164 form.
        to: String,
    },
    /// The platform knows them by another id.
    IdChanged,
    /// The key of their device is another one: it may be someone else who holds it.
    KeyChanged {
        /// Whether the business has taken note; `None` when the platform does not say.
        is_acknowledged: Option<bool>,
    },
    /// The platform calls them and another contact one person.
    SamePerson {
        /// The other one.
        contact: ContactId,
        /// The other one's name, as it is by now; empty when unknown.
        name: String,
        /// Whether the other one is who they are from then on, rather than who they were.
        is_successor: bool,
    },
    /// They told the platform what they want to get.
    Preference {
        /// What is wanted.
        wish: Wish,
        /// The platform's word for what it is about; `None` when it does not say.
        category: Option<String>,
        /// The platform's own sentence.
        detail: Option<String>,
    },
    /// Someone of the team, or a program, entered what they wish (AD-09).
    Entered {
        /// What.
        wish: EnteredWish,
        /// How it is known; `None` when nobody said.
        reason: Option<String>,
        /// Who, or for whom the program speaks.
        by: UserId,
        /// Their name, as it is by now.
        name: String,
        /// Whether a program entered it.
        is_program: bool,
    },
}

/// What a contact told the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// No more of it.
    Stop,
    /// Again.
    Resume,
    /// For the first time.
    SignUp,
}

impl std::fmt::Debug for ContactNews {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.kind())
    }
}

impl ContactNews {
    /// What `preference` tells.
    #[must_use]
    pub fn of_preference(preference: &UserPreference) -> Self {
        let wish = match preference.choice {
            PreferenceChoice::Stop => Wish::Stop,
            PreferenceChoice::Resume => Wish::Resume,
            PreferenceChoice::SignUp { .. } => Wish::SignUp,
        };
        let category = preference.category.as_ref().map(PreferenceCategory::as_str);
        let (category, detail) = (category.map(str::to_owned), preference.detail.clone());
        Self::Preference { wish, category, detail }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::NumberChanged { .. } => "number_changed",
            Self::IdChanged => "id_changed",
            Self::KeyChanged { .. } => "key_changed",
            Self::SamePerson { .. } => "same_person",
            Self::Preference { .. } => "preference",
            Self::Entered { .. } => "entered",
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::NumberChanged { from, to } => json!({ "from": from, "to": to }),
            Self::IdChanged => json!({}),
            Self::KeyChanged { is_acknowledged } => json!({ "acknowledged": is_acknowledged }),
            Self::SamePerson { contact, is_successor, .. } => {
                json!({ "contact": contact.0, "successor": is_successor })
            }
            Self::Preference { wish, category, detail } => {
                let wish = match wish {
                    Wish::Stop => "stop",
                    Wish::Resume => "resume",
                    Wish::SignUp => "signup",
                };
                json!({ "wish": wish, "category": category, "detail": detail })
            }
            Self::Entered { wish, reason, by, is_program, .. } => json!({
                "wish": wish.as_str(), "reason": reason, "by": by.0, "program": is_program,
            }),
        }
    }

    fn read(kind: &str, detail: &Value) -> Option<Self> {
        let text = |name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| detail.get(name).and_then(Value::as_bool);
        match kind {
            "number_changed" => Some(Self::NumberChanged { from: text("from"), to: text("to")? }),
            "id_changed" => Some(Self::IdChanged),
            "key_changed" => Some(Self::KeyChanged { is_acknowledged: flag("acknowledged") }),
            "same_person" => Some(Self::SamePerson {
                contact: ContactId(detail.get("contact")?.as_i64()?),
                name: String::new(),
                is_successor: flag("successor")?,
            }),
            "preference" => Some(Self::Preference {
                wish: match text("wish")?.as_str() {
                    "stop" => Wish::Stop,
                    "resume" => Wish::Resume,
                    "signup" => Wish::SignUp,
                    _ => return None,
                },
                category: text("category"),
                detail: text("detail"),
            }),
            "entered" => Some(Self::Entered {
                wish: EnteredWish::parse(&text("wish")?)?,
                reason: text("reason"),
                by: UserId(detail.get("by")?.as_i64()?),
                name: String::new(),
                is_program: flag("program")?,
            }),
            _ => None,
        }
    }
}

/// Adds a line to the history of `contact`.
pub(crate) fn record(
    db: &mut Db,
    contact: ContactId,
    at: DateTime<Utc>,
    news: &ContactNews,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::insert_into(contact_events::table)
        .values((
            contact_events::contact_id.eq(contact.0),
            contact_events::at.eq(Instant::from(at)),
            contact_events::kind.eq(news.kind()),
            // JSON writes a NUL as an escape.
            contact_events::detail.eq(news.detail().to_string()),
            contact_events::created_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// The latest lines of the history of `contact`, `most` at most, the latest first. Served by the index on
/// `(contact_id, at)`.
///
/// # Errors
/// When the database fails, or holds what is no such line.
pub fn list_latest(
    db: &mut Db,
    contact: ContactId,
    most: i64,
) -> Result<Vec<ContactEvent>, PersistenceError> {
    let rows: Vec<(Instant, String, String)> = contact_events::table
        .filter(contact_events::contact_id.eq(contact.0))
        .order((contact_events::at.desc(), contact_events::id.desc()))
        .limit(most)
        .select((contact_events::at, contact_events::kind, contact_events::detail))
        .load(db)?;
    let mut events: Vec<ContactEvent> = rows
        .into_iter()
        .map(|(at, kind, detail)| {
            let unreadable =
                || PersistenceError::unreadable("contact_events", "detail", kind.as_str());
            let detail: Value = serde_json::from_str(&detail).map_err(|_| unreadable())?;
            let news = ContactNews::read(&kind, &detail).ok_or_else(unreadable)?;
            Ok(ContactEvent { at: at.into(), news })
        })
        .collect::<Result<_, PersistenceError>>()?;
    name_others(db, &mut events)?;
    name_users(db, &mut events)?;
    Ok(events)
}

fn name_users(db: &mut Db, events: &mut [ContactEvent]) -> Result<(), PersistenceError> {
    let user = |event: &ContactEvent| match event.news {
        ContactNews::Entered { by, .. } => Some(by.0),
        _ => None,
    };
    let ids: Vec<i64> = events.iter().filter_map(user).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let names: Vec<(i64, String)> =
        users::table.filter(users::id.eq_any(ids)).select((users::id, users::name)).load(db)?;
    for event in events {
        if let ContactNews::Entered { by, name, .. } = &mut event.news
            && let Some((_, known)) = names.iter().find(|(id, _)| *id == by.0)
        {
            name.clone_from(known);
        }
    }
    Ok(())
}

fn name_others(db: &mut Db, events: &mut [ContactEvent]) -> Result<(), PersistenceError> {
    let other = |event: &ContactEvent| match event.news {
        ContactNews::SamePerson { contact, .. } => Some(contact.0),
        _ => None,
    };
    let others: Vec<i64> = events.iter().filter_map(other).collect();
    if others.is_empty() {
        return Ok(());
    }
    let names: Vec<(i64, String)> = contacts::table
        .filter(contacts::id.eq_any(others))
        .select((contacts::id, contacts::name))
        .load(db)?;
    for event in events {
        if let ContactNews::SamePerson { contact, name, .. } = &mut event.news
            && let Some((_, known)) = names.iter().find(|(id, _)| *id == contact.0)
        {
            name.clone_from(known);
        }
    }
    Ok(())
}
