//! The pages *Phones* and *Mailbox*.

use actix_web::web::ServiceConfig;

pub(crate) fn routes(_config: &mut ServiceConfig) {}
