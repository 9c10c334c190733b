//! The sign-in page in its three states, and in the visitor's language.

mod common;

use common::{AGENT, TestDesk};

/// The page with what changes with any static file left out.
fn stable(page: &str) -> String {
    let mut stable = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("/static/") {
        stable.push_str(before);
        stable.push_str("/static/VERSION/");
        rest = after.split_once('/').map_or("", |(_, after)| after);
    }
    stable + rest
}

#[actix_web::test]
async fn empty() {
    let desk = TestDesk::start();
    let page = desk.browser().get("/account/sign-in?next=/desk/sent").send().await.unwrap();
    assert_eq!(page.status(), 200);
    insta::assert_snapshot!(stable(&page.text().await.unwrap()));
}

#[actix_web::test]
async fn with_fields_missing() {
    let desk = TestDesk::start();
    let page = desk.browser().sign_in("ana", "").await;
    assert_eq!(page.status(), 422);
    insta::assert_snapshot!(stable(&page.text().await.unwrap()));
}

#[actix_web::test]
async fn refused() {
    let desk = TestDesk::start();
    let page = desk.browser().sign_in(AGENT, "wrong").await;
    assert_eq!(page.status(), 422);
    insta::assert_snapshot!(stable(&page.text().await.unwrap()));
}

#[actix_web::test]
async fn the_language_is_the_browsers_until_one_is_chosen() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let by_browser = browser
        .get("/account/sign-in")
        .header("accept-language", "pt-BR,en;q=0.5")
        .send()
        .await
        .unwrap();
    assert!(by_browser.text().await.unwrap().contains("<html lang=\"pt-BR\">"));
    let chosen = browser.get("/account/sign-in?lang=es").send().await.unwrap();
    let cookie = chosen.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("janela_language=es; "), "{cookie}");
    assert!(chosen.text().await.unwrap().contains("<html lang=\"es\">"));
    let kept = browser
        .get("/account/sign-in")
        .header("accept-language", "pt-BR")
        .header("cookie", "janela_language=es; janela_theme=dark")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(kept.contains("<html lang=\"es\" data-theme=\"dark\">"));
}
