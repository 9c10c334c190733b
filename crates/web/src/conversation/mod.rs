//! The desk's conversations: the three tabs, the thread with its composer, what stands beside it, and the
//! agent's presence.

mod about;
mod action;
mod answering;
mod around;
mod attach;
mod bubble;
mod clock;
mod content;
mod dialog;
mod failure;
mod file;
mod handler;
mod history;
mod list;
mod media;
mod open;
mod page;
mod row;
mod state;
#[cfg(test)]
mod tests;
mod thread;
mod unread;
mod wish;

use actix_web::web::{self, ServiceConfig};

pub use self::failure::failure_words;

pub use self::attach::Uploads;
pub use self::{
    bubble::{MediaView, TemplateView, content_of},
    state::StateView,
    unread::with_unread,
};

/// The desk's pages of conversations, under `/desk`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/desk", web::get().to(handler::show_desk))
        .route("/desk/conversations", web::get().to(handler::show_in_progress))
        .route("/desk/waiting", web::get().to(handler::show_waiting))
        .route("/desk/sent", web::get().to(handler::show_sent))
        .route("/desk/list", web::get().to(handler::show_list))
        .route("/desk/unread", web::get().to(unread::show_unread))
        .route("/desk/search", web::post().to(handler::submit_search))
        .route("/desk/presence", web::post().to(action::submit_presence))
        .route("/media/messages/{message}", web::get().to(media::show_media))
        .service(
            web::scope("/desk/conversations/{conversation}")
                .route("", web::get().to(open::show_conversation))
                .route("/thread", web::get().to(open::show_thread))
                .route("/about", web::get().to(open::show_about))
                .route("/reply", web::post().to(action::submit_reply))
                .route("/react", web::post().to(action::submit_reaction))
                .route("/typing", web::post().to(action::submit_typing))
                .route("/file", web::get().to(attach::show_attach))
                .route("/file", web::post().to(attach::submit_attach))
                .route("/wish", web::get().to(wish::show_wish))
                .route("/wish", web::post().to(wish::submit_wish))
                .route("/take", web::post().to(action::submit_take))
                .route("/close", web::post().to(action::submit_close))
                .route("/seen", web::post().to(action::submit_seen)),
        );
}
