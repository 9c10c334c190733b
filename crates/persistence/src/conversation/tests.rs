//! What the desk lists and to whom, on both databases.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    channel::{ChannelKind, MediaFile},
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, MessageId, NumberId, QueueId, TicketId, UserId},
    permission::{Permission, Role},
    phone::PhoneNumber,
    session_window::SessionState,
    template::MediaKind,
    ticket::{ProtocolNumber, TicketRefusal},
};

use super::*;
use crate::{
    channel::{self, NewChannel},
    chatbot, compose, contact,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    number, policy, queue,
    schema::{active_messages, message_templates, messages, session_windows, tickets},
    store::Store,
    test_support::on_both,
    ticket::{self, TicketOutcome},
    user::{self, Actor, NewUser},
};

mod plans;
mod sent;
mod waiting;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_366_920_000).unwrap()
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// Two agents and a manager of one chatbot, and what they serve.
struct Given {
    chatbot: ChatbotId,
    channel: ChannelId,
    number: NumberId,
    template: i64,
    ana: UserId,
    rui: UserId,
    manager: UserId,
    queue: QueueId,
    other_queue: QueueId,
}

impl Given {
    fn desk(store: &Store, db: &mut Db) -> Result<Self, PersistenceError> {
        let vault = store.vault().unwrap();
        let chatbot = chatbot::create(db, "Sales Brazil", "America/Sao_Paulo", now())?;
        let new_channel = NewChannel {
            chatbot,
            kind: ChannelKind::WhatsApp,
            name: "Main",
            external_id: "1001",
            account_id: "2001",
            api_base_url: "http://127.0.0.1:9",
            access_token: "token",
            app_secret: "secret",
            verify_token: "verify-me",
        };
        let channel = channel::create(db, &vault, &new_channel, now())?;
        let policy = policy::find_or_create_default(db, now())?;
        let number = number::create(db, channel, "+551140001000", policy, now())?;
        let template = diesel::insert_into(message_templates::table)
            .values((
                message_templates::account_id.eq("2001"),
                message_templates::external_id.eq("t1"),
                message_templates::name.eq("order_ready"),
                message_templates::language.eq("pt_BR"),
                message_templates::category.eq("utility"),
                message_templates::status.eq("approved"),
                message_templates::parameter_format.eq("positional"),
                message_templates::components.eq(
                    r#"{"header":{"kind":"image"},"body":"Oi {{1}}","footer":"Loja","buttons":[{"kind":"quick_reply","text":"Sim"}]}"#,
                ),
                message_templates::synced_at.eq(Instant::from(now())),
            ))
            .returning(message_templates::id)
            .get_result(db)?;
        let add = |db: &mut Db, name: &str, role| {
            let email = format!("{name}@example.com");
            let new = NewUser {
                email: &email,
                name,
                password_hash: "x",
                language: None,
                time_zone: None,
                max_tickets: 5,
            };
            let id = user::create(db, &new, now())?;
            user::save_role(db, id, chatbot, role)?;
            Ok::<_, PersistenceError>(id)
        };
        let ana = add(db, "Ana", Role::Agent)?;
        let rui = add(db, "Rui", Role::Agent)?;
        let manager = add(db, "Eva", Role::Manager)?;
        let queue = queue::create(db, chatbot, "Sales", 0)?;
        let other_queue = queue::create(db, chatbot, "Returns", 1)?;
        queue::set_agents(db, queue, &[ana])?;
        queue::set_agents(db, other_queue, &[rui])?;
        Ok(Self { chatbot, channel, number, template, ana, rui, manager, queue, other_queue })
    }

    fn actor(&self, db: &mut Db, id: UserId) -> Actor {
        user::find_actor(db, id).unwrap().unwrap()
    }

    fn contact(&self, db: &mut Db, name: &str) -> Result<ContactId, PersistenceError> {
        let digits =
            name.bytes().fold(0_u32, |sum, byte| sum * 31 % 9_999 + u32::from(byte)) % 9_999;
        let phone = PhoneNumber::parse(&format!("+55 11 98765-{digits:04}")).unwrap();
        let new = contact::NewContact {
            name: name.to_owned(),
            phone: Some(phone),
            ..contact::NewContact::default()
        };
        let id = contact::create(db, &new, now())?;
        contact::join_chatbot(db, self.chatbot, id, None, Some(self.channel), now())?;
        Ok(id)
    }

