//! What is told besides messages, and what is put on them.

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    channel::{OutgoingContent, PlatformRefusal, RefusalClass, SendOutcome, Signal, SignalKind},
    clock::Clock,
    ids::{MessageId, TicketId, UserId},
};

use super::DIGITS;
use crate::{
    error::PersistenceError,
    outbox::Claim,
    reaction,
    schema::{channels, chatbots, messages, tickets},
    signal::{self, DueSignal},
    test_desk::{TestDesk, accepted, inbound},
    test_support::on_both,
    ticket::{self, ReactionDraft, Reply, ReplyDraft, ReplyRefusal},
    user::Actor,
};

/// A conversation in which the contact wrote `wamid.a`, its ticket and who serves it.
struct Conversation {
    desk: TestDesk,
    ticket: TicketId,
    holder: Actor,
}

fn conversation(store: &crate::store::Store) -> Conversation {
    let desk = TestDesk::new(store);
    desk.apply(vec![inbound("wamid.a", DIGITS, "hello", desk.clock.now())]);
    let (ticket, holder): (i64, Option<i64>) = store
        .blocking_read(|db| {
            Ok(tickets::table.select((tickets::id, tickets::agent_id)).first(db)?)
        })
        .unwrap();
    let holder = desk.actor(UserId(holder.unwrap()));
    Conversation { desk, ticket: TicketId(ticket), holder }
}

impl Conversation {
    fn message(&self, provider_id: &str) -> MessageId {
        let id = messages::table.filter(messages::provider_id.eq(provider_id)).select(messages::id);
        MessageId(self.desk.store.blocking_read(|db| Ok(id.first(db)?)).unwrap())
    }

    fn see(&self) {
        let now = self.desk.clock.now();
        self.desk
            .store
            .blocking_write(|db| ticket::mark_seen(db, &self.holder, self.ticket, now))
            .unwrap();
    }

    fn type_something(&self) {
        let now = self.desk.clock.now();
        self.desk
            .store
            .blocking_write(|db| ticket::note_typing(db, &self.holder, self.ticket, now))
            .unwrap();
    }

    /// What is told now, as kinds and messages.
    fn take(&self) -> Vec<(SignalKind, String)> {
        let now = self.desk.clock.now();
        let taken = self.desk.store.blocking_write(|db| signal::take(db, 10, now)).unwrap();
        let told = taken.due.into_iter();
        told.map(|DueSignal { signal: Signal { kind, of }, .. }| (kind, of)).collect()
    }

    fn react(&self, on: &str, emoji: &str) -> Result<Reply, PersistenceError> {
        self.react_as(&self.holder, on, emoji)
    }

    fn react_as(&self, actor: &Actor, on: &str, emoji: &str) -> Result<Reply, PersistenceError> {
        let draft =
            ReactionDraft { ticket: self.ticket, message: self.message(on), emoji: emoji.into() };
        self.desk.store.blocking_write(|db| ticket::react(db, actor, &draft, &*self.desk.clock))
    }

    fn reply(&self, key: &str, quotes: Option<MessageId>) -> Reply {
        let draft = ReplyDraft { ticket: self.ticket, text: "Yes".into(), key: key.into(), quotes };
        self.desk
            .store
            .blocking_write(|db| ticket::reply(db, &self.holder, &draft, &*self.desk.clock))
            .unwrap()
    }

    fn ours_on(&self, to: &str) -> Option<String> {
        let channel = self.desk.channel;
        self.desk.store.blocking_read(|db| reaction::find_ours(db, channel, to)).unwrap()
    }

    fn claim(&self) -> Claim {
        let mut claims = self.desk.claim(10);
        assert_eq!(claims.len(), 1);
        claims.remove(0)
    }
}

fn read(of: &str) -> (SignalKind, String) {
    (SignalKind::Read, of.to_owned())
}

#[test]
fn reading_is_told_once_and_of_the_latest_message_alone() {
    on_both(|store| {
        let talk = conversation(store);
        assert_eq!(talk.take(), [], "nobody has read it yet");
        talk.desk.apply(vec![inbound("wamid.b", DIGITS, "are you there?", talk.desk.clock.now())]);
        talk.see();
        assert_eq!(talk.take(), [read("wamid.b")], "of both, the latest");
        talk.see();
        assert_eq!(talk.take(), [], "once");
        talk.desk.clock.advance(TimeDelta::seconds(1));
        talk.desk.apply(vec![inbound("wamid.c", DIGITS, "hm", talk.desk.clock.now())]);
        let Reply::Queued(_) = talk.reply("a", None) else { panic!("refused") };
        assert_eq!(talk.take(), [read("wamid.c")], "whoever answers has read");
        talk.desk.clock.advance(TimeDelta::seconds(1));
        talk.desk.apply(vec![inbound("wamid.d", DIGITS, "so", talk.desk.clock.now())]);
        talk.see();
        talk.desk.clock.advance(TimeDelta::hours(1));
        assert_eq!(talk.take(), [], "an hour later it is of no use");
    });
}

