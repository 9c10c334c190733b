//! Entering what a contact wishes: by an agent who was told, or by a program (AD-09).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    clock::Clock,
    ids::{ChatbotId, ContactId},
    opt_out::{EnteredWish, OptOut, OptOutScope, OptOutSource, WishProblem},
    permission::Permission,
};

use super::{lift, list_in_force, opt_out};
use crate::{
    contact,
    contact_event::{self, ContactNews},
    conversation::{self, ConversationId},
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::{chatbot_contacts, contacts},
    sender::{self, without_nul},
    user::Actor,
};

/// Whose wish it is, as the door knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishOf {
    /// Whom the agent talks to.
    Conversation(ConversationId),
    /// A contact by id.
    Contact(ContactId),
}

impl WishOf {
    fn contact(self) -> ContactId {
        match self {
            Self::Conversation(conversation) => conversation.contact,
            Self::Contact(contact) => contact,
        }
    }
}

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Entered {
    /// It holds from now on.
    Done,
    /// It held already; nothing was changed.
    AlreadySo,
    /// It was not entered.
    Refused(WishProblem),
}

/// What is known of a contact's wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// Whose.
    pub contact: ContactId,
    /// The opt-outs in force, oldest first.
    pub opt_outs: Vec<OptOut>,
    /// When they agreed to marketing, and from where it is known; `None` when it is not.
    pub marketing_opt_in: Option<(DateTime<Utc>, OptOutSource)>,
}

/// Enters `wish` of a contact, with how it is known, and keeps it in their history.
///
/// It holds for the whole workspace from the next admission on. Who may serve or write first in a chatbot that
/// knows the contact may enter it.
///
/// Rule: AD-09.
///
/// # Errors
/// `NotFound` for whom the actor may not know of, `Denied` without one of the permissions.
pub fn enter(
    db: &mut Db,
    actor: &Actor,
    of: WishOf,
    wish: EnteredWish,
    reason: &str,
    clock: &dyn Clock,
) -> Result<Entered, PersistenceError> {
    db.write(|db| {
        require_access(db, actor, of)?;
        let reason = match wish.read_reason(&without_nul(reason)) {
            Ok(reason) => reason,
            Err(problem) => return Ok(Entered::Refused(problem)),
        };
        let contact = of.contact();
        sender::lock(db, contact)?;
        let now = clock.now();
        let wishes = read(db, contact)?;
        if wishes.hold(wish) {
            return Ok(Entered::AlreadySo);
        }
        let is_program = actor.token.is_some();
        let source = if is_program { OptOutSource::Api } else { OptOutSource::Agent };
        match wish {
            EnteredWish::OptOut(scope) => opt_out(db, contact, scope, source, now)?,
            EnteredWish::Lift => lift_all(db, contact, source, reason.as_deref(), now)?,
            EnteredWish::OptIn => {
                lift_all(db, contact, source, reason.as_deref(), now)?;
                opt_in(db, contact, source, now)?;
            }
        }
        let (by, name) = (actor.id(), String::new());
        let news = ContactNews::Entered { wish, reason, by, name, is_program };
        contact_event::record(db, contact, now, &news, now)?;
        note(db, contact)?;
        Ok(Entered::Done)
    })
}

/// What is known of a contact's wishes.
///
/// # Errors
/// As [`enter`].
pub fn find_wishes(db: &mut Db, actor: &Actor, of: WishOf) -> Result<Wishes, PersistenceError> {
    match of {
        WishOf::Conversation(conversation) => {
            conversation::find_access(db, actor, conversation)?;
        }
        WishOf::Contact(contact) => {
            contact::get(db, actor, contact)?;
        }
    }
    read(db, of.contact())
}

impl Wishes {
    /// Whether `wish` would change nothing.
    fn hold(&self, wish: EnteredWish) -> bool {
        match wish {
            EnteredWish::OptOut(scope) => self.opt_outs.iter().any(|it| scope <= it.scope),
            EnteredWish::Lift => self.opt_outs.is_empty(),
            EnteredWish::OptIn => self.opt_outs.is_empty() && self.marketing_opt_in.is_some(),
        }
    }
}

/// Whether `actor` may enter what a contact of `chatbot` wishes: whoever serves or writes first there.
#[must_use]
pub fn may_enter(actor: &Actor, chatbot: ChatbotId) -> bool {
    actor.may(chatbot, Permission::ServeTickets)
        || actor.may(chatbot, Permission::SendActiveMessages)
}