    /// A ticket of someone new: waiting in a queue or for one agent, or served by `agent`.
    fn ticket(&self, db: &mut Db, name: &str, place: Place) -> Result<TicketId, PersistenceError> {
        let contact = self.contact(db, name)?;
        let (state, queue, agent, only) = match place {
            Place::ServedBy(agent) => ("in_progress", None, Some(agent.0), None),
            Place::In(queue) => ("waiting", Some(queue.0), None, None),
            Place::NoQueue => ("waiting", None, None, None),
            Place::Only(agent) => ("waiting", Some(self.other_queue.0), None, Some(agent.0)),
        };
        let id: i64 = diesel::insert_into(tickets::table)
            .values((
                tickets::protocol.eq(name),
                tickets::chatbot_id.eq(self.chatbot.0),
                tickets::contact_id.eq(contact.0),
                tickets::channel_id.eq(self.channel.0),
                tickets::queue_id.eq(queue),
                tickets::agent_id.eq(agent),
                tickets::only_agent_id.eq(only),
                tickets::state.eq(state),
                tickets::opened_at.eq(Instant::from(now())),
                tickets::last_message_at.eq(Instant::from(now())),
                tickets::unread.eq(1),
            ))
            .returning(tickets::id)
            .get_result(db)?;
        diesel::update(tickets::table.find(id))
            .set(tickets::protocol.eq(ProtocolNumber::of(TicketId(id)).as_str()))
            .execute(db)?;
        self.message(db, contact, Some(TicketId(id)), None, &format!("from {name}"), now())?;
        Ok(TicketId(id))
    }

    fn message(
        &self,
        db: &mut Db,
        contact: ContactId,
        ticket: Option<TicketId>,
        agent: Option<UserId>,
        body: &str,
        at: DateTime<Utc>,
    ) -> Result<MessageId, PersistenceError> {
        let (direction, state) = if agent.is_some() { ("out", "sent") } else { ("in", "received") };
        let id: i64 = diesel::insert_into(messages::table)
            .values((
                messages::chatbot_id.eq(self.chatbot.0),
                messages::channel_id.eq(self.channel.0),
                messages::contact_id.eq(contact.0),
                messages::ticket_id.eq(ticket.map(|id| id.0)),
                messages::agent_id.eq(agent.map(|id| id.0)),
                messages::direction.eq(direction),
                messages::kind.eq("text"),
                messages::body.eq(body),
                messages::folded.eq(fold(body)),
                messages::payload.eq("{}"),
                messages::state.eq(state),
                messages::occurred_at.eq(Instant::from(at)),
                messages::created_at.eq(Instant::from(at)),
            ))
            .returning(messages::id)
            .get_result(db)?;
        Ok(MessageId(id))
    }

