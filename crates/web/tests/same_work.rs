//! C9: a sign-in costs the same whether or not there is such a user. It counts what is costly, so it has a
//! process of its own.

mod common;

use chrono::DateTime;
use common::{AGENT, MANAGER, TestDesk};
use persistence::{password, user};

#[actix_web::test]
async fn c9_each_refused_sign_in_goes_through_one_verification() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let disabled = |db: &mut _| {
        let status = user::UserStatus::Disabled;
        user::set_status(db, desk.agent, status, DateTime::UNIX_EPOCH)
    };
    desk.store().blocking_write(disabled).unwrap();
    let cases = [
        ("a wrong password", MANAGER, "wrong"),
        ("an unknown email", "nobody@example.com", "wrong"),
        ("an unknown email with a password of someone", "nobody@example.com", common::PASSWORD),
        ("a disabled user's own password", AGENT, common::PASSWORD),
    ];
    for (case, email, password) in cases {
        let before = password::count_verified();
        let answer = browser.sign_in(email, password).await;
        assert_eq!(answer.status(), 422, "{case}");
        assert_eq!(password::count_verified() - before, 1, "{case}");
    }
}