/// Whoever talks to the contact, and may write to them; by id, whoever may in a chatbot that knows them.
fn require_access(db: &mut Db, actor: &Actor, of: WishOf) -> Result<(), PersistenceError> {
    let may = match of {
        WishOf::Conversation(conversation) => {
            conversation::find_access(db, actor, conversation)?;
            may_enter(actor, conversation.chatbot)
        }
        WishOf::Contact(contact) => {
            contact::get(db, actor, contact)?;
            list_chatbots(db, contact)?.into_iter().any(|chatbot| may_enter(actor, chatbot))
        }
    };
    if may { Ok(()) } else { Err(PersistenceError::Denied) }
}

fn read(db: &mut Db, contact: ContactId) -> Result<Wishes, PersistenceError> {
    let opt_outs = list_in_force(db, contact)?;
    let (at, source): (Option<Instant>, Option<String>) = contacts::table
        .find(contact.0)
        .select((contacts::marketing_opt_in_at, contacts::marketing_opt_in_source))
        .first(db)?;
    let source = source.map(|word| {
        OptOutSource::parse(&word).ok_or_else(|| {
            PersistenceError::unreadable("contacts", "marketing_opt_in_source", word)
        })
    });
    let marketing_opt_in = at.map(DateTime::from).zip(source.transpose()?);
    Ok(Wishes { contact, opt_outs, marketing_opt_in })
}

fn lift_all(
    db: &mut Db,
    contact: ContactId,
    source: OptOutSource,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    lift(db, contact, &OptOutScope::ALL, source, reason, now)?;
    Ok(())
}

fn opt_in(
    db: &mut Db,
    contact: ContactId,
    source: OptOutSource,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::update(contacts::table.find(contact.0))
        .set((
            contacts::marketing_opt_in_at.eq(Some(Instant::from(now))),
            contacts::marketing_opt_in_source.eq(Some(source.as_str())),
        ))
        .execute(db)?;
    Ok(())
}

/// Every chatbot that knows the contact shows it at once.
fn note(db: &mut Db, contact: ContactId) -> Result<(), PersistenceError> {
    for chatbot in list_chatbots(db, contact)? {
        live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, 0));
    }
    Ok(())
}

/// The chatbots that know `contact`. Served by the index on `contact_id`.
fn list_chatbots(db: &mut Db, contact: ContactId) -> Result<Vec<ChatbotId>, PersistenceError> {
    let ids: Vec<i64> = chatbot_contacts::table
        .filter(chatbot_contacts::contact_id.eq(contact.0))
        .order(chatbot_contacts::chatbot_id.asc())
        .select(chatbot_contacts::chatbot_id)
        .load(db)?;
    Ok(ids.into_iter().map(ChatbotId).collect())
}

#[cfg(test)]
mod tests {
    use domain::ids::ApiTokenId;

    use super::*;
    use crate::{contact_event::ContactEvent, given::Desk, test_support::on_both};

    fn conversation(desk: &Desk, contact: ContactId) -> WishOf {
        WishOf::Conversation(ConversationId { chatbot: desk.chatbot, contact })
    }

    fn enter_as(
        desk: &Desk,
        actor: &Actor,
        of: WishOf,
        wish: EnteredWish,
        reason: &str,
    ) -> Result<Entered, PersistenceError> {
        desk.store.blocking_write(|db| enter(db, actor, of, wish, reason, &desk.clock))
    }

    fn scopes(desk: &Desk, contact: ContactId) -> Vec<(OptOutScope, OptOutSource)> {
        let of = WishOf::Contact(contact);
        let found = desk.store.blocking_read(|db| find_wishes(db, &desk.ana, of)).unwrap();
        found.opt_outs.into_iter().map(|it| (it.scope, it.source)).collect()
    }

    fn history(desk: &Desk, contact: ContactId) -> Vec<ContactNews> {
        let read = |db: &mut Db| contact_event::list_latest(db, contact, 10);
        let events: Vec<ContactEvent> = desk.store.blocking_read(read).unwrap();
        events.into_iter().map(|event| event.news).collect()
    }