    /// A send of Ana's, accepted as it was triggered.
    fn send(
        &self,
        db: &mut Db,
        contact: ContactId,
        ticket: Option<TicketId>,
        state: ActiveMessageState,
        at: DateTime<Utc>,
    ) -> Result<MessageId, PersistenceError> {
        let id = self.message(db, contact, ticket, Some(self.ana), "Oi Luiza", at)?;
        diesel::insert_into(active_messages::table)
            .values((
                active_messages::message_id.eq(id.0),
                active_messages::chatbot_id.eq(self.chatbot.0),
                active_messages::number_id.eq(self.number.0),
                active_messages::contact_id.eq(contact.0),
                active_messages::agent_id.eq(self.ana.0),
                active_messages::template_id.eq(self.template),
                active_messages::variables.eq(r#"{"1":"Luiza"}"#),
                active_messages::door.eq("desk"),
                active_messages::decision_id.eq(1),
                active_messages::state.eq(state.as_str()),
                (
                    active_messages::notification.eq(true),
                    active_messages::queued_at.eq(Instant::from(at)),
                    active_messages::expires_at.eq(Instant::from(at + hours(24))),
                    active_messages::listed_until.eq(Instant::from(at + hours(72))),
                ),
            ))
            .execute(db)?;
        Ok(id)
    }
}

#[derive(Clone, Copy)]
enum Place {
    ServedBy(UserId),
    In(QueueId),
    NoQueue,
    Only(UserId),
}

fn names(rows: &[TicketRow]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_agent_sees_their_own_tickets_and_those_they_may_take() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                given.ticket(db, "Mine", Place::ServedBy(given.ana))?;
                let theirs = given.ticket(db, "Theirs", Place::ServedBy(given.rui))?;
                given.ticket(db, "Queue", Place::In(given.queue))?;
                given.ticket(db, "Elsewhere", Place::In(given.other_queue))?;
                given.ticket(db, "Nowhere", Place::NoQueue)?;
                given.ticket(db, "ForMe", Place::Only(given.ana))?;
                given.ticket(db, "ForRui", Place::Only(given.rui))?;
                let ana = given.actor(db, given.ana);
                let serving = list_in_progress(db, &ana, "", now())?;
                assert_eq!(names(&serving), ["Mine"]);
                let waiting = list_waiting(db, &ana, "", None, now())?.rows;
                assert_eq!(names(&waiting), ["ForMe", "Nowhere", "Queue"]);
                let for_me = waiting.iter().find(|row| row.name == "ForMe").unwrap();
                assert_eq!(for_me.reserved_for, Some((given.ana, "Ana".to_owned())));
                let counts = count_tabs(db, &ana, now())?;
                assert_eq!(counts, TabCounts { waiting: 3, in_progress: 1, sent: 0 });
                let contact: i64 =
                    tickets::table.find(theirs.0).select(tickets::contact_id).first(db)?;
                let theirs = ConversationId { chatbot: given.chatbot, contact: ContactId(contact) };
                let denied = find_access(db, &ana, theirs);
                assert!(matches!(denied, Err(PersistenceError::NotFound)));
                let manager = given.actor(db, given.manager);
                let counts = count_tabs(db, &manager, now())?;
                assert_eq!(counts, TabCounts { waiting: 5, in_progress: 2, sent: 0 });
                assert!(find_access(db, &manager, theirs)?.ticket.is_some());
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn ro_07_an_agent_takes_only_what_waits_for_them_or_in_a_queue_they_serve() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let queued = given.ticket(db, "Queue", Place::In(given.queue))?;
                let elsewhere = given.ticket(db, "Elsewhere", Place::In(given.other_queue))?;
                let nowhere = given.ticket(db, "Nowhere", Place::NoQueue)?;
                let for_me = given.ticket(db, "ForMe", Place::Only(given.ana))?;
                let for_rui = given.ticket(db, "ForRui", Place::Only(given.rui))?;
                let ana = given.actor(db, given.ana);
                for (case, hidden) in [("Elsewhere", elsewhere), ("ForRui", for_rui)] {
                    let taken = ticket::take(db, &ana, hidden, now());
                    assert!(matches!(taken, Err(PersistenceError::NotFound)), "{case}");
                }
                for (case, hers) in [("Queue", queued), ("Nowhere", nowhere), ("ForMe", for_me)] {
                    let taken = ticket::take(db, &ana, hers, now())?;
                    assert_eq!(taken, TicketOutcome::Done, "{case}");
                }
                let serves_and_sees_all = [Permission::ServeTickets, Permission::SeeAllTickets];
                user::save_membership(
                    db,
                    given.manager,
                    given.chatbot,
                    Role::Manager,
                    &serves_and_sees_all,
                )?;
                let manager = given.actor(db, given.manager);
                assert_eq!(ticket::take(db, &manager, elsewhere, now())?, TicketOutcome::Done);
                queue::set_agents(db, given.queue, &[given.ana, given.rui])?;
                let rui = given.actor(db, given.rui);
                let slower = ticket::take(db, &rui, queued, now())?;
                assert_eq!(slower, TicketOutcome::Refused(TicketRefusal::ServedByAnother));
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_chatbot_without_the_actor_in_its_team_is_not_there() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let contact = given.contact(db, "Luiza")?;
                given.message(db, contact, None, None, "Oi", now())?;
                let ana = given.actor(db, given.ana);
                let elsewhere = ConversationId { chatbot: ChatbotId(given.chatbot.0 + 1), contact };
                let thread = find_thread(db, &ana, elsewhere, None, now());
                assert!(matches!(thread, Err(PersistenceError::NotFound)));
                let stranger = ConversationId { chatbot: given.chatbot, contact };
                let thread = find_thread(db, &ana, stranger, None, now());
                assert!(
                    matches!(thread, Err(PersistenceError::NotFound)),
                    "nor a contact they have never had to do with"
                );
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_row_shows_the_latest_message_and_how_the_session_stands() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let ticket = given.ticket(db, "Luiza", Place::ServedBy(given.ana))?;
                let contact: i64 =
                    tickets::table.find(ticket.0).select(tickets::contact_id).first(db)?;
                let contact = ContactId(contact);
                let later = now() + hours(1);
                given.message(db, contact, Some(ticket), Some(given.ana), "Pronto", later)?;
                diesel::insert_into(session_windows::table)
                    .values((
                        session_windows::channel_id.eq(given.channel.0),
                        session_windows::contact_id.eq(contact.0),
                        session_windows::last_inbound_at.eq(Instant::from(now())),
                    ))
                    .execute(db)?;
                let ana = given.actor(db, given.ana);
                let at = now() + hours(23);
                let rows = list_in_progress(db, &ana, "", at)?;
                let [row] = rows.as_slice() else { panic!("one row, not {}", rows.len()) };
                let last = row.last.as_ref().unwrap();
                assert_eq!((last.body.as_str(), last.agent), ("Pronto", Some(given.ana)));
                assert_eq!(row.unread, 1);
                let ends_at = now() + hours(24);
                assert_eq!(row.session, SessionState::ClosingSoon { ends_at });
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn rows_are_found_by_name_by_number_by_text_and_by_protocol() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let ticket = given.ticket(db, "Luísa Prado", Place::ServedBy(given.ana))?;
                given.ticket(db, "Rafael", Place::ServedBy(given.ana))?;
                given.ticket(db, "Élisa", Place::ServedBy(given.ana))?;
                let ana = given.actor(db, given.ana);
                let protocol = ProtocolNumber::of(ticket);
                let cases = [
                    ("lui", vec!["Luísa Prado"]),
                    ("FROM Raf", vec!["Rafael"]),
                    ("from", vec!["Luísa Prado", "Rafael", "Élisa"]),
                    ("élisa", vec!["Élisa"]),
                    ("FROM ÉLISA", vec!["Élisa"]),
                    ("rom elis", vec!["Élisa"]),
                    (protocol.as_str(), vec!["Luísa Prado"]),
                    ("100%", vec![]),
                ];
                for (typed, expected) in cases {
                    let rows = list_in_progress(db, &ana, typed, now())?;
                    assert_eq!(names(&rows), expected, "{typed}");
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_thread_shows_all_in_order_but_nothing_of_another_agents_ticket() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Luiza")?;
                given.send(db, luiza, None, ActiveMessageState::Expired, now())?;
                let id = ConversationId { chatbot: given.chatbot, contact: luiza };
                let ticket: i64 = diesel::insert_into(tickets::table)
                    .values((
                        tickets::protocol.eq("000011"),
                        tickets::chatbot_id.eq(given.chatbot.0),
                        tickets::contact_id.eq(luiza.0),
                        tickets::channel_id.eq(given.channel.0),
                        tickets::agent_id.eq(given.rui.0),
                        tickets::state.eq("in_progress"),
                        tickets::opened_at.eq(Instant::from(now() + hours(30))),
                        tickets::last_message_at.eq(Instant::from(now() + hours(30))),
                        tickets::unread.eq(0),
                    ))
                    .returning(tickets::id)
                    .get_result(db)?;
                let at = now() + hours(30);
                given.message(db, luiza, Some(TicketId(ticket)), None, "to Rui", at)?;
                let rui = given.actor(db, given.rui);
                let thread = find_thread(db, &rui, id, None, at)?;
                let bodies: Vec<&str> =
                    thread.messages.iter().map(|message| message.body.as_str()).collect();
                assert_eq!(bodies, ["Oi Luiza", "to Rui"]);
                let template = thread.messages[0].template.as_ref().unwrap();
                assert_eq!(
                    (template.name.as_str(), template.content.buttons.len()),
                    ("order_ready", 1)
                );
                assert_eq!(template.content.body_text(), "Oi Luiza");
                assert_eq!(thread.ticket_agent, Some((given.rui, "Rui".to_owned())));
                let ana = given.actor(db, given.ana);
                let thread = find_thread(db, &ana, id, None, at)?;
                assert!(thread.is_served_elsewhere && thread.ticket.is_none());
                assert_eq!(thread.messages.len(), 1, "her own send alone");
                let about = find_about(db, &rui, id, at)?;
                let outlook = about.outlook.unwrap();
                assert_eq!(outlook.number.unwrap().phone, "+551140001000");
                assert!(outlook.facts.open_ticket.is_some());
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn the_name_of_a_conversation_is_read_back_and_nothing_else() {
    let id = ConversationId { chatbot: ChatbotId(1), contact: ContactId(42) };
    assert_eq!("1-42".parse(), Ok(id));
    for text in ["", "1", "1-", "-42", "01-42", "1-+2", "1-42-3", "a-b"] {
        assert_eq!(text.parse::<ConversationId>(), Err(NoConversation), "{text}");
    }
}

/// A send of Ana's whose header is the picture at `url`, and the picture as she looked at it.
fn send_picture(
    given: &Given,
    db: &mut Db,
    contact: ContactId,
    url: &str,
) -> Result<MessageId, PersistenceError> {
    let message = given.send(db, contact, None, ActiveMessageState::Read, now())?;
    diesel::update(active_messages::table.find(message.0))
        .set(active_messages::variables.eq(format!(r#"{{"1":"Luiza","header":"{url}"}}"#)))
        .execute(db)?;
    let file = MediaFile {
        content_type: "image/png".to_owned(),
        size: 4,
        name: "tile.png".to_owned(),
        preview: Some(b"\x89PNG".to_vec()),
    };
    compose::save_media(db, given.ana, url, MediaKind::Image, file, now())?;
    Ok(message)
}

#[test]
fn am_07_a_sent_picture_shows_to_whoever_may_see_the_conversation() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Luiza")?;
                let message = send_picture(&given, db, luiza, "https://shop.example/tile.png")?;
                let without = given.send(db, luiza, None, ActiveMessageState::Sent, now())?;
                let ana = given.actor(db, given.ana);
                let conversation = ConversationId { chatbot: given.chatbot, contact: luiza };
                let thread = find_thread(db, &ana, conversation, None, now())?;
                let media = thread.messages.iter().map(|it| (it.id, it.media.clone()));
                let kept = SentMedia { name: "tile.png".to_owned(), size: 4, has_picture: true };
                let expected = [(message, Some(kept)), (without, None)];
                assert_eq!(media.collect::<Vec<_>>(), expected);
                for sees in [given.ana, given.manager] {
                    let sees = given.actor(db, sees);
                    let file = find_media(db, &sees, message)?;
                    assert_eq!(file.preview.as_deref(), Some(b"\x89PNG".as_slice()));
                }
                let rui = given.actor(db, given.rui);
                let cases = [
                    ("who took no part", find_media(db, &rui, message)),
                    ("a send without a file", find_media(db, &ana, without)),
                    ("no message", find_media(db, &ana, MessageId(message.0 + 99))),
                ];
                for (case, found) in cases {
                    assert!(matches!(found, Err(PersistenceError::NotFound)), "{case}");
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn one_row_of_a_tab_is_the_same_as_in_its_list() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                given.ticket(db, "Mine", Place::ServedBy(given.ana))?;
                given.ticket(db, "Queue", Place::In(given.queue))?;
                let (ana, rui) = (given.actor(db, given.ana), given.actor(db, given.rui));
                for tab in [TicketTab::InProgress, TicketTab::Waiting] {
                    let mut listed = match tab {
                        TicketTab::InProgress => list_in_progress(db, &ana, "", now())?,
                        TicketTab::Waiting => list_waiting(db, &ana, "", None, now())?.rows,
                    };
                    let listed = listed.pop().unwrap();
                    assert!(listed.window_policy.is_some(), "SW-08");
                    let id = listed.conversation;
                    assert_eq!(find_ticket(db, &ana, tab, id, now())?, Some(listed));
                    assert_eq!(find_ticket(db, &rui, tab, id, now())?, None, "not another's");
                }
                let luiza = given.contact(db, "Luiza")?;
                given.send(db, luiza, None, ActiveMessageState::Sent, now())?;
                let listed = list_sent(db, &ana, "", None, now())?.rows.pop().unwrap();
                let id = listed.conversation;
                assert_eq!(find_sent(db, &ana, id, now())?, Some(listed));
                assert_eq!(find_sent(db, &rui, id, now())?, None);
                Ok(())
            })
            .unwrap();
    });
}
