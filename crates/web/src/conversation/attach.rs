//! Sending a picture, recording or file: the form, as a dialog or a page of its own, and what becomes of it (C25).

mod keep;
mod page;
mod receive;

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload, Query},
};
use domain::{
    channel::{ChannelKind, MediaProblem},
    ids::{ChannelId, MessageId, TicketId},
    media::{FileKind, MediaId, OutgoingFileProblem},
    template::MediaKind,
};
use persistence::{
    conversation::{self, ConversationId, Thread},
    media::{self, NewUpload, UnsentFile},
    ticket::{self, FileDraft, Reply, ReplyRefusal},
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use self::page::{AttachPage, Attached};
use super::{action, dialog, open::parse_id};
use crate::{
    compose::media_problem,
    desk::Desk,
    error::WebError,
    session::{Agent, Session},
    visit::Visit,
};

/// How long a whole form with its file may take to arrive.
const WITHIN: Duration = Duration::from_secs(300);

/// How many files come in at once in this process; whoever comes beyond that is asked to wait.
pub struct Uploads {
    slots: Semaphore,
    /// Pictures are read whole into memory, so one after the other.
    reading: Semaphore,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { slots: Semaphore::new(4), reading: Semaphore::new(1) }
    }
}

/// What the address of the form may say besides its path.
#[derive(Debug, Deserialize)]
pub struct AttachQuery {
    /// The message that the file answers.
    quote: Option<i64>,
}

/// The form.
pub async fn show_attach(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    query: Query<AttachQuery>,
) -> Result<HttpResponse, WebError> {
    let thread = load(&desk, &visit, &agent, parse_id(&path)?).await?;
    let attached = Attached { quote: query.quote.map(MessageId), ..Attached::default() };
    AttachPage::new(&desk, &visit, &agent, &thread, attached).await?.respond()
}

