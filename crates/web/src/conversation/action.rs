//! What an agent does in a conversation: answers, takes, closes, has seen it; and comes and goes.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use domain::{
    ids::{MessageId, TicketId},
    presence::Presence,
    session_window::FreeFormRefusal,
    ticket::TicketRefusal,
};
use persistence::{
    conversation::{self, ConversationId},
    ticket::{self, ReactionDraft, Reply, ReplyDraft, ReplyRefusal, TicketOutcome},
};
use serde::Deserialize;

use super::{
    handler::DeskQuery,
    list::Tab,
    open::{load_page, parse_id},
    thread::Typed,
};
use crate::{
    desk::Desk,
    error::WebError,
    flash::Flash,
    form::{local_path, see_other},
    locale::Words,
    page::Toast,
    session::{Agent, Session},
    visit::{Reader, Visit},
};

/// A reply as typed. `Debug` is not there: it would show the text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyForm {
    #[serde(default)]
    text: String,
    #[serde(default)]
    key: String,
    ticket: i64,
    /// The message it answers.
    quote: Option<i64>,
}

/// A press on something to put on a message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReactionForm {
    ticket: i64,
    message: i64,
    /// Empty to take back what is there.
    #[serde(default)]
    emoji: String,
}

/// A press on a button that concerns one ticket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketForm {
    ticket: i64,
}

/// A press in the presence switch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceForm {
    presence: String,
    #[serde(default)]
    next: String,
}

/// Queues the reply, or brings the page back with the text and why it was not sent.
pub async fn submit_reply(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    Form(form): Form<ReplyForm>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let draft = ReplyDraft {
        ticket: TicketId(form.ticket),
        text: form.text.clone(),
        key: form.key.clone(),
        quotes: form.quote.map(MessageId),
    };
    if form.key.is_empty() {
        return Err(WebError::BadRequest);
    }
    let (actor, clock) = (agent.actor.clone(), desk.clock.clone());
    let outcome = desk.store.write(move |db| ticket::reply(db, &actor, &draft, &*clock)).await?;
    let t = visit.t();
    let (status, problem) = match outcome {
        Reply::Queued(_) | Reply::Replayed(_) => {
            desk.nudges.dispatch.notify_one();
            desk.nudges.signals.notify_one();
            return Ok(see_other(&format!("/desk/conversations/{id}")));
        }
        Reply::KeyReused => (StatusCode::CONFLICT, t.desk_refused_stale()),
        Reply::Refused(refusal) => refused(refusal, t),
    };
    // The refused form keeps its key, unless the key itself was the problem.
    let key = if outcome == Reply::KeyReused { String::new() } else { form.key };
    let quote = form
        .quote
        .map(MessageId)
        .filter(|_| !matches!(outcome, Reply::Refused(ReplyRefusal::QuoteGone)));
    let typed = Typed { text: form.text, problem: Some(problem), key, quote };
    corrected(&desk, &visit, &agent, id, typed, status).await
}

/// The page again, with the text as typed. Where there is no composer any more, a toast says why.
async fn corrected(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    id: ConversationId,
    typed: Typed,
    status: StatusCode,
) -> Result<HttpResponse, WebError> {
    let problem = typed.problem.clone();
    let mut page = load_page(desk, visit, agent, id, DeskQuery::default(), typed).await?;
    page.status = status;
    page.page = page.page.with_problems();
    let has_composer = page.open.as_ref().is_some_and(|open| open.thread.composer.note.is_none());
    if !has_composer {
        page.page.toast = problem.map(|text| Toast { kind: "error", text });
    }
    page.respond()
}

pub(super) fn refused(refusal: ReplyRefusal, t: Words) -> (StatusCode, String) {
    match refusal {
        ReplyRefusal::TextEmpty => (StatusCode::UNPROCESSABLE_ENTITY, t.desk_refused_empty()),
        ReplyRefusal::TextTooLong => (StatusCode::UNPROCESSABLE_ENTITY, t.desk_refused_too_long()),
        ReplyRefusal::QuoteGone => (StatusCode::CONFLICT, t.desk_refused_quote_gone()),
        ReplyRefusal::Session(FreeFormRefusal::SessionExpired) => {
            (StatusCode::CONFLICT, t.desk_refused_expired())
        }
        ReplyRefusal::Session(FreeFormRefusal::SessionMessagesUsedUp) => {
            (StatusCode::CONFLICT, t.desk_refused_used_up())
        }
        ReplyRefusal::Ticket(refusal) => (StatusCode::CONFLICT, ticket_refused(refusal, t)),
    }
}

