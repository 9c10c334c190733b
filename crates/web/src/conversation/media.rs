//! `/media/messages/{message}`: the picture that went with a message, from our own address (AM-07).

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use domain::ids::MessageId;
use persistence::conversation;

use crate::{compose, desk::Desk, error::WebError, session::SignedIn};

/// The picture, for whoever may see the conversation that the message stands in.
pub async fn show_media(
    desk: Data<Desk>,
    user: SignedIn,
    message: Path<String>,
) -> Result<HttpResponse, WebError> {
    let message = message.parse().map(MessageId).map_err(|_| WebError::NotFound)?;
    let actor = user.actor.clone();
    let file = desk.store.read(move |db| conversation::find_media(db, &actor, message)).await?;
    compose::picture(file)
}