/// Takes the file as it comes and queues it, or brings the form back with all that was typed and chosen.
pub async fn submit_attach(
    desk: Data<Desk>,
    visit: Visit,
    agent: Agent,
    path: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, WebError> {
    let id = parse_id(&path)?;
    let thread = load(&desk, &visit, &agent, id).await?;
    let channel = channel_of(&thread).ok_or(WebError::NotFound)?;
    let _slot = desk.uploads.slots.try_acquire().map_err(|_| WebError::Unavailable)?;
    let receiving = receive::receive(&desk, &visit, &agent, channel, &request, payload);
    let received =
        tokio::time::timeout(WITHIN, receiving).await.map_err(|_| WebError::TooSlow)??;
    let mut attached = received.attached;
    let file = match received.file {
        Some(Ok(file)) => Ok(Some(file)),
        Some(Err(problem)) => Err(("file", file_problem(problem, &visit))),
        None if !attached.link.trim().is_empty() => {
            look(&desk, &visit, &agent, channel, attached.link.trim()).await?.map(Some)
        }
        None => Ok(find_kept(&desk, &agent, received.kept.clone()).await?),
    };
    match file {
        Ok(Some(file)) => {
            let draft = FileDraft {
                ticket: TicketId(received.ticket),
                file: file.id.clone(),
                caption: attached.caption.clone(),
                key: attached.key.clone(),
                quotes: attached.quote,
            };
            attached.kept = Some(file);
            send(&desk, &visit, &agent, &thread, draft, attached, &request).await
        }
        Ok(None) => {
            let none = visit.t().file_problem_none();
            corrected(&desk, &visit, &agent, &thread, attached, ("file", none)).await
        }
        Err(problem) => {
            attached.kept = find_kept(&desk, &agent, received.kept).await?;
            corrected(&desk, &visit, &agent, &thread, attached, problem).await
        }
    }
}

/// The conversation, of which the form needs the head and the open ticket.
async fn load(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    id: ConversationId,
) -> Result<Thread, WebError> {
    let (actor, now) = (agent.actor.clone(), visit.now);
    let find =
        move |db: &mut persistence::db::Db| conversation::find_thread(db, &actor, id, None, now);
    Ok(desk.store.read(find).await?)
}

/// Over which channel the file would go.
fn channel_of(thread: &Thread) -> Option<ChannelId> {
    let of_ticket = thread.ticket.as_ref().map(|ticket| ticket.channel);
    of_ticket.or(thread.channel.map(|(channel, _)| channel))
}

async fn find_kept(
    desk: &Desk,
    agent: &Session,
    id: Option<MediaId>,
) -> Result<Option<UnsentFile>, WebError> {
    let Some(id) = id else { return Ok(None) };
    let actor = agent.actor.clone();
    Ok(desk.store.read(move |db| media::find_unsent(db, &actor, &id)).await?)
}

/// Looks at the file behind an address, and keeps the address where the platform takes it.
async fn look(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    channel: ChannelId,
    link: &str,
) -> Result<Result<UnsentFile, (&'static str, String)>, WebError> {
    let adapter = desk.channels.get(&ChannelKind::WhatsApp).ok_or(WebError::Unavailable)?;
    let guess = kind_by_name(link);
    let (kind, found) = match adapter.inspect_media(link, guess).await {
        // What is there says what it is.
        Err(MediaProblem::WrongKind { found }) if kind_by_type(&found) != guess => {
            let kind = kind_by_type(&found);
            (kind, adapter.inspect_media(link, kind).await)
        }
        found => (guess, found),
    };
    let found = match found {
        Ok(found) => found,
        Err(problem) => return Ok(Err(("link", media_problem(&problem, kind, visit.t())))),
    };
    let new = NewUpload {
        channel,
        kind: match kind {
            MediaKind::Image => FileKind::Image,
            MediaKind::Video => FileKind::Video,
            MediaKind::Document => FileKind::Document,
        },
        name: crate::media::safe_name(&found.name),
        content_type: found.content_type,
    };
    let (actor, now, link, size) = (agent.actor.clone(), visit.now, link.to_owned(), found.size);
    let (kind, name) = (new.kind, new.name.clone());
    let save =
        move |db: &mut persistence::db::Db| media::save_link(db, &actor, &new, &link, size, now);
    let id = desk.store.write(save).await?;
    Ok(Ok(UnsentFile { id, kind, name, size }))
}

fn kind_by_name(link: &str) -> MediaKind {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("jpg" | "jpeg" | "png") => MediaKind::Image,
        Some("mp4" | "3gp") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

fn kind_by_type(content_type: &str) -> MediaKind {
    match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

async fn send(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    thread: &Thread,
    draft: FileDraft,
    mut attached: Attached,
    request: &HttpRequest,
) -> Result<HttpResponse, WebError> {
    let (actor, clock) = (agent.actor.clone(), desk.clock.clone());
    let outcome =
        desk.store.write(move |db| ticket::send_file(db, &actor, &draft, &*clock)).await?;
    let t = visit.t();
    let problem = match outcome {
        Reply::Queued(_) | Reply::Replayed(_) => {
            desk.nudges.media.notify_one();
            desk.nudges.dispatch.notify_one();
            let back = format!("/desk/conversations/{}", thread.conversation);
            return Ok(dialog::done(visit, request, "/file", &back));
        }
        Reply::KeyReused => {
            attached.key = String::new();
            (StatusCode::CONFLICT, ("file", t.desk_refused_stale()))
        }
        Reply::Refused(ReplyRefusal::TextTooLong) => {
            (StatusCode::UNPROCESSABLE_ENTITY, ("caption", t.file_problem_caption()))
        }
        Reply::Refused(refusal) => {
            // What is sent once more goes without it.
            attached.quote = attached.quote.filter(|_| refusal != ReplyRefusal::QuoteGone);
            let (status, text) = action::refused(refusal, t);
            (status, ("file", text))
        }
    };
    let (status, problem) = problem;
    let mut page = AttachPage::new(desk, visit, agent, thread, attached).await?;
    page.correct(status, problem);
    page.respond()
}

async fn corrected(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    thread: &Thread,
    attached: Attached,
    problem: (&'static str, String),
) -> Result<HttpResponse, WebError> {
    let mut page = AttachPage::new(desk, visit, agent, thread, attached).await?;
    page.correct(StatusCode::UNPROCESSABLE_ENTITY, problem);
    page.respond()
}

/// Why a file is not sent, at its field.
fn file_problem(problem: OutgoingFileProblem, visit: &Visit) -> String {
    let t = visit.t();
    match problem {
        OutgoingFileProblem::Empty => t.file_problem_empty(),
        OutgoingFileProblem::NotTaken => t.file_problem_not_taken(),
        OutgoingFileProblem::WrongName => t.file_problem_wrong_name(),
        OutgoingFileProblem::TooLarge { limit } => {
            t.file_problem_too_large(crate::media::size_words(limit, t))
        }
        OutgoingFileProblem::TooManyPixels => t.file_problem_too_many_pixels(),
        OutgoingFileProblem::Broken => t.file_problem_broken(),
    }
}