fn ticket_refused(refusal: TicketRefusal, t: Words) -> String {
    match refusal {
        TicketRefusal::Closed => t.desk_refused_closed(),
        TicketRefusal::ServedByAnother => t.desk_refused_served(),
        TicketRefusal::WaitsForAnother => t.desk_refused_waits(),
        TicketRefusal::NotTaken => t.desk_refused_not_taken(),
    }
}

/// Puts something on a message of the contact, or takes it back; it goes out like a message.
pub async fn submit_reaction(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    Form(form): Form<ReactionForm>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let draft = ReactionDraft {
        ticket: TicketId(form.ticket),
        message: MessageId(form.message),
        emoji: form.emoji,
    };
    let (actor, clock) = (agent.actor.clone(), desk.clock.clone());
    let outcome = desk.store.write(move |db| ticket::react(db, &actor, &draft, &*clock)).await?;
    match outcome {
        Reply::Queued(_) | Reply::Replayed(_) => {
            desk.nudges.dispatch.notify_one();
            Ok(see_other(&format!("/desk/conversations/{id}")))
        }
        Reply::Refused(ReplyRefusal::TextEmpty) | Reply::KeyReused => Err(WebError::Unprocessable),
        Reply::Refused(refusal) => {
            not_done(&desk, &visit, &agent, id, refused(refusal, visit.t()).1).await
        }
    }
}

/// Notes that the agent types an answer; said by the page itself, so that there is nothing to answer.
pub async fn submit_typing(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let (actor, now) = (agent.actor.clone(), visit.now);
    desk.store
        .write(move |db| {
            let access = conversation::find_access(db, &actor, id)?;
            match access.ticket {
                Some(ticket) => ticket::note_typing(db, &actor, ticket.id, now),
                None => Ok(()),
            }
        })
        .await?;
    desk.nudges.signals.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a waiting ticket.
pub async fn submit_take(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    Form(form): Form<TicketForm>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let (actor, ticket, now) = (agent.actor.clone(), TicketId(form.ticket), visit.now);
    match desk.store.write(move |db| ticket::take(db, &actor, ticket, now)).await? {
        TicketOutcome::Done => Ok(see_other(&format!("/desk/conversations/{id}"))),
        TicketOutcome::Refused(refusal) => {
            not_done(&desk, &visit, &agent, id, ticket_refused(refusal, visit.t())).await
        }
    }
}

/// Closes a ticket; the list says so.
pub async fn submit_close(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    Form(form): Form<TicketForm>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let (actor, ticket, now) = (agent.actor.clone(), TicketId(form.ticket), visit.now);
    match desk.store.write(move |db| ticket::close(db, &actor, ticket, now)).await? {
        TicketOutcome::Done => {
            Flash::TicketClosed(ticket).beside(see_other(Tab::InProgress.path()), &agent, &desk)
        }
        TicketOutcome::Refused(refusal) => {
            not_done(&desk, &visit, &agent, id, ticket_refused(refusal, visit.t())).await
        }
    }
}

/// The conversation as it is, with why nothing was done. Whoever may not see it any more goes back to
/// the list.
async fn not_done(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    id: ConversationId,
    problem: String,
) -> Result<HttpResponse, WebError> {
    let mut page =
        load_page(desk, visit, agent, id, DeskQuery::default(), Typed::default()).await?;
    page.status = StatusCode::CONFLICT;
    page.page.toast = Some(Toast { kind: "error", text: problem });
    page.respond()
}

/// Notes that the agent has seen what arrived; sent by the page itself, or by its button without script.
pub async fn submit_seen(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let (actor, now) = (agent.actor.clone(), visit.now);
    desk.store
        .write(move |db| {
            let access = conversation::find_access(db, &actor, id)?;
            match access.ticket {
                Some(ticket) => ticket::mark_seen(db, &actor, ticket.id, now),
                None => Ok(()),
            }
        })
        .await?;
    desk.nudges.signals.notify_one();
    Ok(match visit.reader {
        Reader::Page => see_other(&format!("/desk/conversations/{id}")),
        Reader::Fragment | Reader::Api | Reader::Machine => HttpResponse::NoContent().finish(),
    })
}

/// Notes what the agent chose to be, and goes back to where the switch was pressed.
pub async fn submit_presence(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    Form(form): Form<PresenceForm>,
) -> Result<HttpResponse, WebError> {
    let chosen = match Presence::parse(&form.presence) {
        Some(Presence::Offline) | None => return Err(WebError::Unprocessable),
        Some(chosen) => chosen,
    };
    let (actor, now) = (agent.actor.clone(), visit.now);
    desk.store.write(move |db| ticket::set_presence(db, &actor, chosen, now)).await?;
    Ok(see_other(local_path(Some(&form.next), "/desk")))
}
