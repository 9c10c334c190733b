//! Signing in and out, and the choices a user makes for themselves.

mod gate;
mod preferences;
mod sign_in;

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};

pub use gate::Gate;

use crate::{form::see_other, session::SignedIn};

/// The account's pages, under `/account`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/account/sign-in")
                .get(sign_in::show_sign_in)
                .post(sign_in::submit_sign_in),
        )
        .service(web::resource("/account/sign-out").post(sign_in::submit_sign_out))
        .service(web::resource("/account/preferences").post(preferences::submit_preferences));
}

/// The bare address leads to where the user works.
pub async fn show_home(user: SignedIn) -> HttpResponse {
    see_other(user.home())
}