#[test]
fn what_the_chatbot_keeps_to_itself_is_told_to_nobody() {
    on_both(|store| {
        let talk = conversation(store);
        let set = |told: bool| {
            let off = chatbots::read_marks.eq(told);
            store
                .blocking_write(|db| Ok(diesel::update(chatbots::table).set(off).execute(db)?))
                .unwrap();
        };
        set(false);
        talk.see();
        talk.type_something();
        assert_eq!(talk.take(), []);
        set(true);
        store
            .blocking_write(|db| {
                let sms = channels::kind.eq("sms");
                Ok(diesel::update(channels::table).set(sms).execute(db)?)
            })
            .unwrap();
        talk.type_something();
        assert_eq!(talk.take(), [], "a platform without such signals");
    });
}

#[test]
fn typing_is_told_every_20_s_at_most_and_only_while_the_window_is_open() {
    on_both(|store| {
        let talk = conversation(store);
        let typing = (SignalKind::Typing, "wamid.a".to_owned());
        let cases = [(0, true), (1, false), (18, false), (1, true), (19, false), (1, true)];
        for (seconds, told) in cases {
            talk.desk.clock.advance(TimeDelta::seconds(seconds));
            talk.type_something();
            let expected: &[_] = if told { std::slice::from_ref(&typing) } else { &[] };
            assert_eq!(talk.take(), expected, "{seconds} s later");
        }
        talk.desk.clock.advance(TimeDelta::seconds(20));
        talk.type_something();
        talk.desk.clock.advance(TimeDelta::seconds(10));
        assert_eq!(talk.take(), [], "old news");
        talk.desk.clock.advance(TimeDelta::hours(24));
        talk.type_something();
        assert_eq!(talk.take(), [], "SW-04");
    });
}

#[test]
fn an_answer_names_the_message_it_answers_and_no_other_conversations() {
    on_both(|store| {
        let talk = conversation(store);
        let asked = talk.message("wamid.a");
        let Reply::Queued(message) = talk.reply("a", Some(asked)) else { panic!("refused") };
        assert_eq!(talk.reply("a", Some(asked)), Reply::Replayed(message), "AM-11");
        assert_eq!(talk.reply("a", None), Reply::KeyReused);
        assert_eq!(talk.claim().outgoing.quotes.as_deref(), Some("wamid.a"));
        talk.desk.apply(vec![inbound("wamid.other", "351912345679", "hi", talk.desk.clock.now())]);
        let other = talk.message("wamid.other");
        assert_eq!(talk.reply("b", Some(other)), Reply::Refused(ReplyRefusal::QuoteGone));
        let unsent = talk.reply("c", Some(message));
        assert_eq!(
            unsent,
            Reply::Refused(ReplyRefusal::QuoteGone),
            "the platform knows it not yet"
        );
    });
}

#[test]
fn a_reaction_goes_out_like_a_message_and_is_taken_back_when_it_never_arrives() {
    on_both(|store| {
        let talk = conversation(store);
        let Reply::Queued(message) = talk.react("wamid.a", "👍").unwrap() else { panic!() };
        assert_eq!(talk.ours_on("wamid.a").as_deref(), Some("👍"));
        assert!(matches!(talk.react("wamid.a", "👍").unwrap(), Reply::Replayed(_)), "once");
        let claim = talk.claim();
        assert_eq!(claim.outgoing.id, message);
        let OutgoingContent::Reaction { to, emoji } = &claim.outgoing.content else { panic!() };
        assert_eq!((to.as_str(), emoji.as_str()), ("wamid.a", "👍"));
        let _sent = talk.desk.record(&claim, &accepted("wamid.r1"));
        talk.desk.clock.advance(TimeDelta::seconds(1));
        let Reply::Queued(_) = talk.react("wamid.a", "").unwrap() else { panic!() };
        assert_eq!(talk.ours_on("wamid.a"), None, "taken back");
        let _sent = talk.desk.record(&talk.claim(), &accepted("wamid.r2"));
        talk.desk.clock.advance(TimeDelta::seconds(1));
        let Reply::Queued(_) = talk.react("wamid.a", "🙏").unwrap() else { panic!() };
        let refusal = PlatformRefusal { code: "131009".into(), title: "too old".into() };
        let refused = SendOutcome::Refused { refusal, class: RefusalClass::Fail };
        let _failed = talk.desk.record(&talk.claim(), &refused);
        assert_eq!(talk.ours_on("wamid.a"), None, "it never got there");
    });
}

#[test]
fn sw_04_a_reaction_needs_an_open_window_a_holder_and_a_message_of_the_contact() {
    on_both(|store| {
        let talk = conversation(store);
        let Reply::Queued(ours) = talk.reply("a", None) else { panic!("refused") };
        let _sent = talk.desk.record(&talk.claim(), &accepted("wamid.ours"));
        let on_ours = talk.react("wamid.ours", "👍");
        assert!(matches!(on_ours, Err(PersistenceError::NotFound)), "{ours}: {on_ours:?}");
        let odd = talk.react("wamid.a", "not an emoji").unwrap();
        assert_eq!(odd, Reply::Refused(ReplyRefusal::TextEmpty));
        let other = talk.desk.agents.into_iter().find(|agent| *agent != talk.holder.id()).unwrap();
        let refused = talk.react_as(&talk.desk.actor(other), "wamid.a", "👍").unwrap();
        assert!(matches!(refused, Reply::Refused(ReplyRefusal::Ticket(_))), "{refused:?}");
        talk.desk.clock.advance(TimeDelta::hours(24));
        let late = talk.react("wamid.a", "👍").unwrap();
        assert!(matches!(late, Reply::Refused(ReplyRefusal::Session(_))), "{late:?}");
    });
}