    #[test]
    fn ad_09_an_agent_enters_a_wish_and_lifts_it_with_a_reason_only() {
        on_both(|store| {
            let desk = Desk::given(store);
            let contact = desk.contact("Luísa", "+5511987654321");
            let of = conversation(&desk, contact);
            let enter = |wish, reason| enter_as(&desk, &desk.ana, of, wish, reason).unwrap();
            let stop = |scope| EnteredWish::OptOut(scope);

            assert_eq!(enter(stop(OptOutScope::Marketing), ""), Entered::Done);
            assert_eq!(scopes(&desk, contact), [(OptOutScope::Marketing, OptOutSource::Agent)]);
            assert_eq!(enter(stop(OptOutScope::Marketing), ""), Entered::AlreadySo);
            assert_eq!(enter(stop(OptOutScope::All), "on the phone"), Entered::Done);
            assert_eq!(enter(stop(OptOutScope::Marketing), ""), Entered::AlreadySo);
            assert_eq!(enter(EnteredWish::Lift, " "), Entered::Refused(WishProblem::ReasonMissing));
            assert_eq!(scopes(&desk, contact).len(), 2, "nothing is lifted without a reason");
            assert_eq!(enter(EnteredWish::Lift, "came to the shop"), Entered::Done);
            assert_eq!(scopes(&desk, contact), []);
            assert_eq!(enter(EnteredWish::Lift, "came to the shop"), Entered::AlreadySo);

            let told = history(&desk, contact);
            let entered = |wish, reason: Option<&str>| ContactNews::Entered {
                wish,
                reason: reason.map(str::to_owned),
                by: desk.ana.id(),
                name: "ana".to_owned(),
                is_program: false,
            };
            let expected = [
                entered(EnteredWish::Lift, Some("came to the shop")),
                entered(stop(OptOutScope::All), Some("on the phone")),
                entered(stop(OptOutScope::Marketing), None),
            ];
            assert!(told == expected, "{told:?}");
        });
    }

    #[test]
    fn ad_09_an_opt_in_is_kept_with_source_and_date_and_lifts_what_stood_before() {
        on_both(|store| {
            let desk = Desk::given(store);
            let contact = desk.contact("Luísa", "+5511987654321");
            let of = WishOf::Contact(contact);
            let mut program = desk.ana.clone();
            program.token = Some(ApiTokenId(1));
            let stop = EnteredWish::OptOut(OptOutScope::All);
            let _stopped = enter_as(&desk, &program, of, stop, "").unwrap();
            assert_eq!(scopes(&desk, contact), [(OptOutScope::All, OptOutSource::Api)]);
            let entered = enter_as(&desk, &program, of, EnteredWish::OptIn, "form on the site");
            assert_eq!(entered.unwrap(), Entered::Done);
            let found = store.blocking_read(|db| find_wishes(db, &desk.ana, of)).unwrap();
            let expected = Wishes {
                contact,
                opt_outs: Vec::new(),
                marketing_opt_in: Some((desk.clock.now(), OptOutSource::Api)),
            };
            assert_eq!(found, expected);
        });
    }

    #[test]
    fn ad_09_c15_nobody_enters_a_wish_of_whom_they_may_not_know_or_may_not_write_to() {
        on_both(|store| {
            let desk = Desk::given(store);
            let contact = desk.contact("Luísa", "+5511987654321");
            let stop = EnteredWish::OptOut(OptOutScope::All);
            let stranger = Actor::without_teams(desk.ana.user.clone());
            for of in [conversation(&desk, contact), WishOf::Contact(contact)] {
                let entered = enter_as(&desk, &stranger, of, stop, "");
                assert!(matches!(entered, Err(PersistenceError::NotFound)), "{of:?}");
            }
            let onlooker = desk.another_agent("leo");
            let role = domain::permission::Role::Manager;
            let only = [Permission::SeeAllTickets];
            store
                .blocking_write(|db| {
                    crate::user::save_membership(db, onlooker.id(), desk.chatbot, role, &only)
                })
                .unwrap();
            let onlooker = desk.actor(onlooker.id());
            for of in [conversation(&desk, contact), WishOf::Contact(contact)] {
                let entered = enter_as(&desk, &onlooker, of, stop, "");
                assert!(matches!(entered, Err(PersistenceError::Denied)), "{of:?}");
            }
            assert_eq!(scopes(&desk, contact), []);
        });
    }
}
