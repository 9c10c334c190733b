//! Searching as a browser does it: what is typed comes back on the page and stands in no address.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use common::{ADMIN, AGENT, Browser, MANAGER, TestDesk};
use reqwest::Response;

const TYPED: &str = "Luísa & +55 11 98765";

async fn search(
    desk: &TestDesk,
    browser: &Browser,
    path: &str,
    form: &[(&str, &str)],
    script: bool,
) -> String {
    let token = desk.form_token(browser);
    let mut fields = vec![("form_token", token.as_str())];
    fields.extend_from_slice(form);
    let mut request = browser.post(path).form(&fields);
    if script {
        request = request.header("hx-request", "true");
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 303, "{path}");
    location(&answer)
}

fn location(answer: &Response) -> String {
    answer.headers().get("location").unwrap().to_str().unwrap().to_owned()
}

async fn page(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// What the search field of a page holds.
fn field(page: &str, id: &str) -> String {
    let (_, field) = page.split_once(&format!("id=\"{id}\"")).unwrap();
    let (_, value) = field.split_once("value=\"").unwrap();
    value.split('"').next().unwrap().replace("&#38;", "&")
}

/// Every address of a page.
fn addresses(page: &str) -> Vec<&str> {
    let starts = ["href=\"", "action=\"", "hx-get=\"", "hx-post=\"", "src=\""];
    let found = starts.iter().flat_map(|start| page.split(start).skip(1));
    found.map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

fn assert_hides(addresses: &[&str]) {
    for address in addresses {
        for word in ["Lu", "98765", "%C3", "q="] {
            assert!(!address.contains(word), "{word} in {address}");
        }
    }
}

#[actix_web::test]
async fn what_is_searched_for_on_the_desk_stands_in_no_address() {
    let desk = TestDesk::start();
    let ana = desk.signed_in(AGENT).await;
    let form = [("q", TYPED), ("tab", "waiting"), ("open", "")];

    let led_to = search(&desk, &ana, "/desk/search", &form, false).await;
    assert!(led_to.starts_with("/desk/waiting?tab=waiting&search="), "{led_to}");
    let shown = page(&ana, &led_to).await;
    assert_eq!(field(&shown, "list-search"), TYPED);
    let mut all = addresses(&shown);
    all.push(&led_to);
    assert_hides(&all);
    let refetched = all.iter().find(|address| address.starts_with("/desk/list?")).unwrap();
    let list = ana.fragment(&refetched.replace("&#38;", "&")).send().await.unwrap();
    let list = list.text().await.unwrap();
    assert_eq!(field(&list, "list-search"), TYPED, "a list fetched anew is searched still");

    let by_script = search(&desk, &ana, "/desk/search", &form, true).await;
    assert!(by_script.starts_with("/desk/list?tab=waiting&search="), "{by_script}");
    assert_eq!(by_script.rsplit('&').nth(1), led_to.rsplit('&').next(), "the same words, one id");

    let rui = desk.signed_in(MANAGER).await;
    assert_eq!(field(&page(&rui, &led_to).await, "list-search"), "", "a search is its owner's");
    for broken in ["/desk/waiting?search=Luisa", "/desk/waiting?search=%00", "/desk/sent?search="] {
        assert_eq!(field(&page(&ana, broken).await, "list-search"), "", "{broken}");
    }

    let nothing = [("q", "  "), ("tab", "sent"), ("open", "")];
    let cleared = search(&desk, &ana, "/desk/search", &nothing, false).await;
    assert_eq!(cleared, "/desk/sent?tab=sent");
}

#[actix_web::test]
async fn what_is_searched_for_in_growth_stands_in_no_address() {
    let desk = TestDesk::start();
    let eva = desk.signed_in(ADMIN).await;
    let path = "/portal/growth/active-messages";
    let form = [
        ("contact", TYPED),
        ("agent", ""),
        ("template", ""),
        ("state", "read"),
        ("chatbot", ""),
        ("from", "2026-11-01"),
        ("to", ""),
    ];
    let led_to = search(&desk, &eva, path, &form, true).await;
    assert!(led_to.starts_with(&format!("{path}?search=")), "{led_to}");
    assert!(led_to.ends_with("&state=read&from=2026-11-01"), "{led_to}");
    let shown = page(&eva, &led_to).await;
    assert_eq!(field(&shown, "contact"), TYPED);
    let mut all = addresses(&shown);
    all.push(&led_to);
    assert_hides(&all);
    let nothing = form.map(|(name, _)| (name, ""));
    assert_eq!(search(&desk, &eva, path, &nothing, false).await, path);
}
